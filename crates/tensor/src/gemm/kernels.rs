//! What products are made of, compiled for the registers of each level.

use super::dots::dots;
use super::packed::{pack_columns, pack_rows};
use super::tile::{Tile, panel, single_row};
use crate::simd::{Level, at_level};
use crate::{Matrix, Scalar};

/// Numbers whose products have kernels for every level.
pub(crate) trait Kernels: Scalar {
    /// Numbers in a register.
    fn lanes(level: Level) -> usize {
        let bytes = if level == Level::Avx512 { 64 } else { 32 };
        bytes / size_of::<Self>()
    }

    /// The most rows of a tile.
    fn rows(level: Level) -> usize {
        match level {
            Level::Avx512 => 12,
            Level::Avx2 => 6,
            Level::Portable => 4,
        }
    }

    /// See [`panel`].
    ///
    /// # Safety
    /// The processor must have the level; and as there. Likewise below.
    unsafe fn panel(level: Level, tile: Tile<Self>, rows: usize, columns: usize);
    /// See [`single_row`].
    unsafe fn single_row(level: Level, tile: Tile<Self>, columns: usize);
    /// See [`dots`].
    unsafe fn dots(level: Level, product: Tile<Self>, b: *const Self, column: isize, n: usize);
    /// See [`pack_columns`].
    unsafe fn pack_columns(level: Level, b: &Matrix<'_, Self>, place: [usize; 2], to: &mut [Self]);
    /// See [`pack_rows`].
    unsafe fn pack_rows(level: Level, a: &Matrix<'_, Self>, place: [usize; 2], to: &mut [Self]);
}

macro_rules! kernels {
    ($float:tt) => {
        // SAFETY: that of the calls is the callers'.
        impl Kernels for $float {
            unsafe fn panel(level: Level, tile: Tile<$float>, rows: usize, columns: usize) {
                unsafe { at_level!(level, $float, panel::<V>(tile: Tile<$float>, rows: usize, columns: usize)) }
            }
            unsafe fn single_row(level: Level, tile: Tile<$float>, columns: usize) {
                unsafe { at_level!(level, $float, single_row::<V>(tile: Tile<$float>, columns: usize)) }
            }
            unsafe fn dots(level: Level, product: Tile<$float>, b: *const $float, column: isize, n: usize) {
                unsafe {
                    at_level!(level, $float, dots::<V>(product: Tile<$float>, b: *const $float, column: isize, n: usize))
                }
            }
            unsafe fn pack_columns(level: Level, b: &Matrix<'_, $float>, place: [usize; 2], to: &mut [$float]) {
                unsafe {
                    at_level!(level, $float, pack_columns::<V>(b: &Matrix<'_, $float>, place: [usize; 2], to: &mut [$float]))
                }
            }
            unsafe fn pack_rows(level: Level, a: &Matrix<'_, $float>, place: [usize; 2], to: &mut [$float]) {
                unsafe {
                    at_level!(level, $float, pack_rows::<V>(a: &Matrix<'_, $float>, place: [usize; 2], to: &mut [$float]))
                }
            }
        }
    };
}

kernels!(f32);
kernels!(f64);
