//! Short rows, which are brought together in blocks, and reductions of rows of every length: more elements than a block has,
//! against loops over indices.

use crate::common::{Dice, Naive, broadcast, build, build_with, check, own, pair, without};
use retrograde_tensor::{Element, Tensor};

/// More elements than a block of 1024, in rows shorter and longer than those that are used as they lie (64), or none.
const SHAPES: [&[usize]; 14] = [
    &[300, 5],
    &[1100, 1],
    &[1, 1100],
    &[41, 3, 17],
    &[7, 40, 5],
    &[40, 2, 3, 7],
    &[70, 16],
    &[3, 24, 16],
    &[20, 63],
    &[20, 64],
    &[20, 65],
    &[3, 1, 700],
    &[0, 5],
    &[30, 0, 7],
];

/// Seeds, of which each lays operands out differently.
const SEEDS: std::ops::Range<u64> = 0..12;

for_floats! {
    fn of_pairs() {
        for (dims, seed) in SHAPES.into_iter().flat_map(|dims| SEEDS.map(move |seed| (dims, seed))) {
            let (a, b) = pair(dims, seed);
            let ((x, nx), (y, ny)) = (build::<E>(&a, seed), build::<E>(&b, seed ^ 1));
            let sum = nx.zip(&ny, |x, y| x + y);
            same(&(&x + &y), &sum);
            same(&(own(&x) + &y), &sum);
            same(&(&x + own(&y)), &sum);
            let (z, nz) = build::<E>(&sum.dims, seed ^ 2);
            let mut own = own(&z);
            own.add_assign(&y);
            same(&own, &nz.zip(&ny, |z, y| z + y));
            same(&x.map(|x| x + 0.5), &nx.map(|x| x + 0.5));
            same(&x.square(), &nx.map(|x| x * x));
        }
    }

    fn of_parts_that_are_written() {
        for (dims, seed) in SHAPES.into_iter().flat_map(|dims| SEEDS.map(move |seed| (dims, seed))) {
            let axis = Dice(seed).roll(dims.len());
            let mut wide = dims.to_vec();
            wide[axis] += 3;
            let ((mut x, nx), (y, ny)) = (build::<E>(&wide, seed), build::<E>(dims, seed ^ 1));
            x.add_at(axis, 2, &y);
            let expected = Naive::from_fn(&wide, |index| {
                let mut from = index.to_vec();
                from[axis] = from[axis].wrapping_sub(2);
                if from[axis] < dims[axis] { nx.at(index) + ny.at(&from) } else { nx.at(index) }
            });
            same(&x, &expected);
        }
    }

    fn of_selections() {
        for (dims, seed) in SHAPES.into_iter().flat_map(|dims| SEEDS.map(move |seed| (dims, seed))) {
            let ((a, b), (m, _)) = (pair(dims, seed), pair(dims, seed ^ 3));
            let values = [0.0, -0.0, 1.0, E::NAN, E::INFINITY, 1e-40];
            let (mask, nm) = build_with::<E>(&m, seed, |dice| values[dice.roll(6)]);
            let (x, nx) = build_with::<E>(&a, seed ^ 1, |dice| dice.roll(9) as E);
            let (y, ny) = build_with::<E>(&b, seed ^ 2, |dice| dice.roll(9) as E - 20.0);
            let branches = nx.zip(&ny, |x, y| (x, y));
            let expected = nm.zip(&branches, |m, (x, y)| if m != 0.0 { x } else { y });
            assert_eq!(expected.dims, broadcast(&m, &broadcast(&a, &b)));
            same(&Tensor::where_mask(&mask, &x, &y), &expected);
        }
    }

    fn that_are_reduced() {
        // Every length up to some lanes, and those around one and several blocks of 256.
        let lengths = (1..50).chain([63, 64, 65, 100, 255, 256, 257, 511, 512, 513, 1300]);
        for (length, seed) in lengths.zip(0..) {
            for (dims, axis) in [([3, length], 1), ([length, 3], 0), ([length, 1], 0), ([2, length], 0)] {
                let (x, naive) = build::<E>(&dims, seed);
                let (x, naive) = if seed % 2 == 0 { (x, naive) } else { (naive.tensor(), naive) };
                let (x, middle) = (x.reshape([1, dims[0], dims[1]]).broadcast_to([2, dims[0], dims[1]]), axis + 1);
                for x in [&x, &x.contiguous()] {
                    same(&x.sum_axis(middle, false), &reduced(&naive, axis, |x, y| x + y));
                    same(&x.max_axis(middle, false), &reduced(&naive, axis, E::max));
                    same(&x.min_axis(middle, false), &reduced(&naive, axis, E::min));
                }
            }
        }
    }

    fn that_hold_a_nan() {
        for length in 1..70 {
            for at in [0, length / 2, length - 1] {
                let mut row = vec![1.0; length];
                row[at] = E::NAN;
                for x in [Tensor::from_vec(row.clone(), [1, length]), Tensor::from_vec(row, [length, 1])] {
                    let x = x.unwrap();
                    for y in [x.sum(), x.max(), x.min()] {
                        assert!(y.item().unwrap().is_nan(), "{length}, {at}");
                    }
                }
            }
        }
    }
}

/// The same reduction of both halves of a batch of two that are equal.
fn reduced<E: Element>(x: &Naive<E>, axis: usize, f: impl Fn(E, E) -> E) -> Naive<E> {
    let kept = without(&x.dims, axis);
    Naive::from_fn(&[2, kept[0]], |index| {
        let at = |i: usize| x.at(&if axis == 0 { [i, index[1]] } else { [index[1], i] });
        (1..x.dims[axis]).fold(at(0), |y, i| f(y, at(i)))
    })
}

/// Exactly the same; quicker than [`check`] for many elements.
#[track_caller]
fn same<E: Element>(found: &Tensor<E>, expected: &Naive<E>) {
    if expected.data.len() < 100 {
        return check(found, expected);
    }
    assert_eq!(found.dims(), expected.dims, "sizes");
    assert_eq!(found.to_vec(), expected.data);
}

/// Blocks hold any element, and pairs need not be of one type.
#[test]
fn of_other_elements() {
    let (x, y) = (Tensor::from_fn([300, 5], |i| i[0] * 5 + i[1]), Tensor::from_fn([5], |i| i[0] % 2 == 0));
    let z = x.zip(&y, |x, even| if even { x } else { 0 });
    for (i, z) in z.iter().enumerate() {
        assert_eq!(z, if i % 5 % 2 == 0 { i } else { 0 });
    }
    let flipped = x.flip(1).map(|x| x + 1);
    assert_eq!(flipped.at(&[299, 0]), 300 * 5);
}
