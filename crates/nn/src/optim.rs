//! Gradient descent.

use retrograde_autograd::{Gradients, Param};
use retrograde_tensor::{Float, Tensor};

use crate::{Error, Result};

/// Gradient descent: `w -= lr · dw`. Its gradients are those of a batch, hence stochastic.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::Sgd;
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.0, 2.0]));
/// let tape = Tape::new();
/// let grads = tape.param(&w).square().sum().backward()?; // dw = 2 w
/// Sgd::new(0.25).step(&grads)?;
/// assert_eq!(w.value(), Tensor::from([0.5, 1.0]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate.
    pub lr: f64,
}

impl Sgd {
    /// Gradient descent at a learning rate.
    pub fn new(lr: f64) -> Self {
        Sgd { lr }
    }

    /// Moves each parameter that something flowed to; the others stay.
    ///
    /// # Errors
    /// If the learning rate is not a finite number of at least 0.
    pub fn step<E: Float>(&mut self, grads: &Gradients<E>) -> Result<()> {
        require("sgd", "lr", "finite and at least 0", self.lr, self.lr.is_finite() && self.lr >= 0.0)?;
        let lr = E::from_f64(self.lr);
        for (param, dw) in grads.params() {
            param.update(|w| {
                w.as_mut_slice().iter_mut().zip(dw).for_each(|(w, dw)| *w = *w - lr * dw);
            });
        }
        Ok(())
    }
}

/// Gradient descent with steps scaled by running means of the gradient and of its square.
///
/// `m = β₁ m + (1 - β₁) dw`, `v = β₂ v + (1 - β₂) dw²`, and, with both corrected for their start at zero,
/// `w -= lr · m̂ / (sqrt(v̂) + eps)`. Steps are counted for each parameter.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::Adam;
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.0_f64, -2.0]));
/// let mut adam = Adam::new(0.1);
/// for _ in 0..300 {
///     let tape = Tape::new();
///     adam.step(&tape.param(&w).square().sum().backward()?)?;
/// }
/// assert!(w.value().abs().max().item()? < 1e-3);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// D. Kingma and J. Ba, *Adam: a method for stochastic optimization* (2015), algorithm 1.
#[derive(Clone, Debug)]
pub struct Adam<E: Float> {
    /// The learning rate.
    pub lr: f64,
    /// How slowly the running means of the gradient and of its square forget.
    pub betas: (f64, f64),
    /// What keeps the divisor from zero.
    pub eps: f64,
    moments: Vec<Moments<E>>,
}

/// What is remembered of a parameter's gradients.
#[derive(Clone, Debug)]
struct Moments<E: Float> {
    param: Param<E>,
    m: Tensor<E>,
    v: Tensor<E>,
    steps: i32,
}

impl<E: Float> Adam<E> {
    /// Adam at a learning rate, with betas of 0.9 and 0.999 and eps of 1e-8.
    pub fn new(lr: f64) -> Self {
        Adam { lr, betas: (0.9, 0.999), eps: 1e-8, moments: Vec::new() }
    }

    /// Moves each parameter that something flowed to; the others stay, and so do their running means.
    ///
    /// # Errors
    /// If a setting is out of its range: `lr` and `eps` finite and at least 0, betas at least 0 and below 1.
    pub fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
        let rates = [("lr", self.lr), ("eps", self.eps)];
        for (name, x) in rates {
            require("adam", name, "finite and at least 0", x, x.is_finite() && x >= 0.0)?;
        }
        for x in [self.betas.0, self.betas.1] {
            require("adam", "betas", "at least 0 and below 1", x, (0.0..1.0).contains(&x))?;
        }
        for (param, dw) in grads.params() {
            let (lr, betas, eps) = (self.lr, self.betas, E::from_f64(self.eps));
            let Moments { m, v, steps, .. } = self.moments(param);
            *steps = steps.saturating_add(1);
            let one = E::from_f64(1.0);
            let (beta1, beta2) = (E::from_f64(betas.0), E::from_f64(betas.1));
            // m̂ and v̂ are m and v divided by these.
            let (start1, start2) = (1.0 - betas.0.powi(*steps), 1.0 - betas.1.powi(*steps));
            let (rate, start2) = (E::from_f64(lr / start1), E::from_f64(start2));
            let moments = m.as_mut_slice().iter_mut().zip(v.as_mut_slice());
            param.update(|w| {
                for ((w, (m, v)), dw) in w.as_mut_slice().iter_mut().zip(moments).zip(dw) {
                    *m = beta1 * *m + (one - beta1) * dw;
                    *v = beta2 * *v + (one - beta2) * dw * dw;
                    *w = *w - rate * *m / ((*v / start2).sqrt() + eps);
                }
            });
        }
        Ok(())
    }

    /// What is remembered of a parameter, zeros at first.
    fn moments(&mut self, param: &Param<E>) -> &mut Moments<E> {
        let place = self.moments.iter().position(|known| known.param.same(param)).unwrap_or_else(|| {
            let zeros = Tensor::zeros(param.shape());
            self.moments.push(Moments { param: param.clone(), m: zeros.clone(), v: zeros, steps: 0 });
            self.moments.len() - 1
        });
        &mut self.moments[place]
    }
}

fn require(
    op: &'static str,
    name: &'static str,
    expected: &'static str,
    found: f64,
    holds: bool,
) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Setting { op, name, expected, found }) }
}
