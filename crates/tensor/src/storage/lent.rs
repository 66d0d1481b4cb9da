//! Elements that go back to the pool that lent them.

use std::ops::{Deref, DerefMut};

use super::buffer;
use super::pool::Lender;
use crate::Element;

/// A buffer that a pool counts as in use until this is dropped, on whichever thread that is.
#[derive(Debug)]
pub(crate) struct Lent<E> {
    data: Vec<E>,
    /// The pool that counts the elements, and the way back. (`Drop` itself may not ask that `E` be an [`Element`].)
    lender: Option<(Lender, Settle<E>)>,
}

/// Takes a buffer back, for the pool that lent it.
type Settle<E> = fn(Vec<E>, Lender);

impl<E: Element> Lent<E> {
    pub(crate) fn new(data: Vec<E>) -> Self {
        let lender = buffer::lend::<E>(data.len()).map(|lender| (lender, buffer::settle::<E> as _));
        Lent { data, lender }
    }

    /// Returns any values, to be overwritten, in a free buffer if there is one; [`Element::unset`] in debug builds. The
    /// system's refusal aborts.
    pub(crate) fn stale(length: usize) -> Self {
        let mut data = buffer::recycled(length).unwrap_or_else(|| vec![E::default(); length]);
        if cfg!(debug_assertions) {
            data.fill(E::unset());
        }
        Lent::new(data)
    }
}

impl<E: Element> Lent<E> {
    /// Returns the buffer itself, which no pool counts from here on.
    pub(crate) fn into_vec(mut self) -> Vec<E> {
        let data = std::mem::take(&mut self.data);
        if let Some((lender, _)) = self.lender.take() {
            buffer::forget::<E>(data.len(), lender);
        }
        data
    }
}

impl<E> Deref for Lent<E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        &self.data
    }
}

impl<E> DerefMut for Lent<E> {
    fn deref_mut(&mut self) -> &mut [E] {
        &mut self.data
    }
}

impl<E> Drop for Lent<E> {
    fn drop(&mut self) {
        if let Some((lender, settle)) = self.lender {
            settle(std::mem::take(&mut self.data), lender);
        }
    }
}
