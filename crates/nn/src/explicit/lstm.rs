//! One step of a long short-term memory, and its derivative by hand.

use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect, gate_sizes};
use crate::{Error, Result};

const OP: &str = "explicit lstm";

/// One step of a long short-term memory, as [`LstmCell`](crate::LstmCell), with its backward pass written out.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`, `c [N, H]`; `Wx [D, 4H]`, `Wh [H, 4H]`, `b [4H]`, in the order f, g, i, o
///
/// # Example
/// ```
/// use retrograde_nn::explicit::Lstm;
/// use retrograde_tensor::Tensor;
///
/// // All gates half open: c_next is c_prev / 2, and so is what flows back.
/// let mut lstm = Lstm::new(Tensor::zeros([1, 4]), Tensor::zeros([1, 4]), Tensor::zeros([4]))?;
/// let one = Tensor::from([[1.0_f64]]);
/// let (_h_next, c_next) = lstm.forward(&one, &one, &one)?;
/// assert_eq!(c_next, Tensor::from([[0.5]]));
/// let (_dx, _dh_prev, dc_prev) = lstm.backward(&Tensor::zeros([1, 1]), &one)?;
/// assert_eq!(dc_prev, Tensor::from([[0.5]]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// *Deep Learning from Scratch 2*, section 6.3.
#[derive(Clone, Debug)]
pub struct Lstm<E: Float> {
    /// The weight of the input, `Wx [D, 4H]`.
    pub wx: Tensor<E>,
    /// The weight of the state, `Wh [H, 4H]`.
    pub wh: Tensor<E>,
    /// The bias, `b [4H]`.
    pub b: Tensor<E>,
    /// The gradient of `Wx`, stored by the backward pass.
    pub dwx: Tensor<E>,
    /// The gradient of `Wh`, stored by the backward pass.
    pub dwh: Tensor<E>,
    /// The gradient of `b`, stored by the backward pass.
    pub db: Tensor<E>,
    cache: Option<Cache<E>>,
}

/// Values of the forward pass that the backward pass needs.
#[derive(Clone, Debug)]
struct Cache<E: Float> {
    x: Tensor<E>,
    h_prev: Tensor<E>,
    c_prev: Tensor<E>,
    /// The gates f, g, i, o.
    gates: [Tensor<E>; 4],
    c_next: Tensor<E>,
}

impl<E: Float> Lstm<E> {
    /// A layer of these weights.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn new(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        gate_sizes(OP, 4, wx.shape(), wh.shape(), b.shape())?;
        let (dwx, dwh, db) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()), Tensor::zeros(b.shape()));
        Ok(Lstm { wx, wh, b, dwx, dwh, db, cache: None })
    }

    /// The next state, `h_next` and `c_next`.
    ///
    /// # Shapes
    /// `x [N, D], h_prev [N, H], c_prev [N, H] -> h_next [N, H], c_next [N, H]`
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn forward(
        &mut self,
        x: &Tensor<E>,
        h_prev: &Tensor<E>,
        c_prev: &Tensor<E>,
    ) -> Result<(Tensor<E>, Tensor<E>)> {
        let h = self.check(x, [("h_prev", h_prev), ("c_prev", c_prev)])?;

        let t = h_prev.matmul(&self.wh) + x.matmul(&self.wx) + &self.b; // [N, 4H]
        let f = t.narrow(1, 0, h).sigmoid();
        let g = t.narrow(1, h, h).tanh();
        let i = t.narrow(1, 2 * h, h).sigmoid();
        let o = t.narrow(1, 3 * h, h).sigmoid();
        let c_next = &f * c_prev + &g * &i;
        let h_next = &o * c_next.tanh();

        let [x, h_prev, c_prev] = [x, h_prev, c_prev].map(Tensor::clone);
        self.cache = Some(Cache { x, h_prev, c_prev, gates: [f, g, i, o], c_next: c_next.clone() });
        Ok((h_next, c_next))
    }

    /// `dx`, `dh_prev` and `dc_prev`, from the cotangents of `h_next` and `c_next`; the gradients of the weights are
    /// stored.
    ///
    /// # Shapes
    /// `dh_next [N, H], dc_next [N, H] -> dx [N, D], dh_prev [N, H], dc_prev [N, H]`
    ///
    /// # Errors
    /// If there was no forward pass, or if a cotangent has another shape than its state.
    pub fn backward(
        &mut self,
        dh_next: &Tensor<E>,
        dc_next: &Tensor<E>,
    ) -> Result<(Tensor<E>, Tensor<E>, Tensor<E>)> {
        let Cache { x, h_prev, c_prev, gates: [f, g, i, o], c_next } =
            self.cache.as_ref().ok_or(Error::NoForward { op: OP })?;
        self.check(x, [("dh_next", dh_next), ("dc_next", dc_next)])?;
        let one = &Tensor::ones([]);
        let tanh_c_next = c_next.tanh();

        let ds = dc_next + dh_next * o * (one - tanh_c_next.square()); // all that reaches c_next
        let dc_prev = &ds * f;
        let df = &ds * c_prev * f * (one - f);
        let dg = &ds * i * (one - g.square());
        let di = &ds * g * i * (one - i);
        let d_o = dh_next * tanh_c_next * o * (one - o);
        let dt = Tensor::concat(&[&df, &dg, &di, &d_o], 1); // [N, 4H]
        self.db = dt.sum_axis(0, false);
        self.dwh = h_prev.t().matmul(&dt);
        let dh_prev = dt.matmul(&self.wh.t());
        self.dwx = x.t().matmul(&dt);
        let dx = dt.matmul(&self.wx.t());

        Ok((dx, dh_prev, dc_prev))
    }

    /// Refuses what does not fit the weights: an input, and anything of the shape of a state. Returns H.
    fn check(&self, x: &Tensor<E>, states: [(&'static str, &Tensor<E>); 2]) -> Result<usize> {
        let [d, h] = gate_sizes(OP, 4, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        expect(OP, "x", &[Axis::Any("N"), Axis::Size(d)], x.shape())?;
        for (name, state) in states {
            expect(OP, name, &[Axis::Size(x.dims()[0]), Axis::Size(h)], state.shape())?;
        }
        Ok(h)
    }
}
