//! Instances of what is generic, for `f32` and `f64`, in builds of little optimisation.
//!
//! Such builds share instances between crates, those of this one being the first that know a tape: what a program or a test
//! would compile again is compiled here, once, and at this crate's level of optimisation.

use retrograde_tensor::{Float, Tensor, assert_close};

use crate::{Param, Plain, Result, Tape, Var};

/// A program that needs what most programs need. Nobody runs it.
fn program<E: Float>(x: &Tensor<E>) -> Result<()> {
    let w = Param::new("w", x + x * x);
    let tape = Tape::new();
    tape.set_step(Some(0));
    let (w_var, c) = (tape.param(&w), tape.constant(x.clone()));
    let y = tape.recompute(|| (w_var.matmul(&c) + &w * &c - x).narrow(0, 0, 1)).named("y");
    let y = Var::stack(&[Var::concat(&[y], 0)], 0);
    let gradients = y.backward()?;
    w.update(|w| *w += &(gradients.get(&w_var).unwrap_or(x) * x));
    drop(format!("{y:?} {x} {:?} {:?}", tape.nodes(), gradients.get(&w)));
    tape.jvp(&[&y], &[(&c, x)])?;
    tape.replay(&[&y], &[(&c, x)])?;
    tape.backward_over(&[(&y, Plain(x.clone()))], Plain)?;
    y.backward_recorded()?.get(&w).map(Var::backward).transpose()?;
    y.hvp(&[(&c, x)])?;
    tape.check_finite(&[(&y, x)])?;
    assert_close!(y.value(), x, 0.0, 0.0);
    Ok(())
}

#[expect(dead_code, reason = "its functions are there to be compiled")]
static PROGRAMS: (Program<f32>, Program<f64>) = (program, program);

type Program<E> = fn(&Tensor<E>) -> Result<()>;
