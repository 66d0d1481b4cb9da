//! The sizes of axes, and where elements lie.

mod checked;
mod into;
pub(crate) mod layout;
mod sizes;

pub use into::IntoShape;
pub use sizes::{MAX_RANK, Shape};
