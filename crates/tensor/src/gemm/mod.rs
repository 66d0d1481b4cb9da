//! The matrix product of `f32` and `f64`.
//!
//! From the bottom up: [`reference`] is the definition; [`pack`] lays out blocks for the kernels of [`micro_kernel`], [`row`] and
//! [`dots`], which [`macro_kernel`] calls block by block; [`packed`] keeps what is used again. Here the way of a product is
//! chosen.

mod dots;
mod macro_kernel;
mod matrix;
mod micro_kernel;
mod pack;
mod packed;
pub(crate) mod reference;
mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::simd::{Isa, Kernel, Lane, Vector};
use crate::storage::lent::Lent;

use dots::dots;
use macro_kernel::{KC, MacroKernel, Term};
pub use matrix::{Matrix, MatrixMut};
use micro_kernel::{MicroTile, panel};
use pack::PackColumns;
pub(crate) use packed::PackCache;
use packed::{Key, Packed};
use reference::product_dims;
use row::single_row;

/// The number of multiplications up to which a loop is faster than a kernel.
const SMALL: usize = 64;
/// The numbers of a left-hand side up to which the right-hand side is read where it lies: to pack it would take as long.
const FEW: usize = 128;
/// The numbers that a packed form may take beyond twice the storage: small matrices do not fill registers.
const SPARE: usize = 4096;

/// Computes `c = alpha · a·b + beta · c` at a level that the processor has; where `beta` is zero, `c` is not read.
pub(crate) fn gemm<E: Lane>(
    isa: Isa,
    alpha: E,
    a: Matrix<'_, E>,
    b: Matrix<'_, E>,
    beta: E,
    c: MatrixMut<'_, E>,
) {
    let [m, k, n] = product_dims(&a, &b, &c);
    let (zero, one) = (E::default(), E::from_f64(1.0));
    if m * k * n <= SMALL {
        reference::gemm(alpha, a, b, beta, c);
    } else if n == 1 && m > 1 && c.strides()[0] == 1 {
        // A matrix times a column is a row times the transposed matrix.
        gemm(isa, alpha, b.t(), a.t(), beta, c.t());
    } else if alpha == one && (beta == zero || beta == one) && c.has_rows() {
        // SAFETY: `Isa::current` and the tests give only levels that the processor has.
        unsafe { E::dispatch(isa, Product { a, b, c, add: beta != zero }) }
    } else {
        scaled(isa, alpha, a, b, beta, c);
    }
}

/// Computes `c += Σ a·b` at a level that the processor has.
pub(crate) fn gemm_sum<E: Lane>(isa: Isa, terms: &[Term<'_, E>], mut c: MatrixMut<'_, E>) {
    let k = terms.iter().map(|[a, b]| product_dims(a, b, &c)[1]).sum();
    let dims = c.dims();
    if terms.len() == 1 || !c.has_rows() || dims.contains(&0) || k == 0 {
        let one = E::from_f64(1.0);
        return terms.iter().for_each(|&[a, b]| gemm(isa, one, a, b, one, c.reborrow()));
    }
    let product = MicroTile::into(&mut c, k, true);
    // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice, and `c` is borrowed
    // mutably, hence disjoint from the terms. The sizes agree (`product_dims`) and are not 0. Since no term is the only
    // one, they are read through the matrices alone. `Isa::current` and the tests give only levels that the processor has.
    unsafe { E::dispatch(isa, MacroKernel { product, terms, packed: None, dims }) }
}

/// Computes `c = alpha · a·b + beta · c` for any factors and any layout of `c`, through the product itself.
fn scaled<E: Lane>(isa: Isa, alpha: E, a: Matrix<'_, E>, b: Matrix<'_, E>, beta: E, mut c: MatrixMut<'_, E>) {
    let [m, n] = c.dims();
    let mut product = Lent::stale(m * n);
    let into = MatrixMut::new(&mut product, 0, [m, n], [n as isize, 1]);
    gemm(isa, E::from_f64(1.0), a, b, E::default(), into);
    for (i, row) in product.chunks_exact(n).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            let c = c.at_mut(i, j);
            *c = if beta == E::default() { alpha * x } else { alpha * x + beta * *c };
        }
    }
}

/// A product, `c (+)= a·b`, of sizes that agree and are not 0, into contiguous rows.
struct Product<'a, E> {
    a: Matrix<'a, E>,
    b: Matrix<'a, E>,
    c: MatrixMut<'a, E>,
    /// Whether `c` is added to, or overwritten.
    add: bool,
}

impl<E: Lane> Kernel<E> for Product<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(mut self) {
        let (a, b) = (&self.a, &self.b);
        let ([m, k], [_, n]) = (a.dims(), b.dims());
        let product = MicroTile::into(&mut self.c, k, self.add).with_left(a);
        let by_rows = b.strides()[1] == 1;
        // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice, and `c` is
        // borrowed mutably, hence disjoint from `a` and `b`. The processor has the level, by the caller's word.
        unsafe {
            if m == 1 && by_rows {
                single_row::<V>(product.with_right(b), n);
            } else if m == 1 && b.strides()[0] == 1 && a.strides()[1] == 1 {
                dots::<V>(product, b.start(), b.strides()[1], n);
            } else {
                let few = by_rows && m * k <= FEW;
                let packed = if few { None } else { packed::<V>(b) };
                if few || by_rows && packed.is_none() && m <= V::MR {
                    return from_rows::<V>(product, b, m);
                }
                let terms = &[[*a, *b]];
                V::outlined(MacroKernel { product, terms, packed: packed.as_deref(), dims: [m, n] });
            }
        }
    }
}

/// Returns the packed form of a matrix from its second product on, unless it would take far more memory than the
/// storage: a broadcast matrix is packed block by block for each product.
///
/// # Safety
/// The processor must have the level of `V`.
#[inline(always)]
unsafe fn packed<V: Vector<Lane: Lane>>(b: &Matrix<'_, V::Lane>) -> Option<Arc<Packed<V::Lane>>> {
    let (cache, dims, lanes) = (b.cache()?, b.dims(), V::LANES);
    if Packed::<V::Lane>::len(dims, lanes) > 2 * b.storage_len() + SPARE {
        return None;
    }
    let key = Key { offset: b.offset(), dims, strides: b.strides(), lanes };
    cache.get(key, || {
        // SAFETY: the processor has the level.
        Packed::new(dims, lanes, |to| unsafe { V::outlined(PackColumns { b: *b, at: 0, k: dims[0], to }) })
    })
}

/// Computes a product of `m` rows and a matrix whose rows are contiguous, read where they lie.
///
/// # Safety
/// The processor must have the level of `V`. `product` must be that of `m` rows and of `b`.
#[inline(always)]
unsafe fn from_rows<V: Vector<Lane: Lane>>(product: MicroTile<V::Lane>, b: &Matrix<'_, V::Lane>, m: usize) {
    let [k, n] = b.dims();
    let whole = n / V::LANES * V::LANES;
    let product = product.with_right(b);
    // SAFETY: each panel lies within the matrices that the caller vouches for.
    unsafe {
        for j in (0..whole).step_by(V::NR) {
            panel::<V>(product.from(0, j), m, (whole - j).min(V::NR));
        }
        if whole < n {
            // Columns that do not fill a register would be read beyond its end, and so are read from elsewhere.
            let mut edge = Lent::stale(k.min(KC) * V::LANES);
            for first in (0..k).step_by(KC) {
                let k = (k - first).min(KC);
                let b = b.part([first, whole], [k, n - whole]);
                V::outlined(PackColumns { b, at: 0, k, to: &mut edge });
                let part = product.over(first, k).from(0, whole);
                panel::<V>(MicroTile { b: edge.as_ptr(), b_row: V::LANES, ..part }, m, n - whole);
            }
        }
    }
}
