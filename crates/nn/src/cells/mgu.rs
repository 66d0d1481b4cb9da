//! The minimal gated unit.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{gate_sizes, times};
use crate::time::Cell;
use crate::{Result, init, module};

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

impl<E: Float> MguCell<E> {
    /// A cell for `d` features and a state of `h`: normal weights of standard deviation `1/sqrt(fan-in)`, zero bias.
    pub fn new<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
        let wide = times("mgu_cell", 2, h);
        MguCell {
            wx: Param::new("Wx", init::normal([d, wide], d, rng)),
            wh: Param::new("Wh", init::normal([h, wide], h, rng)),
            b: Param::new("b", init::zeros([wide])),
        }
    }

    /// A cell of these parameters, which it shares with whoever else has them.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(wx: Param<E>, wh: Param<E>, b: Param<E>) -> Result<Self> {
        gate_sizes("mgu_cell", 2, wx.shape(), wh.shape(), b.shape())?;
        Ok(MguCell { wx, wh, b })
    }
}

impl<E: Float> Cell<E> for MguCell<E> {
    type State = Tensor<E>;

    fn input_size(&self) -> usize {
        self.wx.shape()[0]
    }

    fn zero_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.wh.shape()[0]])
    }

    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.wx) + &self.b
    }

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
