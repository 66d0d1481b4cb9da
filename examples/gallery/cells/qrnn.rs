//! QRNN: convolutions over two steps of the input make the gates, and only a pooling reads the state.
//!
//! ```text
//! z_t = tanh(W_z x_{t-1} + V_z x_t + b_z)
//! f, o = σ(W x_{t-1} + V x_t + b)
//! c_t = f ⊙ c_{t-1} + (1 - f) ⊙ z_t
//! h_t = o ⊙ c_t
//! ```
//! The columns of `W`, `V` and `b` are z, f and o, H each. The state holds the product with the input of the step before.
//!
//! # Source
//! J. Bradbury et al., *Quasi-recurrent neural networks* (2017), section 2, fo-pooling.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

state!(pub(crate) Pooled { h, c, past }); // h, c [N, H], past [N, 3H]
module!(pub(crate) struct Qrnn { w, v, b }); // W, V [D, 3H], b [3H]

impl<E: Float> Cell<E> for Qrnn<E> {
    type State = Pooled<Tensor<E>>;

    fn initial_state(&self, n: usize) -> Self::State {
        let of = |width| Tensor::zeros([n, width]);
        let [wide, h] = [self.b.shape()[0], self.b.shape()[0] / 3];
        Pooled { h: of(h), c: of(h), past: of(wide) }
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        Var::concat(&[x.matmul(&self.w), x.matmul(&self.v) + &self.b], x.shape().rank() - 1)
    }
    fn step<'t>(&self, x: &Var<'t, E>, s: &Pooled<Var<'t, E>>) -> Pooled<Var<'t, E>> {
        let [past, now] = x.chunk(1); // [N, 3H] each
        let [z, f, o] = (now + &s.past).chunk(1); // [N, H] each
        let z = z.tanh();
        let c = &z + f.sigmoid() * (&s.c - &z);
        Pooled { h: o.sigmoid() * &c, c, past }
    }
}

impl<E: Float> Qrnn<E> {
    /// A cell that remembers at first.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let b = Tensor::from_fn([3 * h], |at| E::from_f64(if at[0] / h == 1 { 2.0 } else { 0.0 }));
        Qrnn { w: weight("W", [d, 3 * h], rng), v: weight("V", [d, 3 * h], rng), b: Param::new("b", b) }
    }
}
