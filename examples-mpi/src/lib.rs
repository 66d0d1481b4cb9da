//! Data-parallel training over the ranks of an MPI job: each rank has its rows of every batch on a tape of its own, and
//! the gradients are added up.
//!
//! [`run`] starts a rank and ends all of them if one fails, [`Ranks::sum`] adds gradients, [`CharRnn`] is a model to train.
//! The page `docs/mpi.md` says how to run it on a cluster and what it costs.

mod model;
mod ranks;
mod sum;

pub use model::{CharRnn, Share};
pub use ranks::{Ranks, Result, run};
pub use sum::Sum;
