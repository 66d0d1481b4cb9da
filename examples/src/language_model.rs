//! A model of language: which token comes next.

use retrograde::nn::{Layer, Linear, Module, SequenceOptions, Stateful, Window, cross_entropy, join};
use retrograde::prelude::{Embedding, Float, Param, Tape, Tensor, Var};

/// Tokens to vectors, over time, to a score for each token that may come next. The state goes on from call to call.
#[derive(Debug)]
pub struct LanguageModel<L: Layer<E>, E: Float> {
    /// A vector for each token.
    pub embedding: Embedding<E>,
    /// The layer that reads the vectors in order.
    pub rnn: Stateful<L, E>,
    /// The scores.
    pub head: Linear<E>,
}

impl<E: Float, L: Layer<E>> LanguageModel<L, E> {
    /// A model of these parts.
    pub fn new(embedding: Embedding<E>, layer: L, head: Linear<E>) -> Self {
        LanguageModel { embedding, rnn: Stateful::new(layer), head }
    }

    /// The scores of the token after each of `ids`.
    ///
    /// # Shapes
    /// `ids [N, T] -> [N, T, V]`
    ///
    /// # Errors
    /// If a token is unknown, or if the batch is another one than that of the carried state.
    pub fn scores<'t>(
        &mut self,
        tape: &'t Tape<E>,
        ids: &Tensor<usize>,
        options: &SequenceOptions<E>,
    ) -> retrograde::nn::Result<Var<'t, E>> {
        let xs = self.embedding.forward(tape, ids)?; // [N, T, D]
        let hs = self.rnn.forward_with(&xs, options)?.hs; // [N, T, H]
        self.head.forward(&hs)
    }

    /// The mean loss of a token of a window, in nats.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn loss<'t>(
        &mut self,
        tape: &'t Tape<E>,
        window: &Window,
        options: &SequenceOptions<E>,
    ) -> retrograde::nn::Result<Var<'t, E>> {
        cross_entropy(&self.scores(tape, &window.inputs, options)?, &window.targets)
    }
}

impl<E: Float, L: Layer<E>> Module<E> for LanguageModel<L, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.embedding.visit(&join(path, "embedding"), f);
        self.rnn.visit(&join(path, "rnn"), f);
        self.head.visit(&join(path, "head"), f);
    }
}
