//! Views against loops over indices.

use crate::common::{self, Dice, Naive, build, check, dims, indices, pair, with, without};
use retrograde_tensor::{Shape, Tensor};

for_floats! {
    fn read(dims in dims(0..=4), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        check(&x, &naive);
        assert_eq!((x.rank(), x.numel(), x.shape()), (dims.len(), naive.data.len(), Shape::new(&dims).unwrap()));
        assert_eq!(x.strides().len(), dims.len());
        assert_eq!(x.iter().len(), naive.data.len());
        assert_eq!(x.item().ok(), (naive.data.len() == 1).then(|| naive.data[0]));
        for index in indices(&dims) {
            assert_eq!(x.get(&index).unwrap(), naive.at(&index));
        }
        assert_eq!(x.is_contiguous(), x.as_slice().is_some());
        assert!(x.as_slice().is_none_or(|slice| slice == naive.data));
        let copy = x.contiguous();
        assert_eq!(copy.as_slice().unwrap(), naive.data);
        assert_eq!(copy.shares_storage_with(&x), x.is_contiguous());
        let mut sum = 0.0;
        for x in &x {
            sum += x;
        }
        assert_eq!(sum, naive.data.iter().sum::<E>());
    }

    fn permute_transpose_and_t(dims in dims(0..=5), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        let axes = Dice(seed ^ 1).shuffled(dims.len());
        let permuted = |axes: &[usize]| {
            Naive::from_fn(&axes.iter().map(|&axis| dims[axis]).collect::<Vec<_>>(), |index| {
                let mut from = vec![0; axes.len()];
                axes.iter().zip(index).for_each(|(&axis, &i)| from[axis] = i);
                naive.at(&from)
            })
        };
        check(&x.permute(&axes), &permuted(&axes));
        assert!(x.permute(&axes).shares_storage_with(&x));
        if let [a, b, ..] = axes[..] {
            let mut swapped: Vec<usize> = (0..dims.len()).collect();
            swapped.swap(a, b);
            check(&x.transpose(a, b), &permuted(&swapped));
            let mut last: Vec<usize> = (0..dims.len()).collect();
            last.swap(dims.len() - 2, dims.len() - 1);
            check(&x.t(), &permuted(&last));
        }
    }

    fn narrow_select_and_flip(dims in dims(1..=4), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        let mut dice = Dice(seed ^ 1);
        let axis = dice.roll(dims.len());
        let start = dice.roll(dims[axis] + 1);
        let len = dice.roll(dims[axis] - start + 1);
        let mut part = dims.clone();
        part[axis] = len;
        let shifted = |index: &[usize]| {
            let mut index = index.to_vec();
            index[axis] += start;
            index
        };
        check(&x.narrow(axis, start, len), &Naive::from_fn(&part, |index| naive.at(&shifted(index))));
        check(&x.flip(axis), &Naive::from_fn(&dims, |index| {
            let mut index = index.to_vec();
            index[axis] = dims[axis] - 1 - index[axis];
            naive.at(&index)
        }));
        assert!(x.narrow(axis, start, len).shares_storage_with(&x) && x.flip(axis).shares_storage_with(&x));
        if dims[axis] > 0 {
            let at = dice.roll(dims[axis]);
            let row = Naive::from_fn(&without(&dims, axis), |index| naive.at(&with(index, axis, at)));
            check(&x.select(axis, at), &row);
            assert!(x.select(axis, at).shares_storage_with(&x));
        }
    }

    fn squeeze_and_unsqueeze(dims in dims(0..=4), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        let axis = Dice(seed ^ 1).roll(dims.len() + 1);
        let y = x.unsqueeze(axis);
        check(&y, &Naive { dims: with(&dims, axis, 1), data: naive.data.clone() });
        check(&y.squeeze(axis), &naive);
        assert!(y.shares_storage_with(&x) && y.squeeze(axis).shares_storage_with(&x));
    }

    fn broadcast(dims in dims(0..=4), seed) {
        let (a, b) = pair(&dims, seed);
        let (x, naive) = build::<E>(&a, seed);
        let dims = common::broadcast(&a, &b);
        let y = x.broadcast_to(Shape::new(&dims).unwrap());
        check(&y, &Naive::from_fn(&dims, |index| naive.broadcast_at(index)));
        assert!(y.shares_storage_with(&x));
    }

    fn reshape(dims in dims(0..=4), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        // The prime factors of the number of elements, some multiplied, with some 1s between.
        let mut dice = Dice(seed ^ 1);
        let mut factors: Vec<usize> = dims.iter().flat_map(|&dim| if dim == 4 { vec![2, 2] } else { vec![dim] }).collect();
        if dice.roll(2) == 0 {
            factors = dice.shuffled(factors.len()).into_iter().map(|i| factors[i]).collect();
        }
        let mut to = vec![];
        for factor in factors {
            if to.is_empty() || to.len() < 5 && dice.roll(2) == 0 {
                to.push(factor);
            } else {
                *to.last_mut().unwrap() *= factor;
            }
        }
        if dice.roll(3) == 0 {
            to.insert(dice.roll(to.len() + 1), 1);
        }
        let y = x.reshape(Shape::new(&to).unwrap());
        check(&y, &Naive { dims: to, data: naive.data.clone() });
        if x.is_contiguous() {
            assert!(y.shares_storage_with(&x));
        }
        check(&y.reshape(x.shape()), &naive);
    }
}

#[test]
fn reshape_views_where_strides_allow() {
    let x = Tensor::<f32>::from_fn([4, 6, 5], |index| (index[0] * 30 + index[1] * 5 + index[2]) as f32);
    let part = x.narrow(2, 1, 3);
    // The first two axes still form one; the last does not join them.
    assert!(part.reshape([24, 3]).shares_storage_with(&x));
    assert!(part.reshape([2, 2, 1, 3, 2, 3]).shares_storage_with(&x));
    assert!(!part.reshape([4, 18]).shares_storage_with(&x));
    assert!(x.flip(0).flip(1).flip(2).reshape([120]).shares_storage_with(&x));
    assert!(!x.t().reshape([120]).shares_storage_with(&x));
    assert!(x.select(0, 1).broadcast_to([4, 6, 5]).reshape([2, 2, 30]).shares_storage_with(&x));
}

#[test]
fn contiguous_views_are_known_as_such() {
    let x = Tensor::<f64>::zeros([3, 4]);
    assert!(x.narrow(0, 1, 2).is_contiguous());
    assert!(!x.narrow(1, 1, 2).is_contiguous());
    assert!(x.narrow(1, 1, 0).is_contiguous());
    assert!(x.narrow(0, 1, 1).narrow(1, 2, 2).is_contiguous());
    assert!(!x.t().is_contiguous());
    assert!(x.narrow(0, 0, 1).t().is_contiguous());
    assert!(!Tensor::<f64>::zeros([1, 4]).broadcast_to([3, 4]).is_contiguous());
    assert!(Tensor::<f64>::zeros([1]).broadcast_to([1, 1]).is_contiguous());
}

/// Views whose neighbours in storage are not neighbours in a row are copied a square at a time: sizes around its edges.
#[test]
fn transposed_views_are_read_in_order() {
    let sizes = [1, 7, 15, 16, 17, 33];
    let all = sizes.iter().flat_map(|&a| sizes.iter().flat_map(move |&b| [1, 3].map(|c| [a, b, c])));
    for dims in all {
        for axes in [[1, 0, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0], [2, 0, 1]] {
            let x = Tensor::from_fn(dims, |at| (at[0] * 1000 + at[1] * 10 + at[2]) as f32);
            for x in [x.clone(), x.flip(0), x.flip(1), x.narrow(1, 0, dims[1] - dims[1] / 3)] {
                let turned = x.permute(&axes);
                let read = |at: &[usize]| turned.at(at);
                let expected = Tensor::from_fn(turned.shape(), read);
                let place = format!("{dims:?} {axes:?}");
                assert_eq!(turned.contiguous().as_slice(), expected.as_slice(), "{place}");
                assert_eq!(turned.to_vec(), expected.to_vec(), "{place}");
                assert_eq!(turned.neg(), Tensor::from_fn(turned.shape(), |at| -read(at)), "{place}");
                let twice = Tensor::from_fn(turned.shape(), |at| 2.0 * read(at));
                assert_eq!(
                    (&turned + &expected, &expected + &turned),
                    (twice.clone(), twice.clone()),
                    "{place}"
                );
                let mut sum = expected.clone();
                sum.add_assign(&turned);
                assert_eq!(sum, twice, "{place}");
            }
        }
    }
}

#[test]
fn parts_of_an_axis() {
    let x = Tensor::from_fn([2, 6, 2], |at| (at[0] * 100 + at[1] * 10 + at[2]) as f64);
    let [a, none, b] = x.split(1, [1, 0, 5]);
    assert_eq!([&a, &none, &b], [&x.narrow(1, 0, 1), &x.narrow(1, 1, 0), &x.narrow(1, 1, 5)]);
    assert!(b.shares_storage_with(&x));
    let parts: [Tensor<f64>; 3] = x.chunk(1);
    assert_eq!(parts, [0, 1, 2].map(|i| x.narrow(1, 2 * i, 2)));
    assert_eq!(x.narrow(1, 0, 0).chunk::<2>(1).map(|part| part.numel()), [0, 0]);
    assert_eq!(x.shape().parted("cut", 1, [2, 1, 3]).unwrap(), [0, 2, 3]);
    assert_eq!(x.shape().chunked::<6>("cut", 1).unwrap(), 1);
    let text = "split: expected parts that fill axis 1 of size 6, found [1, 4] in [2, 6, 2]";
    assert_eq!(x.try_split(1, [1, 4]).unwrap_err().to_string(), text);
    assert!(x.try_split(1, [usize::MAX, 7]).is_err() && x.try_split::<0>(1, []).is_err());
    let text = "chunk: expected a size of axis 1 that 4 divides, found [2, 6, 2]";
    assert_eq!(x.try_chunk::<4>(1).unwrap_err().to_string(), text);
    assert!(x.try_chunk::<0>(1).is_err() && x.try_chunk::<2>(3).is_err() && x.try_split(3, [2]).is_err());
}
