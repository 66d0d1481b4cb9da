//! Steps scaled by running means of the gradient and of its square.

use retrograde_autograd::Gradients;
use retrograde_tensor::{Float, Tensor};

use super::slots::Rates;
use super::{Optimizer, Slots, settings};
use crate::Result;

/// Gradient descent with steps scaled by running means of the gradient and of its square.
///
/// `m = β₁ m + (1 - β₁) dw`, `v = β₂ v + (1 - β₂) dw²`, and, with both corrected for their start at zero,
/// `w -= lr · m̂ / (sqrt(v̂) + eps)`. Steps are counted for each parameter. With weight decay, `dw` has
/// `weight_decay · w` added first; [`AdamW`](crate::AdamW) keeps the two apart.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{Adam, Optimizer};
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
    /// The decays of the running means of the gradient and of its square: the part that each step keeps.
    pub betas: (f64, f64),
    /// Added to the divisor, which it keeps from zero.
    pub eps: f64,
    /// The part of a parameter that is added to its gradient: an L2 penalty.
    pub weight_decay: f64,
    slots: Slots<E>,
}

impl<E: Float> Adam<E> {
    /// Returns Adam with a learning rate, with betas of 0.9 and 0.999, eps of 1e-8 and no weight decay.
    #[must_use]
    pub fn new(lr: f64) -> Self {
        Adam { lr, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, slots: Slots::new(&SLOTS) }
    }
}

impl<E: Float> Optimizer<E> for Adam<E> {
    settings!("adam":
        "lr": lr in Rate, "betas.0": betas.0 in BelowOne, "betas.1": betas.1 in BelowOne, "eps": eps in Rate,
        "weight_decay": weight_decay in Rate);

    fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
        self.check(grads)?;
        let (betas, eps) = (self.betas, self.eps);
        self.slots.update(grads, self.lr, self.weight_decay, |rates, w, dw, slots| {
            let decay = E::from_f64(rates.weight_decay);
            update(rates, betas, eps, w, dw, slots, move |w, dw| dw + decay * w);
        });
        Ok(())
    }
}

/// The names of the running means.
pub(super) const SLOTS: [&str; 2] = ["m", "v"];

/// Takes one step of one parameter. `gradient` adds the weight decay to its gradient.
pub(super) fn update<E: Float>(
    Rates { lr, steps, .. }: Rates,
    betas: (f64, f64),
    eps: f64,
    w: &mut [E],
    dw: &[E],
    slots: &mut [Tensor<E>],
    gradient: impl Fn(E, E) -> E,
) {
    let [m, v] = slots else { unreachable!("Adam remembers two tensors") };
    let eps = E::from_f64(eps);
    let [beta1, beta2] = [betas.0, betas.1].map(E::from_f64);
    // Rounded once: in single precision, the difference of 1 and a rounded β₂ has few digits.
    let [rest1, rest2] = [betas.0, betas.1].map(|beta| E::from_f64(1.0 - beta));
    // m̂ and v̂ are m and v divided by these.
    let (start1, start2) = (1.0 - betas.0.powi(steps), 1.0 - betas.1.powi(steps));
    let (rate, start2) = (E::from_f64(lr / start1), E::from_f64(start2));
    let moments = m.as_mut_slice().iter_mut().zip(v.as_mut_slice());
    E::vectorized(
        #[inline(always)]
        move || {
            for ((w, &dw), (m, v)) in w.iter_mut().zip(dw).zip(moments) {
                let dw = gradient(*w, dw);
                *m = beta1 * *m + rest1 * dw;
                *v = beta2 * *v + rest2 * dw * dw;
                *w = *w - rate * *m / ((*v / start2).sqrt() + eps);
            }
        },
    );
}
