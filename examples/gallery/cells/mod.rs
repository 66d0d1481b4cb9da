//! The cells, a file each: its formula, its source, and the code that says the formula.

pub(crate) mod antisymmetric;
pub(crate) mod attention_cell;
pub(crate) mod co_rnn;
pub(crate) mod conv_lstm;
pub(crate) mod fast_weights;
pub(crate) mod gru_d;
pub(crate) mod ind_rnn;
pub(crate) mod liquid;
pub(crate) mod lru;
pub(crate) mod matrix_lstm;
pub(crate) mod min_gru;
pub(crate) mod multiplicative_lstm;
pub(crate) mod mut1;
pub(crate) mod ode_rnn;
pub(crate) mod phased_lstm;
pub(crate) mod qrnn;
pub(crate) mod recurrent_highway;
pub(crate) mod s6;
pub(crate) mod sru;
pub(crate) mod turing_machine;
pub(crate) mod ug_rnn;

use rand::Rng;
use retrograde::nn::init;
use retrograde::prelude::*;

/// A normal weight of standard deviation `1/sqrt(fan-in)`.
fn weight<E: Float>(name: &str, shape: [usize; 2], rng: &mut impl Rng) -> Param<E> {
    Param::new(name, init::normal(shape, shape[0], rng))
}

/// A small normal vector.
fn vector<E: Float>(name: &str, h: usize, rng: &mut impl Rng) -> Param<E> {
    Param::new(name, init::normal([h], h, rng))
}

/// A parameter of equal numbers.
fn filled<E: Float, const K: usize>(name: &str, shape: [usize; K], value: f64) -> Param<E> {
    Param::new(name, Tensor::full(shape, E::from_f64(value)))
}
