//! Where the nodes of a tape come from.

use std::sync::Arc;

use retrograde_tensor::Float;

use crate::function::Function;
use crate::op::Op;

/// Where a node comes from.
#[derive(Clone)]
pub(crate) enum Origin<E> {
    Variable,
    Parameter,
    Constant,
    /// By an operation, whose derivative is in the table.
    Computed(Op),
    /// By a function with a backward pass of its own.
    Called(Arc<dyn Function<E>>),
}

impl<E: Float> Origin<E> {
    /// Whether it is an input of the computation.
    pub(crate) fn is_leaf(&self) -> bool {
        match self {
            Origin::Variable | Origin::Parameter | Origin::Constant => true,
            Origin::Computed(_) | Origin::Called(_) => false,
        }
    }

    /// What errors and printed tapes call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Origin::Variable => "variable",
            Origin::Parameter => "parameter",
            Origin::Constant => "constant",
            Origin::Computed(op) => op.name(),
            Origin::Called(function) => function.name(),
        }
    }
}
