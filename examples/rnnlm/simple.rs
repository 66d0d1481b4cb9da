//! The simple model: words to vectors, over time, to a score for each word that may come next.

use rand::rngs::StdRng;
use retrograde::nn::weights::Weights;
use retrograde::nn::{Noise, Result};
use retrograde::prelude::*;

use crate::train::LanguageModel;

/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.5.1.
pub(crate) struct SimpleRnnlm<E: Float> {
    embedding: Embedding<E>,
    rnn: TimeRnn<E>,
    linear: Linear<E>,
}
module!(SimpleRnnlm { embedding, rnn, linear });

impl LanguageModel for SimpleRnnlm<f32> {
    fn forward<'t>(&mut self, tape: &'t Tape<f32>, ids: &Tensor<usize>, _: Noise) -> Result<Var<'t, f32>> {
        let xs = self.embedding.forward(tape, ids)?; // [N, T] -> [N, T, D]
        let hs = self.rnn.forward(&xs)?.hs; // [N, T, H]
        self.linear.forward(&hs) // [N, T, V]
    }

    fn reset_state(&mut self) {
        self.rnn.reset_state();
    }
}

impl SimpleRnnlm<f32> {
    /// A model of `v` words that are vectors of `d` numbers, with a state of `h`.
    pub(crate) fn new(v: usize, d: usize, h: usize, rng: &mut StdRng) -> Self {
        SimpleRnnlm {
            embedding: Embedding::new(v, d, rng),
            rnn: TimeRnn::new(RnnCell::new(d, h, rng)).stateful(true),
            linear: Linear::new(h, v, rng),
        }
    }

    /// A model of given weights, by the textbook's names.
    pub(crate) fn load(weights: &Weights) -> Result<Self> {
        let get = |name: &str| weights.get::<f32>(name);
        let cell = RnnCell::from_arrays(get("rnn_Wx")?, get("rnn_Wh")?, get("rnn_b")?)?;
        Ok(SimpleRnnlm {
            embedding: Embedding::from_array(get("embed_W")?)?,
            rnn: TimeRnn::new(cell).stateful(true),
            linear: Linear::from_arrays(get("affine_W")?, get("affine_b")?)?,
        })
    }
}
