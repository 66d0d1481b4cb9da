//! The RNN as a user writes it: the formula, all of it in each step.

use retrograde_autograd::{Param, Var};
use retrograde_nn::{Cell, module};
use retrograde_tensor::{Float, Tensor};

#[derive(Clone)]
pub(crate) struct Custom<E: Float> {
    pub(crate) wx: Param<E>, // [D, H]
    pub(crate) wh: Param<E>, // [H, H]
    pub(crate) b: Param<E>,  // [H]
}

module!(Custom { wx, wh, b });

impl<E: Float> Cell<E> for Custom<E> {
    type State = Tensor<E>;

    fn input_size(&self) -> usize {
        self.wx.shape()[0]
    }
    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.wh.shape()[0]])
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        (x.matmul(&self.wx) + h_prev.matmul(&self.wh) + &self.b).tanh()
    }
}
