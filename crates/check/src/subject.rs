//! The passes under test.

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::Tensor;

use crate::derivatives::Derivatives;
use crate::{Array, BoxError, Named};

/// A forward pass: records on the tape what it makes of the inputs, and returns all outputs by name.
pub type Forward<'a> =
    dyn for<'t> FnMut(&'t Tape<f64>, &Named<Var<'t, f64>>) -> Result<Named<Var<'t, f64>>, BoxError> + 'a;

/// An explicit backward pass: from inputs and parameters, and from the cotangents of the outputs, to the gradients of
/// inputs and parameters.
pub type Backward<'a> =
    dyn FnMut(&Named<Tensor<f64>>, &Named<Tensor<f64>>) -> Result<Named<Tensor<f64>>, BoxError> + 'a;

/// The forward pass of a black box: from inputs and parameters to outputs.
pub type BlackBox<'a> = dyn FnMut(&Named<Array>) -> Result<Named<Array>, BoxError> + 'a;

/// The forward pass under test.
pub(crate) enum Subject<'a> {
    Recorded(&'a mut Forward<'a>, &'static dyn Derivatives),
    /// Nothing is recorded, so that only finite differences speak of it.
    BlackBox(&'a mut BlackBox<'a>),
}

/// Calls a pass under test. A panic comes out unchanged; the call that it came from is printed.
pub(crate) fn announced<R>(pass: &'static str, call: usize, run: impl FnOnce() -> R) -> R {
    struct Call(&'static str, usize);
    impl Drop for Call {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("check: the panic is that of call {} of the {} pass", self.1, self.0);
            }
        }
    }
    let _call = Call(pass, call);
    run()
}
