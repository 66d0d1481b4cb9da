//! Backward passes from outputs that nothing can flow back from.

use retrograde_autograd::{Error, Param, Plain, Result, Tape, Var};
use retrograde_tensor::Tensor;

#[track_caller]
fn refused<T>(result: Result<T>, op: &'static str) {
    assert_eq!(result.err(), Some(Error::Untracked { op }));
}

#[test]
fn every_backward_pass_refuses_a_loss_of_nothing() {
    let (tape, w) = (Tape::new(), Param::new("w", Tensor::from([2.0_f64, -1.0])));
    let used = tape.param(&w).square();
    let losses: [Var<'_, f64>; 4] = [
        tape.constant(used.clone().detach()).sum(),
        used.gt(1.0).sum(),
        used.sign().sum(),
        tape.constant(Tensor::scalar(1.0)),
    ];
    let one = Tensor::scalar(1.0);
    for y in &losses {
        let nodes = tape.len();
        refused(y.backward(), "backward");
        refused(y.backward_with(&one), "backward");
        refused(tape.backward(&[(y, &one)]), "backward");
        refused(tape.backward_observed(&[(y, &one)], |_| panic!("nothing to see")), "backward");
        refused(tape.backward_over(&[(y, Plain(one.clone()))], Plain), "backward");
        refused(y.hvp(&[(&tape.param(&w), &w.value())]), "hvp");
        refused(y.check_finite(), "backward");
        assert_eq!(tape.len(), nodes);
        refused(tape.backward_recorded(&[(y, &tape.constant(one.clone()))]), "backward");
        tape.backward(&[(y, &one), (&used.sum(), &one)]).unwrap();
        // A derivative along a direction is a number, if it is zero.
        assert_eq!(tape.jvp(&[y], &[(&tape.param(&w), &w.value())]).unwrap(), [Tensor::scalar(0.0)]);
    }
    let text = losses[0].backward().err().unwrap().to_string();
    assert!(text.contains("variable or parameter") && text.contains("detached"), "{text}");
    // What is not finite is found first.
    let infinite = tape.constant(Tensor::scalar(0.0)).ln();
    assert!(matches!(infinite.check_finite(), Err(Error::NonFinite(_))));
}

/// The gradient of a linear function does not move: its Hessian is zero, which is no fault.
#[test]
fn a_hessian_of_zero_is_no_fault() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([2.0_f64, -1.0]));
    let product = (&x * 3.0).sum().hvp(&[(&x, &Tensor::from([1.0, 1.0]))]).unwrap();
    assert_eq!(product.get(&x), None);
}
