//! Buffers from the pool of the calling thread, or from the system, which may refuse.

use super::pool::{BufferPool, Lender};
use crate::{Element, Error, Shape};

/// Bytes from which on the system gives pages that are zero already.
const PAGES: usize = 1 << 20;

/// Returns an empty buffer with room for the elements of a shape.
pub(crate) fn with_capacity<E: Element>(op: &'static str, shape: &Shape) -> Result<Vec<E>, Error> {
    match recycled(shape.numel()) {
        Some(mut buffer) => {
            buffer.clear();
            Ok(buffer)
        }
        None => reserve(op, shape),
    }
}

/// Returns a buffer of any values, to be overwritten. In debug builds it is full of [`Element::unset`], so that a test of
/// any size sees what was not written.
pub(crate) fn empty<E: Element>(op: &'static str, shape: &Shape) -> Result<Vec<E>, Error> {
    if cfg!(debug_assertions) {
        return full(op, shape, E::unset());
    }
    match recycled(shape.numel()) {
        Some(buffer) => Ok(buffer),
        None => filled(op, shape, E::default()),
    }
}

/// Returns a buffer full of one value.
pub(crate) fn full<E: Element>(op: &'static str, shape: &Shape, value: E) -> Result<Vec<E>, Error> {
    match recycled(shape.numel()) {
        Some(mut buffer) => {
            buffer.fill(value);
            Ok(buffer)
        }
        None => filled(op, shape, value),
    }
}

fn filled<E: Element>(op: &'static str, shape: &Shape, value: E) -> Result<Vec<E>, Error> {
    let length = shape.numel();
    let mut buffer = reserve(op, shape)?;
    if value == E::default() && length * size_of::<E>() >= PAGES {
        drop(buffer);
        return Ok(vec![value; length]);
    }
    buffer.resize(length, value);
    Ok(buffer)
}

/// Returns an empty buffer from the system with room for the elements of a shape.
pub(crate) fn reserve<E>(op: &'static str, shape: &Shape) -> Result<Vec<E>, Error> {
    let mut buffer = Vec::new();
    match buffer.try_reserve_exact(shape.numel()) {
        Ok(()) => Ok(buffer),
        Err(_) => Err(Error::Memory { op, size: size_of::<E>(), shape: Box::new(*shape) }),
    }
}

/// Returns a free buffer of the calling thread, holding whatever it last held.
pub(super) fn recycled<E: Element>(length: usize) -> Option<Vec<E>> {
    E::pool(|pool| pool.acquire(length)).flatten()
}

/// Counts a buffer as in use.
pub(super) fn lend<E: Element>(length: usize) -> Option<Lender> {
    E::pool(|pool| pool.lend(length))
}

/// Takes back a buffer that nobody uses any more.
pub(super) fn settle<E: Element>(buffer: Vec<E>, lender: Lender) {
    let length = buffer.len();
    if E::pool(|pool| pool.release(buffer, lender)).is_none() {
        // This thread is ending and keeps nothing; the lender may go on.
        lender.count_returned(BufferPool::<E>::cost(length));
    }
}

/// Counts a buffer as used no more, which goes elsewhere.
pub(super) fn forget<E: Element>(length: usize, lender: Lender) {
    if E::pool(|pool| pool.forget(length, lender)).is_none() {
        lender.count_returned(BufferPool::<E>::cost(length));
    }
}

/// Gives the free buffers of the calling thread back to the system.
///
/// A thread keeps the storage of dropped tensors for new ones of the same size, at most half as much again as the tensors
/// that it made once took at the same time. After a large computation, this returns that memory.
pub fn release_buffers() {
    f32::pool(BufferPool::clear);
    f64::pool(BufferPool::clear);
}
