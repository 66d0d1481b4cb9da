//! A record read forwards: computed again, on other inputs or on dual numbers.

pub(crate) mod dual;
mod jvp;
pub(crate) mod replay;
