//! The parameters of a model at one time, and their running average.

use retrograde_autograd::Param;
use retrograde_tensor::{Float, Tensor};

use crate::module::Module;
use crate::range::Range;
use crate::{Error, Result};

const OP: &str = "snapshot";

/// The values of the parameters of a model at one time, by their paths: [`Module::snapshot`] takes one,
/// [`Module::restore`] puts it back. It does not change when the parameters do, and takes memory only where they have.
///
/// # Example
/// The best model so far:
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::{Linear, Module, Patience, Progress};
///
/// let linear = Linear::<f32>::new(3, 2, &mut StdRng::seed_from_u64(1));
/// let (mut best, mut patience) = (linear.snapshot(), Patience::new(2));
/// for (epoch, validation) in [0.9, 0.7, 0.8, 0.75, 0.6].into_iter().enumerate() {
///     linear.b.update(|b| b.as_mut_slice()[0] = epoch as f32); // an epoch of training
///     match patience.observe(validation) {
///         Progress::Best => best = linear.snapshot(),
///         Progress::Wait => {}
///         Progress::Stop => break, // after 2 epochs without a better one
///     }
/// }
/// linear.restore(&best)?;
/// assert_eq!((linear.b.value().at(&[0]), patience.best), (1.0, 0.7));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot<E: Float> {
    values: Vec<(String, Tensor<E>)>,
}

impl<E: Float> Snapshot<E> {
    /// Returns the value of the parameter of a path, if there is one.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Tensor<E>> {
        self.values.iter().find(|(known, _)| known == path).map(|(_, value)| value)
    }

    /// Returns the paths with their values, in the order of [`Module::named_params`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor<E>)> {
        self.values.iter().map(|(path, value)| (&**path, value))
    }

    /// Returns each parameter of a model with its value here.
    ///
    /// # Errors
    /// If the paths or the shapes are not those of the model.
    pub(crate) fn matched(&self, model: &(impl Module<E> + ?Sized)) -> Result<Vec<(Param<E>, &Tensor<E>)>> {
        let params = model.try_named_params()?;
        if let Some((path, _)) = self.iter().find(|(path, _)| !params.iter().any(|(known, _)| known == path))
        {
            return Err(Error::In { place: OP.into(), source: Error::NoParam { path: path.into() }.into() });
        }
        let matched = params.into_iter().map(|(path, param)| {
            let (value, expected) = (self.get(&path), Box::new(param.shape()));
            match value {
                Some(value) if value.shape() == *expected => Ok((param, value)),
                _ => {
                    let found = value.map(|value| Box::new(value.shape()));
                    Err(Error::Parameter { op: OP, path, expected, found })
                }
            }
        });
        matched.collect()
    }
}

/// The snapshot of these paths and values, such as those of a file.
impl<E: Float> FromIterator<(String, Tensor<E>)> for Snapshot<E> {
    fn from_iter<I: IntoIterator<Item = (String, Tensor<E>)>>(values: I) -> Self {
        Snapshot { values: values.into_iter().collect() }
    }
}

/// The exponential moving average of the parameters of a model: often better than where the last steps of training left
/// them.
///
/// `average += (1 - decay) (w - average)`, from the values at the start.
///
/// # Example
/// ```
/// use retrograde_autograd::Param;
/// use retrograde_nn::{Ema, Module};
/// use retrograde_tensor::Tensor;
///
/// let model = vec![Param::new("w", Tensor::from([0.0_f64]))];
/// let mut ema = Ema::new(&model, 0.75)?;
/// for _step in 0..2 {
///     model[0].update(|w| *w = &*w + 4.0); // 4, then 8
///     ema.update(&model)?;
/// }
/// let trained = model.snapshot();
/// model.restore(ema.average())?; // to be evaluated
/// assert_eq!(model[0].value(), Tensor::from([0.75 * 1.0 + 0.25 * 8.0]));
/// model.restore(&trained)?; // to be trained on
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// B. Polyak and A. Juditsky, *Acceleration of stochastic approximation by averaging* (1992); with exponential weights,
/// A. Tarvainen and H. Valpola, *Mean teachers are better role models* (2017), equation 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Ema<E: Float> {
    average: Snapshot<E>,
    decay: f64,
}

impl<E: Float> Ema<E> {
    /// Starts the average at the present parameters. A decay of 0.999 averages over some thousand steps.
    ///
    /// # Errors
    /// If the decay is not at least 0 and below 1, or if two parameters have one path.
    pub fn new(model: &(impl Module<E> + ?Sized), decay: f64) -> Result<Self> {
        Self::resume(
            model.try_named_params()?.into_iter().map(|(path, p)| (path, p.value())).collect(),
            decay,
        )
    }

    /// Goes on from an average that was kept, as in a file.
    ///
    /// # Errors
    /// If the decay is not at least 0 and below 1.
    pub fn resume(average: Snapshot<E>, decay: f64) -> Result<Self> {
        Range::BelowOne.check("ema", "decay", decay)?;
        Ok(Ema { average, decay })
    }

    /// Takes the present parameters into the average: once after each step of the optimizer.
    ///
    /// # Errors
    /// If the model does not have the parameters of the average. The average then stays as it was.
    pub fn update(&mut self, model: &(impl Module<E> + ?Sized)) -> Result<()> {
        let share = E::from_f64(1.0 - self.decay);
        let moved = |(param, average): (Param<E>, &Tensor<E>)| {
            average.zip(&param.value(), |average, w| average + share * (w - average))
        };
        let moved: Vec<Tensor<E>> = self.average.matched(model)?.into_iter().map(moved).collect();
        // In the order of the model, which need not be that of a file.
        let paths = model.try_named_params()?.into_iter().map(|(path, _)| path);
        self.average = paths.zip(moved).collect();
        Ok(())
    }

    /// Returns the average.
    #[must_use]
    pub fn average(&self) -> &Snapshot<E> {
        &self.average
    }
}
