//! Constructors and random tensors.

use crate::common::{Naive, check, dims, shaped};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, StandardUniform, Uniform};
use retrograde_tensor::{Float, Scalar, Shape, Tensor, assert_close};

/// All from -5 to 4, in either direction.
fn intervals() -> impl Iterator<Item = (i32, i32)> {
    (-5..5).flat_map(|start| (-5..5).map(move |end| (start, end)))
}

for_floats! {
    fn filled(dims in dims(0..=5), _seed) {
        let shape = Shape::new(&dims).unwrap();
        assert_eq!(Tensor::<E>::empty(shape).dims(), dims);
        let numbered = Naive::from_fn(&dims, |index| index.iter().fold(0, |flat, i| flat * 10 + i) as E);
        check(&Tensor::from_fn(shape, |index| index.iter().fold(0, |flat, i| flat * 10 + i) as E), &numbered);
        check(&Tensor::from_vec(numbered.data.clone(), shape).unwrap(), &numbered);
        check(&Tensor::<E>::zeros(shape), &numbered.map(|_| 0.0));
        check(&Tensor::<E>::ones(shape), &numbered.map(|_| 1.0));
        check(&Tensor::<E>::full(shape, 2.5), &numbered.map(|_| 2.5));
        check(&Tensor::<usize>::full(shape, 7), &numbered.map(|_| 7));
        check(&Tensor::<bool>::zeros(shape), &numbered.map(|_| false));
    }

    fn eye() {
        for n in 0..6 {
            check(&Tensor::<E>::eye(n), &Naive::from_fn(&[n, n], |index| if index[0] == index[1] { 1.0 } else { 0.0 }));
        }
    }

    fn linspace() {
        for (start, end) in intervals() {
            for n in 0..9 {
                let x = Tensor::<E>::linspace(start as E, end as E, n);
                let expected: Vec<f64> = (0..n)
                    .map(|i| f64::from(start) + f64::from(end - start) * i as f64 / (n.max(2) - 1) as f64)
                    .collect();
                assert_close!(x.map(Scalar::to_f64), shaped(expected, &[n]), 2.0 * E::EPSILON.to_f64(), 1e-15);
                if n > 1 {
                    assert_eq!((x.at(&[0]), x.at(&[n - 1])), (start as E, end as E));
                }
            }
        }
    }

    fn arange() {
        // In quarters, which are exact.
        let quarters = |x: i32| x as E * 0.25;
        for (start, end) in intervals() {
            for step in (-4..0).chain(1..5) {
                let mut expected = vec![];
                let mut at = start;
                while if step > 0 { at < end } else { at > end } {
                    expected.push(quarters(at));
                    at += step;
                }
                let found = Tensor::arange(quarters(start), quarters(end), quarters(step)).unwrap();
                assert_eq!(found.to_vec(), expected);
            }
        }
    }
}

#[test]
fn nested_arrays() {
    let x = Tensor::from([[[[1.0, 2.0]], [[3.0, 4.0]]]]);
    assert_eq!((x.dims(), x.to_vec()), (&[1, 2, 1, 2][..], vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(Tensor::from([[[1_usize], [2]]]).dims(), [1, 2, 1]);
    assert_eq!(Tensor::from([[true, false]]).to_vec(), [true, false]);
    assert_eq!(Tensor::from([1.0_f32; 0]).dims(), [0]);
    assert_eq!(Tensor::from([[1.0_f32; 0]; 3]).dims(), [3, 0]);
    let x: Tensor<f32> = 2.0.into();
    assert_eq!((x.rank(), x.item().unwrap(), &x), (0, 2.0, &Tensor::scalar(2.0)));
}

#[test]
fn clones_share_until_written() {
    let mut x = Tensor::from([1.0, 2.0]);
    let y = x.clone();
    assert!(x.shares_storage_with(&y));
    x.as_mut_slice()[0] = 5.0;
    assert!(!x.shares_storage_with(&y));
    let view = x.narrow(0, 1, 1);
    assert_eq!(view.storage_range(), x.as_slice().unwrap().as_ptr_range());
    assert_ne!(view.storage_range(), y.storage_range());
    assert_eq!((x.to_vec(), y.to_vec()), (vec![5.0, 2.0], vec![1.0, 2.0]));
}

#[test]
fn random_tensors_are_samples_in_row_major_order() {
    let rng = || StdRng::seed_from_u64(7);
    let x = Tensor::<f32>::random([2, 3], &Uniform::new(0.0, 1.0).unwrap(), &mut rng());
    let mut samples = Uniform::new(0.0_f32, 1.0).unwrap().sample_iter(rng());
    assert!(x.iter().all(|x| samples.next() == Some(x)));
    assert_eq!(x, Tensor::uniform([2, 3], 0.0, 1.0, &mut rng()).unwrap());
    let flags = Tensor::<bool>::random([64], &StandardUniform, &mut rng());
    assert!(flags.iter().any(|x| x) && flags.iter().any(|x| !x));
}

fn moments<E: Float>() {
    let mut rng = StdRng::seed_from_u64(3);
    let n = 40_000;
    let (x, y) = (
        Tensor::<E>::uniform([n], E::from_f64(-1.0), E::from_f64(3.0), &mut rng).unwrap().map(E::to_f64),
        Tensor::<E>::normal([n], E::from_f64(1.0), E::from_f64(2.0), &mut rng).unwrap().map(E::to_f64),
    );
    assert!(x.iter().all(|x| (-1.0..3.0).contains(&x)));
    // Within five standard errors: the variance of the uniform is 4²/12, that of the normal 2².
    let error = |variance: f64| 5.0 * (variance / n as f64).sqrt();
    assert_close!(x.mean(), Tensor::scalar(1.0), 0.0, error(4.0 / 3.0));
    assert_close!((x - 1.0).square().mean(), Tensor::scalar(4.0 / 3.0), 0.0, error(1.5));
    assert_close!(y.mean(), Tensor::scalar(1.0), 0.0, error(4.0));
    assert_close!((&y - 1.0).square().mean(), Tensor::scalar(4.0), 0.0, error(32.0));
    let zero = E::from_f64(0.0);
    assert_eq!(Tensor::normal([2], zero, zero, &mut rng).unwrap(), Tensor::zeros([2]));
}

#[test]
fn moments_of_random_tensors() {
    moments::<f32>();
    moments::<f64>();
    assert_eq!((f32::DTYPE, f64::DTYPE, <f32 as Float>::EPSILON), ("f32", "f64", f32::EPSILON));
    let (mut a, mut b) = (StdRng::seed_from_u64(1), StdRng::seed_from_u64(1));
    assert_eq!(Tensor::normal([], 0.0, 1.0, &mut a).unwrap().item().unwrap(), f64::standard_normal(&mut b));
}
