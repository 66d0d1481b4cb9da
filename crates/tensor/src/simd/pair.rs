//! Two registers as one: their instructions by turns, so that neither waits for itself, and each constant loaded once for
//! both. A pair of pairs is four.

use super::{Kernel, Vector};

/// A register of twice as many lanes.
#[derive(Clone, Copy)]
pub(crate) struct Pair<V>(V, V);

/// A kernel over pairs.
pub(super) struct Paired<K>(pub(super) K);

impl<E, K: Kernel<E>> Kernel<E> for Paired<K> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        // SAFETY: the caller's.
        unsafe { self.0.run::<Pair<V>>() }
    }
}

macro_rules! both {
    ($($name:ident($($x:ident)*);)*) => {$(
        #[inline(always)]
        unsafe fn $name(self $(, $x: Self)*) -> Self {
            Self(unsafe { self.0.$name($($x.0),*) }, unsafe { self.1.$name($($x.1),*) })
        }
    )*};
}

// SAFETY: the caller vouches for the level and for the memory, of which each half takes its own.
unsafe impl<V: Vector> Vector for Pair<V> {
    type Lane = V::Lane;
    type Mask = (V::Mask, V::Mask);
    const LANES: usize = 2 * V::LANES;
    const MR: usize = V::MR;

    both! {
        add(r);
        sub(r);
        mul(r);
        div(r);
        mul_add(a b);
        abs();
        neg();
        copy_sign(sign);
        round();
        scale(n);
        min(r);
        max(r);
    }

    #[inline(always)]
    unsafe fn splat(x: V::Lane) -> Self {
        let x = unsafe { V::splat(x) };
        Self(x, x)
    }
    #[inline(always)]
    unsafe fn from_f64(x: f64) -> Self {
        let x = unsafe { V::from_f64(x) };
        Self(x, x)
    }
    #[inline(always)]
    unsafe fn load(from: *const V::Lane) -> Self {
        unsafe { Self(V::load(from), V::load(from.add(V::LANES))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut V::Lane) {
        unsafe {
            self.0.store(to);
            self.1.store(to.add(V::LANES));
        }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const V::Lane, count: usize) -> Self {
        let first = count.min(V::LANES);
        unsafe { Self(V::load_first(from, first), V::load_first(from.add(first), count - first)) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut V::Lane, count: usize) {
        let first = count.min(V::LANES);
        unsafe {
            self.0.store_first(to, first);
            self.1.store_first(to.add(first), count - first);
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> V::Lane {
        unsafe { self.0.add(self.1).sum() }
    }
    #[inline(always)]
    unsafe fn interleave(self, r: Self) -> (Self, Self) {
        let ((a, b), (c, d)) = unsafe { (self.0.interleave(r.0), self.1.interleave(r.1)) };
        (Self(a, b), Self(c, d))
    }
    #[inline(always)]
    unsafe fn power_of_two(n: Self) -> Self {
        unsafe { Self(V::power_of_two(n.0), V::power_of_two(n.1)) }
    }
    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        let ((a, b), (c, d)) = unsafe { (self.0.split(), self.1.split()) };
        (Self(a, c), Self(b, d))
    }
    #[inline(always)]
    unsafe fn less(self, r: Self) -> Self::Mask {
        unsafe { (self.0.less(r.0), self.1.less(r.1)) }
    }
    #[inline(always)]
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        unsafe { Self(V::select(mask.0, yes.0, no.0), V::select(mask.1, yes.1, no.1)) }
    }
    #[inline(always)]
    unsafe fn outlined<K: Kernel<V::Lane>>(kernel: K) {
        unsafe { V::outlined(Paired(kernel)) }
    }
}
