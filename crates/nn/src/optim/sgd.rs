//! Gradient descent.

use retrograde_autograd::Gradients;
use retrograde_tensor::Float;

use super::{Optimizer, Slots, settings};
use crate::Result;

/// Gradient descent: `w -= lr · dw`. It is stochastic, since its gradients are those of a batch.
///
/// With weight decay, `dw` has `weight_decay · w` added first. With momentum, a velocity `v = momentum · v + dw` takes
/// the place of `dw`; with Nesterov's, `dw + momentum · v` does.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{Optimizer, Sgd};
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.0, 2.0]));
/// let tape = Tape::new();
/// let grads = tape.param(&w).square().sum().backward()?; // dw = 2 w
/// Sgd::new(0.25).step(&grads)?;
/// assert_eq!(w.value(), Tensor::from([0.5, 1.0]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// B. Polyak, *Some methods of speeding up the convergence of iteration methods* (1964); I. Sutskever et al., *On the
/// importance of initialization and momentum in deep learning* (2013); in the form of PyTorch's `torch.optim.SGD`,
/// where the velocity does not contain the learning rate.
#[derive(Clone, Debug)]
pub struct Sgd<E: Float> {
    /// The learning rate.
    pub lr: f64,
    /// The part of the velocity that each step keeps; 0 for no velocity.
    pub momentum: f64,
    /// Whether the gradient looks ahead along the velocity.
    pub nesterov: bool,
    /// The part of a parameter that is added to its gradient: an L2 penalty.
    pub weight_decay: f64,
    slots: Slots<E>,
}

impl<E: Float> Sgd<E> {
    /// Returns gradient descent with a learning rate, without momentum or weight decay.
    #[must_use]
    pub fn new(lr: f64) -> Self {
        Sgd { lr, momentum: 0.0, nesterov: false, weight_decay: 0.0, slots: Slots::new(&["velocity"]) }
    }

    /// Sets the momentum.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Sets Nesterov's momentum.
    #[must_use]
    pub fn nesterov(mut self, momentum: f64) -> Self {
        self.nesterov = true;
        self.momentum(momentum)
    }

    /// Sets the weight decay.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl<E: Float> Optimizer<E> for Sgd<E> {
    settings!("sgd":
        "lr": lr in Rate, "momentum": momentum in BelowOne, "nesterov": nesterov in Switch,
        "weight_decay": weight_decay in Rate);

    fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
        self.check(grads)?;
        if self.momentum == 0.0 {
            self.slots.update_by_rates(grads, self.lr, self.weight_decay, |rates, w, dw| {
                let (lr, decay) = (E::from_f64(rates.lr), E::from_f64(rates.weight_decay));
                w.iter_mut().zip(dw).for_each(|(w, &dw)| *w = *w - lr * (dw + decay * *w));
            });
            return Ok(());
        }
        let (momentum, nesterov) = (E::from_f64(self.momentum), self.nesterov);
        self.slots.update(grads, self.lr, self.weight_decay, |rates, w, dw, slots| {
            let (lr, decay) = (E::from_f64(rates.lr), E::from_f64(rates.weight_decay));
            for ((w, &dw), v) in w.iter_mut().zip(dw).zip(slots[0].as_mut_slice()) {
                let dw = dw + decay * *w;
                *v = momentum * *v + dw;
                *w = *w - lr * if nesterov { dw + momentum * *v } else { *v };
            }
        });
        Ok(())
    }
}
