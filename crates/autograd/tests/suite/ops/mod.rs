//! Every operation, by every reading of its rule: one table of rows, and checks that know nothing of any one of them.

mod adding;
mod derivatives;
mod flat;
mod invalid;
mod kinks;
mod limits;
mod readings;
mod sums;
mod table;
