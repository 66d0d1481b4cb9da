//! Layers as the gradient checker takes them.

use rand::rngs::StdRng;
use retrograde_autograd::check::{BoxError, Checkable, Named};
use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::Tensor;

use crate::module::Module;
use crate::time::{Cell, Layer, SequenceOptions, State, StateOn, Time};

/// Batch and steps of the example inputs: unlike each other, and unlike most numbers of features.
const SIZES: [usize; 2] = [3, 5];

/// The rounding by which products of many rows may differ from those of few, relative and absolute.
const STEP_TOLERANCE: f64 = 1e-9;

/// A cell over time, checked in one line: inputs, the initial state and every parameter are perturbed; all states and
/// the last one count; each time step is judged by its own magnitude. The carried state is left alone. First, the whole
/// sequence is compared with its steps one by one: they differ if the cell's `project` mixes time steps, which no
/// derivative shows.
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
        let mut names = self.variables().into_iter();
        self.cell.zero_state(n).each(&mut |part| {
            let name = names.next().expect("each variable has a name");
            inputs.push((format!("{name}_prev"), random(part.shape())));
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
    ) -> Result<Named<Var<'t, f64>>, BoxError> {
        let initial = self.initial_of(tape, |name| inputs[name].clone());
        let (hs, last) = self.run_from(&inputs["xs"], initial, &SequenceOptions::new())?;
        let mut outputs = vec![("hs".to_owned(), hs)];
        let mut names = self.variables().into_iter();
        C::State::each_on(&last, &mut |part| {
            let name = names.next().expect("each variable has a name");
            outputs.push((format!("{name}_last"), part.clone()));
        });
        Ok(outputs.into())
    }

    fn verify(&mut self, inputs: &Named<Tensor<f64>>) -> Result<(), BoxError> {
        let tape = Tape::new();
        let options = SequenceOptions::new();
        let xs = tape.constant(inputs["xs"].clone());
        let initial = self.initial_of(&tape, |name| tape.constant(inputs[name].clone()));
        let (hs, _) = self.run_from(&xs, initial.clone(), &options)?;
        let (steps, mut state) = (xs.shape()[1], initial);
        for turn in 0..steps {
            let step = if self.is_reversed() { steps - 1 - turn } else { turn };
            let (h, next) = self.run_from(&xs.narrow(1, step, 1), state, &options)?; // [N, 1, H]
            state = next;
            let (found, expected) = (hs.value().narrow(1, step, 1), h.value());
            if let Err(difference) = found.allclose(expected, STEP_TOLERANCE, STEP_TOLERANCE) {
                return Err(format!(
                    "expected a sequence to equal its steps one by one, found another output at step {step}: \
                     {difference} (does the cell's `project` mix time steps?)"
                )
                .into());
            }
        }
        Ok(())
    }
}

impl<C: Cell<f64>> Time<C, f64> {
    /// The initial state whose variables are `of` their names, such as `h_prev`.
    fn initial_of<'t>(
        &self,
        tape: &'t Tape<f64>,
        mut of: impl FnMut(&str) -> Var<'t, f64>,
    ) -> StateOn<'t, C, f64> {
        let zeros = self.cell.zero_state(SIZES[0]).on(tape);
        let mut names = self.variables().into_iter();
        C::State::zip_on(&zeros, &zeros, &mut |_, _| {
            of(&format!("{}_prev", names.next().expect("each variable has a name")))
        })
    }
}
