//! Transcendental functions of each element of a slice, in place.

use super::math::{self, Format};
use super::{Isa, Kernel, Lane, Vector};

macro_rules! functions {
    ($($name:ident $kernel:ident;)*) => {$(
        pub(crate) fn $name<E: Lane>(isa: Isa, x: &mut [E]) {
            // SAFETY: levels come from `Isa::current` or tests, which ask only for those that the processor has.
            unsafe { E::dispatch(isa, $kernel(x)) }
        }

        struct $kernel<'x, E>(&'x mut [E]);

        impl<E: Format> Kernel<E> for $kernel<'_, E> {
            #[inline(always)]
            unsafe fn run<V: Vector<Lane = E>>(self) {
                let (length, data) = (self.0.len(), self.0.as_mut_ptr());
                let mut i = 0;
                // SAFETY: `V::LANES` elements, at the end fewer, lie from place `i` on.
                unsafe {
                    while i + V::LANES <= length {
                        math::$name(V::load(data.add(i))).store(data.add(i));
                        i += V::LANES;
                    }
                    if i < length {
                        math::$name(V::load_first(data.add(i), length - i)).store_first(data.add(i), length - i);
                    }
                }
            }
        }
    )*};
}

functions! {
    exp Exp;
    tanh Tanh;
    sigmoid Sigmoid;
    ln Ln;
}
