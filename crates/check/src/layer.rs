//! Layers as a check takes them.

use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_nn::{Causality, Layer, LayerStateOn, SequenceOptions, Tree};
use retrograde_tensor::{Shape, Tensor};

use crate::{BoxError, Named};

/// A layer or a model that can be checked in one line: `Check::new().layer(&mut rnn)?.assert_ok()`.
///
/// Every [`Layer`] over sequences is one. For a model of another kind, say what its parameters, inputs and outputs are.
///
/// # Example
/// ```
/// use rand::rngs::StdRng;
/// use retrograde_autograd::{Param, Tape, Var};
/// use retrograde_check::{BoxError, Check, Checkable, Named};
/// use retrograde_tensor::Tensor;
///
/// struct Scale {
///     gain: Param<f64>, // [2]
/// }
///
/// impl Checkable for Scale {
///     fn params(&self) -> Vec<(String, Param<f64>)> {
///         vec![("gain".to_owned(), self.gain.clone())]
///     }
///     fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>> {
///         [("x", Tensor::normal([3, 2], 0.0, 1.0, rng).unwrap())].into()
///     }
///     fn forward<'t>(
///         &mut self,
///         _tape: &'t Tape<f64>,
///         x: &Named<Var<'t, f64>>,
///     ) -> Result<Named<Var<'t, f64>>, BoxError> {
///         Ok([("y", &x["x"] * &self.gain)].into())
///     }
/// }
///
/// let mut scale = Scale { gain: Param::new("gain", Tensor::from([0.5, -2.0])) };
/// Check::new().layer(&mut scale)?.assert_ok();
/// # Ok::<(), retrograde_check::Error>(())
/// ```
pub trait Checkable {
    /// Every parameter, with a name of its own.
    fn params(&self) -> Vec<(String, Param<f64>)>;

    /// An example of every input and initial state, from a seeded generator. Sizes that all differ tell most.
    fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>>;

    /// The same for a check that lists some inputs itself, under the names of examples, which they replace: sizes of the
    /// others may follow theirs.
    fn inputs_beside(&self, _given: &Named<Tensor<f64>>, rng: &mut StdRng) -> Named<Tensor<f64>> {
        self.inputs(rng)
    }

    /// The inputs and outputs that are sequences, with their time axis.
    fn time_axes(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// All outputs, the last state included. Each call starts afresh: state does not travel from one to the next.
    ///
    /// # Errors
    /// Whatever the layer's forward pass returns.
    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f64>,
        inputs: &Named<Var<'t, f64>>,
    ) -> Result<Named<Var<'t, f64>>, BoxError>;

    /// Checks once, before any derivative, what derivatives do not show: by default nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the layer.
    fn verify(&mut self, _inputs: &Named<Tensor<f64>>) -> Result<(), BoxError> {
        Ok(())
    }
}

/// Batch and steps of the example inputs: unlike each other, and unlike most numbers of features.
const SIZES: [usize; 2] = [3, 5];

/// The rounding by which products of many rows may differ from those of few, relative and absolute.
const STEP_TOLERANCE: f64 = 1e-9;

/// Any layer over sequences: the library's, yours, and those composed of them. The input, the initial state and every
/// parameter are perturbed; all outputs `hs` and the last state count; each time step is judged by its own magnitude.
///
/// The initial state is that of a new sequence, also a learned one; inputs of its names, such as `h_prev`, are added to
/// its variables (`0.h_prev`, `1.h_prev`, .. where several have one name). Parameters have their paths, with the last part
/// spelled as the parameter is: `Wx`, `0.Wx`.
/// First, a sequence is compared with its steps one by one, where the [`Causality`] of the layer allows it: they differ
/// if the `project` of a cell mixes time steps, which no derivative shows.
///
/// # Errors
/// A layer that carries a state of its own is refused: check it before it is made stateful.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_check::Check;
/// use retrograde_nn::{Linear, RnnCell, TimeRnn};
///
/// let rng = &mut StdRng::seed_from_u64(1);
/// let mut model = (TimeRnn::new(RnnCell::new(4, 6, rng)), Linear::new(6, 2, rng));
/// Check::new().layer(&mut model)?.assert_ok();
/// # Ok::<(), retrograde_check::Error>(())
/// ```
impl<L: Layer<f64>> Checkable for L {
    fn params(&self) -> Vec<(String, Param<f64>)> {
        let mut distinct: Vec<(String, Param<f64>)> = Vec::new();
        for (path, param) in self.named_params() {
            if !distinct.iter().any(|(_, known)| known.same(&param)) {
                distinct.push((spelled(path, param.name()), param));
            }
        }
        distinct
    }

    fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>> {
        self.inputs_beside(&Named::default(), rng)
    }

    fn inputs_beside(&self, given: &Named<Tensor<f64>>, rng: &mut StdRng) -> Named<Tensor<f64>> {
        Sequence { layer: self, options: &SequenceOptions::new() }.inputs_beside(given, rng)
    }

    fn time_axes(&self) -> Vec<(&'static str, usize)> {
        vec![("xs", 1), ("hs", 1)]
    }

    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f64>,
        inputs: &Named<Var<'t, f64>>,
    ) -> Result<Named<Var<'t, f64>>, BoxError> {
        Sequence { layer: self, options: &SequenceOptions::new() }.forward(tape, inputs)
    }

    fn verify(&mut self, inputs: &Named<Tensor<f64>>) -> Result<(), BoxError> {
        let tape = Tape::new();
        let inputs: Named<_> = inputs.iter().map(|(name, x)| (name, tape.constant(x.clone()))).collect();
        let (xs, options) = (&inputs["xs"], SequenceOptions::new());
        let steps: Vec<usize> = match self.causality() {
            Causality::Forward => (0..xs.shape()[1]).collect(),
            Causality::Backward => (0..xs.shape()[1]).rev().collect(),
            _ => return Ok(()),
        };
        let (mut state, _) = initial(self, &tape, &inputs)?;
        let (hs, _) = self.run_from(xs, state.clone(), &options)?; // [N, T, H]
        for step in steps {
            let (h, next) = self.run_from(&xs.narrow(1, step, 1), state, &options)?; // [N, 1, H]
            state = next;
            let found = hs.value().narrow(1, step, 1);
            if let Err(difference) = found.allclose(h.value(), STEP_TOLERANCE, STEP_TOLERANCE) {
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

/// A layer over sequences, and the options with which it is called.
pub(crate) struct Sequence<'a, L> {
    pub(crate) layer: &'a L,
    pub(crate) options: &'a SequenceOptions<f64>,
}

impl<L: Layer<f64>> Checkable for Sequence<'_, L> {
    fn params(&self) -> Vec<(String, Param<f64>)> {
        Checkable::params(self.layer)
    }

    fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>> {
        self.inputs_beside(&Named::default(), rng)
    }

    fn inputs_beside(&self, given: &Named<Tensor<f64>>, rng: &mut StdRng) -> Named<Tensor<f64>> {
        let step = self.layer.input_shape();
        let xs = given.get("xs").map(Tensor::shape).ok().filter(|shape| shape.rank() == 2 + step.rank());
        let size = |axis: usize| xs.map(|shape| shape[axis]).or(self.options.size()[axis]);
        let [n, steps] = [0, 1].map(|axis| size(axis).unwrap_or(SIZES[axis]));
        let mut random =
            |shape| Tensor::normal(shape, 0.0, 1.0, rng).expect("a standard normal distribution");
        // One that has too many axes is told so in the forward pass, too.
        let input = Shape::new(&[&[n, steps][..], &step].concat()).unwrap_or(Shape::from([n, steps]));
        let mut inputs = vec![("xs".to_owned(), random(input))];
        let tape = Tape::new();
        // A layer that cannot start says so in the forward pass.
        if let Ok(initial) = self.layer.initial_state(&tape, n, None) {
            let mut names = state_names::<L>(&initial).into_iter();
            initial.for_each(|part| {
                inputs.push((names.next().expect("a name for each variable"), random(part.shape())));
            });
        }
        inputs.into()
    }

    fn time_axes(&self) -> Vec<(&'static str, usize)> {
        self.layer.time_axes()
    }

    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f64>,
        inputs: &Named<Var<'t, f64>>,
    ) -> Result<Named<Var<'t, f64>>, BoxError> {
        let (initial, names) = initial(self.layer, tape, inputs)?;
        let (hs, last) = self.layer.run_from(&inputs["xs"], initial, self.options)?;
        let mut outputs = vec![("hs".to_owned(), hs)];
        last.for_each(|part| {
            let name = &names[outputs.len() - 1];
            outputs.push((format!("{}_last", name.strip_suffix("_prev").unwrap_or(name)), part.clone()));
        });
        Ok(outputs.into())
    }

    /// Steps that do not count have no effect: a gradient would be right and show nothing.
    fn verify(&mut self, inputs: &Named<Tensor<f64>>) -> Result<(), BoxError> {
        let &[n, steps, _] = &inputs["xs"].shape()[..] else { return Ok(()) };
        let Some(counting) = self.options.counting(n, steps)? else { return Ok(()) };
        let (tape, other) = (Tape::new(), Tensor::from_fn(inputs["xs"].shape(), |at| at[2] as f64 - 0.5));
        let mut outputs = |xs: &Tensor<f64>| {
            let value = |(name, x): (&str, &Tensor<f64>)| {
                (name.to_owned(), tape.constant(if name == "xs" { xs.clone() } else { x.clone() }))
            };
            self.forward(&tape, &inputs.iter().map(value).collect())
        };
        let right = outputs(&inputs["xs"])?;
        let moved = outputs(&Tensor::where_mask(&counting.unsqueeze(2), &inputs["xs"], &other))?;
        for ((name, right), (_, moved)) in right.iter().zip(moved.iter()) {
            if let Err(difference) = moved.value().allclose(right.value(), 0.0, 0.0) {
                return Err(format!(
                    "expected steps that do not count to have no effect, found another {name} for other \
                     inputs there: {difference}"
                )
                .into());
            }
        }
        Ok(())
    }
}

/// The initial state of a new sequence, moved by the inputs that stand for it, and the names of these.
fn initial<'t, L: Layer<f64>>(
    layer: &L,
    tape: &'t Tape<f64>,
    inputs: &Named<Var<'t, f64>>,
) -> Result<(LayerStateOn<'t, L, f64>, Vec<String>), BoxError> {
    let new = layer.initial_state(tape, inputs["xs"].shape().first().copied().unwrap_or(0), None)?;
    let names = state_names::<L>(&new);
    for (name, expected) in names.iter().zip(new.leaves().into_iter().map(Var::shape)) {
        let found = inputs.get(name)?.shape();
        if found != expected {
            return Err(format!("expected {name} of shape {expected}, found {found}").into());
        }
    }
    let mut inputs = names.iter().map(|name| &inputs[name]);
    let moved = Tree::map(&new, |part| part + inputs.next().expect("a name for each variable"));
    Ok((moved, names))
}

/// A path whose last part is spelled as the parameter's name: `0.Wx` for `0.wx`.
fn spelled(path: String, name: &str) -> String {
    let start = path.len().saturating_sub(name.len());
    match (path.get(..start), path.get(start..)) {
        (Some(owner), Some(last))
            if last.eq_ignore_ascii_case(name) && (owner.is_empty() || owner.ends_with('.')) =>
        {
            format!("{owner}{name}")
        }
        _ => path,
    }
}

/// A name for each variable of an initial state: that on its tape, or else `h_prev`; numbered where several have it.
fn state_names<L: Layer<f64>>(initial: &LayerStateOn<'_, L, f64>) -> Vec<String> {
    let mut names = Vec::new();
    initial.for_each(|part| {
        let name = part.id().and_then(|id| part.tape().node(id)).and_then(|node| node.name);
        names.push(name.unwrap_or_else(|| "h_prev".into()));
    });
    let count = |of: &str, names: &[String]| names.iter().filter(|name| *name == of).count();
    let numbered = |(i, name): (usize, &String)| match count(name, &names) {
        1 => name.clone(),
        _ => format!("{}.{name}", count(name, &names[..i])),
    };
    names.iter().enumerate().map(numbered).collect()
}
