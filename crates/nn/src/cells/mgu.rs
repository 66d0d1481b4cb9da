//! The minimal gated unit.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use super::gates::{gated, gated_cell};
use crate::module;
use crate::time::Cell;

/// One step of a minimal gated unit: a gated recurrent unit with one gate, which forgets and resets.
///
/// The columns of `Wx`, `Wh` and `b` are two blocks of H in the order f, n:
/// ```text
/// f = sigmoid(h_prev · Wh_f + x · Wx_f + b_f)
/// n = tanh((f ⊙ h_prev) · Wh_n + x · Wx_n + b_n)
/// h_next = (1 - f) ⊙ h_prev + f ⊙ n
/// ```
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`; `Wx [D, 2H]`, `Wh [H, 2H]`, `b [2H]`
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{MguCell, Time};
/// use retrograde_tensor::Tensor;
///
/// let mut mgu = Time::new(MguCell::<f32>::new(3, 4, &mut StdRng::seed_from_u64(1)));
/// let tape = Tape::new();
/// assert_eq!(mgu.forward(&tape.constant(Tensor::ones([2, 5, 3])))?.hs.value().dims(), [2, 5, 4]);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// G. Zhou et al., *Minimal gated unit for recurrent neural networks* (2016), equation 6.
#[derive(Clone, Debug)]
pub struct MguCell<E: Float> {
    /// The weight of the input, `Wx [D, 2H]`.
    pub wx: Param<E>,
    /// The weight of the state, `Wh [H, 2H]`.
    pub wh: Param<E>,
    /// The bias, `b [2H]`.
    pub b: Param<E>,
}

module!(MguCell { wx, wh, b });

gated!(MguCell, "mgu_cell", 2);

impl<E: Float> Cell<E> for MguCell<E> {
    gated_cell!(h, projected);

    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        self.step_reading(x, h_prev, h_prev)
    }

    fn step_reading<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>, read: &Var<'t, E>) -> Var<'t, E> {
        let h = self.wh.shape()[0];
        let wh = read.tape().param(&self.wh);
        let f = (read.matmul(wh.narrow(1, 0, h)) + x.narrow(1, 0, h)).sigmoid().named("f"); // [N, H]
        let from_state = (&f * read).matmul(wh.narrow(1, h, h)); // [N, H]
        let n = (from_state + x.narrow(1, h, h)).tanh().named("n");
        h_prev + &f * (&n - h_prev) // (1 - f) ⊙ h_prev + f ⊙ n
    }
}
