//! Functions and calls that are wrong: of what they keep, of a layout, of one element.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};

use retrograde::autograd::{Function, Param, Result as TapeResult};
use retrograde_check::{Check, Named};
use retrograde_tensor::Tensor;

use crate::kinds::{Outcome, rng};
use crate::passes::tanh;
use crate::zoo::normal;

type Forward = dyn Fn(&Tensor<f64>) -> Tensor<f64> + Send + Sync;
type Backward = dyn Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64> + Send + Sync;

/// A function of one input on a tape.
struct Of {
    forward: Box<Forward>,
    backward: Box<Backward>,
}

impl Function<f64> for Of {
    fn name(&self) -> &'static str {
        "of"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> TapeResult<Tensor<f64>> {
        Ok((self.forward)(x[0]))
    }
    fn backward(&self, x: &[&Tensor<f64>], y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        vec![Some((self.backward)(x[0], y, dy))]
    }
}

pub(crate) fn function(
    x: Tensor<f64>,
    forward: impl Fn(&Tensor<f64>) -> Tensor<f64> + Send + Sync + 'static,
    backward: impl Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64> + Send + Sync + 'static,
) -> Outcome {
    let of: Arc<dyn Function<f64>> =
        Arc::new(Of { forward: Box::new(forward), backward: Box::new(backward) });
    Check::new().input("x", x).run(|tape, x| Ok([("y", tape.call(of.clone(), &[&x["x"]]))].into()))
}

pub(crate) fn two_by_three() -> Tensor<f64> {
    normal([2, 3], 1.0, &mut rng())
}

/// Squares, whose backward pass takes the input of the last call for its own.
pub(crate) fn last_call() -> Outcome {
    let kept: Arc<Mutex<Option<Tensor<f64>>>> = Arc::default();
    let last = kept.clone();
    function(
        two_by_three(),
        move |x| {
            *kept.lock().unwrap() = Some(x.clone());
            x.square()
        },
        move |_, _, dy| last.lock().unwrap().as_ref().unwrap() * 2.0 * dy,
    )
}

/// A weight that the backward pass reads once and keeps.
pub(crate) fn kept_weight() -> Outcome {
    let w = Param::new("w", Tensor::from([0.4, -0.9, 1.3]));
    let kept = RefCell::new(None);
    Check::new().input("x", two_by_three()).params([&w]).compare(
        |_, x| Ok([("y", (&x["x"] * &w).sin())].into()),
        |x, dy| {
            let w = kept.borrow_mut().get_or_insert_with(|| x["w"].clone()).clone();
            let dt = &dy["y"] * &(&x["x"] * &x["w"]).cos();
            Ok([("x", &dt * &w), ("w", (dt * &x["x"]).sum_to([3]))].into())
        },
    )
}

/// A weight that the forward pass reads once and keeps.
pub(crate) fn kept_forward() -> Outcome {
    let w = Param::new("w", Tensor::from([0.4, -0.9, 1.3]));
    let kept = RefCell::new(None);
    Check::new().input("x", two_by_three()).params([&w]).run(|tape, x| {
        let value = kept.borrow_mut().get_or_insert_with(|| w.value()).clone();
        let zero = tape.param(&w) - w.value();
        Ok([("y", (&x["x"] * (zero + value)).sin())].into())
    })
}

/// Noise in every 7th backward pass.
pub(crate) fn seventh() -> Outcome {
    let calls = Cell::new(0);
    tanh(two_by_three(), |dy| {
        calls.set(calls.get() + 1);
        dy * if calls.get() % 7 == 0 { 1.0 + 1e-6 } else { 1.0 }
    })
}

/// A kernel that takes any tensor for contiguous, where it can.
pub(crate) fn contiguous() -> Outcome {
    let raw = |x: &Tensor<f64>| match x.as_slice() {
        Some(x) => x.to_vec(),
        None => x.t().to_vec(), // the elements in the order of memory, as a pointer would read them
    };
    let product = Param::new("v", normal([2, 3], 1.0, &mut rng()));
    let of: Arc<dyn Function<f64>> = Arc::new(Of {
        forward: Box::new(|x| x.sin()),
        backward: Box::new(move |x, _, dy| Tensor::from_vec(raw(x), x.shape()).unwrap().cos() * dy),
    });
    Check::new()
        .input("x", two_by_three())
        .params([&product])
        .run(|tape, x| Ok([("y", tape.call(of.clone(), &[&x["x"]]) * &product)].into()))
}

pub(crate) fn large(change: impl Fn(Tensor<f64>) -> Tensor<f64>) -> Outcome {
    let w = Param::new("W", normal([80, 90], 0.1, &mut rng()));
    Check::new().input("x", normal([2, 80], 1.0, &mut rng())).params([&w]).compare(
        |_, x| Ok([("y", x["x"].matmul(&w).tanh())].into()),
        |x, dy| {
            let dt = &dy["y"] * &(1.0 - x["x"].matmul(&x["W"]).tanh().square());
            Ok(Named::from([("x", dt.matmul(&x["W"].t())), ("W", change(x["x"].t().matmul(&dt)))]))
        },
    )
}
