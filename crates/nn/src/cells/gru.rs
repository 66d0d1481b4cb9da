//! The gated recurrent unit.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use super::gates::{draw, gated_cell};
use crate::shapes::{Axis, expect, gate_sizes};
use crate::time::{Cell, Time};
use crate::{Result, init, module};

const OP: &str = "gru_cell";

/// One step of a gated recurrent unit, with the reset gate after the product with the state, or before it.
///
/// The columns of `Wx`, `Wh` and `b` are three blocks of H in the order r, z, n:
/// ```text
/// r = sigmoid(h_prev · Wh_r + x · Wx_r + b_r)
/// z = sigmoid(h_prev · Wh_z + x · Wx_z + b_z)
/// n = tanh(r ⊙ (h_prev · Wh_n + bh) + x · Wx_n + b_n)      reset after, as in PyTorch and cuDNN
/// n = tanh((r ⊙ h_prev) · Wh_n + x · Wx_n + b_n)           reset before, the original
/// h_next = z ⊙ h_prev + (1 - z) ⊙ n
/// ```
/// A cell that has `bh` resets after, one that has none before. The textbook calls `1 - z` what is `z` here.
/// Derived by hand, the backward pass is [`explicit::Gru`](crate::explicit::Gru)'s.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`; `Wx [D, 3H]`, `Wh [H, 3H]`, `b [3H]`, `bh [H]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Cell, GruCell};
/// use retrograde_tensor::Tensor;
///
/// // Without weights, both gates are half open, and n is tanh(r ⊙ bh).
/// let bh = Tensor::from([0.5_f64]);
/// let (wx, wh, b) = (Tensor::zeros([2, 3]), Tensor::zeros([1, 3]), Tensor::zeros([3]));
/// let cell = GruCell::from_arrays(wx, wh, b, Some(bh))?;
/// let tape = Tape::new();
/// let x = cell.project(&tape.var(Tensor::ones([1, 2])));
/// let h_next = cell.step(&x, &tape.var(Tensor::from([[1.0]])));
/// let expected = 0.5 * 1.0 + 0.5 * (0.5_f64 * 0.5).tanh();
/// assert!((h_next.value().item()? - expected).abs() < 1e-15);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// K. Cho et al., *Learning phrase representations using RNN encoder-decoder* (2014), equations 5 to 8, for the reset
/// before; after, as `torch.nn.GRU` documents it.
#[derive(Clone, Debug)]
pub struct GruCell<E: Float> {
    /// The weight of the input, `Wx [D, 3H]`.
    pub wx: Param<E>,
    /// The weight of the state, `Wh [H, 3H]`.
    pub wh: Param<E>,
    /// The bias, `b [3H]`.
    pub b: Param<E>,
    /// The bias inside the reset, `bh [H]`, of a cell that resets after the product; none if it resets before.
    pub bh: Option<Param<E>>,
}

module!(GruCell { wx, wh, b, bh });

/// A [`GruCell`] over a sequence.
pub type TimeGru<E> = Time<GruCell<E>, E>;

impl<E: Float> GruCell<E> {
    /// Creates a cell for `d` features and a state of `h` that resets after the product: normal weights of standard deviation
    /// `1/sqrt(fan-in)`, zero biases.
    pub fn new<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
        GruCell { bh: Some(Param::new("bh", init::zeros([h]))), ..Self::reset_before(d, h, rng) }
    }

    /// Creates a cell as [`new`](Self::new) does, but of the original form, which resets before the product.
    pub fn reset_before<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
        let [wx, wh, b] = draw(OP, 3, [d, h], rng);
        GruCell { wx, wh, b, bh: None }
    }

    /// Creates a cell that shares these parameters; it resets after the product if it is given `bh`.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(wx: Param<E>, wh: Param<E>, b: Param<E>, bh: Option<Param<E>>) -> Result<Self> {
        let [_, h] = gate_sizes(OP, 3, wx.shape(), wh.shape(), b.shape())?;
        if let Some(bh) = &bh {
            expect(OP, "bh", &[Axis::Size(h)], bh.shape())?;
        }
        Ok(GruCell { wx, wh, b, bh })
    }

    /// Creates a cell of parameters with these initial values, which resets after the product if it is given `bh`.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_arrays(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>, bh: Option<Tensor<E>>) -> Result<Self> {
        let bh = bh.map(|bh| Param::new("bh", bh));
        Self::from_params(Param::new("Wx", wx), Param::new("Wh", wh), Param::new("b", b), bh)
    }
}

impl<E: Float> Cell<E> for GruCell<E> {
    gated_cell!(h, projected);

    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        self.step_reading(x, h_prev, h_prev)
    }

    fn step_reading<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>, read: &Var<'t, E>) -> Var<'t, E> {
        let h = self.wh.shape()[0];
        let x_n = x.narrow(1, 2 * h, h); // [N, H]
        let (z, n) = match &self.bh {
            Some(bh) => {
                let th = read.matmul(&self.wh).named("th"); // [N, 3H]
                let rz = (th.narrow(1, 0, 2 * h) + x.narrow(1, 0, 2 * h)).sigmoid(); // [N, 2H]
                let [r, z] = rz.chunk(1); // [N, H] each
                let (r, z) = (r.named("r"), z.named("z"));
                let n = (&r * (th.narrow(1, 2 * h, h) + bh) + x_n).tanh();
                (z, n)
            }
            None => {
                let wh = read.tape().param(&self.wh);
                let th = read.matmul(wh.narrow(1, 0, 2 * h)).named("th"); // [N, 2H]
                let rz = (th + x.narrow(1, 0, 2 * h)).sigmoid(); // [N, 2H]
                let [r, z] = rz.chunk(1); // [N, H] each
                let (r, z) = (r.named("r"), z.named("z"));
                let n = ((&r * read).matmul(wh.narrow(1, 2 * h, h)) + x_n).tanh();
                (z, n)
            }
        };
        let n = n.named("n");
        &z * (h_prev - &n) + n // z ⊙ h_prev + (1 - z) ⊙ n
    }
}
