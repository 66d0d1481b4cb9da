//! xLSTM's mLSTM: a memory of outer products of values and keys, with exponential gates that a maximum keeps in range.
//!
//! ```text
//! m_t = max(log σ(f̃_t) + m_{t-1}, ĩ_t)
//! f = exp(log σ(f̃_t) + m_{t-1} - m_t)    i = exp(ĩ_t - m_t)
//! C_t = f C_{t-1} + i v_t k_tᵀ
//! n_t = f n_{t-1} + i k_t
//! h_t = σ(õ_t) ⊙ C_t q_t / max(|n_tᵀ q_t|, exp(-m_t))
//! ```
//! The columns of `W` and `b` are q, k, v, õ of H each and ĩ, f̃ of one; keys are divided by √H.
//!
//! # Source
//! M. Beck et al., *xLSTM: extended long short-term memory* (2024), equations 19 to 27 and appendix A.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

state!(pub(crate) Memory { c, n, m }); // C [N, H, H], n [N, H], m [N, 1]
module!(pub(crate) struct MatrixLstm { w, b }); // W [D, 4H + 2], b [4H + 2]

impl<E: Float> Cell<E> for MatrixLstm<E> {
    type State = Memory<Tensor<E>>;

    fn initial_state(&self, n: usize) -> Self::State {
        let h = self.h();
        Memory { c: Tensor::zeros([n, h, h]), n: Tensor::zeros([n, h]), m: Tensor::zeros([n, 1]) }
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, s: &Memory<Var<'t, E>>) -> Memory<Var<'t, E>> {
        let h = self.h();
        let [_, k, v, _, i, f] = x.split(1, [h, h, h, h, 1, 1]);
        let (k, kept) = (k / (h as f64).sqrt(), &s.m - (-f).softplus()); // log σ(f) = -softplus(-f)
        let m = kept.maximum(&i);
        let (f, i) = ((kept - &m).exp(), (i - &m).exp()); // [N, 1]
        let c = f.unsqueeze(2) * &s.c + (&i * v).unsqueeze(2) * k.unsqueeze(1); // [N, H, H]
        Memory { c, n: f * &s.n + i * k, m }
    }
    fn output<'t>(&self, x: &Var<'t, E>, s: &Memory<Var<'t, E>>) -> Var<'t, E> {
        let (q, o) = (x.narrow(1, 0, self.h()), x.narrow(1, 3 * self.h(), self.h()));
        let size = (&s.n * &q).sum_axes(&[1], true).abs().maximum((-&s.m).exp()); // [N, 1]
        o.sigmoid() * s.c.matmul(q.unsqueeze(2)).squeeze(2) / size
    }
}

impl<E: Float> MatrixLstm<E> {
    fn h(&self) -> usize {
        (self.b.shape()[0] - 2) / 4
    }

    /// A cell that remembers at first.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let b = Tensor::from_fn([4 * h + 2], |at| E::from_f64(if at[0] == 4 * h + 1 { 3.0 } else { 0.0 }));
        MatrixLstm { w: weight("W", [d, 4 * h + 2], rng), b: Param::new("b", b) }
    }
}
