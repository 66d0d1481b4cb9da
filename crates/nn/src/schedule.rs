//! Learning rates that change while training.

use std::f64::consts::PI;

use crate::range::Range;
use crate::{Error, Result};

const OP: &str = "schedule";

/// A learning rate for each step, a function of its number alone. Nothing has to be kept to resume.
///
/// # Example
/// ```
/// use retrograde_nn::{Optimizer, Schedule, Sgd};
///
/// let schedule = Schedule::cosine(0.1, 10, 110, 0.0)?;
/// let mut sgd = Sgd::<f32>::new(0.0);
/// sgd.set_lr(schedule.lr(4));
/// assert_eq!(sgd.lr, 0.05); // halfway up
/// assert!((schedule.lr(60) - 0.05).abs() < 1e-15); // halfway down
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Constant { lr: f64 },
    Step { lr: f64, every: u64, factor: f64 },
    Cosine { peak: f64, warm_up: u64, steps: u64, floor: f64 },
}

impl Schedule {
    /// Returns the same learning rate for all steps.
    ///
    /// # Errors
    /// If it is not a finite number of at least 0.
    pub fn constant(lr: f64) -> Result<Self> {
        Range::Rate.check(OP, "lr", lr)?;
        Ok(Schedule(Kind::Constant { lr }))
    }

    /// A learning rate that is multiplied by `factor` after every `every` steps: `lr · factor^⌊step / every⌋`.
    ///
    /// # Errors
    /// If a rate is not a finite number of at least 0, or if `every` is 0.
    pub fn step(lr: f64, every: u64, factor: f64) -> Result<Self> {
        Range::Rate.check(OP, "lr", lr)?;
        Range::Rate.check(OP, "factor", factor)?;
        Range::Count.check(OP, "every", every as f64)?;
        Ok(Schedule(Kind::Step { lr, every, factor }))
    }

    /// Returns a learning rate that rises in `warm_up` equal steps to `peak`, and from there falls along half a cosine to
    /// `floor`, which it reaches at step `steps` and keeps.
    ///
    /// In the warm-up it is `peak · (step + 1) / warm_up`, after it
    /// `floor + (peak - floor) (1 + cos(π (step - warm_up) / (steps - warm_up))) / 2`.
    ///
    /// # Errors
    /// If a rate is not a finite number of at least 0, or if `steps` is 0 or below `warm_up`.
    ///
    /// # Source
    /// P. Goyal et al., *Accurate, large minibatch SGD* (2017), section 2.2; I. Loshchilov and F. Hutter, *SGDR:
    /// stochastic gradient descent with warm restarts* (2017), equation 5.
    pub fn cosine(peak: f64, warm_up: u64, steps: u64, floor: f64) -> Result<Self> {
        Range::Rate.check(OP, "peak", peak)?;
        Range::Rate.check(OP, "floor", floor)?;
        Range::Count.check(OP, "steps", steps as f64)?;
        if steps < warm_up {
            let (name, expected, found) = ("steps", "at least warm_up", steps as f64);
            return Err(Error::Setting { op: OP, name, expected, found });
        }
        Ok(Schedule(Kind::Cosine { peak, warm_up, steps, floor }))
    }

    /// Returns the learning rate for a step, of which the first is 0.
    #[must_use]
    pub fn lr(&self, step: u64) -> f64 {
        match self.0 {
            Kind::Constant { lr } => lr,
            Kind::Step { lr, every, factor } => lr * factor.powf((step / every) as f64),
            Kind::Cosine { peak, warm_up, .. } if step < warm_up => peak * (step + 1) as f64 / warm_up as f64,
            Kind::Cosine { steps, floor, .. } if step >= steps => floor,
            Kind::Cosine { peak, warm_up, steps, floor } => {
                let way = (step - warm_up) as f64 / (steps - warm_up) as f64;
                floor + (peak - floor) * (1.0 + (PI * way).cos()) / 2.0
            }
        }
    }
}

/// A learning rate that is divided when the validation perplexity did not improve: by 4, unless `divisor` is set.
///
/// Its fields are all that has to be kept to resume.
///
/// # Example
/// ```
/// use retrograde_nn::Plateau;
///
/// let mut plateau = Plateau::new(20.0);
/// assert_eq!(plateau.observe(150.0), 20.0);
/// assert_eq!(plateau.observe(120.0), 20.0);
/// assert_eq!(plateau.observe(121.0), 5.0);
/// assert_eq!(plateau.observe(119.0), 5.0);
/// assert_eq!(plateau.best, 119.0);
/// ```
///
/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 6.5.5; the rule of T. Mikolov et al., *Recurrent neural
/// network based language model* (2010), section 2, who halve it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// The present learning rate.
    pub lr: f64,
    /// The divisor of the learning rate.
    pub divisor: f64,
    /// The best perplexity so far; infinite at first.
    pub best: f64,
}

impl Plateau {
    /// Returns a learning rate that is divided by 4.
    ///
    /// # Panics
    /// If it is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(lr: f64) -> Self {
        Range::Rate.check(OP, "lr", lr).unwrap_or_else(|error| panic!("{error}"));
        Plateau { lr, divisor: 4.0, best: f64::INFINITY }
    }

    /// Returns the learning rate after an epoch, from its validation perplexity or any other loss. A loss that is as large
    /// as the best one, or not a number, is no improvement.
    ///
    /// # Panics
    /// If `divisor` is not a finite number above 1: the learning rate would not fall.
    #[track_caller]
    pub fn observe(&mut self, perplexity: f64) -> f64 {
        Range::Divisor.check(OP, "divisor", self.divisor).unwrap_or_else(|error| panic!("{error}"));
        if perplexity < self.best {
            self.best = perplexity;
        } else {
            self.lr /= self.divisor;
        }
        self.lr
    }
}
