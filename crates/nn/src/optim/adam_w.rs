//! Adam with decoupled weight decay.

use retrograde_autograd::Gradients;
use retrograde_tensor::Float;

use super::adam::{SLOTS, update};
use super::{Optimizer, Slots, settings};
use crate::Result;

/// [`Adam`](crate::Adam) with weight decay that does not pass through its running means: first
/// `w -= lr · weight_decay · w`, then Adam's step.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{AdamW, Optimizer};
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([8.0_f64]));
/// let mut adam = AdamW::new(0.5);
/// adam.weight_decay = 1.0;
/// let tape = Tape::new();
/// adam.step(&(tape.param(&w) * 0.0).sum().backward()?)?; // dw = 0
/// assert_eq!(w.value(), Tensor::from([4.0]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// I. Loshchilov and F. Hutter, *Decoupled weight decay regularization* (2019), algorithm 2; as in PyTorch's
/// `torch.optim.AdamW`, the decay is multiplied by the learning rate.
#[derive(Clone, Debug)]
pub struct AdamW<E: Float> {
    /// The learning rate.
    pub lr: f64,
    /// The decays of the running means of the gradient and of its square: the part that each step keeps.
    pub betas: (f64, f64),
    /// Added to the divisor, which it keeps from zero.
    pub eps: f64,
    /// The part of a parameter that each step takes from it, times the learning rate.
    pub weight_decay: f64,
    slots: Slots<E>,
}

impl<E: Float> AdamW<E> {
    /// Returns AdamW with a learning rate, with betas of 0.9 and 0.999, eps of 1e-8 and weight decay of 0.01.
    #[must_use]
    pub fn new(lr: f64) -> Self {
        AdamW { lr, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01, slots: Slots::new(&SLOTS) }
    }
}

impl<E: Float> Optimizer<E> for AdamW<E> {
    settings!("adam_w":
        "lr": lr in Rate, "betas.0": betas.0 in BelowOne, "betas.1": betas.1 in BelowOne, "eps": eps in Rate,
        "weight_decay": weight_decay in Rate);

    fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
        self.check(grads)?;
        let (betas, eps) = (self.betas, self.eps);
        self.slots.update(grads, self.lr, self.weight_decay, |rates, w, dw, slots| {
            let kept = E::from_f64(1.0 - rates.lr * rates.weight_decay);
            w.iter_mut().for_each(|w| *w = kept * *w);
            update(rates, betas, eps, w, dw, slots, |_, dw| dw);
        });
        Ok(())
    }
}
