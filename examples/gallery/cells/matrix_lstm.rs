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

state!(pub(crate) Memory { c, m }); // C above nᵀ [N, H + 1, H], m [N, 1]
module!(pub(crate) struct MatrixLstm { w, b }); // W [D, 4H + 2], b [4H + 2]

impl<E: Float> Cell<E> for MatrixLstm<E> {
    type State = Memory<Tensor<E>>;

    fn initial_state(&self, n: usize) -> Self::State {
        Memory { c: Tensor::zeros([n, self.h() + 1, self.h()]), m: Tensor::zeros([n, 1]) }
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        let (h, last) = (self.h(), x.shape().rank() - 1);
        let [q, k, v, o, i, f] = (x.matmul(&self.w) + &self.b).split(last, [h, h, h, h, 1, 1]);
        let one = x.tape().constant(Tensor::ones(i.shape())); // n is a row of C whose value is always 1
        Var::concat(&[k / (h as f64).sqrt(), v, one, i, -(-f).softplus(), q, o.sigmoid()], last) // log σ(f) = -softplus(-f)
    }
    fn step<'t>(&self, x: &Var<'t, E>, s: &Memory<Var<'t, E>>) -> Memory<Var<'t, E>> {
        let h = self.h();
        let [k, v, i, log_f, _] = x.split(1, [h, h + 1, 1, 1, 2 * h]);
        let kept = log_f + &s.m;
        let m = kept.maximum(&i);
        let (f, i) = ((kept - &m).exp(), (i - &m).exp()); // [N, 1]
        Memory { c: f.unsqueeze(2) * &s.c + (i * v).unsqueeze(2) * k.unsqueeze(1), m }
    }
    fn output<'t>(&self, x: &Var<'t, E>, s: &Memory<Var<'t, E>>) -> Var<'t, E> {
        let h = self.h();
        let [_, q, o] = x.split(1, [2 * h + 3, h, h]);
        let [y, size] = s.c.matmul(q.unsqueeze(2)).squeeze(2).split(1, [h, 1]); // C q, nᵀ q
        o * y / size.abs().maximum((-&s.m).exp())
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
