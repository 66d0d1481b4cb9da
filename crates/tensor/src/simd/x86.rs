//! AVX2 and AVX-512.

use std::arch::x86_64::*;

use super::Vector;

macro_rules! vector {
    (
        $name:ident: $register:ty, [$lane:ty; $lanes:literal], $rows:literal, $mask:ty,
        $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $fma:ident,
        sum $sum:expr,
        load_first($from:ident, $n:ident) $load_first:expr,
        store_first($to:ident, $x:ident, $count:ident) $store_first:expr
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
            const ROWS: usize = $rows;

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
        }
    };
}

vector!(
    Avx512F32: __m512, [f32; 16], 12, __mmask16,
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_fmadd_ps,
    sum _mm512_reduce_add_ps,
    load_first(from, n) _mm512_maskz_loadu_ps(first16(n), from),
    store_first(to, x, n) _mm512_mask_storeu_ps(to, first16(n), x)
);
vector!(
    Avx512F64: __m512d, [f64; 8], 12, __mmask8,
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_fmadd_pd,
    sum _mm512_reduce_add_pd,
    load_first(from, n) _mm512_maskz_loadu_pd(first16(n) as u8, from),
    store_first(to, x, n) _mm512_mask_storeu_pd(to, first16(n) as u8, x)
);
vector!(
    Avx2F32: __m256, [f32; 8], 6, __m256,
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_fmadd_ps,
    sum sum_f32,
    load_first(from, n) _mm256_maskload_ps(from, first_f32(n)),
    store_first(to, x, n) _mm256_maskstore_ps(to, first_f32(n), x)
);
vector!(
    Avx2F64: __m256d, [f64; 4], 6, __m256d,
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_fmadd_pd,
    sum sum_f64,
    load_first(from, n) _mm256_maskload_pd(from, first_f64(n)),
    store_first(to, x, n) _mm256_maskstore_pd(to, first_f64(n), x)
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
