//! What can go wrong.

use std::path::PathBuf;

use crate::weights::Fault;

/// An error of this crate: what was expected, and what was found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Operands do not fit an operation on a tape.
    #[error(transparent)]
    Autograd(#[from] retrograde_autograd::Error),
    /// Operands do not fit an operation on tensors.
    #[error(transparent)]
    Tensor(#[from] retrograde_tensor::Error),
    /// A file of weights is not what it should be, or does not hold what was asked for.
    #[error("{}: {fault}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
