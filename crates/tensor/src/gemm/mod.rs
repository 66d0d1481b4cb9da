//! The matrix product of `f32` and `f64`.

mod blocks;
mod dots;
mod kernels;
mod packed;
#[cfg(test)]
mod tests;
mod tile;

use std::sync::Arc;

use crate::kernel::{gemm_loop, product_dims};
use crate::simd::Level;
use crate::{Matrix, MatrixMut, buffer};

use blocks::{Term, blocks};
use kernels::Kernels;
pub(crate) use packed::LazyPacks;
use packed::Packed;
use tile::Tile;

/// Below this many multiplications a plain loop is faster than anything that has to be set up.
const SMALL: usize = 64;
/// So many numbers more than twice its storage may the packed form of a matrix take, for small ones fill no registers.
const SPARE: usize = 4096;

/// `c = alpha · a·b + beta · c`, at a level that the processor has.
pub(crate) fn gemm<E: Kernels>(
    level: Level,
    alpha: E,
    a: Matrix<'_, E>,
    b: Matrix<'_, E>,
    beta: E,
    mut c: MatrixMut<'_, E>,
) {
    let [m, k, n] = product_dims(&a, &b, &c);
    let (zero, one) = (E::default(), E::from_f64(1.0));
    if m * k * n <= SMALL {
        return gemm_loop(alpha, a, b, beta, c);
    }
    if alpha != one || (beta != zero && beta != one) || !c.has_rows() {
        return scaled(level, alpha, a, b, beta, c);
    }
    let product = Tile { a: a.start(), a_strides: a.strides(), ..Tile::into(&mut c, k, beta != zero) };
    let by_rows = b.strides()[1] == 1;
    // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice, and `c` is borrowed
    // mutably, hence disjoint from `a` and `b`. The sizes agree (`product_dims`) and are not 0 (their product is not).
    // `Level::current` and the tests give only levels that the processor has.
    unsafe {
        if m == 1 && by_rows {
            E::single_row(level, Tile { b: b.start(), b_row: b.strides()[0] as usize, ..product }, n);
        } else if m == 1 && b.strides()[0] == 1 && a.strides()[1] == 1 {
            E::dots(level, product, b.start(), b.strides()[1], n);
        } else if let Some(packed) = packed(level, &b) {
            blocks(level, product, &[[a, b]], Some(&packed), [m, n]);
        } else if m <= E::rows(level) && by_rows {
            few_rows(level, product, &b, m);
        } else {
            blocks(level, product, &[[a, b]], None, [m, n]);
        }
    }
}

/// `c = alpha · a·b + beta · c` for any factors and any layout of `c`: the product, and then the rest.
fn scaled<E: Kernels>(
    level: Level,
    alpha: E,
    a: Matrix<'_, E>,
    b: Matrix<'_, E>,
    beta: E,
    mut c: MatrixMut<'_, E>,
) {
    let [m, n] = c.dims();
    let mut product = buffer::stale(m * n);
    let into = MatrixMut::new(&mut product, 0, [m, n], [n as isize, 1]);
    gemm(level, E::from_f64(1.0), a, b, E::default(), into);
    for (i, row) in product.chunks_exact(n).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            let c = c.at_mut(i, j);
            *c = if beta == E::default() { alpha * x } else { alpha * x + beta * *c };
        }
    }
    buffer::give(product);
}

/// The packed form of a matrix that is multiplied by more than once, unless it would take far more memory than the
/// matrix: a broadcast one is packed block by block for each product.
fn packed<E: Kernels>(level: Level, b: &Matrix<'_, E>) -> Option<Arc<Packed<E>>> {
    let packs = b.packs()?;
    if Packed::numbers(b, level) > 2 * b.storage_len() + SPARE {
        None
    } else {
        packs.get_or_init(Box::default).get(b, level)
    }
}

/// `c += Σ a·b`, at a level that the processor has.
pub(crate) fn gemm_sum<E: Kernels>(level: Level, terms: &[Term<'_, E>], mut c: MatrixMut<'_, E>) {
    let k = terms.iter().map(|[a, b]| product_dims(a, b, &c)[1]).sum();
    let [m, n] = c.dims();
    if terms.len() == 1 || !c.has_rows() || m * n * k == 0 {
        let one = E::from_f64(1.0);
        return terms.iter().for_each(|&[a, b]| gemm(level, one, a, b, one, c.reborrow()));
    }
    let product = Tile::into(&mut c, k, true);
    // SAFETY: as above; since no term is the only one, they are read through the matrices alone.
    unsafe { blocks(level, product, terms, None, [m, n]) }
}

/// A product of `m` rows, which stay in the cache as they are, and a matrix whose rows are contiguous.
///
/// # Safety
/// The processor must have the level. `product` must be that of `m` rows, at most as many as a tile has, and `b`.
unsafe fn few_rows<E: Kernels>(level: Level, product: Tile<E>, b: &Matrix<'_, E>, m: usize) {
    let ([k, n], lanes) = (b.dims(), E::lanes(level));
    let whole = n / lanes * lanes;
    let product = Tile { b: b.start(), b_row: b.strides()[0] as usize, ..product };
    // SAFETY: each panel lies within the matrices that the caller vouches for.
    unsafe {
        for j in (0..whole).step_by(2 * lanes) {
            E::panel(level, product.from(0, j), m, (whole - j).min(2 * lanes));
        }
        if whole < n {
            // What does not fill a register is read beyond its end, and so from elsewhere.
            let mut edge = buffer::stale(k * lanes);
            E::pack_columns(level, &b.part([0, whole], [k, n - whole]), [0, k], &mut edge);
            let product = Tile { b: edge.as_ptr(), b_row: lanes, c: product.c.add(whole), ..product };
            E::panel(level, product, m, n - whole);
            buffer::give(edge);
        }
    }
}
