//! JANET, a long short-term memory that keeps nothing but its forget gate:
//!
//! ```text
//! s_t = U_f h_{t-1} + W_f x_t + b_f
//! c̃_t = tanh(U_c h_{t-1} + W_c x_t + b_c)
//! c_t = σ(s_t) ⊙ c_{t-1} + (1 - σ(s_t - β)) ⊙ c̃_t
//! h_t = c_t
//! ```
//! It is written here for a batch of rows `[N, ..]`, the columns of `W`, `U` and `b` two blocks of H in the order f, c.
//!
//! # Source
//! J. van der Westhuizen and J. Lasenby, *The unreasonable effectiveness of the forget gate* (2018).

use rand::{Rng, RngExt};
use retrograde::nn::init;
use retrograde::prelude::*;

/// By how much more the cell remembers than it forgets.
const BETA: f64 = 1.0;

pub(crate) struct Janet<E> {
    pub(crate) w: Param<E>, // [D, 2H]
    pub(crate) u: Param<E>, // [H, 2H]
    pub(crate) b: Param<E>, // [2H]
}
module!(Janet { w, u, b });

impl<E: Float> Cell<E> for Janet<E> {
    type State = Tensor<E>;

    fn input_size(&self) -> usize {
        self.w.shape()[0]
    }
    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.u.shape()[0]])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b // for all time steps at once
    }
    fn step<'t>(&self, x: &Var<'t, E>, c_prev: &Var<'t, E>) -> Var<'t, E> {
        let (t, h) = (x + c_prev.matmul(&self.u), self.u.shape()[0]); // [N, 2H]
        let (s, c_new) = (t.narrow(1, 0, h), t.narrow(1, h, h).tanh()); // [N, H]
        s.sigmoid() * c_prev + (BETA - s).sigmoid() * c_new // 1 - σ(s - β) = σ(β - s)
    }
}

impl<E: Float> Janet<E> {
    /// A cell for `d` features and a state of `h` that from the start remembers for up to `steps` steps: the bias of
    /// the forget gate is `ln u` with `u` uniform between 1 and `steps - 1`.
    ///
    /// # Source
    /// C. Tallec and Y. Ollivier, *Can recurrent neural networks warp time?* (2018), section 2.2.
    pub(crate) fn new(d: usize, h: usize, steps: usize, rng: &mut impl Rng) -> Self {
        let longest = steps.max(3) as f64 - 1.0;
        let mut forget = |unit: usize| if unit < h { rng.random_range(1.0..longest).ln() } else { 0.0 };
        let b = Tensor::from_fn([2 * h], |at| E::from_f64(forget(at[0])));
        let (w, u) = (init::normal([d, 2 * h], d, rng), init::normal([h, 2 * h], h, rng));
        Janet { w: Param::new("W", w), u: Param::new("U", u), b: Param::new("b", b) }
    }
}
