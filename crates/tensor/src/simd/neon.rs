//! Registers of NEON.

use std::arch::aarch64::*;

use super::{Kernel, Vector};

macro_rules! vector {
    (
        $name:ident: $register:ty, [$lane:ident; $lanes:literal], $mask:ty,
        $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $fma:ident
        $zip_first:ident $zip_second:ident $abs:ident $neg:ident $round:ident $less:ident $select:ident,
        sum $sum:expr, sign $sign:expr, scale $scale:expr, power $power:expr, split $split:expr
    ) => {
        /// A register.
        #[derive(Clone, Copy)]
        pub(crate) struct $name($register);

        // SAFETY: who calls a method vouches for the level (see the trait), which each intrinsic below belongs to, and
        // for the memory behind pointers, of any alignment.
        unsafe impl Vector for $name {
            type Lane = $lane;
            type Mask = $mask;
            const LANES: usize = $lanes;
            const MR: usize = 12;

            #[inline(always)]
            unsafe fn splat(x: $lane) -> Self {
                Self(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn from_f64(x: f64) -> Self {
                Self(unsafe { $splat(x as $lane) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $lane) -> Self {
                Self(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $lane) {
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $lane, count: usize) -> Self {
                let mut x = [0.0; $lanes];
                unsafe {
                    std::ptr::copy_nonoverlapping(from, x.as_mut_ptr(), count);
                    Self::load(x.as_ptr())
                }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $lane, count: usize) {
                let mut x = [0.0; $lanes];
                unsafe {
                    self.store(x.as_mut_ptr());
                    std::ptr::copy_nonoverlapping(x.as_ptr(), to, count);
                }
            }
            #[inline(always)]
            unsafe fn add(self, r: Self) -> Self {
                Self(unsafe { $add(self.0, r.0) })
            }
            #[inline(always)]
            unsafe fn sub(self, r: Self) -> Self {
                Self(unsafe { $sub(self.0, r.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, r: Self) -> Self {
                Self(unsafe { $mul(self.0, r.0) })
            }
            #[inline(always)]
            unsafe fn div(self, r: Self) -> Self {
                Self(unsafe { $div(self.0, r.0) })
            }
            #[inline(always)]
            unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                // The instruction adds to its first operand.
                Self(unsafe { $fma(b.0, self.0, a.0) })
            }
            #[inline(always)]
            unsafe fn sum(self) -> $lane {
                unsafe { $sum(self.0) }
            }
            #[inline(always)]
            unsafe fn interleave(self, r: Self) -> (Self, Self) {
                unsafe { (Self($zip_first(self.0, r.0)), Self($zip_second(self.0, r.0))) }
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                Self(unsafe { $abs(self.0) })
            }
            #[inline(always)]
            unsafe fn neg(self) -> Self {
                Self(unsafe { $neg(self.0) })
            }
            #[inline(always)]
            unsafe fn copy_sign(self, sign: Self) -> Self {
                Self(unsafe { $select($sign, sign.0, self.0) })
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                Self(unsafe { $round(self.0) })
            }
            #[inline(always)]
            unsafe fn scale(self, n: Self) -> Self {
                Self(unsafe { $scale(self.0, n.0) })
            }
            #[inline(always)]
            unsafe fn power_of_two(n: Self) -> Self {
                Self(unsafe { $power(n.0) })
            }
            #[inline(always)]
            unsafe fn split(self) -> (Self, Self) {
                let (m, e) = unsafe { $split(self.0) };
                (Self(m), Self(e))
            }
            #[inline(always)]
            unsafe fn less(self, r: Self) -> $mask {
                unsafe { $less(self.0, r.0) }
            }
            #[inline(always)]
            unsafe fn select(mask: $mask, yes: Self, no: Self) -> Self {
                Self(unsafe { $select(mask, yes.0, no.0) })
            }
            #[inline(always)]
            unsafe fn outlined<K: Kernel<$lane>>(kernel: K) {
                #[inline(never)]
                #[target_feature(enable = "neon")]
                unsafe fn outlined<K: Kernel<$lane>>(kernel: K) {
                    // SAFETY: the caller's.
                    unsafe { kernel.run::<$name>() }
                }
                // SAFETY: the caller's.
                unsafe { outlined(kernel) }
            }
        }
    };
}

vector!(
    NeonF32: float32x4_t, [f32; 4], uint32x4_t,
    vdupq_n_f32 vld1q_f32 vst1q_f32 vaddq_f32 vsubq_f32 vmulq_f32 vdivq_f32 vfmaq_f32
    vzip1q_f32 vzip2q_f32 vabsq_f32 vnegq_f32 vrndnq_f32 vcltq_f32 vbslq_f32,
    sum |x| vpadds_f32(vadd_f32(vget_low_f32(x), vget_high_f32(x))),
    sign vdupq_n_u32(1 << 31),
    scale |x, n| {
        // In two halves, since 2ⁿ itself may be out of range.
        let n = vcvtq_s32_f32(n);
        let half = vshrq_n_s32::<1>(n);
        let power = |n| vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(n, vdupq_n_s32(127))));
        vmulq_f32(vmulq_f32(x, power(half)), power(vsubq_s32(n, half)))
    },
    power |n| vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)))),
    split |x| {
        // The exponent is read as if the fraction began at √½.
        let offset = vdupq_n_s32(std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32);
        let bits = vsubq_s32(vreinterpretq_s32_f32(x), offset);
        let m = vaddq_s32(vandq_s32(bits, vdupq_n_s32((1 << 23) - 1)), offset);
        (vreinterpretq_f32_s32(m), vcvtq_f32_s32(vshrq_n_s32::<23>(bits)))
    }
);
vector!(
    NeonF64: float64x2_t, [f64; 2], uint64x2_t,
    vdupq_n_f64 vld1q_f64 vst1q_f64 vaddq_f64 vsubq_f64 vmulq_f64 vdivq_f64 vfmaq_f64
    vzip1q_f64 vzip2q_f64 vabsq_f64 vnegq_f64 vrndnq_f64 vcltq_f64 vbslq_f64,
    sum vpaddd_f64,
    sign vdupq_n_u64(1 << 63),
    scale |x, n| {
        // In two halves, since 2ⁿ itself may be out of range.
        let n = vcvtq_s64_f64(n);
        let half = vshrq_n_s64::<1>(n);
        let power = |n| vreinterpretq_f64_s64(vshlq_n_s64::<52>(vaddq_s64(n, vdupq_n_s64(1023))));
        vmulq_f64(vmulq_f64(x, power(half)), power(vsubq_s64(n, half)))
    },
    power |n| vreinterpretq_f64_s64(vshlq_n_s64::<52>(vaddq_s64(vcvtq_s64_f64(n), vdupq_n_s64(1023)))),
    split |x| {
        // The exponent is read as if the fraction began at √½.
        let offset = vdupq_n_s64(std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64);
        let bits = vsubq_s64(vreinterpretq_s64_f64(x), offset);
        let m = vaddq_s64(vandq_s64(bits, vdupq_n_s64((1 << 52) - 1)), offset);
        (vreinterpretq_f64_s64(m), vcvtq_f64_s64(vshrq_n_s64::<52>(bits)))
    }
);
