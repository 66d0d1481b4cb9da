//! One step of a gated recurrent unit, and its derivative by hand.

use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect, gate_sizes};
use crate::{Error, Result};

const OP: &str = "explicit gru";

/// One step of a gated recurrent unit, as [`GruCell`](crate::GruCell), with its backward pass written out.
///
/// With `bh`, the reset is after the product with the state; without, before it.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`; `Wx [D, 3H]`, `Wh [H, 3H]`, `b [3H]`, in the order r, z, n; `bh [H]`
///
/// # Example
/// ```
/// use retrograde_nn::explicit::Gru;
/// use retrograde_tensor::Tensor;
///
/// // Both gates half open, n zero: h_next is h_prev / 2.
/// let mut gru = Gru::new(Tensor::zeros([1, 3]), Tensor::zeros([1, 3]), Tensor::zeros([3]), None)?;
/// let one = Tensor::from([[1.0_f64]]);
/// assert_eq!(gru.forward(&one, &one)?, Tensor::from([[0.5]]));
/// let (_dx, dh_prev) = gru.backward(&one)?;
/// assert_eq!(dh_prev, Tensor::from([[0.5]]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// As *Deep Learning from Scratch 2*, appendix C, for the formulas of [`GruCell`](crate::GruCell).
#[derive(Clone, Debug)]
pub struct Gru<E: Float> {
    /// The weight of the input, `Wx [D, 3H]`.
    pub wx: Tensor<E>,
    /// The weight of the state, `Wh [H, 3H]`.
    pub wh: Tensor<E>,
    /// The bias, `b [3H]`.
    pub b: Tensor<E>,
    /// The bias inside the reset, `bh [H]`, if the reset is after the product.
    pub bh: Option<Tensor<E>>,
    /// The gradient of `Wx`, stored by the backward pass.
    pub dwx: Tensor<E>,
    /// The gradient of `Wh`, stored by the backward pass.
    pub dwh: Tensor<E>,
    /// The gradient of `b`, stored by the backward pass.
    pub db: Tensor<E>,
    /// The gradient of `bh`, stored by the backward pass, if there is a `bh`.
    pub dbh: Option<Tensor<E>>,
    cache: Option<Cache<E>>,
}

/// Values of the forward pass that the backward pass needs.
#[derive(Clone, Debug)]
struct Cache<E: Float> {
    x: Tensor<E>,
    h_prev: Tensor<E>,
    r: Tensor<E>,
    z: Tensor<E>,
    n: Tensor<E>,
    /// `h_prev · Wh_n + bh`, where the reset is after it.
    u: Option<Tensor<E>>,
}

impl<E: Float> Gru<E> {
    /// A layer of these weights, which resets after the product if it is given `bh`.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn new(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>, bh: Option<Tensor<E>>) -> Result<Self> {
        let (dwx, dwh, db) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()), Tensor::zeros(b.shape()));
        let dbh = bh.as_ref().map(|bh| Tensor::zeros(bh.shape()));
        let gru = Gru { wx, wh, b, bh, dwx, dwh, db, dbh, cache: None };
        gru.sizes()?;
        Ok(gru)
    }

    /// The next state, `h_next`.
    ///
    /// # Shapes
    /// `x [N, D], h_prev [N, H] -> h_next [N, H]`
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn forward(&mut self, x: &Tensor<E>, h_prev: &Tensor<E>) -> Result<Tensor<E>> {
        let h = self.check(x, ("h_prev", h_prev))?;
        let block = |of: &Tensor<E>, gate: usize| of.narrow(1, gate * h, h);

        let tx = x.matmul(&self.wx) + &self.b; // [N, 3H]
        let th = h_prev.matmul(&self.wh); // [N, 3H]
        let r = (block(&tx, 0) + block(&th, 0)).sigmoid();
        let z = (block(&tx, 1) + block(&th, 1)).sigmoid();
        let u = self.bh.as_ref().map(|bh| block(&th, 2) + bh);
        let from_state = match &u {
            Some(u) => &r * u,
            None => (&r * h_prev).matmul(&block(&self.wh, 2)),
        };
        let n = (from_state + block(&tx, 2)).tanh();
        let h_next = &z * h_prev + (Tensor::ones([]) - &z) * &n;

        self.cache = Some(Cache { x: x.clone(), h_prev: h_prev.clone(), r, z, n, u });
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
        let Cache { x, h_prev, r, z, n, u } = self.cache.as_ref().ok_or(Error::NoForward { op: OP })?;
        let h = self.check(x, ("dh_next", dh_next))?;
        let one = &Tensor::ones([]);
        let (wh_rz, wh_n) = (self.wh.narrow(1, 0, 2 * h), self.wh.narrow(1, 2 * h, h));

        let dtz = dh_next * (h_prev - n) * z * (one - z);
        let dtn = dh_next * (one - z) * (one - n.square());
        // The part of n that comes from the state: its cotangents reach r, h_prev and Wh_n.
        let (dr, dh_from_n, dwh_n) = match u {
            Some(u) => {
                let du = &dtn * r;
                self.dbh = Some(du.sum_axis(0, false));
                (&dtn * u, du.matmul(&wh_n.t()), h_prev.t().matmul(&du))
            }
            None => {
                let ds = dtn.matmul(&wh_n.t()); // of s = r ⊙ h_prev
                (&ds * h_prev, &ds * r, (r * h_prev).t().matmul(&dtn))
            }
        };
        let dtr = dr * r * (one - r);
        let dt_rz = Tensor::concat(&[&dtr, &dtz], 1); // [N, 2H]
        let dt = Tensor::concat(&[&dt_rz, &dtn], 1); // [N, 3H]
        self.db = dt.sum_axis(0, false);
        self.dwh = Tensor::concat(&[&h_prev.t().matmul(&dt_rz), &dwh_n], 1);
        let dh_prev = dh_next * z + dh_from_n + dt_rz.matmul(&wh_rz.t());
        self.dwx = x.t().matmul(&dt);
        let dx = dt.matmul(&self.wx.t());

        Ok((dx, dh_prev))
    }

    /// `[D, H]`, if the weights agree.
    pub(super) fn sizes(&self) -> Result<[usize; 2]> {
        let [d, h] = gate_sizes(OP, 3, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        if let Some(bh) = &self.bh {
            expect(OP, "bh", &[Axis::Size(h)], bh.shape())?;
        }
        Ok([d, h])
    }

    /// Refuses what does not fit the weights: an input, and anything of the shape of a state. Returns H.
    fn check(&self, x: &Tensor<E>, (name, state): (&'static str, &Tensor<E>)) -> Result<usize> {
        let [d, h] = self.sizes()?;
        expect(OP, "x", &[Axis::Any("N"), Axis::Size(d)], x.shape())?;
        expect(OP, name, &[Axis::Size(x.dims()[0]), Axis::Size(h)], state.shape())?;
        Ok(h)
    }
}
