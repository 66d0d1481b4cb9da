//! Values that are computed again for the backward pass instead of being kept.

use std::ops::Range;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::tape::Tape;
use crate::tape::node::Origin;
use crate::tape::record::Record;

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
        if !self.is_recording() || self.record.borrow().segment.is_some() {
            return f();
        }
        let open = Open(self);
        let start = self.len() as u32;
        self.record.borrow_mut().segment = Some(start);
        let result = f();
        drop(open);
        result
    }
}

/// A segment that ends when this is dropped, also where `f` panics.
struct Open<'t, E: Float>(&'t Tape<E>);

impl<E: Float> Drop for Open<'_, E> {
    fn drop(&mut self) {
        let mut record = self.0.record.borrow_mut();
        let end = record.nodes.len() as u32;
        if let Some(start) = record.segment.take().filter(|&start| start < end) {
            record.segments.push(start..end);
        }
    }
}

/// The values of a record as a backward sweep meets them: kept, or computed again a segment at a time.
pub(crate) struct Values<'r, E> {
    record: &'r Record<E>,
    /// The segment of the node that the sweep is at, if it is in one.
    segment: Range<u32>,
    /// The values of the segment, once one of them has been asked for.
    again: Vec<Tensor<E>>,
}

impl<'r, E: Float> Values<'r, E> {
    pub(crate) fn new(record: &'r Record<E>) -> Self {
        Values { record, segment: 0..0, again: Vec::new() }
    }

    /// Turns to a node: its own value and those of its operands may be asked for.
    pub(crate) fn turn_to(&mut self, id: u32) {
        if self.segment.contains(&id) {
            return;
        }
        self.again.clear();
        let segments = &self.record.segments;
        let after = segments.partition_point(|segment| segment.end <= id);
        self.segment = segments.get(after).filter(|segment| segment.contains(&id)).cloned().unwrap_or(0..0);
    }

    /// The value of a node, if it is kept.
    pub(crate) fn kept(&self, id: u32) -> Option<&'r Tensor<E>> {
        self.record.value(id)
    }

    /// The value of a node that is not kept, computed again; `None` where no rule reads it.
    pub(crate) fn again(&mut self, id: u32) -> Option<&Tensor<E>> {
        if !self.segment.contains(&id) {
            return None;
        }
        if self.again.is_empty() {
            self.again.reserve(self.segment.len());
            for id in self.segment.clone() {
                self.again.push(self.compute(id));
            }
        }
        self.again.get((id - self.segment.start) as usize)
    }

    /// The shape of a node.
    pub(crate) fn shape(&self, id: u32) -> Shape {
        self.record.shape(id)
    }

    /// The value of a node. What no rule reads was not kept: should one read it after all, its gradient must not look
    /// right, so every element is NaN.
    pub(crate) fn get_or_nan(&mut self, id: u32) -> Tensor<E> {
        match self.kept(id).or_else(|| self.again(id)) {
            Some(value) => value.clone(),
            None => Tensor::scalar(E::from_f64(f64::NAN)).broadcast_to(self.shape(id)),
        }
    }

    /// The value of a node of the segment, all before which have been computed.
    fn compute(&self, id: u32) -> Tensor<E> {
        let record = self.record;
        let node = &record.nodes[id as usize];
        if let Some(kept) = record.value(id) {
            return kept.clone();
        }
        let value = |&id: &u32| match id.checked_sub(self.segment.start) {
            Some(place) => &self.again[place as usize],
            None => record.value(id).expect("what a segment begins from is kept"),
        };
        let x: Vec<&Tensor<E>> = record.operands(id).iter().map(value).collect();
        match &node.origin {
            Origin::Computed(op) => op.compute(&x),
            Origin::Called(function) => {
                function.forward(&x).expect("a function that gave a value gives it again")
            }
            Origin::Variable | Origin::Parameter | Origin::Constant => unreachable!("a leaf is kept"),
        }
    }
}
