//! Long short-term memory with layer normalisation.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use super::gates::{draw, gated_cell};
use crate::layers::LayerNorm;
use crate::shapes::{Axis, expect, gate_sizes, times};
use crate::time::Cell;
use crate::{Result, module};

const OP: &str = "layer_norm_lstm_cell";

/// One step of a long short-term memory in which the sums before the gates and the memory cell are normalised.
///
/// With `t = norm_h(h_prev · Wh) + norm_x(x · Wx)`, cut into four blocks of H columns in the order f, g, i, o:
/// ```text
/// f = sigmoid(t_f)    g = tanh(t_g)    i = sigmoid(t_i)    o = sigmoid(t_o)
/// c_next = f ⊙ c_prev + g ⊙ i
/// h_next = o ⊙ tanh(norm_c(c_next))
/// ```
/// The biases of the gates are those of the norms.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`, `c [N, H]`; `Wx [D, 4H]`, `Wh [H, 4H]`; `norm_x` and `norm_h` over 4H, `norm_c` over H
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{LayerNormLstmCell, Module, Time};
/// use retrograde_tensor::Tensor;
///
/// let mut lstm = Time::new(LayerNormLstmCell::<f32>::new(3, 4, &mut StdRng::seed_from_u64(1)));
/// let tape = Tape::new();
/// assert_eq!(lstm.forward(&tape.constant(Tensor::ones([2, 5, 3])))?.hs.value().dims(), [2, 5, 4]);
/// assert_eq!(lstm.named_params()[2].0, "norm_x.gain");
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// J. Ba, J. Kiros and G. Hinton, *Layer normalization* (2016), supplementary material, equations 20 to 22.
#[derive(Clone, Debug)]
pub struct LayerNormLstmCell<E: Float> {
    /// The weight of the input, `Wx [D, 4H]`.
    pub wx: Param<E>,
    /// The weight of the state, `Wh [H, 4H]`.
    pub wh: Param<E>,
    /// The norm of the product with the input, over 4H.
    pub norm_x: LayerNorm<E>,
    /// The norm of the product with the state, over 4H.
    pub norm_h: LayerNorm<E>,
    /// The norm of the memory cell, over H.
    pub norm_c: LayerNorm<E>,
}

module!(LayerNormLstmCell { wx, wh, norm_x, norm_h, norm_c });

impl<E: Float> LayerNormLstmCell<E> {
    /// Creates a cell for `d` features and a state of `h`: normal weights of standard deviation `1/sqrt(fan-in)`.
    pub fn new<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
        let wide = times(OP, 4, h);
        let [wx, wh, _] = draw(OP, 4, [d, h], rng);
        LayerNormLstmCell {
            wx,
            wh,
            norm_x: LayerNorm::new(wide),
            norm_h: LayerNorm::new(wide),
            norm_c: LayerNorm::new(h),
        }
    }

    /// Creates a cell that shares these parameters; the norms are those of x, h and c.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(
        wx: Param<E>,
        wh: Param<E>,
        [norm_x, norm_h, norm_c]: [LayerNorm<E>; 3],
    ) -> Result<Self> {
        let [_, h] = gate_sizes(OP, 4, wx.shape(), wh.shape(), norm_x.gain.shape())?;
        expect(OP, "norm_h", &[Axis::Size(4 * h)], norm_h.gain.shape())?;
        expect(OP, "norm_c", &[Axis::Size(h)], norm_c.gain.shape())?;
        Ok(LayerNormLstmCell { wx, wh, norm_x, norm_h, norm_c })
    }
}

impl<E: Float> Cell<E> for LayerNormLstmCell<E> {
    gated_cell!((h, c),);

    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        self.norm_x.normalise(&x.matmul(&self.wx))
    }

    fn step<'t>(
        &self,
        x: &Var<'t, E>,
        (h_prev, c_prev): &(Var<'t, E>, Var<'t, E>),
    ) -> (Var<'t, E>, Var<'t, E>) {
        let t = (self.norm_h.normalise(&h_prev.matmul(&self.wh)) + x).named("t"); // [N, 4H]
        let [f, g, i, o] = t.chunk(1); // [N, H] each
        let (f, g) = (f.sigmoid().named("f"), g.tanh().named("g"));
        let (i, o) = (i.sigmoid().named("i"), o.sigmoid().named("o"));
        let c_next = &f * c_prev + &g * &i;
        let h_next = &o * self.norm_c.normalise(&c_next).tanh();
        (h_next, c_next)
    }
}
