//! A model of a series: which value comes next.

use rand::rngs::StdRng;
use retrograde::nn::mse;
use retrograde::prelude::*;
use retrograde_examples::{Result, progress};

/// A state that follows the series, and the next value read from it.
pub(crate) struct Forecaster<E: Float> {
    rnn: TimeRnn<E>,
    linear: Linear<E>,
}
module!(Forecaster { rnn, linear });

/// Rows of a window, steps of a window.
const BATCH: usize = 20;
const STEPS: usize = 50;

/// Truncated backpropagation through time: the state is carried from window to window, the gradient is not, since
/// each window has a tape of its own. Returns the loss of each pass over the data.
pub(crate) fn train(model: &mut Forecaster<f32>, data: &[f32], passes: usize) -> Result<Vec<f64>> {
    let stretch = (data.len() - 1) / BATCH; // row i reads the i-th stretch of the data
    let windows = stretch / STEPS;
    let mut adam = Adam::new(2e-3).of(model)?;
    let mut losses = Vec::new();
    let bar = progress::bar(passes);
    for _ in 0..passes {
        let mut total = 0.0;
        model.reset_state();
        for window in 0..windows {
            let at = |index: &[usize]| index[0] * stretch + window * STEPS + index[1];
            let xs = Tensor::from_fn([BATCH, STEPS, 1], |index| data[at(index)]); // [N, T, 1]
            let next = Tensor::from_fn([BATCH, STEPS, 1], |index| data[at(index) + 1]);

            let tape = Tape::new();
            let loss = mse(&model.forward(&tape.constant(xs))?, &next, None)?;
            let mut grads = loss.backward()?;
            clip_grad_norm(&mut grads, 1.0);
            adam.step(&grads)?;
            total += f64::from(loss.value().item()?);
        }
        losses.push(total / windows as f64);
        bar.set_message(format!("mean squared error {:.4}", total / windows as f64));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(losses)
}

impl Forecaster<f32> {
    pub(crate) fn new(h: usize, rng: &mut StdRng) -> Self {
        Forecaster {
            rnn: TimeRnn::new(RnnCell::new(1, h, rng)).stateful(true),
            linear: Linear::new(h, 1, rng),
        }
    }

    /// The value to come after each of `xs`, going on from where the last call ended.
    ///
    /// # Shapes
    /// `[N, T, 1] -> [N, T, 1]`
    pub(crate) fn forward<'t>(&mut self, xs: &Var<'t, f32>) -> retrograde::nn::Result<Var<'t, f32>> {
        let hs = self.rnn.forward(xs)?.hs; // [N, T, H]
        self.linear.forward(&hs)
    }

    /// Forgets what was read.
    pub(crate) fn reset_state(&mut self) {
        self.rnn.reset_state();
    }

    /// After each value of a series from its beginning, the value to come.
    pub(crate) fn forecast(&mut self, data: &[f32]) -> Result<Vec<f32>> {
        self.reset_state();
        self.read(data)
    }

    /// The value to come after one more value.
    pub(crate) fn go_on(&mut self, value: f32) -> Result<f32> {
        Ok(self.read(&[value])?[0])
    }

    fn read(&mut self, values: &[f32]) -> Result<Vec<f32>> {
        let tape = Tape::inference();
        let xs = tape.constant(Tensor::from_vec(values.to_vec(), [1, values.len(), 1])?); // [1, T, 1]
        Ok(self.forward(&xs)?.value().to_vec())
    }
}
