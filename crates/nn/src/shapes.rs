//! The shapes that layers expect, as their docs write them: `[N, T, 3]`.

use std::fmt;

use retrograde_tensor::Shape;

use crate::{Error, Result};

/// One axis of an expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Any number of axes of any size: `..`. Only at the front.
    Rest,
    /// An axis of any size, by its letter: `N`.
    Any(&'static str),
    /// An axis of this size.
    Size(usize),
}

/// A shape of which some sizes are left open, displayed as `[N, T, 3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<[Axis]>);

impl Pattern {
    /// A pattern of these axes.
    #[must_use]
    pub fn new(axes: &[Axis]) -> Self {
        Pattern(axes.into())
    }
}

impl From<Shape> for Pattern {
    fn from(shape: Shape) -> Self {
        Pattern(shape.iter().map(|&size| Axis::Size(size)).collect())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self
            .0
            .iter()
            .map(|axis| match axis {
                Axis::Rest => "..".to_owned(),
                Axis::Any(letter) => (*letter).to_owned(),
                Axis::Size(size) => size.to_string(),
            })
            .collect();
        write!(f, "[{}]", axes.join(", "))
    }
}

/// Refuses a shape that does not fit the axes.
pub(crate) fn expect(op: &'static str, name: &'static str, axes: &[Axis], found: Shape) -> Result<()> {
    let fits = |axes: &[Axis], found: &[usize]| {
        axes.len() == found.len()
            && axes
                .iter()
                .zip(found)
                .all(|(axis, size)| !matches!(axis, Axis::Size(wanted) if wanted != size))
    };
    let fits = match axes {
        [Axis::Rest, last @ ..] => {
            found.len() >= last.len() && fits(last, &found[found.len() - last.len()..])
        }
        _ => fits(axes, &found),
    };
    if fits {
        return Ok(());
    }
    Err(Error::Shape { op, name, expected: Box::new(Pattern::new(axes)), found: Box::new(found) })
}

/// `[D, H]` of the parameters of an RNN, if their shapes agree.
pub(crate) fn rnn_sizes(op: &'static str, wx: Shape, wh: Shape, b: Shape) -> Result<[usize; 2]> {
    expect(op, "Wx", &[Axis::Any("D"), Axis::Any("H")], wx)?;
    let (d, h) = (wx[0], wx[1]);
    expect(op, "Wh", &[Axis::Size(h), Axis::Size(h)], wh)?;
    expect(op, "b", &[Axis::Size(h)], b)?;
    Ok([d, h])
}

/// `[D, H]` of the parameters of a cell whose gates lie side by side, if their shapes agree: `wx [D, G H]`,
/// `wh [H, G H]`, `b [G H]`.
pub(crate) fn gate_sizes(
    op: &'static str,
    gates: usize,
    wx: Shape,
    wh: Shape,
    b: Shape,
) -> Result<[usize; 2]> {
    if gates == 1 {
        return rnn_sizes(op, wx, wh, b);
    }
    let wide = ["0", "H", "2H", "3H", "4H"][gates];
    expect(op, "Wx", &[Axis::Any("D"), Axis::Any(wide)], wx)?;
    expect(op, "Wh", &[Axis::Any("H"), Axis::Any(wide)], wh)?;
    let (d, h) = (wx[0], wh[0]);
    let wide = try_times(op, gates, h)?;
    expect(op, "Wh", &[Axis::Size(h), Axis::Size(wide)], wh)?;
    expect(op, "Wx", &[Axis::Size(d), Axis::Size(wide)], wx)?;
    expect(op, "b", &[Axis::Size(wide)], b)?;
    Ok([d, h])
}

/// The product of two sizes of which one comes from a caller or a file.
pub(crate) fn try_times(op: &'static str, factor: usize, size: usize) -> Result<usize> {
    factor.checked_mul(size).ok_or(Error::TooLarge { op, factor, size })
}

/// As [`try_times`], for constructors that return no `Result`.
///
/// # Panics
/// If the product does not fit in `usize`.
#[track_caller]
pub(crate) fn times(op: &'static str, factor: usize, size: usize) -> usize {
    try_times(op, factor, size).unwrap_or_else(|error| panic!("{error}"))
}
