//! A model of text, and what some rows of a batch say of it.

use rand::rngs::StdRng;
use retrograde::autograd::Param;
use retrograde::nn::{CrossEntropy, join};
use retrograde::prelude::*;

use crate::ranks::Result;

/// Characters to vectors, through an LSTM over time, to a score for each character that may come next.
#[derive(Clone, Debug)]
pub struct CharRnn {
    embedding: Embedding<f32>,
    /// The layer over time, which carries its state from window to window.
    pub lstm: TimeLstm<f32>,
    linear: Linear<f32>,
}

impl Module<f32> for CharRnn {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<f32>)) {
        self.embedding.visit(&join(path, "embedding"), f);
        self.lstm.visit(&join(path, "lstm"), f);
        self.linear.visit(&join(path, "linear"), f);
    }
}

/// The loss of some rows, as a sum and a count, and the gradients of the sum: what adds up over parts of any size.
#[derive(Debug, Default)]
pub struct Share {
    /// The sum of the losses, in nats.
    pub loss: f64,
    /// The number of characters.
    pub count: usize,
    /// The gradients of the sum.
    pub grads: Gradients<f32>,
}

impl Share {
    /// Adds the share of other rows.
    pub fn add(&mut self, other: &Share) {
        self.loss += other.loss;
        self.count += other.count;
        self.grads.add_params(&other.grads);
    }
}

impl CharRnn {
    /// A model of `v` characters with vectors of size `d` and states of size `h`.
    pub fn new([v, d, h]: [usize; 3], rng: &mut StdRng) -> Self {
        CharRnn {
            embedding: Embedding::new(v, d, rng),
            lstm: Time::new(LstmCell::new(d, h, rng)).stateful(true),
            linear: Linear::new(h, v, rng),
        }
    }

    /// Returns the loss of some rows and its gradients.
    ///
    /// # Shapes
    /// `inputs [N, T]`, `targets [N, T]`
    ///
    /// # Errors
    /// If the shapes do not agree.
    pub fn pass(&mut self, inputs: &Tensor<usize>, targets: &Tensor<usize>) -> retrograde::nn::Result<Share> {
        let tape = Tape::new();
        let xs = self.embedding.forward(&tape, inputs)?; // [N, T, D]
        let hs = self.lstm.forward(&xs)?.hs; // [N, T, H]
        let mean = CrossEntropy::new().forward(&self.linear.forward(&hs)?, targets, None)?;
        let sum = mean.loss * Tensor::scalar(mean.count as f32);
        Ok(Share { loss: sum.value().item()?.into(), count: mean.count, grads: sum.backward()? })
    }

    /// Takes one step along the mean gradient of a whole batch. Returns the mean loss.
    ///
    /// # Errors
    /// If the batch has no characters, or if the gradients are not finite.
    pub fn descend(&self, mut batch: Share, adam: &mut Adam<f32>, max_norm: f64) -> Result<f64> {
        if batch.count == 0 {
            return Err("expected at least 1 row in the batch, found 0".into());
        }
        let part = 1.0 / batch.count as f32;
        batch.grads.update_params(|_, dw| *dw = &*dw * part);
        // The same norm on every rank, since the sum is.
        retrograde::nn::try_clip_grad_norm(&mut batch.grads, max_norm)?;
        adam.step(&batch.grads)?;
        Ok(batch.loss / batch.count as f64)
    }

    /// A hash of the bits of all parameters (FNV-1a).
    #[must_use]
    pub fn hash(&self) -> u64 {
        let values = self.params().into_iter().flat_map(|param| param.value().to_vec());
        let bytes = values.flat_map(|x| x.to_bits().to_le_bytes());
        bytes
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}
