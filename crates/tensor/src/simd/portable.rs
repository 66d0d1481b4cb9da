//! Registers as arrays of 16 bytes, which every compiler knows how to vectorise somewhat.

use super::{Kernel, Vector};

macro_rules! portable {
    ($name:ident, $lane:ident, $lanes:literal, $bits:ident, $signed:ident, $fraction:literal, $bias:literal) => {
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
            const MR: usize = 4;

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
                let (mut x, mut half) = (self.0, $lanes / 2);
                while half > 0 {
                    (0..half).for_each(|i| x[i] += x[i + half]);
                    half /= 2;
                }
                x[0]
            }
            #[inline(always)]
            unsafe fn interleave(self, r: Self) -> (Self, Self) {
                let turn = |i: usize| if i % 2 == 0 { self.0[i / 2] } else { r.0[i / 2] };
                (Self(std::array::from_fn(turn)), Self(std::array::from_fn(|i| turn($lanes + i))))
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                Self(self.0.map($lane::abs))
            }
            #[inline(always)]
            unsafe fn neg(self) -> Self {
                Self(self.0.map(|x| -x))
            }
            #[inline(always)]
            unsafe fn copy_sign(self, sign: Self) -> Self {
                self.zip(sign, $lane::copysign)
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                // Fractions are lost to so large a number. A call for each lane would take far longer.
                const WHOLE: $lane = (1_u64 << $fraction) as $lane;
                Self(self.0.map(|x| {
                    let rounded = (x.abs() + WHOLE - WHOLE).copysign(x);
                    if x.abs() < WHOLE { rounded } else { x }
                }))
            }
            #[inline(always)]
            unsafe fn scale(self, n: Self) -> Self {
                self.zip(n, |x, n| {
                    // In two halves, since 2ⁿ itself may be out of range.
                    let half = (n as i32) >> 1;
                    let power =
                        |n: i32| $lane::from_bits((((n + $bias) as $bits) & (2 * $bias + 1)) << $fraction);
                    x * power(half) * power(n as i32 - half)
                })
            }
            #[inline(always)]
            unsafe fn power_of_two(n: Self) -> Self {
                Self(n.0.map(|n| $lane::from_bits(((n as $signed + $bias) as $bits) << $fraction)))
            }
            #[inline(always)]
            unsafe fn split(self) -> (Self, Self) {
                // The exponent is read as if the fraction began at √½.
                let offset = $lane::to_bits(std::f64::consts::FRAC_1_SQRT_2 as $lane);
                let shifted = self.0.map(|x| x.to_bits().wrapping_sub(offset));
                let fraction = (1 << $fraction) - 1;
                let m = shifted.map(|bits| $lane::from_bits((bits & fraction).wrapping_add(offset)));
                let e = shifted.map(|bits| ((bits as $signed) >> $fraction) as $lane);
                (Self(m), Self(e))
            }
            #[inline(always)]
            unsafe fn less(self, r: Self) -> Self::Mask {
                std::array::from_fn(|i| self.0[i] < r.0[i])
            }
            #[inline(always)]
            unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                Self(std::array::from_fn(|i| if mask[i] { yes.0[i] } else { no.0[i] }))
            }
            #[inline(never)]
            unsafe fn outlined<K: Kernel<$lane>>(kernel: K) {
                // SAFETY: the caller's.
                unsafe { kernel.run::<Self>() }
            }
        }
    };
}

portable!(F32x4, f32, 4, u32, i32, 23, 127);
portable!(F64x2, f64, 2, u64, i64, 52, 1023);
