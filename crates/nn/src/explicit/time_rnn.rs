//! All steps, and their derivative by hand.

use retrograde_tensor::{Float, Tensor};

use super::Rnn;
use crate::shapes::{Axis, expect, rnn_sizes};
use crate::time::carried::{CarriedState, state_methods};
use crate::{Error, Result};

const OP: &str = "explicit time_rnn";

/// A simple recurrent network over a sequence, with its backpropagation through time written out.
///
/// It behaves as [`crate::TimeRnn`] does: stateless or stateful, with a state that can be set for the next call.
///
/// # Shapes
/// `xs [N, T, D]`, `hs [N, T, H]`; `Wx [D, H]`, `Wh [H, H]`, `b [H]`
///
/// # Example
/// ```
/// use retrograde_nn::explicit::TimeRnn;
/// use retrograde_tensor::Tensor;
///
/// let mut rnn = TimeRnn::new(Tensor::<f64>::zeros([1, 2]), Tensor::eye(2), Tensor::zeros([2]))?;
/// let hs = rnn.forward(&Tensor::ones([1, 3, 1]))?;
/// assert_eq!(hs, Tensor::zeros([1, 3, 2]));
/// let dxs = rnn.backward(&Tensor::from([[[1.0, 0.0], [0.0, 2.0], [0.0, 4.0]]]))?;
/// assert_eq!(dxs, Tensor::zeros([1, 3, 1]));
/// assert_eq!(rnn.dh, Some(Tensor::from([[1.0, 6.0]]))); // all cotangents arrive at the initial state
/// assert_eq!(rnn.db, Tensor::from([1.0, 2.0 * 2.0 + 3.0 * 4.0])); // dt is [1, 6], [0, 6], [0, 4]
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// *Deep Learning from Scratch 2*, section 5.3.2.
#[derive(Clone, Debug)]
pub struct TimeRnn<E: Float> {
    /// The weight of the input, `Wx [D, H]`.
    pub wx: Tensor<E>,
    /// The weight of the state, `Wh [H, H]`.
    pub wh: Tensor<E>,
    /// The bias, `b [H]`.
    pub b: Tensor<E>,
    /// The gradient of `Wx`, summed over the steps.
    pub dwx: Tensor<E>,
    /// The gradient of `Wh`, summed over the steps.
    pub dwh: Tensor<E>,
    /// The gradient of `b`, summed over the steps.
    pub db: Tensor<E>,
    /// The gradient of the state before the first step, `[N, H]`.
    pub dh: Option<Tensor<E>>,
    /// `h [N, H]`.
    carried: CarriedState<Tensor<E>>,
    /// One layer per step, with the values that its backward pass needs.
    layers: Vec<Rnn<E>>,
    /// The batch size of the last forward pass, if there was one.
    n: Option<usize>,
}

impl<E: Float> TimeRnn<E> {
    /// A layer of these weights that is not stateful.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn new(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        rnn_sizes(OP, wx.shape(), wh.shape(), b.shape())?;
        let (dwx, dwh, db) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()), Tensor::zeros(b.shape()));
        let (carried, layers) = (CarriedState::new(false), Vec::new());
        Ok(TimeRnn { wx, wh, b, dwx, dwh, db, dh: None, carried, layers, n: None })
    }

    state_methods!(Tensor<E>, self);

    /// The states after each step.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If a shape does not fit, that of the state included.
    pub fn forward(&mut self, xs: &Tensor<E>) -> Result<Tensor<E>> {
        let [d, hidden] = rnn_sizes(OP, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        expect(OP, "xs", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(d)], xs.shape())?;
        let [n, steps] = [xs.dims()[0], xs.dims()[1]];
        let mut h = self.carried.initial().cloned().unwrap_or_else(|| Tensor::zeros([n, hidden]));
        expect(OP, "h", &[Axis::Size(n), Axis::Size(hidden)], h.shape())?;

        let mut hs = Tensor::zeros([n, steps, hidden]);
        let mut layers = Vec::with_capacity(steps);
        for step in 0..steps {
            let mut layer = Rnn::new(self.wx.clone(), self.wh.clone(), self.b.clone())?;
            h = layer.forward(&xs.select(1, step), &h)?;
            hs.set_at(1, step, &h); // hs[:, step] = h
            layers.push(layer);
        }

        self.carried.store(h);
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
        let [_, hidden] = rnn_sizes(OP, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        self.backward_with_last(dhs, &Tensor::zeros([self.n.unwrap_or(0), hidden]))
    }

    /// As [`backward`](Self::backward), with a cotangent for the last state too, as a decoder sends it back to its
    /// encoder.
    ///
    /// # Shapes
    /// `dhs [N, T, H], dh_last [N, H] -> dxs [N, T, D]`
    ///
    /// # Errors
    /// If there was no forward pass, or if a cotangent has another shape than its output.
    pub fn backward_with_last(&mut self, dhs: &Tensor<E>, dh_last: &Tensor<E>) -> Result<Tensor<E>> {
        let [n, steps, d] = self.check_cotangents(dhs, dh_last)?;

        let [mut dwx, mut dwh, mut db] =
            [self.wx.shape(), self.wh.shape(), self.b.shape()].map(Tensor::zeros);
        let mut dxs = Tensor::zeros([n, steps, d]);
        let mut dh = dh_last.clone();
        for (step, layer) in self.layers.iter_mut().enumerate().rev() {
            let dh_next = dhs.select(1, step) + &dh; // from hs[:, step] and from step + 1
            let (dx, dh_prev) = layer.backward(&dh_next)?;
            dxs.set_at(1, step, &dx); // dxs[:, step] = dx
            dwx += &layer.dwx;
            dwh += &layer.dwh;
            db += &layer.db;
            dh = dh_prev;
        }

        (self.dwx, self.dwh, self.db, self.dh) = (dwx, dwh, db, Some(dh));
        Ok(dxs)
    }

    /// `[N, T, D]` of the last forward pass, if the cotangents and the weights fit it.
    fn check_cotangents(&self, dhs: &Tensor<E>, dh_last: &Tensor<E>) -> Result<[usize; 3]> {
        let n = self.n.ok_or(Error::NoForward { op: OP })?;
        if let Some(layer) = self.layers.first() {
            let [d, hidden] = [layer.wx.dims()[0], layer.wx.dims()[1]];
            expect(OP, "Wx", &[Axis::Size(d), Axis::Size(hidden)], self.wx.shape())?;
        }
        let [d, hidden] = rnn_sizes(OP, self.wx.shape(), self.wh.shape(), self.b.shape())?;
        let steps = self.layers.len();
        expect(OP, "dhs", &[Axis::Size(n), Axis::Size(steps), Axis::Size(hidden)], dhs.shape())?;
        expect(OP, "dh_last", &[Axis::Size(n), Axis::Size(hidden)], dh_last.shape())?;
        Ok([n, steps, d])
    }
}
