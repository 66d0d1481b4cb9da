//! All steps of a long short-term memory, and their derivative by hand.

use retrograde_tensor::{Float, Tensor};

use super::Lstm;
use crate::shapes::{Axis, expect, gate_sizes};
use crate::time::carried::{CarriedState, state_methods};
use crate::{Error, Result};

const OP: &str = "explicit time_lstm";

/// A long short-term memory over a sequence, with its backpropagation through time written out.
///
/// It behaves as [`crate::TimeLstm`] does: stateless or stateful, with a state that can be set for the next call.
///
/// # Shapes
/// `xs [N, T, D]`, `hs [N, T, H]`; `Wx [D, 4H]`, `Wh [H, 4H]`, `b [4H]`, in the order f, g, i, o
///
/// # Example
/// ```
/// use retrograde_nn::explicit::TimeLstm;
/// use retrograde_tensor::Tensor;
///
/// let mut lstm = TimeLstm::new(Tensor::zeros([1, 4]), Tensor::zeros([1, 4]), Tensor::zeros([4]))?;
/// lstm.set_state((Tensor::zeros([1, 1]), Tensor::from([[8.0_f64]])));
/// lstm.forward(&Tensor::ones([1, 3, 1]))?;
/// let (_h, c) = lstm.state().unwrap();
/// assert_eq!(c, &Tensor::from([[1.0]])); // all gates half open
/// let zeros = Tensor::zeros([1, 1]);
/// lstm.backward_with_last(&Tensor::zeros([1, 3, 1]), &zeros, &Tensor::ones([1, 1]))?;
/// assert_eq!(lstm.dc, Some(Tensor::from([[0.125]])));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// *Deep Learning from Scratch 2*, section 6.3.1.
#[derive(Clone, Debug)]
pub struct TimeLstm<E: Float> {
    /// The weight of the input, `Wx [D, 4H]`.
    pub wx: Tensor<E>,
    /// The weight of the state, `Wh [H, 4H]`.
    pub wh: Tensor<E>,
    /// The bias, `b [4H]`.
    pub b: Tensor<E>,
    /// The gradient of `Wx`, summed over the steps.
    pub dwx: Tensor<E>,
    /// The gradient of `Wh`, summed over the steps.
    pub dwh: Tensor<E>,
    /// The gradient of `b`, summed over the steps.
    pub db: Tensor<E>,
    /// The gradient of `h` before the first step, `[N, H]`.
    pub dh: Option<Tensor<E>>,
    /// The gradient of `c` before the first step, `[N, H]`.
    pub dc: Option<Tensor<E>>,
    /// `(h, c)`, `[N, H]` each.
    carried: CarriedState<(Tensor<E>, Tensor<E>)>,
    /// One layer per step, with the values that its backward pass needs.
    layers: Vec<Lstm<E>>,
    /// The batch size of the last forward pass, if there was one.
    n: Option<usize>,
}

impl<E: Float> TimeLstm<E> {
    /// A layer of these weights that is not stateful.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn new(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        gate_sizes(OP, 4, wx.shape(), wh.shape(), b.shape())?;
        let (dwx, dwh, db) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()), Tensor::zeros(b.shape()));
        let (carried, layers) = (CarriedState::new(false), Vec::new());
        Ok(TimeLstm { wx, wh, b, dwx, dwh, db, dh: None, dc: None, carried, layers, n: None })
    }

    state_methods!((Tensor<E>, Tensor<E>), self);

    /// `h` after each step.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If a shape does not fit, that of the state included.
    pub fn forward(&mut self, xs: &Tensor<E>) -> Result<Tensor<E>> {
        let [d, hidden] = gate_sizes(OP, 4, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        expect(OP, "xs", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(d)], xs.shape())?;
        let [n, steps] = [xs.dims()[0], xs.dims()[1]];
        let zeros = || (Tensor::zeros([n, hidden]), Tensor::zeros([n, hidden]));
        let (mut h, mut c) = self.carried.initial().cloned().unwrap_or_else(zeros);
        expect(OP, "h", &[Axis::Size(n), Axis::Size(hidden)], h.shape())?;
        expect(OP, "c", &[Axis::Size(n), Axis::Size(hidden)], c.shape())?;

        let mut hs = Tensor::zeros([n, steps, hidden]);
        let mut layers = Vec::with_capacity(steps);
        for step in 0..steps {
            let mut layer = Lstm::new(self.wx.clone(), self.wh.clone(), self.b.clone())?;
            (h, c) = layer.forward(&xs.select(1, step), &h, &c)?;
            hs.set_at(1, step, &h); // hs[:, step] = h
            layers.push(layer);
        }

        self.carried.store((h, c));
        (self.layers, self.n) = (layers, Some(n));
        Ok(hs)
    }

    /// `dxs`, from the cotangents of `hs`; the gradients of the weights and of the initial state are stored.
    ///
    /// # Shapes
    /// `dhs [N, T, H] -> dxs [N, T, D]`
    ///
    /// # Errors
    /// If there was no forward pass, or if `dhs` has another shape than `hs`.
    pub fn backward(&mut self, dhs: &Tensor<E>) -> Result<Tensor<E>> {
        let [_, hidden] = gate_sizes(OP, 4, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        let zeros = Tensor::zeros([self.n.unwrap_or(0), hidden]);
        self.backward_with_last(dhs, &zeros, &zeros)
    }

    /// As [`backward`](Self::backward), with cotangents for the last state too, as a decoder sends them back to its
    /// encoder.
    ///
    /// # Shapes
    /// `dhs [N, T, H], dh_last [N, H], dc_last [N, H] -> dxs [N, T, D]`
    ///
    /// # Errors
    /// If there was no forward pass, or if a cotangent has another shape than its output.
    pub fn backward_with_last(
        &mut self,
        dhs: &Tensor<E>,
        dh_last: &Tensor<E>,
        dc_last: &Tensor<E>,
    ) -> Result<Tensor<E>> {
        let [n, steps, d] = self.check_cotangents(dhs, [("dh_last", dh_last), ("dc_last", dc_last)])?;

        let [mut dwx, mut dwh, mut db] =
            [self.wx.shape(), self.wh.shape(), self.b.shape()].map(Tensor::zeros);
        let mut dxs = Tensor::zeros([n, steps, d]);
        let (mut dh, mut dc) = (dh_last.clone(), dc_last.clone());
        for (step, layer) in self.layers.iter_mut().enumerate().rev() {
            let dh_next = dhs.select(1, step) + &dh; // from hs[:, step] and from step + 1
            let (dx, dh_prev, dc_prev) = layer.backward(&dh_next, &dc)?;
            dxs.set_at(1, step, &dx); // dxs[:, step] = dx
            dwx += &layer.dwx;
            dwh += &layer.dwh;
            db += &layer.db;
            (dh, dc) = (dh_prev, dc_prev);
        }

        (self.dwx, self.dwh, self.db, self.dh, self.dc) = (dwx, dwh, db, Some(dh), Some(dc));
        Ok(dxs)
    }

    /// `[N, T, D]` of the last forward pass, if the cotangents and the weights fit it.
    fn check_cotangents(&self, dhs: &Tensor<E>, last: [(&'static str, &Tensor<E>); 2]) -> Result<[usize; 3]> {
        let n = self.n.ok_or(Error::NoForward { op: OP })?;
        if let Some(layer) = self.layers.first() {
            let [d, wide] = [layer.wx.dims()[0], layer.wx.dims()[1]];
            expect(OP, "Wx", &[Axis::Size(d), Axis::Size(wide)], self.wx.shape())?;
        }
        let [d, hidden] = gate_sizes(OP, 4, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        let steps = self.layers.len();
        expect(OP, "dhs", &[Axis::Size(n), Axis::Size(steps), Axis::Size(hidden)], dhs.shape())?;
        for (name, cotangent) in last {
            expect(OP, name, &[Axis::Size(n), Axis::Size(hidden)], cotangent.shape())?;
        }
        Ok([n, steps, d])
    }
}
