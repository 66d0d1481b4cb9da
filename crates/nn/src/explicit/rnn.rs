//! One step, and its derivative by hand.

use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect, rnn_sizes};
use crate::{Error, Result};

const OP: &str = "explicit rnn";

/// One step of a simple recurrent network, `h_next = tanh(h_prev · Wh + x · Wx + b)`, with its backward pass written
/// out.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`; `Wx [D, H]`, `Wh [H, H]`, `b [H]`
///
/// # Example
/// ```
/// use retrograde_nn::explicit::Rnn;
/// use retrograde_tensor::Tensor;
///
/// let mut rnn = Rnn::new(Tensor::<f64>::eye(2), Tensor::eye(2), Tensor::zeros([2]))?;
/// let h_next = rnn.forward(&Tensor::from([[0.5, 0.0]]), &Tensor::from([[0.0, 0.0]]))?;
/// assert_eq!(h_next, Tensor::from([[0.5_f64.tanh(), 0.0]]));
/// let (_dx, _dh_prev) = rnn.backward(&Tensor::from([[0.0, 3.0]]))?;
/// assert_eq!(rnn.db, Tensor::from([0.0, 3.0])); // tanh has slope 1 at 0
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// *Deep Learning from Scratch 2*, section 5.3.1.
#[derive(Clone, Debug)]
pub struct Rnn<E: Float> {
    /// The weight of the input, `Wx [D, H]`.
    pub wx: Tensor<E>,
    /// The weight of the state, `Wh [H, H]`.
    pub wh: Tensor<E>,
    /// The bias, `b [H]`.
    pub b: Tensor<E>,
    /// The gradient of `Wx`, stored by the backward pass.
    pub dwx: Tensor<E>,
    /// The gradient of `Wh`, stored by the backward pass.
    pub dwh: Tensor<E>,
    /// The gradient of `b`, stored by the backward pass.
    pub db: Tensor<E>,
    /// `x`, `h_prev` and `h_next` of the last forward pass.
    cache: Option<[Tensor<E>; 3]>,
}

impl<E: Float> Rnn<E> {
    /// A layer of these weights.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn new(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        rnn_sizes(OP, wx.shape(), wh.shape(), b.shape())?;
        let (dwx, dwh, db) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()), Tensor::zeros(b.shape()));
        Ok(Rnn { wx, wh, b, dwx, dwh, db, cache: None })
    }

    /// The next state, `h_next`.
    ///
    /// # Shapes
    /// `x [N, D], h_prev [N, H] -> h_next [N, H]`
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn forward(&mut self, x: &Tensor<E>, h_prev: &Tensor<E>) -> Result<Tensor<E>> {
        self.check(x, ("h_prev", h_prev))?;

        let t = h_prev.matmul(&self.wh) + x.matmul(&self.wx) + &self.b;
        let h_next = t.tanh();

        self.cache = Some([x.clone(), h_prev.clone(), h_next.clone()]);
        Ok(h_next)
    }

    /// `dx` and `dh_prev`, from the cotangent of `h_next`; the gradients of the weights are stored.
    ///
    /// # Shapes
    /// `dh_next [N, H] -> dx [N, D], dh_prev [N, H]`
    ///
    /// # Errors
    /// If there was no forward pass, or if `dh_next` has another shape than `h_next`.
    pub fn backward(&mut self, dh_next: &Tensor<E>) -> Result<(Tensor<E>, Tensor<E>)> {
        let [x, h_prev, h_next] = self.cache.as_ref().ok_or(Error::NoForward { op: OP })?;
        self.check(x, ("dh_next", dh_next))?;
        let one = Tensor::ones([]);

        let dt = dh_next * (one - h_next.square());
        self.db = dt.sum_axis(0, false);
        self.dwh = h_prev.t().matmul(&dt);
        let dh_prev = dt.matmul(&self.wh.t());
        self.dwx = x.t().matmul(&dt);
        let dx = dt.matmul(&self.wx.t());

        Ok((dx, dh_prev))
    }

    /// Refuses what does not fit the weights: an input, and anything of the shape of a state.
    fn check(&self, x: &Tensor<E>, (name, state): (&'static str, &Tensor<E>)) -> Result<()> {
        let [d, h] = rnn_sizes(OP, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        expect(OP, "x", &[Axis::Any("N"), Axis::Size(d)], x.shape())?;
        expect(OP, name, &[Axis::Size(x.dims()[0]), Axis::Size(h)], state.shape())
    }
}
