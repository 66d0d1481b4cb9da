//! A model of text: which character comes next.

use rand::rngs::StdRng;
use retrograde::autograd::Param;
use retrograde::nn::{Dropout, Result, Sampler, SequenceOptions, Stacked, join};
use retrograde::prelude::*;

use crate::settings::Settings;

/// Characters to vectors, through layers over time, to a score for each character that may come next.
pub(crate) struct CharRnn<C: Cell<f32>> {
    embedding: Embedding<f32>,
    pub(crate) layers: Stacked<Time<C, f32>, f32>,
    linear: Linear<f32>,
    dropout: Dropout,
}

impl<C: Cell<f32>> Module<f32> for CharRnn<C> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<f32>)) {
        self.embedding.visit(&join(path, "embedding"), f);
        self.layers.visit(&join(path, "layers"), f);
        self.linear.visit(&join(path, "linear"), f);
    }
}

impl<C: Cell<f32>> CharRnn<C> {
    /// A model of `v` characters, of cells that `cell` makes for a size of input and of state.
    pub(crate) fn new(
        cell: fn(usize, usize, &mut StdRng) -> C,
        v: usize,
        settings: &Settings,
        rng: &mut StdRng,
    ) -> Self {
        let &Settings { layers, embedding: d, hidden: h, dropout, .. } = settings;
        let inputs = (0..layers).map(|layer| if layer == 0 { d } else { h });
        let stacked = Stacked::new(inputs.map(|d| Time::new(cell(d, h, rng))).collect()).stateful(true);
        CharRnn {
            embedding: Embedding::new(v, d, rng),
            layers: if layers > 1 { stacked.dropout(dropout) } else { stacked },
            linear: Linear::new(h, v, rng),
            dropout,
        }
    }

    /// The scores of the next character after each of `ids`, going on from where the last call ended.
    ///
    /// # Shapes
    /// `[N, T] -> [N, T, V]`
    pub(crate) fn forward<'t>(
        &mut self,
        tape: &'t Tape<f32>,
        ids: &Tensor<usize>,
        options: &SequenceOptions<f32>,
    ) -> Result<Var<'t, f32>> {
        let xs = self.embedding.forward(tape, ids)?; // [N, T, D]
        let hs = self.layers.forward_with(&xs, &options.child(0))?.hs; // [N, T, H]
        self.linear.forward(&self.dropout.forward(&hs, options.child(1).noise())) // [N, T, V]
    }

    /// The states of all layers before the first step, for a batch of `n`.
    pub(crate) fn initial_state(&self, n: usize) -> Vec<C::State> {
        self.layers.layers.iter().map(|layer| layer.cell.initial_state(n)).collect()
    }

    /// Reads a beginning from which to go on, then writes `length` characters, each drawn from what comes next.
    pub(crate) fn write(
        &mut self,
        beginning: &[usize],
        length: usize,
        sampler: &Sampler,
        rng: &mut StdRng,
    ) -> Result<Vec<usize>> {
        self.layers.reset_state();
        let mut ids = Tensor::from_vec(beginning.to_vec(), [1, beginning.len()])?; // [1, T]
        let mut written = Vec::new();
        while written.len() < length {
            let tape = Tape::inference();
            let scores = self.forward(&tape, &ids, &SequenceOptions::new())?.detach(); // [1, T, V]
            let last = scores.select(1, ids.dims()[1] - 1).select(0, 0); // [V]
            let next = sampler.sample(&last, rng)?;
            written.push(next);
            ids = Tensor::from([[next]]); // [1, 1]
        }
        Ok(written)
    }
}
