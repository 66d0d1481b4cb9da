//! Registers as arrays, which every compiler knows how to vectorise somewhat.

use super::Vector;

macro_rules! portable {
    ($name:ident, $lane:ty, $lanes:literal) => {
        /// A register in memory.
        #[derive(Clone, Copy)]
        pub(crate) struct $name([$lane; $lanes]);

        impl $name {
            #[inline(always)]
            fn zip(self, r: Self, f: impl Fn($lane, $lane) -> $lane) -> Self {
                Self(std::array::from_fn(|i| f(self.0[i], r.0[i])))
            }
        }

        // SAFETY: needs no instructions that the compiler does not assume anyway.
        unsafe impl Vector for $name {
            type Lane = $lane;
            type Mask = [bool; $lanes];
            const LANES: usize = $lanes;
            const ROWS: usize = 4;

            #[inline(always)]
            unsafe fn splat(x: $lane) -> Self {
                Self([x; $lanes])
            }
            #[inline(always)]
            unsafe fn from_f64(x: f64) -> Self {
                Self([x as $lane; $lanes])
            }
            #[inline(always)]
            unsafe fn load(from: *const $lane) -> Self {
                // SAFETY: `LANES` numbers lie there; an array is aligned as its elements are.
                Self(unsafe { from.cast::<[$lane; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $lane) {
                // SAFETY: as for `load`.
                unsafe { to.cast::<[$lane; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $lane, count: usize) -> Self {
                let mut x = [0.0; $lanes];
                // SAFETY: `count` numbers lie there, and `count <= LANES`.
                unsafe { std::ptr::copy_nonoverlapping(from, x.as_mut_ptr(), count) };
                Self(x)
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $lane, count: usize) {
                // SAFETY: as for `load_first`.
                unsafe { std::ptr::copy_nonoverlapping(self.0.as_ptr(), to, count) };
            }
            #[inline(always)]
            unsafe fn add(self, r: Self) -> Self {
                self.zip(r, |x, y| x + y)
            }
            #[inline(always)]
            unsafe fn sub(self, r: Self) -> Self {
                self.zip(r, |x, y| x - y)
            }
            #[inline(always)]
            unsafe fn mul(self, r: Self) -> Self {
                self.zip(r, |x, y| x * y)
            }
            #[inline(always)]
            unsafe fn div(self, r: Self) -> Self {
                self.zip(r, |x, y| x / y)
            }
            #[inline(always)]
            unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * a.0[i] + b.0[i]))
            }
            #[inline(always)]
            unsafe fn sum(self) -> $lane {
                self.0.iter().sum()
            }
        }
    };
}

portable!(F32x8, f32, 8);
portable!(F64x4, f64, 4);
