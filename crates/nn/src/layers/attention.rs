//! Attention of a decoder to the states of an encoder.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use crate::module::Module;
use crate::shapes::{Axis, expect};
use crate::time::SequenceOptions;
use crate::{Result, init, module};

const OP: &str = "attention";

/// The outputs of an [`Attention`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attended<'t, E: Float> {
    /// The mean of the encoder's states by the weights, `[N, T, H]`; of one step `[N, H]`.
    pub context: Var<'t, E>,
    /// The weight of each of the encoder's states, `[N, T, S]`; of one step `[N, S]`. Over S they sum to 1.
    pub weights: Var<'t, E>,
}

/// Attention of a decoder to all states of an encoder: each state gets a score, and the context is the mean of the
/// states, weighted by the softmax of their scores. [`DotAttention`] and [`AdditiveAttention`] differ in the score.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Attention, DotAttention, GruCell, SequenceOptions, TimeGru};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let mut encoder = TimeGru::<f64>::new(GruCell::new(3, 4, &mut rng));
/// let mut decoder = TimeGru::new(GruCell::new(2, 4, &mut rng));
/// let tape = Tape::new();
/// let xs = tape.constant(Tensor::normal([2, 6, 3], 0.0, 1.0, &mut rng)?); // [N, S, D]
/// let ys = tape.constant(Tensor::normal([2, 5, 2], 0.0, 1.0, &mut rng)?); // [N, T, D']
///
/// let options = SequenceOptions::new().lengths(&[6, 4]); // the second sequence is shorter
/// let states = encoder.forward_with(&xs, &options)?.hs; // [N, S, H]
/// let queries = decoder.forward(&ys)?.hs; // [N, T, H]
/// let attended = DotAttention::new().attend(&states, &queries, &options)?;
/// assert_eq!(attended.context.value().dims(), [2, 5, 4]);
/// assert_eq!(attended.weights.value().at(&[1, 0, 4]), 0.0); // beyond its end
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub trait Attention<E: Float>: Module<E> {
    /// Returns the score of each state of the encoder for each state of the decoder.
    ///
    /// # Shapes
    /// `states [N, S, H], queries [N, T, Q] -> [N, T, S]`
    ///
    /// # Errors
    /// If H or Q is not the size that it should be.
    fn scores<'t>(&self, states: &Var<'t, E>, queries: &Var<'t, E>) -> Result<Var<'t, E>>;

    /// Returns the context and the weights, for all steps of the decoder or for one of them.
    ///
    /// `options` are those of the encoder: its positions that count. One that does not has a weight of 0, and no
    /// gradient flows to it, whatever its value: it may be NaN. A row in which no position counts has weights and a
    /// context of 0.
    ///
    /// # Shapes
    /// - `states [N, S, H], queries [N, T, Q] -> context [N, T, H], weights [N, T, S]`
    /// - `states [N, S, H], queries [N, Q] -> context [N, H], weights [N, S]`
    ///
    /// # Errors
    /// If a shape does not fit, of the states, the queries or what `options` holds, or if the two are not on one tape.
    fn attend<'t>(
        &self,
        states: &Var<'t, E>,
        queries: &Var<'t, E>,
        options: &SequenceOptions<E>,
    ) -> Result<Attended<'t, E>> {
        let shape = states.shape();
        expect(OP, "states", &[Axis::Any("N"), Axis::Any("S"), Axis::Any("H")], shape)?;
        let (n, positions) = (shape[0], shape[1]);
        if queries.shape().rank() == 2 {
            let Attended { context, weights } = self.attend(states, &queries.try_unsqueeze(1)?, options)?;
            return Ok(Attended { context: context.try_squeeze(1)?, weights: weights.try_squeeze(1)? });
        }
        expect(OP, "queries", &[Axis::Size(n), Axis::Any("T"), Axis::Any("Q")], queries.shape())?;
        let masks = options.masks(n, positions)?;
        let states = masks.clear(states)?; // [N, S, H]
        let scores = self.scores(&states, queries)?; // [N, T, S]
        let axes = [Axis::Size(n), Axis::Size(queries.shape()[1]), Axis::Size(positions)];
        expect(OP, "scores", &axes, scores.shape())?;
        let weights = match masks.counts() {
            Some(counts) => softmax_over(&scores, counts)?,
            None => scores.try_softmax(2)?,
        };
        let context = weights.try_matmul(&states)?; // [N, T, H]
        Ok(Attended { context, weights })
    }
}

/// The softmax over the positions that count, 0 at the others, and 0 everywhere in a row where none counts.
///
/// The others get the greatest score that counts in their row, whatever that is, and are taken out of the sum again: no
/// stand-in for `-inf` that a score could lie below, and nothing that is not finite.
///
/// # Shapes
/// `scores [N, T, S], counts [N, S] -> [N, T, S]`
fn softmax_over<'t, E: Float>(scores: &Var<'t, E>, counts: &Tensor<E>) -> Result<Var<'t, E>> {
    let counts = counts.unsqueeze(1); // [N, 1, S]
    let counted = |at: &[usize], s: usize| counts.at(&[at[0], 0, s]) != E::default();
    let (value, positions) = (scores.value(), counts.dims()[2]);
    let greatest = Tensor::from_fn(scores.shape().with_axis(2, 1), |at| {
        let of_row = (0..positions).filter(|&s| counted(at, s)).map(|s| value.at(&[at[0], at[1], s]));
        of_row.reduce(E::maximum).unwrap_or_default()
    }); // [N, T, 1]
    let none_counts = Tensor::from_fn([counts.dims()[0], 1, 1], |at| {
        E::from_f64(f64::from(u8::from(!(0..positions).any(|s| counted(at, s)))))
    });
    let p = scores.try_where_mask(&counts, greatest)?.try_softmax(2)?;
    let p = p.try_where_mask(&counts, 0.0)?; // [N, T, S]
    let sum = p.try_sum_axes(&[2], true)?.try_add(none_counts)?; // [N, T, 1]
    Ok(p.try_div(&sum)?)
}

/// Attention whose score is an inner product: `q · h`, or `q · W · h` with a trained `W`.
///
/// # Shapes
/// `W [Q, H]`; without it Q = H
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Attention, DotAttention, SequenceOptions};
/// use retrograde_tensor::{Tensor, assert_close};
///
/// let tape = Tape::new();
/// let states = tape.var(Tensor::from([[[1.0, 0.0], [0.0, 1.0]]])); // [1, 2, 2]
/// let query = tape.var(Tensor::from([[3.0_f64.ln(), 0.0]])); // [1, 2]: one step
/// let attended = DotAttention::new().attend(&states, &query, &SequenceOptions::new())?;
/// assert_close!(attended.weights.value(), Tensor::from([[0.75, 0.25]]), 1e-14, 0.0);
/// assert_close!(attended.context.value(), Tensor::from([[0.75, 0.25]]), 1e-14, 0.0);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// M. Luong, H. Pham and C. Manning, *Effective approaches to attention-based neural machine translation* (2015),
/// equations 7 and 8, where they are called dot and general.
#[derive(Clone, Debug)]
pub struct DotAttention<E: Float> {
    /// The weight between the two, `W [Q, H]`, if there is one.
    pub w: Option<Param<E>>,
}

module!(DotAttention { w });

impl<E: Float> DotAttention<E> {
    /// The plain inner product, `q · h`.
    #[allow(clippy::new_without_default, reason = "layers have no defaults")]
    #[must_use]
    pub fn new() -> Self {
        DotAttention { w: None }
    }

    /// The score `q · W · h`, for states of the decoder of size `q` and of the encoder of size `h`: normal weights of
    /// standard deviation `1/sqrt(fan-in)`.
    pub fn general<R: Rng + ?Sized>(q: usize, h: usize, rng: &mut R) -> Self {
        DotAttention { w: Some(Param::new("W", init::normal([q, h], q, rng))) }
    }

    /// The score `q · W · h` with this parameter, which it shares.
    ///
    /// # Errors
    /// If it is not of rank 2.
    pub fn from_param(w: Param<E>) -> Result<Self> {
        expect(OP, "w", &[Axis::Any("Q"), Axis::Any("H")], w.shape())?;
        Ok(DotAttention { w: Some(w) })
    }
}

impl<E: Float> Attention<E> for DotAttention<E> {
    fn scores<'t>(&self, states: &Var<'t, E>, queries: &Var<'t, E>) -> Result<Var<'t, E>> {
        let h = states.shape()[2];
        let q = self.w.as_ref().map_or(h, |w| w.shape()[0]);
        expect(OP, "queries", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(q)], queries.shape())?;
        let Some(w) = &self.w else { return Ok(queries.try_matmul(states.try_t()?)?) };
        expect(OP, "states", &[Axis::Any("N"), Axis::Any("S"), Axis::Size(w.shape()[1])], states.shape())?;
        Ok(queries.try_matmul(w)?.try_matmul(states.try_t()?)?)
    }
}

/// Attention whose score is a small network: `v · tanh(q · W + h · U)`.
///
/// # Shapes
/// `W [Q, A]`, `U [H, A]`, `v [A]`
///
/// # Source
/// D. Bahdanau, K. Cho and Y. Bengio, *Neural machine translation by jointly learning to align and translate* (2015),
/// appendix A.1.2.
#[derive(Clone, Debug)]
pub struct AdditiveAttention<E: Float> {
    /// The weight of the decoder's states, `W [Q, A]`.
    pub w: Param<E>,
    /// The weight of the encoder's states, `U [H, A]`.
    pub u: Param<E>,
    /// The weight of each unit in the score, `v [A]`.
    pub v: Param<E>,
}

module!(AdditiveAttention { w, u, v });

impl<E: Float> AdditiveAttention<E> {
    /// A network of `a` units, for states of the decoder of size `q` and of the encoder of size `h`: normal weights of
    /// standard deviation `1/sqrt(fan-in)`.
    pub fn new<R: Rng + ?Sized>(q: usize, h: usize, a: usize, rng: &mut R) -> Self {
        AdditiveAttention {
            w: Param::new("W", init::normal([q, a], q, rng)),
            u: Param::new("U", init::normal([h, a], h, rng)),
            v: Param::new("v", init::normal([a], a, rng)),
        }
    }

    /// Creates a network that shares these parameters.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(w: Param<E>, u: Param<E>, v: Param<E>) -> Result<Self> {
        expect(OP, "w", &[Axis::Any("Q"), Axis::Any("A")], w.shape())?;
        let a = w.shape()[1];
        expect(OP, "u", &[Axis::Any("H"), Axis::Size(a)], u.shape())?;
        expect(OP, "v", &[Axis::Size(a)], v.shape())?;
        Ok(AdditiveAttention { w, u, v })
    }
}

impl<E: Float> Attention<E> for AdditiveAttention<E> {
    fn scores<'t>(&self, states: &Var<'t, E>, queries: &Var<'t, E>) -> Result<Var<'t, E>> {
        let (q, h, a) = (self.w.shape()[0], self.u.shape()[0], self.v.shape()[0]);
        expect(OP, "queries", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(q)], queries.shape())?;
        expect(OP, "states", &[Axis::Any("N"), Axis::Any("S"), Axis::Size(h)], states.shape())?;
        let queries = queries.try_matmul(&self.w)?.try_unsqueeze(2)?; // [N, T, 1, A]
        let states = states.try_matmul(&self.u)?.try_unsqueeze(1)?; // [N, 1, S, A]
        let v = states.tape().try_param(&self.v)?.try_reshape([a, 1])?;
        Ok(queries.try_add(&states)?.tanh().try_matmul(&v)?.try_squeeze(3)?) // [N, T, S]
    }
}
