//! Steps scaled by the sum of the squared gradients.

use retrograde_autograd::Gradients;
use retrograde_tensor::Float;

use super::{Optimizer, Slots, settings};
use crate::Result;

/// Gradient descent with steps scaled by the sum of all squared gradients so far.
///
/// `sum += dw²` and `w -= lr · dw / (sqrt(sum) + eps)`. With weight decay, `dw` has `weight_decay · w` added first.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{AdaGrad, Optimizer};
/// use retrograde_tensor::{Tensor, assert_close};
///
/// let w = Param::new("w", Tensor::from([3.0_f64]));
/// let mut ada_grad = AdaGrad::new(0.5);
/// for _ in 0..2 {
///     let tape = Tape::new();
///     ada_grad.step(&tape.param(&w).sum().backward()?)?; // dw = 1
/// }
/// assert_close!(w.value(), Tensor::from([3.0 - 0.5 - 0.5 / 2.0_f64.sqrt()]), 1e-9, 0.0);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// J. Duchi, E. Hazan and Y. Singer, *Adaptive subgradient methods for online learning and stochastic optimization*
/// (2011), the diagonal form of section 1.1; `eps` as in PyTorch's `torch.optim.Adagrad`.
#[derive(Clone, Debug)]
pub struct AdaGrad<E: Float> {
    /// The learning rate.
    pub lr: f64,
    /// Added to the divisor, which it keeps from zero.
    pub eps: f64,
    /// The part of a parameter that is added to its gradient: an L2 penalty.
    pub weight_decay: f64,
    slots: Slots<E>,
}

impl<E: Float> AdaGrad<E> {
    /// Returns AdaGrad with a learning rate, with eps of 1e-10 and no weight decay.
    #[must_use]
    pub fn new(lr: f64) -> Self {
        AdaGrad { lr, eps: 1e-10, weight_decay: 0.0, slots: Slots::new(&["sum"]) }
    }
}

impl<E: Float> Optimizer<E> for AdaGrad<E> {
    settings!("ada_grad": "lr": lr in Rate, "eps": eps in Rate, "weight_decay": weight_decay in Rate);

    fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
        self.check(grads)?;
        let eps = E::from_f64(self.eps);
        self.slots.update(grads, self.lr, self.weight_decay, |rates, w, dw, slots| {
            let (lr, decay) = (E::from_f64(rates.lr), E::from_f64(rates.weight_decay));
            E::vectorized(
                #[inline(always)]
                move || {
                    for ((w, &dw), sum) in w.iter_mut().zip(dw).zip(slots[0].as_mut_slice()) {
                        let dw = dw + decay * *w;
                        *sum += dw * dw;
                        *w = *w - lr * dw / (sum.sqrt() + eps);
                    }
                },
            );
        });
        Ok(())
    }
}
