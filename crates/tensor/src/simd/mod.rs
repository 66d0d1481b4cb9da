//! The processor's vector instructions: an algorithm is written once, generic over [`Vector`], and compiled for each
//! level that a processor may have.

pub(crate) mod math;
mod peak;
mod portable;
#[cfg(test)]
mod tests;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

pub use peak::peak_gflops;
pub(crate) use portable::{F32x8, F64x4};
pub(crate) use vector::{Body, Vector};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2F32, Avx2F64, Avx512F32, Avx512F64};

/// What the processor can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing beyond what the compiler assumes.
    Portable,
    /// AVX2 with fused multiply-add: registers of 32 bytes.
    Avx2,
    /// AVX-512: registers of 64 bytes.
    Avx512,
}

impl Level {
    /// The level that kernels use: the highest that the processor has, or a lower one that the environment variable
    /// `RETROGRADE_SIMD` (`portable`, `avx2` or `avx512`) asks for. It is read once, when a kernel is first called; a
    /// level that the processor does not have stands for the highest that it has, an empty value for none.
    ///
    /// # Panics
    /// If the variable has another value: who sets it means something by it.
    pub fn current() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let asked = match std::env::var_os("RETROGRADE_SIMD").unwrap_or_default() {
                level if level == "portable" => Level::Portable,
                level if level == "avx2" => Level::Avx2,
                level if level == "avx512" || level.is_empty() => Level::Avx512,
                other => panic!("RETROGRADE_SIMD: expected portable, avx2 or avx512, found {other:?}"),
            };
            asked.min(Self::highest())
        })
    }

    /// The highest level that the processor has.
    pub fn highest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Level::Avx512;
            }
            if avx2 {
                return Level::Avx2;
            }
        }
        Level::Portable
    }
}

/// Asks for the memory around a place, which need not be one: nothing but time depends on it.
#[inline(always)]
pub(crate) fn prefetch<E>(place: *const E) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every processor of this kind has the instruction, which reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Runs a generic function for the vectors of a level, compiled with the instructions of that level:
/// `at_level!(level, f32, body::<V>(x))` calls `body` with `V` the vector of `f32`.
macro_rules! at_level {
    ($level:expr, f32, $body:ident :: <V> ($($argument:ident: $type:ty),*)) => {{
        let portable = $body::<crate::simd::F32x8>;
        crate::simd::at_level!(@ $level, Avx512F32, Avx2F32, portable($($argument),*), $body($($argument: $type),*))
    }};
    ($level:expr, f64, $body:ident :: <V> ($($argument:ident: $type:ty),*)) => {{
        let portable = $body::<crate::simd::F64x4>;
        crate::simd::at_level!(@ $level, Avx512F64, Avx2F64, portable($($argument),*), $body($($argument: $type),*))
    }};
    (@ $level:expr, $v512:ident, $v256:ident, $portable:expr, $body:ident($($argument:ident: $type:ty),*)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
        unsafe fn avx512($($argument: $type),*) {
            // SAFETY: as that of the call.
            unsafe { $body::<crate::simd::$v512>($($argument),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2($($argument: $type),*) {
            // SAFETY: as that of the call.
            unsafe { $body::<crate::simd::$v256>($($argument),*) }
        }
        match $level {
            #[cfg(target_arch = "x86_64")]
            crate::simd::Level::Avx512 => avx512($($argument),*),
            #[cfg(target_arch = "x86_64")]
            crate::simd::Level::Avx2 => avx2($($argument),*),
            _ => $portable,
        }
    }};
}
pub(crate) use at_level;
