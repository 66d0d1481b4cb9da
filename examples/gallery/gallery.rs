//! The list of cells.

use rand::rngs::StdRng;
use retrograde::prelude::*;

use crate::any_cell::{AnyCell, Bound};
use crate::cells::antisymmetric::Antisymmetric;
use crate::cells::attention_cell::AttentionCell;
use crate::cells::co_rnn::CoRnn;
use crate::cells::conv_lstm::ConvLstm;
use crate::cells::fast_weights::FastWeights;
use crate::cells::gru_d::GruD;
use crate::cells::ind_rnn::IndRnn;
use crate::cells::liquid::Liquid;
use crate::cells::lru::Lru;
use crate::cells::matrix_lstm::MatrixLstm;
use crate::cells::min_gru::MinGru;
use crate::cells::multiplicative_lstm::MultiplicativeLstm;
use crate::cells::mut1::Mut1;
use crate::cells::ode_rnn::OdeRnn;
use crate::cells::phased_lstm::PhasedLstm;
use crate::cells::qrnn::Qrnn;
use crate::cells::recurrent_highway::RecurrentHighway;
use crate::cells::s6::S6;
use crate::cells::sru::Sru;
use crate::cells::turing_machine::TuringMachine;
use crate::cells::ug_rnn::UgRnn;
use crate::task::Input;

/// A cell of the gallery.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The file.
    source: &'static str,
    /// The columns that it reads.
    pub(crate) input: Input,
    /// Makes the cell for a number of columns, in both precisions.
    pub(crate) double: New<f64>,
    #[allow(dead_code)]
    pub(crate) single: New<f32>,
}

type New<E> = fn(usize, &mut StdRng) -> Box<dyn AnyCell<E>>;

impl Entry {
    /// The lines of code of the cell: without comments and imports, and without what follows from the constructor on.
    pub(crate) fn lines(&self) -> usize {
        let cell = self.source.split("\n/// A cell").next().unwrap_or_default();
        let cell = cell.rsplit_once("\nimpl<E: Float> ").map_or(cell, |(cell, _)| cell);
        let counts = |line: &&str| {
            !["", "use ", "//"]
                .iter()
                .any(|start| line.trim() == *start || !start.is_empty() && line.trim().starts_with(start))
        };
        cell.lines().filter(counts).count()
    }
}

/// An entry: the name, the file, how its input looks, its constructor for `d` features and a state of 16, and where it has
/// one the function that binds its memory.
macro_rules! entry {
    ($name:literal, $file:literal, $input:expr, |$d:ident, $rng:ident| $new:expr) => {
        entry!($name, $file, $input, |$d, $rng| $new, |_, _| ())
    };
    ($name:literal, $file:literal, $input:expr, |$d:ident, $rng:ident| $new:expr, $bind:expr) => {
        Entry {
            name: $name,
            source: include_str!(concat!("cells/", $file, ".rs")),
            input: $input,
            double: |$d, $rng| Box::new(Bound { layer: Time::new($new), bind: $bind }),
            single: |$d, $rng| Box::new(Bound { layer: Time::new($new), bind: $bind }),
        }
    };
}

const H: usize = 16;

pub(crate) fn entries() -> Vec<Entry> {
    use Input::{Elapsed, Missing, Plain, Timed};
    vec![
        entry!("IndRNN", "ind_rnn", Plain, |d, rng| IndRnn::new(d, H, rng)),
        entry!("minGRU", "min_gru", Plain, |d, rng| MinGru::new(d, H, rng)),
        entry!("SRU", "sru", Plain, |d, rng| Sru::new(d, H, rng)),
        entry!("QRNN", "qrnn", Plain, |d, rng| Qrnn::new(d, H, rng)),
        entry!("UGRNN", "ug_rnn", Plain, |d, rng| UgRnn::new(d, H, rng)),
        entry!("MUT1", "mut1", Plain, |d, rng| Mut1::new(d, H, rng)),
        entry!("recurrent highway", "recurrent_highway", Plain, |d, rng| RecurrentHighway::new(d, H, rng)),
        entry!("multiplicative LSTM", "multiplicative_lstm", Plain, |d, rng| MultiplicativeLstm::new(
            d, H, rng
        )),
        entry!("antisymmetric RNN", "antisymmetric", Plain, |d, rng| Antisymmetric::new(d, H, rng)),
        entry!("coRNN", "co_rnn", Plain, |d, rng| CoRnn::new(d, H, rng)),
        entry!("liquid time constant", "liquid", Plain, |d, rng| Liquid::new(d, H, rng)),
        entry!("ODE-RNN", "ode_rnn", Elapsed, |d, rng| OdeRnn::new(d, H, rng)),
        entry!("GRU-D", "gru_d", Missing, |d, rng| GruD::new(d, H, rng)),
        entry!("phased LSTM", "phased_lstm", Timed, |d, rng| PhasedLstm::new(d, H, rng)),
        entry!("ConvLSTM", "conv_lstm", Plain, |d, rng| ConvLstm::new(d, 1, 4, rng)),
        entry!("fast weights", "fast_weights", Plain, |d, rng| FastWeights::new(d, H, rng)),
        entry!("xLSTM, matrix memory", "matrix_lstm", Plain, |d, rng| MatrixLstm::new(d, H, rng)),
        entry!("LRU", "lru", Plain, |d, rng| Lru::new(d, H, H, rng)),
        entry!("S6", "s6", Plain, |d, rng| S6::new(d, H, rng)),
        entry!("Turing machine", "turing_machine", Plain, |d, rng| TuringMachine::new(d, H, [6, 8], rng)),
        entry!(
            "attention in a cell",
            "attention_cell",
            Plain,
            |d, rng| AttentionCell::new(d, H, d, rng),
            AttentionCell::look_at
        ),
    ]
}
