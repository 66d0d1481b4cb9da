//! Checking gradients: a layer against finite differences and against the exact adjoint identity.
//!
//! Everything that a forward pass reads is named and perturbed, every output counts with random cotangents, and each
//! tensor, or each time step of a sequence, is judged by its own magnitude. The backward pass under test is the
//! tape's ([`Check::run`], [`Check::layer`]) or one written by hand ([`Check::compare`]).
//!
//! # Example
//! ```
//! use retrograde_autograd::Param;
//! use retrograde_check::Check;
//! use retrograde_tensor::Tensor;
//!
//! let w = Param::new("w", Tensor::from([[0.5, -0.3], [0.2, 0.7]]));
//! let report = Check::new()
//!     .input("x", Tensor::from([[1.0, -2.0]]))
//!     .params([&w])
//!     .run(|_, x| Ok([("y", x["x"].matmul(&w).tanh())].into()))?;
//! report.assert_ok();
//! # Ok::<(), retrograde_check::Error>(())
//! ```
#![forbid(unsafe_code)]

mod array;
mod calls;
mod cancellation;
mod compare;
mod cotangent;
mod derivatives;
mod diagnose;
mod domain;
mod error;
mod findings;
mod gradients;
mod guess;
mod json;
mod layer;
mod layout;
mod lines;
mod named;
mod noise;
mod oracles;
mod parts;
mod pattern;
mod points;
mod problem;
mod report;
mod rounded;
mod run;
mod search;
mod second;
mod settings;
mod slope;
mod subject;
mod suspect;
mod table;
mod taylor;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_tensor::Tensor;

pub use array::Array;
pub use error::{BoxError, Error};
pub use findings::{
    Accuracy, Entry, Jacobian, Kink, Measure, Mismatch, NotApplicable, NotVerifiable, Oracle, Row, Verdict,
};
pub use layer::Checkable;
pub use named::Named;
pub use pattern::Pattern;
pub use report::Report;
pub use subject::{Backward, BlackBox, Forward};
pub use taylor::{Remainder, Taylor};

use array::{arrays, gradients};
use derivatives::OfTape;
use domain::Domain;
use layer::Sequence;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_nn::{Layer, SequenceOptions};
use settings::Settings;
use subject::Subject;

/// The tensors that a check perturbs, and how thoroughly it looks.
///
/// A check moves every number that a forward pass reads, and compares how the outputs move with what the gradient says.
/// Inputs and parameters are listed, then one of these runs it:
///
/// | you have | call |
/// |---|---|
/// | a layer or a model of layers | [`layer`](Self::layer), which lists all by itself |
/// | a forward pass on the tape | [`run`](Self::run) |
/// | a backward pass written by hand | [`compare`](Self::compare) |
/// | two functions of plain arrays, of any library | [`black_box`](Self::black_box) |
///
/// [`assert_ok`](Report::assert_ok) makes a test of it. A printed report has a row for each tensor, a guess at what went
/// wrong, and the worst elements; [the book] reads one line by line.
///
/// [the book]: https://github.com/retrograde-rs/retrograde/blob/main/docs/checking.md#reading-the-report
///
/// # Example
/// A layer in one line:
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_check::Check;
/// use retrograde_nn::{LstmCell, TimeLstm};
///
/// let mut lstm = TimeLstm::new(LstmCell::new(2, 3, &mut StdRng::seed_from_u64(1)));
/// let report = Check::new().layer(&mut lstm)?;
/// assert!(report.to_string().starts_with("gradient check: ok"));
/// # Ok::<(), retrograde_check::Error>(())
/// ```
/// A backward pass that lost a sum over the batch:
/// ```
/// use retrograde_check::{Check, Pattern};
/// use retrograde_tensor::Tensor;
///
/// let x = Tensor::from([[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]]); // [N, D]
/// let report = Check::new().input("x", x).input("b", Tensor::from([0.5, -1.0])).compare(
///     |_, p| Ok([("y", (&p["x"] + &p["b"]).tanh())].into()),
///     |p, dy| {
///         let dt = &dy["y"] * &(1.0 - (&p["x"] + &p["b"]).tanh().square()); // [N, D]
///         Ok([("b", dt.select(0, 0)), ("x", dt)].into())
///     },
/// )?;
/// assert_eq!(report.wrong(), ["b"]);
/// assert_eq!(report.pattern("b"), Some(&Pattern::OneSample(0)));
/// println!("{report}"); // a table of tensors, and the elements that are wrong, worst first
/// # Ok::<(), retrograde_check::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Check {
    inputs: Vec<(String, Tensor<f64>)>,
    params: Vec<(String, Param<f64>)>,
    time: Vec<(String, usize)>,
    frozen: Vec<String>,
    domains: Vec<(String, Domain)>,
    settings: Settings,
}

impl Check {
    /// A check of nothing yet: 3 directions, seed 0, finite differences to 1e-8 and the adjoint identity to 1e-12
    /// of each block's magnitude, the full Jacobian where it is small.
    pub fn new() -> Self {
        Check::default()
    }

    /// Adds an input or an initial state.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, value: Tensor<f64>) -> Self {
        self.inputs.push((name.into(), value));
        self
    }

    /// Adds parameters under their own names.
    #[must_use]
    pub fn params<'a>(mut self, params: impl IntoIterator<Item = &'a Param<f64>>) -> Self {
        self.params.extend(params.into_iter().map(|param| (param.name().to_owned(), param.clone())));
        self
    }

    /// Adds a parameter under another name than its own, as where two layers both have a `b`.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, param: &Param<f64>) -> Self {
        self.params.push((name.into(), param.clone()));
        self
    }

    /// Leaves an input or a parameter at its value: its gradient is not checked, and an explicit backward pass need not
    /// return it.
    #[must_use]
    pub fn freeze(mut self, name: impl Into<String>) -> Self {
        self.frozen.push(name.into());
        self
    }

    /// Says which axis of an input or output is time, so that each time step is judged by its own magnitude.
    #[must_use]
    pub fn time_axis(mut self, name: impl Into<String>, axis: usize) -> Self {
        self.time.push((name.into(), axis));
        self
    }

    /// Checks the gradient that the tape derives from a forward pass.
    ///
    /// The closure is called many times, each time with a fresh tape and slightly other inputs and parameters, which
    /// are set back at the end.
    ///
    /// # Errors
    /// If the check cannot be carried out: see [`Error`]. A wrong gradient is not an error but in the report.
    pub fn run<F>(&self, mut forward: F) -> Result<Report, Error>
    where
        F: for<'t> FnMut(&'t Tape<f64>, &Named<Var<'t, f64>>) -> Result<Named<Var<'t, f64>>, BoxError>,
    {
        self.check(Subject::Recorded(&mut forward, &OfTape), None)
    }

    /// Checks a backward pass written by hand for a forward pass in primitive operations.
    ///
    /// `backward` takes inputs and parameters, and the cotangents of the outputs, and returns a gradient for each
    /// input and parameter, all by name.
    ///
    /// # Errors
    /// As [`run`](Self::run); also if a gradient is missing or has another shape than its tensor.
    ///
    /// # Example
    /// ```
    /// use retrograde_check::Check;
    /// use retrograde_tensor::Tensor;
    ///
    /// let report = Check::new().input("x", Tensor::from([0.3, -0.8])).compare(
    ///     |_, x| Ok([("y", x["x"].tanh())].into()),
    ///     |x, dy| {
    ///         let y = x["x"].tanh();
    ///         Ok([("x", &dy["y"] * &(1.0 - y.square()))].into())
    ///     },
    /// )?;
    /// report.assert_ok();
    /// # Ok::<(), retrograde_check::Error>(())
    /// ```
    pub fn compare<F, B>(&self, mut forward: F, mut backward: B) -> Result<Report, Error>
    where
        F: for<'t> FnMut(&'t Tape<f64>, &Named<Var<'t, f64>>) -> Result<Named<Var<'t, f64>>, BoxError>,
        B: FnMut(&Named<Tensor<f64>>, &Named<Tensor<f64>>) -> Result<Named<Tensor<f64>>, BoxError>,
    {
        self.check(Subject::Recorded(&mut forward, &OfTape), Some(&mut backward))
    }

    /// Checks a function of arrays and its backward pass, of which nothing is known but what they return: plain Rust, a
    /// kernel, a layer of another framework.
    ///
    /// `forward` takes inputs and parameters and returns any number of outputs, all by name. `backward` takes the same,
    /// and the cotangents of the outputs, and returns a gradient for each input and parameter. Arrays are in row-major
    /// order. Finite differences alone judge the gradient; both functions are also called again, and must return the
    /// same numbers.
    ///
    /// # Errors
    /// As [`compare`](Self::compare). The error of a call comes out as the source of [`Error::Forward`] or
    /// [`Error::Backward`], which have the number of the call.
    ///
    /// # Panics
    /// If a call panics, with the panic of that call; its number is printed.
    ///
    /// # Example
    /// `y = tanh(w x)`:
    /// ```
    /// use retrograde_check::{Array, Check, Named};
    /// use retrograde_tensor::Tensor;
    ///
    /// fn layer(p: &Named<Array>) -> Vec<f64> {
    ///     let row = |row: &[f64]| row.iter().zip(&p["x"][..]).map(|(w, x)| w * x).sum::<f64>().tanh();
    ///     p["w"].chunks(3).map(row).collect()
    /// }
    ///
    /// let report = Check::new()
    ///     .input("w", Tensor::from([[0.5, -0.3, 0.1], [0.2, 0.7, -0.6]]))
    ///     .input("x", Tensor::from([1.0, -2.0, 0.5]))
    ///     .black_box(
    ///         |p| Ok([("y", layer(p).into())].into()),
    ///         |p, dy| {
    ///             let dt = layer(p).into_iter().zip(&dy["y"][..]).map(|(y, dy)| dy * (1.0 - y * y));
    ///             let (mut dw, mut dx) = (Vec::new(), vec![0.0; 3]);
    ///             for (dt, w) in dt.zip(p["w"].chunks(3)) {
    ///                 dw.extend(p["x"].iter().map(|x| dt * x)); // [2, 3]
    ///                 dx.iter_mut().zip(w).for_each(|(dx, w)| *dx += dt * w);
    ///             }
    ///             Ok([("w", dw.into()), ("x", dx.into())].into())
    ///         },
    ///     )?;
    /// report.assert_ok();
    /// # Ok::<(), retrograde_check::Error>(())
    /// ```
    pub fn black_box<F, B>(&self, mut forward: F, mut backward: B) -> Result<Report, Error>
    where
        F: FnMut(&Named<Array>) -> Result<Named<Array>, BoxError>,
        B: FnMut(&Named<Array>, &Named<Array>) -> Result<Named<Array>, BoxError>,
    {
        let mut backward = |x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>| {
            Ok(gradients(backward(&arrays(x), &arrays(dy))?, x)?)
        };
        self.check(Subject::BlackBox(&mut forward), Some(&mut backward))
    }

    /// Checks a layer: its own parameters and example inputs are added to what is listed already. An input that is listed
    /// under the name of an example replaces it, `xs` or `h_prev` of a layer over sequences.
    ///
    /// # Errors
    /// As [`run`](Self::run), or [`Error::Layer`] if the layer refuses.
    pub fn layer(&self, layer: &mut impl Checkable) -> Result<Report, Error> {
        let mut check = self.clone();
        check.params.extend(layer.params());
        let given: Named<_> = self.inputs.iter().cloned().collect();
        let examples = layer.inputs_beside(&given, &mut StdRng::seed_from_u64(self.settings.seed));
        check.inputs.extend(examples.into_iter().filter(|(name, _)| given.get(name).is_err()));
        layer.verify(&check.inputs.iter().cloned().collect()).map_err(Error::Layer)?;
        check.time.extend(layer.time_axes().into_iter().map(|(name, axis)| (name.to_owned(), axis)));
        check.run(|tape, inputs| layer.forward(tape, inputs))
    }

    /// Checks a layer over sequences called with options: lengths, masks, resets, and the noise of training,
    /// such as that of dropout, which is the same in each call since it is drawn from a seed.
    ///
    /// The example inputs have the size that the options are for. First, the outputs are compared with those for other
    /// inputs in the steps that do not count.
    ///
    /// # Errors
    /// As [`layer`](Self::layer).
    ///
    /// # Example
    /// ```
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use retrograde_check::Check;
    /// use retrograde_nn::{LstmCell, Noise, SequenceOptions, Time};
    ///
    /// let lstm = Time::new(LstmCell::new(2, 3, &mut StdRng::seed_from_u64(1))).recurrent_dropout(&[("h", 0.2)])?;
    /// let options = SequenceOptions::new().lengths(&[5, 1, 3]).with_noise(Noise::seeded(4));
    /// Check::new().layer_with(&lstm, &options)?.assert_ok();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn layer_with<L: Layer<f64>>(
        &self,
        layer: &L,
        options: &SequenceOptions<f64>,
    ) -> Result<Report, Error> {
        self.layer(&mut Sequence { layer, options })
    }
}

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
