//! The levels of vector instructions: one row each of the table at the end.

use std::fmt;
use std::sync::OnceLock;

use super::format::Format;
#[cfg(target_arch = "aarch64")]
use super::neon::{NeonF32, NeonF64};
use super::portable::{F32x4, F64x2};
use super::vector::{Kernel, Vector};
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2F32, Avx2F64, Avx512F32, Avx512F64};
use crate::Scalar;

/// Numbers that vectors hold: `f32` and `f64`.
pub(crate) trait Lane: Scalar + Format {
    /// Runs an algorithm over the vectors of a level.
    ///
    /// # Safety
    /// The processor must have the level; and as the kernel says.
    unsafe fn dispatch<K: Kernel<Self>>(isa: Isa, kernel: K);
}

impl Isa {
    /// Returns the level that kernels use: the highest that the processor has, or a lower one that the environment variable
    /// `RETROGRADE_SIMD` asks for by [`name`](Self::name). It is read once, when a kernel is first called; a level that the
    /// processor does not have stands for the highest below it, an empty value for none.
    ///
    /// # Panics
    /// If the variable has another value.
    pub fn current() -> Self {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let asked = std::env::var_os("RETROGRADE_SIMD").unwrap_or_default();
            if asked.is_empty() {
                return Self::highest();
            }
            let Some(&isa) = Self::ALL.iter().find(|isa| asked == isa.name()) else {
                let names = Self::ALL.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", ");
                panic!("RETROGRADE_SIMD: expected one of {names}, found {asked:?}");
            };
            isa.min(Self::highest())
        })
    }

    /// Returns the highest level that the processor has.
    #[must_use]
    pub fn highest() -> Self {
        Self::available().last().unwrap_or(Isa::Portable)
    }

    /// Returns the levels that the processor has, from the lowest on.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|isa| isa.is_detected())
    }
}

/// Prints the [`name`](Isa::name).
impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

macro_rules! levels {
    ($(
        $(#[doc = $doc:literal])*
        $isa:ident = $name:literal: $f32:ident, $f64:ident, on $target:meta, if $detected:expr;
    )*) => {
        /// A level of vector instructions. The levels of one kind of processor are in order: each one includes those before
        /// it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Isa {
            $($(#[doc = $doc])* #[cfg($target)] $isa,)*
        }

        impl Isa {
            /// The levels of this kind of processor.
            const ALL: &[Isa] = &[$(#[cfg($target)] Isa::$isa),*];

            /// Returns the name, as `RETROGRADE_SIMD` takes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(#[cfg($target)] Isa::$isa => $name,)*
                }
            }

            fn is_detected(self) -> bool {
                match self {
                    $(#[cfg($target)] Isa::$isa => $detected,)*
                }
            }
        }

        impl Lane for f32 {
            #[inline]
            unsafe fn dispatch<K: Kernel<f32>>(isa: Isa, kernel: K) {
                match isa {
                    // SAFETY: the caller's.
                    $(#[cfg($target)] Isa::$isa => unsafe { $f32::outlined(kernel) },)*
                }
            }
        }

        impl Lane for f64 {
            #[inline]
            unsafe fn dispatch<K: Kernel<f64>>(isa: Isa, kernel: K) {
                match isa {
                    // SAFETY: the caller's.
                    $(#[cfg($target)] Isa::$isa => unsafe { $f64::outlined(kernel) },)*
                }
            }
        }
    };
}

levels! {
    /// Nothing beyond what the compiler assumes.
    Portable = "portable": F32x4, F64x2, on all(), if true;
    /// AVX2 with fused multiply-add: registers of 32 bytes.
    Avx2 = "avx2": Avx2F32, Avx2F64, on target_arch = "x86_64",
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    /// AVX-512: registers of 64 bytes.
    Avx512 = "avx512": Avx512F32, Avx512F64, on target_arch = "x86_64",
        if Isa::Avx2.is_detected() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
    /// NEON: registers of 16 bytes.
    Neon = "neon": NeonF32, NeonF64, on target_arch = "aarch64", if std::arch::is_aarch64_feature_detected!("neon");
}
