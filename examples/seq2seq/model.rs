//! An encoder that reads a question, and a decoder that writes the answer.
//!
//! # Source
//! I. Sutskever, O. Vinyals and Q. Le, *Sequence to sequence learning with neural networks* (2014), where the reversed
//! question is also from; peeky, K. Cho et al., *Learning phrase representations using RNN encoder-decoder for
//! statistical machine translation* (2014); attention, M. Luong, H. Pham and C. Manning, *Effective approaches to
//! attention-based neural machine translation* (2015). As in K. Saitoh, *Deep Learning from Scratch 2* (2018),
//! chapters 7 and 8.

use rand::rngs::StdRng;
use retrograde::nn::{Attention, DotAttention, Result, SequenceOptions, StateOn};
use retrograde::prelude::*;

use crate::addition::{ALPHABET, ANSWER, START, Sums, encode};

/// The kind of model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variant {
    /// The question is read backwards.
    pub(crate) reversed: bool,
    /// The decoder sees the encoder's last state in every step, at its input and at its output.
    pub(crate) peeky: bool,
    /// The decoder looks at all states of the encoder.
    pub(crate) attention: bool,
}

/// The model: `V` characters as vectors of D numbers, states of H.
pub(crate) struct Seq2seq<E: Float> {
    variant: Variant,
    questions: Embedding<E>,
    encoder: TimeLstm<E>,
    answers: Embedding<E>,
    decoder: TimeLstm<E>,
    linear: Linear<E>,
}
module!(Seq2seq { questions, encoder, answers, decoder, linear });

/// The encoder's message to the decoder.
struct Encoded<'t> {
    hs: Var<'t, f32>, // [N, S, H]
    last: Lstm<'t>,
}
type Lstm<'t> = StateOn<'t, LstmCell<f32>, f32>; // (h, c)

/// The output of the decoder.
struct Decoded<'t> {
    scores: Var<'t, f32>, // [N, T, V]
    last: Lstm<'t>,
    weights: Option<Var<'t, f32>>, // [N, T, S]
}

impl Seq2seq<f32> {
    pub(crate) fn new(variant: Variant, d: usize, h: usize, rng: &mut StdRng) -> Self {
        let v = ALPHABET.len();
        let peek = if variant.peeky { h } else { 0 };
        let context = if variant.attention { h } else { 0 };
        Seq2seq {
            variant,
            questions: Embedding::new(v, d, rng),
            encoder: TimeLstm::new(LstmCell::new(d, h, rng)),
            answers: Embedding::new(v, d, rng),
            decoder: TimeLstm::new(LstmCell::new(d + peek, h, rng)),
            linear: Linear::new(h + peek + context, v, rng),
        }
    }

    /// The loss of answers, each character given the right ones before it.
    pub(crate) fn loss<'t>(&mut self, tape: &'t Tape<f32>, sums: &Sums) -> Result<Var<'t, f32>> {
        let before = sums.answers.narrow(1, 0, ANSWER); // [N, T], from the start on
        let encoded = self.encode(tape, &sums.questions)?;
        let scores = self.decode(&encoded, &encoded.last, &before)?.scores; // [N, T, V]
        cross_entropy(&scores, &sums.answers.narrow(1, 1, ANSWER))
    }

    /// The likeliest answers, one character after the other, and where the decoder looked.
    ///
    /// # Shapes
    /// `[N, S] -> [N, T], [N, T, S]`
    pub(crate) fn answer(
        &mut self,
        questions: &Tensor<usize>,
    ) -> Result<(Tensor<usize>, Option<Tensor<f32>>)> {
        let tape = Tape::inference();
        let encoded = self.encode(&tape, questions)?;
        let n = questions.dims()[0];
        let mut ids = Tensor::full([n, 1], encode(START)[0]); // [N, 1]
        let (mut state, mut answers, mut weights) = (encoded.last.clone(), Vec::new(), Vec::new());
        for _ in 0..ANSWER {
            let decoded = self.decode(&encoded, &state, &ids)?;
            ids = decoded.scores.value().argmax(2);
            state = decoded.last;
            answers.push(ids.clone());
            weights.extend(decoded.weights.map(Var::detach));
        }
        let answers = Tensor::concat(&answers.iter().collect::<Vec<_>>(), 1);
        let weights: Vec<&Tensor<f32>> = weights.iter().collect();
        Ok((answers, (!weights.is_empty()).then(|| Tensor::concat(&weights, 1))))
    }

    fn encode<'t>(&mut self, tape: &'t Tape<f32>, questions: &Tensor<usize>) -> Result<Encoded<'t>> {
        let questions = if self.variant.reversed { reversed(questions) } else { questions.clone() };
        let xs = self.questions.forward(tape, &questions)?; // [N, S, D]
        let out = self.encoder.forward(&xs)?;
        Ok(Encoded { hs: out.hs, last: out.last })
    }

    fn decode<'t>(
        &self,
        encoded: &Encoded<'t>,
        state: &Lstm<'t>,
        ids: &Tensor<usize>,
    ) -> Result<Decoded<'t>> {
        let mut xs = vec![self.answers.forward(encoded.hs.tape(), ids)?]; // [N, T, D]
        let shape = [ids.dims()[0], ids.dims()[1], encoded.hs.shape()[2]];
        let peek = self.variant.peeky.then(|| encoded.last.0.unsqueeze(1).broadcast_to(shape)); // [N, T, H]
        xs.extend(peek.clone());
        let (hs, last) =
            self.decoder.run_from(&Var::concat(&xs, 2), state.clone(), &SequenceOptions::new())?; // [N, T, H]
        let attend = || DotAttention::new().attend(&encoded.hs, &hs, &SequenceOptions::new());
        let attended = self.variant.attention.then(attend).transpose()?;
        let mut ys = vec![hs];
        ys.extend(peek);
        ys.extend(attended.as_ref().map(|attended| attended.context.clone())); // [N, T, H]
        let scores = self.linear.forward(&Var::concat(&ys, 2))?; // [N, T, V]
        Ok(Decoded { scores, last, weights: attended.map(|attended| attended.weights) })
    }
}

/// Each row from its end to its beginning.
fn reversed(ids: &Tensor<usize>) -> Tensor<usize> {
    let last = ids.dims()[1] - 1;
    Tensor::from_fn(ids.shape(), |at| ids.at(&[at[0], last - at[1]]))
}
