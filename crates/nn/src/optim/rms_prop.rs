//! Steps scaled by a running mean of the squared gradient.

use retrograde_autograd::Gradients;
use retrograde_tensor::Float;

use super::{Optimizer, Slots, settings};
use crate::Result;

/// Gradient descent with steps scaled by a running mean of the squared gradient.
///
/// `v = alpha v + (1 - alpha) dw²` and `w -= lr · dw / (sqrt(v) + eps)`. With weight decay, `dw` has
/// `weight_decay · w` added first.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{Optimizer, RmsProp};
/// use retrograde_tensor::{Tensor, assert_close};
///
/// let w = Param::new("w", Tensor::from([1.0_f64, -200.0]));
/// let tape = Tape::new();
/// RmsProp::new(0.01).step(&tape.param(&w).square().sum().backward()?)?;
/// // The first step is lr / sqrt(1 - alpha), however long the gradient.
/// assert_close!(w.value(), Tensor::from([0.9, -199.9]), 1e-8, 0.0);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// G. Hinton, *Neural networks for machine learning* (2012), lecture 6e; in the form of PyTorch's
/// `torch.optim.RMSprop`, which adds `eps` after the root.
#[derive(Clone, Debug)]
pub struct RmsProp<E: Float> {
    /// The learning rate.
    pub lr: f64,
    /// The decay of the running mean: the part of it that each step keeps.
    pub alpha: f64,
    /// Added to the divisor, which it keeps from zero.
    pub eps: f64,
    /// The part of a parameter that is added to its gradient: an L2 penalty.
    pub weight_decay: f64,
    slots: Slots<E>,
}

impl<E: Float> RmsProp<E> {
    /// Returns RMSProp with a learning rate, with alpha of 0.99, eps of 1e-8 and no weight decay.
    #[must_use]
    pub fn new(lr: f64) -> Self {
        RmsProp { lr, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, slots: Slots::new(&["v"]) }
    }
}

impl<E: Float> Optimizer<E> for RmsProp<E> {
    settings!("rms_prop":
        "lr": lr in Rate, "alpha": alpha in BelowOne, "eps": eps in Rate, "weight_decay": weight_decay in Rate);

    fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
        self.check(grads)?;
        let (alpha, rest) = (E::from_f64(self.alpha), E::from_f64(1.0 - self.alpha));
        let eps = E::from_f64(self.eps);
        self.slots.update(grads, self.lr, self.weight_decay, |rates, w, dw, slots| {
            let (lr, decay) = (E::from_f64(rates.lr), E::from_f64(rates.weight_decay));
            E::vectorized(
                #[inline(always)]
                move || {
                    for ((w, &dw), v) in w.iter_mut().zip(dw).zip(slots[0].as_mut_slice()) {
                        let dw = dw + decay * *w;
                        *v = alpha * *v + rest * dw * dw;
                        *w = *w - lr * dw / (v.sqrt() + eps);
                    }
                },
            );
        });
        Ok(())
    }
}
