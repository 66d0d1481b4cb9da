//! All steps of a gated recurrent unit, and their derivative by hand.

use retrograde_tensor::{Float, Tensor};

use super::Gru;
use crate::shapes::{Axis, expect};
use crate::time::carried::{CarriedState, state_methods};
use crate::{Error, Result};

const OP: &str = "explicit time_gru";

/// A gated recurrent unit over a sequence, with its backpropagation through time written out.
///
/// It behaves as [`crate::TimeGru`] does: stateless or stateful, with a state that can be set for the next call. The
/// weights and the gradients summed over the steps are those of `gru`.
///
/// # Shapes
/// `xs [N, T, D]`, `hs [N, T, H]`; `Wx [D, 3H]`, `Wh [H, 3H]`, `b [3H]`, in the order r, z, n; `bh [H]`
///
/// # Example
/// ```
/// use retrograde_nn::explicit::{Gru, TimeGru};
/// use retrograde_tensor::Tensor;
///
/// let gru = Gru::new(Tensor::zeros([1, 3]), Tensor::zeros([1, 3]), Tensor::zeros([3]), None)?;
/// let mut gru = TimeGru::new(gru);
/// gru.set_state(Tensor::from([[8.0_f64]]));
/// let hs = gru.forward(&Tensor::ones([1, 3, 1]))?;
/// assert_eq!(hs, Tensor::from([[[4.0], [2.0], [1.0]]])); // both gates half open
/// gru.backward(&Tensor::from([[[0.0], [0.0], [1.0]]]))?;
/// assert_eq!(gru.dh, Some(Tensor::from([[0.125]])));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// As *Deep Learning from Scratch 2*, appendix C.
#[derive(Clone, Debug)]
pub struct TimeGru<E: Float> {
    /// The weights, and their gradients summed over the steps.
    pub gru: Gru<E>,
    /// The gradient of the state before the first step, `[N, H]`.
    pub dh: Option<Tensor<E>>,
    /// `h [N, H]`.
    carried: CarriedState<Tensor<E>>,
    /// One layer per step, with the values that its backward pass needs.
    layers: Vec<Gru<E>>,
    /// The shape of `xs` in the last forward pass, if there was one.
    shape: Option<[usize; 3]>,
}

impl<E: Float> TimeGru<E> {
    /// A layer that repeats this step and is not stateful.
    #[must_use]
    pub fn new(gru: Gru<E>) -> Self {
        TimeGru { gru, dh: None, carried: CarriedState::new(false), layers: Vec::new(), shape: None }
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
        let [d, hidden] = self.gru.sizes()?;
        expect(OP, "xs", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(d)], xs.shape())?;
        let [n, steps] = [xs.dims()[0], xs.dims()[1]];
        let mut h = self.carried.initial().cloned().unwrap_or_else(|| Tensor::zeros([n, hidden]));
        expect(OP, "h", &[Axis::Size(n), Axis::Size(hidden)], h.shape())?;

        let mut hs = Tensor::zeros([n, steps, hidden]);
        let mut layers = Vec::with_capacity(steps);
        for step in 0..steps {
            let mut layer = self.gru.clone();
            h = layer.forward(&xs.select(1, step), &h)?;
            hs.set_at(1, step, &h); // hs[:, step] = h
            layers.push(layer);
        }

        self.carried.store(h);
        (self.layers, self.shape) = (layers, Some([n, steps, d]));
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
        let [_, hidden] = self.gru.sizes()?;
        let n = self.shape.map_or(0, |[n, ..]| n);
        self.backward_with_last(dhs, &Tensor::zeros([n, hidden]))
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
        let [n, steps, d] = self.shape.ok_or(Error::NoForward { op: OP })?;
        if let Some(layer) = self.layers.first() {
            expect(OP, "Wx", &[Axis::Size(d), Axis::Size(layer.wx.dims()[1])], self.gru.wx.shape())?;
        }
        let [_, hidden] = self.gru.sizes()?;
        expect(OP, "dhs", &[Axis::Size(n), Axis::Size(steps), Axis::Size(hidden)], dhs.shape())?;
        expect(OP, "dh_last", &[Axis::Size(n), Axis::Size(hidden)], dh_last.shape())?;

        let Gru { wx, wh, b, bh, .. } = &self.gru;
        let [mut dwx, mut dwh, mut db] = [wx.shape(), wh.shape(), b.shape()].map(Tensor::zeros);
        let mut dbh = bh.as_ref().map(|bh| Tensor::zeros(bh.shape()));
        let mut dxs = Tensor::zeros([n, steps, d]);
        let mut dh = dh_last.clone();
        for (step, layer) in self.layers.iter_mut().enumerate().rev() {
            let dh_next = dhs.select(1, step) + &dh; // from hs[:, step] and from step + 1
            let (dx, dh_prev) = layer.backward(&dh_next)?;
            dxs.set_at(1, step, &dx); // dxs[:, step] = dx
            dwx += &layer.dwx;
            dwh += &layer.dwh;
            db += &layer.db;
            if let (Some(sum), Some(dbh)) = (&mut dbh, &layer.dbh) {
                *sum += dbh;
            }
            dh = dh_prev;
        }

        (self.gru.dwx, self.gru.dwh, self.gru.db, self.gru.dbh) = (dwx, dwh, db, dbh);
        self.dh = Some(dh);
        Ok(dxs)
    }
}
