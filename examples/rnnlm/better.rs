//! The better model: two LSTM layers, dropout, and one matrix for words that go in and words that come out.

use rand::rngs::StdRng;
use retrograde::nn::{Dropout, Noise, Result, SequenceOptions, Stacked, init};
use retrograde::prelude::*;

use crate::train::LanguageModel;

/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 6.5.4; tied weights, O. Press and L. Wolf, *Using the
/// output embedding to improve language models* (2017).
pub(crate) struct BetterRnnlm<E: Float> {
    embedding: Embedding<E>, // W [V, D]
    lstm: Stacked<TimeLstm<E>, E>,
    b: Param<E>, // [V]
    dropout: Dropout,
}
module!(BetterRnnlm { embedding, lstm, b });

impl LanguageModel for BetterRnnlm<f32> {
    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f32>,
        ids: &Tensor<usize>,
        noise: Noise,
    ) -> Result<Var<'t, f32>> {
        let xs = self.embedding.forward(tape, ids)?; // [N, T] -> [N, T, D]
        let xs = self.dropout.forward(&xs, noise.child(0));
        let hs = self.lstm.forward_with(&xs, &SequenceOptions::new().with_noise(noise.child(1)))?.hs; // [N, T, D]
        let hs = self.dropout.forward(&hs, noise.child(2));
        Ok(hs.matmul(tape.param(&self.embedding.w).t()) + &self.b) // [N, T, V]
    }

    fn reset_state(&mut self) {
        self.lstm.reset_state();
    }
}

impl BetterRnnlm<f32> {
    /// A model of `v` words whose vectors, and whose states, are of `d` numbers.
    pub(crate) fn new(v: usize, d: usize, dropout: f64, rng: &mut StdRng) -> Result<Self> {
        let dropout = Dropout::new(dropout)?;
        let layers = (0..2).map(|_| TimeLstm::new(LstmCell::new(d, d, rng))).collect();
        Ok(BetterRnnlm {
            embedding: Embedding::from_array(Tensor::normal([v, d], 0.0, 0.05, rng)?)?,
            lstm: Stacked::new(layers).dropout(dropout).stateful(true),
            b: Param::new("b", init::zeros([v])),
            dropout,
        })
    }
}
