//! A guess at what is wrong: how a gradient that differs is related to the one that it should be.

use std::fmt;

/// The relation of a wrong gradient to the right one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pattern {
    /// It is infinite or NaN.
    NotFinite,
    /// All of it is zero: the path was detached, or the gradient never stored.
    Zero,
    /// It is zero at some time steps only: the path was detached between two steps.
    ZeroSteps {
        /// The first of the steps.
        first: usize,
        /// The last of the steps.
        last: usize,
    },
    /// It has the wrong sign.
    Sign,
    /// It is a constant multiple.
    Factor(f64),
    /// It is transposed.
    Transposed,
    /// Its time runs backwards.
    Reversed,
    /// It is that of a neighbouring time step.
    Shifted,
    /// It is the contribution of one sample: the sum over the batch is missing.
    OneSample(usize),
    /// It is the contribution of one of several uses, such as one time step: overwritten instead of summed.
    OneUse {
        /// The use, in order of execution.
        index: usize,
        /// The number of uses.
        of: usize,
    },
    /// It lacks the contribution of one of several uses.
    LostUse {
        /// The use, in order of execution.
        index: usize,
        /// The number of uses.
        of: usize,
    },
    /// One element differs, the others are right.
    OneElement,
    /// Only these rows differ, along the first axis.
    Rows(Vec<usize>),
    /// Only these columns differ, along the last axis, from the first to the last.
    Columns {
        /// The first of the columns.
        first: usize,
        /// The last of the columns.
        last: usize,
    },
    /// It is not zero where the right one is.
    Leak,
    /// No output moves, and the gradient is not zero.
    Flat,
    /// Elements have the right size, and some the wrong sign.
    Signs,
    /// It is the right one of another tensor.
    Other(String),
    /// The derivative of the function that reads it is missing.
    OwnDerivative(&'static str),
    /// It is right from a time step on, and wrong at all steps before.
    Carried {
        /// The first step at which it is right.
        from: usize,
    },
    /// It is right to about 7 digits.
    SinglePrecision,
    /// It is not linear in the cotangent.
    NotLinear,
    /// It is right at one point, and wrong at another.
    Kept,
}

impl Pattern {
    /// Whether it says where the gradient is wrong rather than how.
    pub(crate) fn is_vague(&self) -> bool {
        matches!(self, Pattern::Carried { .. } | Pattern::Rows(_) | Pattern::Columns { .. })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::NotFinite => write!(f, "not finite"),
            Pattern::Zero => write!(f, "all zero: detached, or never stored"),
            Pattern::ZeroSteps { first, last } if first == last => {
                write!(f, "zero at step {first}: detached")
            }
            Pattern::ZeroSteps { first, last } => write!(f, "zero at steps {first} to {last}: detached"),
            Pattern::Sign => write!(f, "the sign is wrong"),
            Pattern::Factor(k) if (k - 1.0).abs() < 1e-5 => {
                write!(f, "constant factor 1 {} {:.1e}", if *k < 1.0 { '-' } else { '+' }, (k - 1.0).abs())
            }
            Pattern::Factor(k) => write!(f, "constant factor {}", (k * 1e6).round() / 1e6),
            Pattern::Transposed => write!(f, "transposed"),
            Pattern::Reversed => write!(f, "reversed in time"),
            Pattern::Shifted => write!(f, "shifted by one time step"),
            Pattern::OneSample(n) => write!(f, "sample {n} only: the sum over the batch is missing"),
            Pattern::OneUse { index, of } => {
                write!(f, "use {index} of {of} only (one time step?): overwritten, not summed")
            }
            Pattern::LostUse { index, of } => write!(f, "use {index} of {of} is missing"),
            Pattern::OneElement => write!(f, "one element"),
            Pattern::Rows(rows) => write!(f, "rows {rows:?} only"),
            Pattern::Columns { first, last } => write!(f, "columns {first} to {last} only: one gate?"),
            Pattern::Leak => write!(f, "not zero where it should be: a mask, a length or a reset leaks"),
            Pattern::Flat => write!(f, "no output moves: rounded, and passed straight through?"),
            Pattern::Signs => write!(f, "the sign of some elements is wrong"),
            Pattern::Other(name) => write!(f, "the gradient of {name}: swapped?"),
            Pattern::OwnDerivative(function) => write!(f, "the derivative of {function} is missing"),
            Pattern::Carried { from } => {
                write!(f, "right from step {from} on, wrong before: what goes from step to step")
            }
            Pattern::SinglePrecision => write!(f, "right to 7 digits: computed in single precision?"),
            Pattern::NotLinear => write!(f, "not linear in the cotangent: clipped or cut off?"),
            Pattern::Kept => write!(f, "right at one point only: something is kept from another call"),
        }
    }
}
