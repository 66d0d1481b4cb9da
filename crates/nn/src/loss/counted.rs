//! The positions that count.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Error, Result};

/// The positions of those that count, in row-major order.
///
/// # Errors
/// If there is none.
pub(super) fn counted(
    op: &'static str,
    counts: impl ExactSizeIterator<Item = bool>,
) -> Result<Tensor<usize>> {
    let positions = counts.len();
    let counted: Vec<usize> = (0..).zip(counts).filter_map(|(i, counts)| counts.then_some(i)).collect();
    if counted.is_empty() {
        return Err(Error::NothingCounted { op, positions });
    }
    let count = counted.len();
    Ok(Tensor::from_vec(counted, [count])?)
}

/// The rows of the counted positions. What is at the others has no influence, whatever it is, and its gradient is zero.
///
/// # Shapes
/// `[.., K] -> [count, K]`, where `..` are as many as there are positions
pub(super) fn rows<'t, E: Float>(
    x: &Var<'t, E>,
    positions: usize,
    counted: &Tensor<usize>,
) -> Result<Var<'t, E>> {
    let rows = x.try_reshape([positions, x.shape().numel() / positions])?;
    if counted.numel() == positions { Ok(rows) } else { Ok(rows.try_gather_rows(counted)?) }
}

/// Predictions and targets of one shape, at the positions that a mask of their leading axes counts.
///
/// # Shapes
/// `y [M.., K..], targets [M.., K..], mask [M..] -> [count, K], [count, K]`
pub(super) fn masked<'t, E: Float>(
    op: &'static str,
    y: &Var<'t, E>,
    targets: &Tensor<E>,
    mask: Option<&Tensor<bool>>,
) -> Result<(Var<'t, E>, Tensor<E>)> {
    let shape = y.shape();
    let sizes = |dims: &[usize]| dims.iter().map(|&size| Axis::Size(size)).collect::<Vec<_>>();
    expect(op, "targets", &sizes(&shape), targets.shape())?;
    let Some(mask) = mask else {
        let counted = counted(op, (0..shape.numel()).map(|_| true))?;
        let flat = [counted.numel(), 1];
        return Ok((y.try_reshape(flat)?, targets.reshape(flat)));
    };
    expect(op, "mask", &sizes(&shape[..mask.rank().min(shape.rank())]), mask.shape())?;
    let positions = mask.numel();
    let counted = counted(op, mask.iter())?;
    let targets = targets.reshape([positions, shape.numel() / positions]).gather_rows(&counted);
    let y = rows(y, positions, &counted)?;
    if targets.numel() == 0 {
        return Err(Error::NothingCounted { op, positions: 0 });
    }
    Ok((y, targets))
}
