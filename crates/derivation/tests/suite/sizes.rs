//! Sizes in printed code: those of rows and steps follow the inputs, others are numbers.

use retrograde_autograd::{Param, Tape};
use retrograde_derivation::DeriveVar;
use retrograde_tensor::Tensor;

#[test]
fn a_reshape_follows_rows_and_steps() {
    let w = Param::new("W", Tensor::<f64>::ones([5, 2]));
    let tape = Tape::new();
    let xs = tape.var(Tensor::ones([2, 3, 5])).named("xs");
    let w = tape.param(&w).reshape([2, 5]).t(); // [D, H] -> [H, D] -> [D, H]: sizes of its own
    let y = xs.reshape([6, 5]).matmul(&w).tanh().named("y"); // [N, T, D] -> [N T, D]
    let derivation = y.derivation().unwrap();
    let numpy = derivation.numpy("Layer").unwrap();
    assert!(numpy.contains("np.reshape(xs, (xs.shape[0] * xs.shape[1], 5))"), "{numpy}");
    assert!(numpy.contains(", (xs.shape[0], xs.shape[1], 5))"), "{numpy}");
    assert!(numpy.contains("np.reshape(W, (2, 5))"), "{numpy}");
    let rust = derivation.rust("Layer").unwrap();
    assert!(rust.contains("xs.reshape([xs.dims()[0] * xs.dims()[1], 5])"), "{rust}");
    assert!(rust.contains("w.reshape([2, 5])"), "{rust}");
}

/// A state that is broadcast to the rows of a batch.
#[test]
fn a_broadcast_follows_rows() {
    let h_prev = Param::new("h_prev", Tensor::<f64>::ones([4]));
    let tape = Tape::new();
    let x = tape.var(Tensor::ones([3, 4])).named("x");
    let y = (tape.param(&h_prev).broadcast_to([3, 4]).tanh() + &x).named("y");
    let numpy = y.derivation().unwrap().numpy("Layer").unwrap();
    assert!(numpy.contains("np.broadcast_to(h_prev, (x.shape[0], 4))"), "{numpy}");
}
