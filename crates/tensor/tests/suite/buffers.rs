//! Storage that is used again must not show what it held before.

use retrograde_tensor::{Tensor, release_buffers};

/// Large enough for its storage to be kept.
const SIDE: usize = 40;

/// Leaves storage full of NaN behind, in the sizes that the test is about to ask for.
fn litter() {
    for numel in [SIDE * SIDE, 2 * SIDE * SIDE] {
        let several: Vec<_> = (0..3).map(|_| Tensor::<f64>::full([numel], f64::NAN)).collect();
        drop(several);
    }
}

#[test]
fn used_storage_shows_nothing_of_its_past() {
    let x = Tensor::<f64>::from_fn([SIDE, SIDE], |i| (i[0] * 3 + i[1]) as f64 % 7.0);
    let none = Tensor::<f64>::zeros([SIDE, 0]);
    let doubled = Tensor::from_fn([SIDE, SIDE], |i| 2.0 * x.at(i));
    for _ in 0..2 {
        litter();
        assert_eq!(Tensor::<f64>::zeros([SIDE, SIDE]), Tensor::from_fn([SIDE, SIDE], |_| 0.0));
        litter();
        assert_eq!(none.matmul(&none.t()), Tensor::zeros([SIDE, SIDE]));
        litter();
        assert_eq!(x.matmul(&Tensor::eye(SIDE)), x);
        litter();
        assert_eq!(&x + &x, doubled);
        litter();
        assert_eq!(Tensor::concat(&[&x, &x], 0).narrow(0, SIDE, SIDE), x);
        litter();
        assert_eq!(x.t().contiguous().t(), x);
        litter();
        let rows = Tensor::from_vec((0..SIDE).collect(), [SIDE]).unwrap();
        assert_eq!(x.scatter_add_rows(SIDE, &rows), x);
        release_buffers();
    }
}

#[test]
fn storage_may_be_dropped_by_another_thread() {
    let x = Tensor::<f32>::full([SIDE, SIDE], 3.0);
    let sum = std::thread::spawn(move || x.sum().item().unwrap()).join().unwrap();
    assert_eq!(sum, 3.0 * (SIDE * SIDE) as f32);
    assert_eq!(Tensor::<f32>::zeros([SIDE, SIDE]).sum().item(), Ok(0.0));
}
