//! Values that are computed again for the backward pass instead of being kept.

use std::ops::Range;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Opaque, Record};
use crate::{Error, Result};

impl<E: Float> Tape<E> {
    /// Runs `f`, and keeps of what it records only what it began from: the backward pass computes the rest again.
    ///
    /// A long computation cut into such segments needs the memory of one segment and of what lies between them, so for
    /// `T` equal steps the least, in proportion to `√T`, with segments of `√T` steps. It costs one more forward pass.
    /// Gradients are the same bit for bit: it is the recorded operations that are run again, never `f`. A segment
    /// within a segment is part of it.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([0.5_f64]));
    /// let mut h = x.clone();
    /// for _ in 0..10 {
    ///     h = tape.recompute(|| (0..10).fold(h, |h, _| h.tanh()));
    /// }
    /// let dx = h.sum().backward()?.get(&x).unwrap().clone();
    ///
    /// let kept = (0..100).fold(x.clone(), |h, _| h.tanh());
    /// assert_eq!(Some(&dx), kept.sum().backward()?.get(&x));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    ///
    /// # Source
    /// A. Griewank, *Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
    /// differentiation* (1992); T. Chen, B. Xu, C. Zhang and C. Guestrin, *Training deep nets with sublinear memory
    /// cost* (2016).
    pub fn recompute<R>(&self, f: impl FnOnce() -> R) -> R {
        if !self.is_recording() || !self.record.borrow_mut().open_segment() {
            return f();
        }
        let _open = Open(self);
        f()
    }
}

/// A segment that ends when this is dropped, also where `f` panics.
struct Open<'t, E: Float>(&'t Tape<E>);

impl<E: Float> Drop for Open<'_, E> {
    fn drop(&mut self) {
        self.0.record.borrow_mut().close_segment();
    }
}

/// The values that a backward pass reads, as it meets them: kept, or computed again one segment at a time.
pub(crate) struct Saved<'r, E> {
    pub(crate) record: &'r Record<E>,
    /// The segment of the node that the sweep is at, if it is in one.
    segment: Range<usize>,
    /// The values of the segment, once one of them has been asked for.
    rematerialized: Vec<Tensor<E>>,
}

impl<'r, E: Float> Saved<'r, E> {
    pub(crate) fn new(record: &'r Record<E>) -> Self {
        Saved { record, segment: 0..0, rematerialized: Vec::new() }
    }

    /// Moves to a node: its own value and those of its operands may be asked for.
    pub(crate) fn seek(&mut self, id: NodeId) {
        if self.record.has_segments() && !self.segment.contains(&id.index()) {
            self.rematerialized.clear();
            self.segment = self.record.segment(id);
        }
    }

    /// The value of a node that is not kept, computed again; `None` where no rule reads it.
    ///
    /// # Errors
    /// Where a [`Function`](crate::Function) of the segment fails.
    pub(crate) fn rematerialized(&mut self, id: NodeId) -> Result<Option<&Tensor<E>>> {
        if !self.segment.contains(&id.index()) {
            return Ok(None);
        }
        if self.rematerialized.is_empty() {
            self.rematerialized.reserve(self.segment.len());
            for id in self.segment.clone().map(NodeId::new) {
                let value = self.compute(id)?;
                self.rematerialized.push(value);
            }
        }
        Ok(self.rematerialized.get(id.index() - self.segment.start))
    }

    /// The value of a node, or NaN in every element if it was not kept: a rule that reads it after all must not give a
    /// gradient that looks right.
    pub(crate) fn get_or_nan(&mut self, id: NodeId) -> Result<Tensor<E>> {
        let record = self.record;
        if let Some(kept) = record.value(id) {
            return Ok(kept.clone());
        }
        Ok(match self.rematerialized(id)? {
            Some(value) => value.clone(),
            None => Tensor::scalar(E::from_f64(f64::NAN)).broadcast_to(record.shape(id)),
        })
    }

    /// The values of the operands of a node, and then its own.
    ///
    /// # Errors
    /// As [`rematerialized`](Self::rematerialized).
    pub(crate) fn read(&mut self, id: NodeId, mut value: impl FnMut(NodeId, Tensor<E>)) -> Result<()> {
        self.seek(id);
        for &x in self.record.operands(id).iter().chain([&id]) {
            value(x, self.get_or_nan(x)?);
        }
        Ok(())
    }

    /// The operations that the function of a node stands for and their result, if it says so.
    ///
    /// # Errors
    /// As [`rematerialized`](Self::rematerialized), and where the inputs do not fit the operations.
    pub(crate) fn expansion(&mut self, id: NodeId) -> Result<Option<(Record<E>, NodeId)>> {
        let Kind::Function(function) = self.record.kind(id) else { unreachable!("it is asked of functions") };
        let mut inputs = Vec::new();
        self.read(id, |_, value| inputs.push(value))?;
        inputs.pop();
        function.expansion(&inputs.iter().collect::<Vec<_>>())
    }

    /// The value of a node of the segment, all before which have been computed.
    fn compute(&self, id: NodeId) -> Result<Tensor<E>> {
        let record = self.record;
        if let Some(kept) = record.value(id) {
            return Ok(kept.clone());
        }
        let value = |id: &NodeId| match id.index().checked_sub(self.segment.start) {
            Some(place) => &self.rematerialized[place],
            None => record.value(*id).expect("what a segment begins from is kept"),
        };
        let x: Vec<&Tensor<E>> = record.operands(id).iter().map(value).collect();
        match record.kind(id) {
            Kind::Op(op) => op.eval(&x),
            Kind::Function(function) => forward_again(&**function, &x, *record.shape(id)),
            Kind::Variable | Kind::Parameter | Kind::Constant => unreachable!("a leaf is kept"),
        }
    }
}

/// The output of a function, which must have the shape that it had when it was recorded.
pub(crate) fn forward_again<E: Float>(
    function: &dyn Opaque<E>,
    x: &[&Tensor<E>],
    expected: Shape,
) -> Result<Tensor<E>> {
    let y = function.forward(x)?;
    if y.shape() == expected {
        return Ok(y);
    }
    let (expected, found) = (Box::new(expected), Box::new(y.shape()));
    Err(Error::FunctionShape { op: function.name(), expected, found })
}
