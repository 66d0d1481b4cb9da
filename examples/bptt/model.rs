//! A model of text: which character comes next.

use rand::Rng;
use rand::rngs::StdRng;
use retrograde::nn::{Result, Sampler};
use retrograde::prelude::*;

/// Characters to vectors, over time, to a score for each character that may come next.
pub(crate) struct CharModel<E: Float> {
    embedding: Embedding<E>,
    rnn: TimeRnn<E>,
    linear: Linear<E>,
}

module!(CharModel { embedding, rnn, linear });

impl<E: Float> CharModel<E> {
    /// A model of `v` characters that are vectors of `d` numbers, with a state of `h`.
    pub(crate) fn new(v: usize, d: usize, h: usize, rng: &mut StdRng) -> Self {
        CharModel {
            embedding: Embedding::new(v, d, rng),
            rnn: TimeRnn::new(RnnCell::new(d, h, rng)).stateful(true),
            linear: Linear::new(h, v, rng),
        }
    }

    /// The recurrent cell.
    pub(crate) fn cell(&self) -> &RnnCell<E> {
        &self.rnn.cell
    }

    /// The vectors of characters, `[1, D]` each.
    pub(crate) fn vectors(&self, ids: &[usize]) -> Result<Vec<Tensor<E>>> {
        let tape = Tape::inference();
        let row = |&id: &usize| Ok(self.embedding.forward(&tape, &Tensor::from([id]))?.detach()); // [1, D]
        ids.iter().map(row).collect()
    }

    /// The scores of the next character after each of `ids`, going on from where the last call ended.
    pub(crate) fn forward<'t>(&mut self, tape: &'t Tape<E>, ids: &Tensor<usize>) -> Result<Var<'t, E>> {
        let xs = self.embedding.forward(tape, ids)?; // [N, T] -> [N, T, D]
        let hs = self.rnn.forward(&xs)?.hs; // [N, T, H]
        self.linear.forward(&hs) // [N, T, V]
    }

    /// Forgets what was read.
    pub(crate) fn reset_state(&mut self) {
        self.rnn.reset_state();
    }

    /// Reads a beginning from which to go on, then writes `length` characters, each drawn from what comes next.
    ///
    /// A temperature below 1 favours what is likely.
    pub(crate) fn write(
        &mut self,
        beginning: &[usize],
        length: usize,
        temperature: f64,
        rng: &mut impl Rng,
    ) -> Result<Vec<usize>> {
        let sampler = Sampler { temperature, ..Sampler::default() };
        self.reset_state();
        let mut ids = Tensor::from_vec(beginning.to_vec(), [1, beginning.len()])?; // [1, T]
        let mut written = Vec::new();
        while written.len() < length {
            let tape = Tape::inference();
            let scores = self.forward(&tape, &ids)?.detach(); // [1, T, V]
            let last = scores.select(1, ids.dims()[1] - 1).select(0, 0); // [V]
            let next = sampler.sample(&last, rng)?;
            written.push(next);
            ids = Tensor::from([[next]]); // [1, 1]
        }
        Ok(written)
    }
}
