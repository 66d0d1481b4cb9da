//! Reductions and softmax against loops over indices, and sums against exact ones.

use crate::common::{
    self, Dice, Naive, build, build_with, check, check_near, dims, indices, pair, with, without,
};
use retrograde_tensor::{Element, Scalar, Shape, Tensor, assert_close};

/// Folds axes, one element at a time.
fn fold<E: Copy, F: Element>(x: &Naive<E>, axes: &[usize], keep: bool, f: impl Fn(&[E]) -> F) -> Naive<F> {
    let kept: Vec<usize> =
        x.dims.iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n }).collect();
    let mut y = Naive::from_fn(&kept, |index| f(&folded(x, axes, index)));
    if !keep {
        y.dims = (0..x.dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| x.dims[axis]).collect();
    }
    y
}

/// The elements that are reduced to one.
fn folded<E: Copy>(x: &Naive<E>, axes: &[usize], index: &[usize]) -> Vec<E> {
    let inside =
        |other: &Vec<usize>| (0..index.len()).all(|axis| axes.contains(&axis) || other[axis] == index[axis]);
    indices(&x.dims).iter().filter(|other| inside(other)).map(|other| x.at(other)).collect()
}

/// Some axes, in any order.
fn some_axes(rank: usize, seed: u64) -> Vec<usize> {
    let mut dice = Dice(seed);
    let count = dice.roll(rank + 1);
    dice.shuffled(rank)[..count].to_vec()
}

for_floats! {
    fn over_axes(dims in dims(0..=4), seed) {
        let keep = Dice(seed ^ 2).roll(2) == 0;
        let (x, naive) = build::<E>(&dims, seed);
        let axes = some_axes(dims.len(), seed ^ 1);
        check(&x.sum_axes(&axes, keep), &fold(&naive, &axes, keep, |x| x.iter().sum::<E>()));
        let mean = fold(&naive, &axes, keep, |x| x.iter().map(|&x| x.to_f64()).sum::<f64>() / x.len() as f64);
        check_near(&x.mean_axes(&axes, keep), &mean, 2.0);
        if axes.iter().all(|&axis| dims[axis] > 0) {
            check(&x.max_axes(&axes, keep), &fold(&naive, &axes, keep, |x| x.iter().copied().fold(E::NEG_INFINITY, E::max)));
            check(&x.min_axes(&axes, keep), &fold(&naive, &axes, keep, |x| x.iter().copied().fold(E::INFINITY, E::min)));
        } else {
            assert!(x.try_max_axes(&axes, keep).is_err() && x.try_min_axes(&axes, keep).is_err());
        }
        if let [axis, ..] = axes[..] {
            assert_eq!(x.sum_axis(axis, keep), x.sum_axes(&[axis], keep));
            if dims[axis] > 0 {
                check_near(&x.mean_axis(axis, keep), &fold(&naive, &[axis], keep, |x| {
                    x.iter().map(|&x| x.to_f64()).sum::<f64>() / x.len() as f64
                }), 2.0);
                assert_eq!(x.max_axis(axis, keep), x.max_axes(&[axis], keep));
                assert_eq!(x.min_axis(axis, keep), x.min_axes(&[axis], keep));
            }
        }
    }

    fn over_everything(dims in dims(0..=4), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        let all: Vec<usize> = (0..dims.len()).collect();
        check(&x.sum(), &fold(&naive, &all, false, |x| x.iter().sum::<E>()));
        if naive.data.is_empty() {
            assert!(x.mean().item().unwrap().is_nan());
            assert!(x.try_max().is_err() && x.try_min().is_err());
        } else {
            check_near(&x.mean(), &fold(&naive, &all, false, |x| {
                x.iter().map(|&x| x.to_f64()).sum::<f64>() / x.len() as f64
            }), 2.0);
            check(&x.max(), &fold(&naive, &all, false, |x| x.iter().copied().fold(E::NEG_INFINITY, E::max)));
            check(&x.min(), &fold(&naive, &all, false, |x| x.iter().copied().fold(E::INFINITY, E::min)));
        }
    }

    fn argmax(dims in dims(1..=4), seed) {
        // Few values, so that there are ties.
        let (x, naive) = build_with::<E>(&dims, seed, |dice| [0.0, 1.0, 2.0, E::NAN][dice.roll(15) % 4]);
        let axis = Dice(seed ^ 1).roll(dims.len());
        if dims[axis] == 0 {
            assert!(x.try_argmax(axis).is_err());
        } else {
            let expected = Naive::from_fn(&without(&dims, axis), |index| {
                let row: Vec<E> = (0..dims[axis]).map(|i| naive.at(&with(index, axis, i))).collect();
                let greatest = row.iter().copied().fold(E::NEG_INFINITY, E::max);
                row.iter().position(|x| x.is_nan()).unwrap_or_else(|| row.iter().position(|&x| x == greatest).unwrap())
            });
            check(&x.argmax(axis), &expected);
        }
    }

    fn sum_to(dims in dims(0..=4), seed) {
        let (a, b) = pair(&dims, seed);
        let dims = common::broadcast(&a, &b);
        let (x, naive) = build::<E>(&dims, seed);
        let mut expected = Naive { dims: a.clone(), data: vec![0.0; a.iter().product()] };
        for index in indices(&dims) {
            let tail = index[dims.len() - a.len()..].iter().zip(&a);
            let to = tail.map(|(&i, &dim)| if dim == 1 { 0 } else { i });
            let flat = to.zip(&a).fold(0, |flat, (i, dim)| flat * dim + i);
            expected.data[flat] += naive.at(&index);
        }
        let y = x.sum_to(Shape::new(&a).unwrap());
        check(&y, &expected);
        // Where there is nothing to add up, it is a view.
        let lead = dims.len() - a.len();
        let summed = (0..dims.len()).filter(|&axis| axis < lead || a[axis - lead] != dims[axis]);
        assert_eq!(y.shares_storage_with(&x), summed.map(|axis| dims[axis]).product::<usize>() == 1);
    }

    fn softmax(dims in dims(1..=4), seed) {
        let (x, naive) = build_with::<E>(&dims, seed, |dice| {
            match dice.roll(200) {
                0 => E::NAN,
                1 | 2 => E::INFINITY,
                3..25 => E::NEG_INFINITY,
                _ => dice.roll(401) as E * 0.5 - 100.0,
            }
        });
        let axis = Dice(seed ^ 1).roll(dims.len());
        // Per row, in f64: exponentials of what lies below the greatest.
        let row = |index: &[usize]| -> Vec<f64> {
            (0..dims[axis]).map(|i| Scalar::to_f64(naive.at(&with(&without(index, axis), axis, i)))).collect()
        };
        let log_sum = |row: &[f64]| {
            if row.iter().any(|x| x.is_nan()) {
                return f64::NAN;
            }
            let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if max.is_infinite() { max } else { max + row.iter().map(|x| (x - max).exp()).sum::<f64>().ln() }
        };
        let eps = E::EPSILON.to_f64();
        let log = Naive::from_fn(&dims, |index| match log_sum(&row(index)) {
            // ∞ - ∞ somewhere, and so NaN everywhere.
            f64::INFINITY => f64::NAN,
            log_sum => Scalar::to_f64(naive.at(index)) - log_sum,
        });
        let found = |y: &Tensor<E>| y.map(Scalar::to_f64);
        assert_close!(found(&x.log_softmax(axis)), log.tensor(), 4.0 * eps, 400.0 * eps, equal_nan);
        assert_close!(found(&x.softmax(axis)), log.map(f64::exp).tensor(), 40.0 * eps, 1e-37, equal_nan);
        for keep in [false, true] {
            let sums = fold(&naive.map(Scalar::to_f64), &[axis], keep, |row| log_sum(row));
            assert_close!(found(&x.logsumexp(axis, keep)), sums.tensor(), 4.0 * eps, 4.0 * eps, equal_nan);
        }
    }
}

#[test]
fn softmax_of_extremes() {
    let x = Tensor::from([[1e300, 1e300], [-1e300, 1e300], [0.0, f64::NEG_INFINITY]]);
    assert_eq!(x.softmax(1), Tensor::from([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]));
    assert_eq!(x.logsumexp(1, false), Tensor::from([1e300, 1e300, 0.0]));
    let x = Tensor::full([3], f64::NEG_INFINITY);
    assert_eq!(x.logsumexp(0, false).item().unwrap(), f64::NEG_INFINITY);
    assert_eq!(Tensor::from([f64::INFINITY, 0.0]).logsumexp(0, false).item().unwrap(), f64::INFINITY);
    assert_eq!(Tensor::<f64>::zeros([2, 0]).logsumexp(1, false), Tensor::full([2], f64::NEG_INFINITY));
}

/// As in PyTorch: nothing of a softmax is a number where the greatest is not, or where all are -∞.
#[test]
fn softmax_of_infinities() {
    let infinity = f64::INFINITY;
    for n in [1, 2, 5, 16, 33, 300] {
        for at in [0, n / 2, n - 1] {
            for special in [infinity, f64::NAN] {
                let x = Tensor::from_fn([n, 2], |i| if *i == [at, 0] { special } else { i[0] as f64 });
                for (x, axis) in [(x.clone(), 0), (x.t(), 1), (x.t().contiguous(), 1)] {
                    for y in [x.softmax(axis), x.log_softmax(axis)] {
                        assert!(y.select(1 - axis, 0).iter().all(f64::is_nan), "{x} {y}");
                        assert!(y.select(1 - axis, 1).iter().all(f64::is_finite), "{x} {y}");
                    }
                    let y = x.logsumexp(axis, false);
                    let same = y.at(&[0]) == special || special.is_nan() && y.at(&[0]).is_nan();
                    assert!(same && y.at(&[1]).is_finite(), "{x} {y}");
                }
            }
            let x = Tensor::full([n, 2], -infinity);
            for axis in [0, 1] {
                assert!(x.softmax(axis).iter().chain(&x.log_softmax(axis)).all(f64::is_nan));
                assert!(x.logsumexp(axis, false).iter().all(|y| y == -infinity));
            }
        }
    }
    for empty in [Tensor::<f32>::zeros([3, 0]), Tensor::zeros([0, 3])] {
        for axis in [0, 1] {
            assert_eq!((empty.softmax(axis), empty.log_softmax(axis)), (empty.clone(), empty.clone()));
        }
    }
}

/// Rows, columns and planes long enough for every block and tree: sums in `f32` against sums in `f64`.
#[test]
fn long_sums_are_accurate() {
    for n in [255, 256, 257, 511, 512, 513, 1000, 4096, 100_003] {
        let x = Tensor::<f32>::from_fn([n, 3], |index| 0.1 + ((index[0] * 7 + index[1]) % 11) as f32 * 1e-3);
        let columns: Vec<f64> = (0..3).map(|j| (0..n).map(|i| f64::from(x.at(&[i, j]))).sum()).collect();
        let expected = Tensor::from_vec(columns, [3]).unwrap();
        let wide = |y: Tensor<f32>| y.map(Scalar::to_f64);
        assert_close!(wide(x.sum_axis(0, false)), expected, 4e-7, 0.0);
        assert_close!(wide(x.t().contiguous().sum_axis(1, false)), expected, 4e-7, 0.0);
        assert_close!(wide(x.flip(0).sum_axis(0, false)), expected, 4e-7, 0.0);
        assert_close!(wide(x.sum()), expected.sum(), 4e-7, 0.0);
        assert_close!(wide(x.t().sum()), expected.sum(), 4e-7, 0.0);
        let planes = x.unsqueeze(1).broadcast_to([n, 2, 3]);
        assert_close!(wide(planes.sum_axes(&[0, 1], false)), &expected * 2.0, 4e-7, 0.0);
        assert_close!(wide(planes.sum_axes(&[0, 2], false)), expected.sum().broadcast_to([2]), 4e-7, 0.0);
    }
}

/// Exact sums of whole numbers, over every combination of axes of an array larger than a block.
#[test]
fn large_arrays_in_odd_layouts() {
    let dims = [6, 70, 5, 9];
    for seed in 0..12 {
        let (x, naive) = build::<f64>(&dims, seed);
        for chosen in 0..16 {
            let axes: Vec<usize> = (0..4).filter(|axis| chosen >> axis & 1 == 1).collect();
            let (sums, greatest) = (x.sum_axes(&axes, true), x.max_axes(&axes, true));
            let mut expected = Naive { dims: sums.dims().to_vec(), data: vec![0.0; sums.numel()] };
            let mut max = Naive { dims: sums.dims().to_vec(), data: vec![f64::NEG_INFINITY; sums.numel()] };
            for (index, &value) in indices(&dims).iter().zip(&naive.data) {
                let flat =
                    (0..4).fold(
                        0,
                        |flat, axis| {
                            if axes.contains(&axis) { flat } else { flat * dims[axis] + index[axis] }
                        },
                    );
                expected.data[flat] += value;
                max.data[flat] = max.data[flat].max(value);
            }
            assert_eq!(sums.to_vec(), expected.data, "sum over {axes:?}, seed {seed}");
            assert_eq!(greatest.to_vec(), max.data, "max over {axes:?}, seed {seed}");
        }
    }
}

#[test]
fn extremes_propagate_nan() {
    for at in [0, 5, 17, 300, 511] {
        let mut x = Tensor::<f32>::ones([512]);
        x.set(&[at], f32::NAN).unwrap();
        assert!(x.max().item().unwrap().is_nan() && x.min().item().unwrap().is_nan());
        let columns = x.unsqueeze(1).broadcast_to([512, 2]).contiguous();
        assert!(columns.max_axis(0, false).iter().all(f32::is_nan));
    }
}

/// Rows around the sizes of lanes and blocks, with something special in any place.
#[test]
fn extremes_of_long_rows() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for len in [1, 2, 5, 8, 15, 16, 17, 31, 32, 47, 64, 255, 256, 257, 273, 600] {
        for special in [&[][..], &[nan], &[inf], &[-inf], &[inf, -inf], &[-inf, nan], &[f32::MAX, f32::MAX]] {
            for place in (0..len).step_by(1 + len / 40) {
                let mut x: Vec<f32> = (0..len).map(|i| ((i * 37 + place) % 101) as f32 - 50.0).collect();
                for (i, &special) in special.iter().enumerate() {
                    x[(place + 16 * i) % len] = special;
                }
                let fold = |f: fn(f32, f32) -> f32| match x.iter().any(|x| x.is_nan()) {
                    true => nan,
                    false => x.iter().copied().reduce(f).unwrap(),
                };
                let (greatest, least) = (fold(f32::max), fold(f32::min));
                let same = |found: Tensor<f32>, expected: f32| {
                    found.iter().all(|found| found == expected || found.is_nan() && expected.is_nan())
                };
                // Along a row, along a column, and along a row read backwards.
                let row = Tensor::from_vec(x, [1, len]).unwrap();
                for (x, axis) in [(row.clone(), 1), (row.t().contiguous(), 0), (row.flip(1), 1)] {
                    assert!(same(x.max_axis(axis, false), greatest), "{special:?} at {place} of {len}");
                    assert!(same(x.min_axis(axis, false), least), "{special:?} at {place} of {len}");
                }
            }
        }
    }
}

#[test]
fn no_axes_is_the_identity() {
    let x = Tensor::from([[1.5, -2.0], [0.0, 4.0]]);
    for y in [x.sum_axes(&[], false), x.mean_axes(&[], true), x.max_axes(&[], false), x.min_axes(&[], true)] {
        assert_eq!(y, x);
    }
}
