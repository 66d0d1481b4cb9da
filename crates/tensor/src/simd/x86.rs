//! Registers of AVX2 and of AVX-512.

use std::arch::x86_64::*;

use super::{Kernel, Vector};

macro_rules! vector {
    (
        $name:ident: $register:ty, [$lane:ty; $lanes:literal], $rows:literal, $mask:ty, $features:literal,
        $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $fma:ident,
        sum $sum:expr, interleave $interleave:expr,
        load_first($from:ident, $n:ident) $load_first:expr,
        store_first($to:ident, $x:ident, $count:ident) $store_first:expr,
        abs $abs:expr, neg $neg:expr, copy_sign $copy_sign:expr, round $round:expr, scale $scale:expr, power $power:expr,
        split $split:expr,
        less $less:expr, select $select:expr, min $min:ident, max $max:ident
    ) => {
        /// A register.
        #[derive(Clone, Copy)]
        pub(crate) struct $name($register);

        // SAFETY: who calls a method vouches for the level (see the trait), which each intrinsic below belongs to, and
        // for the memory behind pointers; loads and stores are the unaligned ones.
        unsafe impl Vector for $name {
            type Lane = $lane;
            type Mask = $mask;
            const LANES: usize = $lanes;
            const MR: usize = $rows;

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
            unsafe fn load_first($from: *const $lane, $n: usize) -> Self {
                Self(unsafe { $load_first })
            }
            #[inline(always)]
            unsafe fn store_first(self, $to: *mut $lane, $count: usize) {
                let $x = self.0;
                unsafe { $store_first }
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
                Self(unsafe { $fma(self.0, a.0, b.0) })
            }
            #[inline(always)]
            unsafe fn sum(self) -> $lane {
                unsafe { $sum(self.0) }
            }
            #[inline(always)]
            unsafe fn interleave(self, r: Self) -> (Self, Self) {
                let (first, second) = unsafe { $interleave(self.0, r.0) };
                (Self(first), Self(second))
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
                Self(unsafe { $copy_sign(self.0, sign.0) })
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
                Self(unsafe { $select(no.0, yes.0, mask) })
            }
            #[inline(always)]
            unsafe fn min(self, r: Self) -> Self {
                Self(unsafe { $min(self.0, r.0) })
            }
            #[inline(always)]
            unsafe fn max(self, r: Self) -> Self {
                Self(unsafe { $max(self.0, r.0) })
            }
            #[inline(always)]
            unsafe fn outlined<K: Kernel<$lane>>(kernel: K) {
                #[inline(never)]
                #[target_feature(enable = $features)]
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
    Avx512F32: __m512, [f32; 16], 12, __mmask16, "avx512f,avx512dq,avx2,fma",
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_fmadd_ps,
    sum |x| sum_f32(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x))),
    interleave |a, b| {
        let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        let second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        (_mm512_permutex2var_ps(a, first, b), _mm512_permutex2var_ps(a, second, b))
    },
    load_first(from, n) _mm512_maskz_loadu_ps(first16(n), from),
    store_first(to, x, n) _mm512_mask_storeu_ps(to, first16(n), x),
    abs _mm512_abs_ps,
    neg |x| _mm512_xor_ps(x, _mm512_set1_ps(-0.0)),
    copy_sign |x, sign| _mm512_or_ps(_mm512_abs_ps(x), _mm512_and_ps(sign, _mm512_set1_ps(-0.0))),
    round _mm512_roundscale_ps::<0>,
    scale _mm512_scalef_ps,
    power |n| _mm512_scalef_ps(_mm512_set1_ps(1.0), n),
    split |x| {
        let offset = _mm512_set1_epi32(ROOT_F32);
        let bits = _mm512_sub_epi32(_mm512_castps_si512(x), offset);
        let m = _mm512_add_epi32(_mm512_and_si512(bits, _mm512_set1_epi32((1 << 23) - 1)), offset);
        (_mm512_castsi512_ps(m), _mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(bits)))
    },
    less _mm512_cmp_ps_mask::<_CMP_LT_OQ>,
    select |no, yes, mask| _mm512_mask_mov_ps(no, mask, yes), min _mm512_min_ps, max _mm512_max_ps
);
vector!(
    Avx512F64: __m512d, [f64; 8], 12, __mmask8, "avx512f,avx512dq,avx2,fma",
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_fmadd_pd,
    sum |x| sum_f64(_mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x))),
    interleave |a, b| {
        let first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
        let second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
        (_mm512_permutex2var_pd(a, first, b), _mm512_permutex2var_pd(a, second, b))
    },
    load_first(from, n) _mm512_maskz_loadu_pd(first16(n) as u8, from),
    store_first(to, x, n) _mm512_mask_storeu_pd(to, first16(n) as u8, x),
    abs _mm512_abs_pd,
    neg |x| _mm512_xor_pd(x, _mm512_set1_pd(-0.0)),
    copy_sign |x, sign| _mm512_or_pd(_mm512_abs_pd(x), _mm512_and_pd(sign, _mm512_set1_pd(-0.0))),
    round _mm512_roundscale_pd::<0>,
    scale _mm512_scalef_pd,
    power |n| _mm512_scalef_pd(_mm512_set1_pd(1.0), n),
    split |x| {
        let offset = _mm512_set1_epi64(ROOT_F64);
        let bits = _mm512_sub_epi64(_mm512_castpd_si512(x), offset);
        let m = _mm512_add_epi64(_mm512_and_si512(bits, _mm512_set1_epi64((1 << 52) - 1)), offset);
        (_mm512_castsi512_pd(m), _mm512_cvtepi64_pd(_mm512_srai_epi64::<52>(bits)))
    },
    less _mm512_cmp_pd_mask::<_CMP_LT_OQ>,
    select |no, yes, mask| _mm512_mask_mov_pd(no, mask, yes), min _mm512_min_pd, max _mm512_max_pd
);
vector!(
    Avx2F32: __m256, [f32; 8], 6, __m256, "avx2,fma",
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_fmadd_ps,
    sum sum_f32,
    interleave |a, b| {
        let (lo, hi) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        (_mm256_permute2f128_ps::<0x20>(lo, hi), _mm256_permute2f128_ps::<0x31>(lo, hi))
    },
    load_first(from, n) _mm256_maskload_ps(from, first_f32(n)),
    store_first(to, x, n) store_first_f32(to, x, n),
    abs |x| _mm256_andnot_ps(_mm256_set1_ps(-0.0), x),
    neg |x| _mm256_xor_ps(x, _mm256_set1_ps(-0.0)),
    copy_sign |x, sign| {
        let bit = _mm256_set1_ps(-0.0);
        _mm256_or_ps(_mm256_andnot_ps(bit, x), _mm256_and_ps(sign, bit))
    },
    round _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>,
    scale scale_f32,
    power |n| power_f32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127))),
    split |x| {
        let offset = _mm256_set1_epi32(ROOT_F32);
        let bits = _mm256_sub_epi32(_mm256_castps_si256(x), offset);
        let m = _mm256_add_epi32(_mm256_and_si256(bits, _mm256_set1_epi32((1 << 23) - 1)), offset);
        (_mm256_castsi256_ps(m), _mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(bits)))
    },
    less _mm256_cmp_ps::<_CMP_LT_OQ>,
    select _mm256_blendv_ps, min _mm256_min_ps, max _mm256_max_ps
);
vector!(
    Avx2F64: __m256d, [f64; 4], 6, __m256d, "avx2,fma",
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_fmadd_pd,
    sum sum_f64,
    interleave |a, b| {
        let (lo, hi) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        (_mm256_permute2f128_pd::<0x20>(lo, hi), _mm256_permute2f128_pd::<0x31>(lo, hi))
    },
    load_first(from, n) _mm256_maskload_pd(from, first_f64(n)),
    store_first(to, x, n) store_first_f64(to, x, n),
    abs |x| _mm256_andnot_pd(_mm256_set1_pd(-0.0), x),
    neg |x| _mm256_xor_pd(x, _mm256_set1_pd(-0.0)),
    copy_sign |x, sign| {
        let bit = _mm256_set1_pd(-0.0);
        _mm256_or_pd(_mm256_andnot_pd(bit, x), _mm256_and_pd(sign, bit))
    },
    round _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>,
    scale scale_f64,
    power |n| power_f64(_mm_add_epi32(_mm256_cvtpd_epi32(n), _mm_set1_epi32(1023))),
    split split_f64,
    less _mm256_cmp_pd::<_CMP_LT_OQ>,
    select _mm256_blendv_pd, min _mm256_min_pd, max _mm256_max_pd
);

/// The lowest `n <= 16` bits.
#[inline(always)]
fn first16(n: usize) -> u16 {
    ((1_u32 << n) - 1) as u16
}

#[inline(always)]
unsafe fn first_f32(n: usize) -> __m256i {
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

#[inline(always)]
unsafe fn first_f64(n: usize) -> __m256i {
    unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(n as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
}

/// Halves of halves: a masked store takes several times as long on some processors.
#[inline(always)]
unsafe fn store_first_f32(mut to: *mut f32, x: __m256, n: usize) {
    unsafe {
        if n == 8 {
            return _mm256_storeu_ps(to, x);
        }
        let mut x4 = _mm256_castps256_ps128(x);
        if n & 4 != 0 {
            _mm_storeu_ps(to, x4);
            (to, x4) = (to.add(4), _mm256_extractf128_ps::<1>(x));
        }
        if n & 2 != 0 {
            _mm_storel_pd(to.cast(), _mm_castps_pd(x4));
            (to, x4) = (to.add(2), _mm_movehl_ps(x4, x4));
        }
        if n & 1 != 0 {
            _mm_store_ss(to, x4);
        }
    }
}

/// As [`store_first_f32`].
#[inline(always)]
unsafe fn store_first_f64(mut to: *mut f64, x: __m256d, n: usize) {
    unsafe {
        if n == 4 {
            return _mm256_storeu_pd(to, x);
        }
        let mut x2 = _mm256_castpd256_pd128(x);
        if n & 2 != 0 {
            _mm_storeu_pd(to, x2);
            (to, x2) = (to.add(2), _mm256_extractf128_pd::<1>(x));
        }
        if n & 1 != 0 {
            _mm_storel_pd(to, x2);
        }
    }
}

#[inline(always)]
unsafe fn sum_f32(x: __m256) -> f32 {
    unsafe {
        let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
        _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
    }
}

#[inline(always)]
unsafe fn sum_f64(x: __m256d) -> f64 {
    unsafe {
        let x = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
        _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)))
    }
}

/// The bits of `√½`: an exponent read relative to them splits a number at `√½` and `√2` rather than at 1 and 2.
const ROOT_F32: i32 = std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;
const ROOT_F64: i64 = std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64;

/// `x · 2ⁿ` in two halves, since 2ⁿ itself may be out of range.
#[inline(always)]
unsafe fn scale_f32(x: __m256, n: __m256) -> __m256 {
    unsafe {
        let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(2 * 127));
        let half = _mm256_srai_epi32::<1>(biased);
        _mm256_mul_ps(_mm256_mul_ps(x, power_f32(half)), power_f32(_mm256_sub_epi32(biased, half)))
    }
}

/// `x · 2ⁿ` in two halves, since 2ⁿ itself may be out of range.
#[inline(always)]
unsafe fn scale_f64(x: __m256d, n: __m256d) -> __m256d {
    unsafe {
        let biased = _mm_add_epi32(_mm256_cvtpd_epi32(n), _mm_set1_epi32(2 * 1023));
        let half = _mm_srai_epi32::<1>(biased);
        _mm256_mul_pd(_mm256_mul_pd(x, power_f64(half)), power_f64(_mm_sub_epi32(biased, half)))
    }
}

/// The power of 2 whose exponent, with the bias of the format, is given.
#[inline(always)]
unsafe fn power_f32(biased: __m256i) -> __m256 {
    unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)) }
}

/// The power of 2 whose exponent, with the bias of the format, is given.
#[inline(always)]
unsafe fn power_f64(biased: __m128i) -> __m256d {
    unsafe { _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_cvtepi32_epi64(biased))) }
}

#[inline(always)]
unsafe fn split_f64(x: __m256d) -> (__m256d, __m256d) {
    unsafe {
        let offset = _mm256_set1_epi64x(ROOT_F64);
        let bits = _mm256_sub_epi64(_mm256_castpd_si256(x), offset);
        let m = _mm256_add_epi64(_mm256_and_si256(bits, _mm256_set1_epi64x((1 << 52) - 1)), offset);
        // The exponent is in the upper half of each lane; the upper halves are brought together and converted.
        let upper = _mm256_permutevar8x32_epi32(bits, _mm256_setr_epi32(1, 3, 5, 7, 0, 0, 0, 0));
        let e = _mm256_cvtepi32_pd(_mm_srai_epi32::<20>(_mm256_castsi256_si128(upper)));
        (_mm256_castsi256_pd(m), e)
    }
}
