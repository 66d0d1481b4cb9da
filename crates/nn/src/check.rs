//! Layers as the gradient checker takes them.

use std::error::Error;

use rand::rngs::StdRng;
use retrograde_autograd::check::{Checkable, Named};
use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::Tensor;

use crate::module::Module;
use crate::time::{Cell, State, Time};

/// Batch and steps of the example inputs: unlike each other, and unlike most numbers of features.
const SIZES: [usize; 2] = [3, 5];

/// A cell over time, checked in one line: inputs, the initial state and every parameter are perturbed; all states and
/// the last one count; each time step is judged by its own magnitude. The carried state is left alone.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::check::Check;
/// use retrograde_nn::{RnnCell, TimeRnn};
///
/// let mut rnn = TimeRnn::new(RnnCell::new(4, 6, &mut StdRng::seed_from_u64(1)));
/// Check::new().layer(&mut rnn)?.assert_ok();
/// # Ok::<(), retrograde_autograd::check::Error>(())
/// ```
impl<C: Cell<f64>> Checkable for Time<C, f64> {
    fn params(&self) -> Vec<(String, Param<f64>)> {
        let mut distinct: Vec<(String, Param<f64>)> = Vec::new();
        for (path, param) in self.named_params() {
            if !distinct.iter().any(|(_, known)| known.same(&param)) {
                distinct.push((path, param));
            }
        }
        distinct
    }

    fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>> {
        let [n, steps] = SIZES;
        let mut random =
            |shape| Tensor::normal(shape, 0.0, 1.0, rng).expect("a standard normal distribution");
        let xs = random([n, steps, self.cell.input_size()].into());
        let mut inputs = vec![("xs".to_owned(), xs)];
        let mut index = 0;
        self.cell.zero_state(n).each(&mut |part| {
            inputs.push((format!("state {index}"), random(part.shape())));
            index += 1;
        });
        inputs.into()
    }

    fn time_axes(&self) -> Vec<(&'static str, usize)> {
        vec![("xs", 1), ("hs", 1)]
    }

    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f64>,
        inputs: &Named<Var<'t, f64>>,
    ) -> Result<Named<Var<'t, f64>>, Box<dyn Error + Send + Sync>> {
        let zero = self.cell.zero_state(SIZES[0]).on(tape);
        let mut index = 0;
        let initial = C::State::zip_on(&zero, &zero, &mut |_, _| {
            index += 1;
            inputs[&format!("state {}", index - 1)[..]].clone()
        });
        let (hs, last) = self.unroll(&inputs["xs"], initial)?;
        let mut outputs = vec![("hs".to_owned(), hs)];
        C::State::each_on(&last, &mut |part| {
            outputs.push((format!("last state {}", outputs.len() - 1), part.clone()))
        });
        Ok(outputs.into())
    }
}
