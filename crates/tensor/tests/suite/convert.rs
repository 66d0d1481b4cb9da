//! Elements in and out, other element types, systems of equations, and the greatest elements.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde_tensor::{Tensor, assert_close};

#[test]
fn a_vector_goes_out_without_a_copy() {
    let x = Tensor::from(vec![1.0_f64, 2.0, 3.0, 4.0]).reshape([2, 2]); // of a storage that nobody else has
    let place = x.storage_range().start;
    let data = x.into_vec();
    assert_eq!((data.as_ptr(), data), (place, vec![1.0, 2.0, 3.0, 4.0]));

    // Shared, a part, or not in order: a copy, and the others keep theirs.
    let x = Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]);
    let other = x.clone();
    assert_eq!(x.clone().into_vec(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(x.t().into_vec(), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(x.narrow(0, 1, 1).into_vec(), [3.0, 4.0]);
    assert_eq!(x.flip(0).into_vec(), [3.0, 4.0, 1.0, 2.0]);
    assert_eq!(other, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    let row = x.narrow(0, 0, 1);
    drop((x, other));
    assert_eq!(row.into_vec(), [1.0, 2.0]); // alone, of a longer storage
    assert_eq!(Tensor::<f32>::zeros([0, 3]).into_vec(), []);
    assert_eq!(Tensor::scalar(7_usize).into_vec(), [7]);
    assert_eq!(Tensor::from(&[true, false][..]), Tensor::from([true, false]));
    assert_eq!(Tensor::from(Vec::<f32>::new()).dims(), [0]);
}

#[test]
fn a_vector_of_another_thread_goes_out() {
    let x = std::thread::spawn(|| Tensor::from(vec![1.0_f32; 5000])).join().unwrap();
    assert_eq!(x.into_vec().len(), 5000);
}

#[test]
fn casts_round_as_the_language_does() {
    let rng = &mut StdRng::seed_from_u64(1);
    let x = Tensor::<f64>::normal([3, 4], 0.0, 1e30, rng).unwrap().t();
    assert_eq!(x.cast::<f32>(), x.map(|x| x as f32));
    assert_eq!(x.cast::<f32>().cast::<f64>(), x.map(|x| f64::from(x as f32)));
    assert!(Tensor::from([f64::NAN]).cast::<f32>().at(&[0]).is_nan());
    assert_eq!(Tensor::from([f64::MAX]).cast::<f32>().at(&[0]), f32::INFINITY);
    let indices = Tensor::from_fn([2, 3], |at| at[0] * 7 + at[1]);
    assert_eq!(indices.cast::<f32>().to_indices().unwrap(), indices);
    for bad in [-1.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.9e19] {
        assert!(Tensor::from([1.0, bad]).to_indices().is_err(), "{bad}");
    }
}

#[test]
fn what_solves_a_system_is_multiplied_back() {
    for seed in 0..40 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (n, m) = (seed as usize % 7, seed as usize % 4);
        let mut a = Tensor::<f64>::normal([n, n], 0.0, 1.0, rng).unwrap();
        if n > 1 {
            a.set(&[0, 0], 0.0).unwrap(); // a pivot is needed
        }
        let b = Tensor::<f64>::normal([n, m], 0.0, 1.0, rng).unwrap();
        assert_close!(a.matmul(&a.solve(&b)), b, 1e-9, 1e-9);
        assert_close!(a.t().matmul(&a.t().solve(&b)), b, 1e-9, 1e-9);
        let one = Tensor::<f64>::normal([n], 0.0, 1.0, rng).unwrap();
        assert_eq!(a.solve(&one).unsqueeze(1), a.solve(&one.unsqueeze(1)));
    }
    let text = |a: Tensor<f64>, b: Tensor<f64>| a.try_solve(&b).unwrap_err().to_string();
    let singular = Tensor::from([[1.0, 2.0], [2.0, 4.0]]);
    assert_eq!(
        text(singular, Tensor::zeros([2])),
        "solve: expected a matrix that has an inverse, found a singular one"
    );
    assert_eq!(
        text(Tensor::zeros([2, 3]), Tensor::zeros([2])),
        "solve: expected a square matrix and a right-hand side of as many rows, found [2, 3] and [2]"
    );
    assert!(Tensor::<f64>::eye(2).try_solve(&Tensor::zeros([])).is_err());
    assert!(Tensor::<f64>::eye(2).try_solve(&Tensor::zeros([3, 1])).is_err());
}

#[test]
fn the_greatest_are_those_of_a_sort() {
    for seed in 0..60 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (rows, n) = (rng.random_range(0..4), rng.random_range(0..9));
        let k = rng.random_range(0..n + 1);
        let x = Tensor::from_fn([rows, n], |_| match rng.random_range(0..8) {
            7 => f64::NAN,
            6 => f64::NEG_INFINITY,
            x => f64::from(x % 4),
        });
        let (values, indices) = x.top_k(k);
        assert_eq!((values.dims(), indices.dims()), (&[rows, k][..], &[rows, k][..]));
        for row in 0..rows {
            let key = |i: usize| if x.at(&[row, i]).is_nan() { f64::INFINITY } else { x.at(&[row, i]) };
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
            assert_eq!(indices.select(0, row).to_vec(), order[..k]);
            for (place, &i) in order[..k].iter().enumerate() {
                assert_eq!(values.at(&[row, place]).to_bits(), x.at(&[row, i]).to_bits());
            }
        }
        if n > 0 {
            assert_eq!(x.t().contiguous().t().top_k(1).1.squeeze(1), x.argmax(1)); // a view
        }
    }
    let text = |x: Tensor<f64>, k| x.try_top_k(k).unwrap_err().to_string();
    assert_eq!(
        text(Tensor::zeros([2, 3]), 4),
        "top_k: expected an axis of at least 4 elements, found [2, 3]"
    );
    assert_eq!(text(Tensor::zeros([]), 0), "top_k: expected an axis of at least 0 elements, found []");
}

#[cfg(feature = "ndarray")]
#[test]
fn arrays_of_ndarray_go_there_and_back() {
    use ndarray::{ArrayD, Dimension, IxDyn, ShapeBuilder};
    for (seed, dims) in
        [&[][..], &[1], &[4], &[2, 3], &[0, 2], &[2, 3, 4], &[1, 2, 3, 1, 2, 2]].iter().enumerate()
    {
        let shape = retrograde_tensor::Shape::new(dims).unwrap();
        let x = Tensor::<f64>::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed as u64)).unwrap();
        let array = ArrayD::from(x.clone());
        assert_eq!(array.shape(), *dims);
        assert!(array.indexed_iter().all(|(at, &a)| a == x.at(at.slice())));
        assert_eq!(Tensor::try_from(&array).unwrap(), x);
        assert_eq!(Tensor::try_from(&array.view().reversed_axes()).unwrap().to_vec(), {
            let order: Vec<usize> = (0..dims.len()).rev().collect();
            x.permute(&order).to_vec()
        });
        let mut columns = ArrayD::<f64>::zeros(IxDyn(dims).f());
        columns.assign(&array);
        assert_eq!(Tensor::try_from(&columns).unwrap(), x);
    }
    let seven = ArrayD::<f32>::zeros(IxDyn(&[1; 7]));
    assert!(Tensor::try_from(&seven).unwrap_err().to_string().contains("at most 6 axes"));
}
