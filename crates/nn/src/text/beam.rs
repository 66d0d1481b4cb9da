//! Beam search: the likeliest sequences of a model that writes step by step.

use std::cmp::Ordering;

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::range::Range;
use crate::shapes::{Axis, expect};
use crate::time::{State, Tree};

const OP: &str = "beam search";

/// Searches for the likeliest sequences that a model writes, for each row of a batch: in each step it keeps the best
/// `beams` of all that go on by one token, and of those that have ended.
///
/// The score of a sequence is the logarithm of its probability over `length ^ length_penalty`. One beam always takes the
/// likeliest token.
///
/// # Example
/// ```
/// use retrograde_nn::BeamSearch;
/// use retrograde_tensor::Tensor;
///
/// // A chain of three tokens: the likeliest first token is not that of the likeliest sequence.
/// let next = Tensor::from([[0.0_f64, 0.6, 0.4], [0.5, 0.25, 0.25], [0.9, 0.05, 0.05]]).ln();
/// let mut step = |tokens: &Tensor<usize>, state: &Tensor<f64>| Ok((next.gather_rows(tokens), state.clone()));
/// let (start, state) = (Tensor::from([0]), Tensor::zeros([1, 0]));
/// let search = BeamSearch { beams: 2, end: Some(0), ..BeamSearch::new(4) };
/// let found = search.run(&start, &state, &mut step)?;
/// assert_eq!(found[0][0].tokens, [2, 0]);
/// assert!((found[0][0].log_probability - (0.4_f64 * 0.9).ln()).abs() < 1e-12);
/// let greedy = BeamSearch { beams: 1, ..search }.run(&start, &state, &mut step)?;
/// assert_eq!(greedy[0][0].tokens, [1, 0]);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// A. Graves, *Sequence transduction with recurrent neural networks* (2012), section 2.5; for the penalty, Y. Wu et al.,
/// *Google's neural machine translation system* (2016), section 7, in the simpler form of a power of the length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeamSearch {
    /// The number of sequences that are kept for each row.
    pub beams: usize,
    /// The most tokens of a sequence.
    pub steps: usize,
    /// The token with which a sequence ends, if there is one.
    pub end: Option<usize>,
    /// The power of the length that divides the logarithm of the probability: 0 for the probability itself, 1 for its mean.
    pub length_penalty: f64,
}

/// A sequence that was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Beam {
    /// The tokens, with the last one, without the first that was given.
    pub tokens: Vec<usize>,
    /// The logarithm of its probability.
    pub log_probability: f64,
    /// Whether it ended with the token for it, rather than with the last step.
    pub ended: bool,
}

/// A sequence that goes on: its row in the batch of the model.
#[derive(Clone)]
struct Live {
    beam: Beam,
    row: usize,
}

impl BeamSearch {
    /// Creates a search of 4 beams and at most `steps` tokens, without a token for the end and without a penalty.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        BeamSearch { beams: 4, steps, end: None, length_penalty: 0.0 }
    }

    /// Searches from a first token for each row of a batch, and from a state, such as that of an encoder. Returns the
    /// sequences of each row, the best first; of equals, those of the earlier beam and the lesser token.
    ///
    /// `step` takes the last tokens of all sequences that go on, `[R]`, and their states, and returns the logits of the next
    /// tokens, `[R, V]`, and the states after the step. R changes from step to step. It runs on a tape of its own, such as
    /// [`Tape::inference`](retrograde_autograd::Tape::inference).
    ///
    /// # Shapes
    /// `first [N]`; the first axis of each leaf of the state is N.
    ///
    /// # Errors
    /// If a setting is out of its range: `beams` at least 1, `length_penalty` finite and at least 0. If the shapes do not
    /// fit. If all logits of a sequence are `-inf`, or if one is NaN or `inf`. What `step` returns.
    pub fn run<E: Float, S: State<E>>(
        &self,
        first: &Tensor<usize>,
        state: &S,
        mut step: impl FnMut(&Tensor<usize>, &S) -> Result<(Tensor<E>, S)>,
    ) -> Result<Vec<Vec<Beam>>> {
        Range::Count.check(OP, "beams", self.beams as f64)?;
        Range::Rate.check(OP, "length_penalty", self.length_penalty)?;
        expect(OP, "the first tokens", &[Axis::Any("N")], first.shape())?;
        let n = first.numel();
        let start = |row| Live { beam: Beam { tokens: vec![], log_probability: 0.0, ended: false }, row };
        let mut live: Vec<Vec<Live>> = (0..n).map(|row| vec![start(row)]).collect();
        let mut ended: Vec<Vec<Beam>> = vec![Vec::new(); n];
        let (mut tokens, mut state) = (first.clone(), state.clone());
        for _ in 0..self.steps {
            let rows = tokens.numel();
            if rows == 0 {
                break;
            }
            rows_of(&state, rows)?;
            let (logits, next) = step(&tokens, &state)?;
            expect(OP, "logits", &[Axis::Size(rows), Axis::Any("V")], logits.shape())?;
            let mut going = Vec::new();
            for (live, ended) in live.iter_mut().zip(&mut ended) {
                self.extend(live, ended, &logits)?;
                for live in live {
                    going.push((live.row, live.beam.tokens.last().copied().unwrap_or_default()));
                    live.row = going.len() - 1;
                }
            }
            let parents = Tensor::from_fn([going.len()], |at| going[at[0]].0);
            tokens = Tensor::from_fn([going.len()], |at| going[at[0]].1);
            rows_of(&next, rows)?;
            state = Tree::map(&next, |x| x.gather_rows(&parents));
        }
        let all = live.into_iter().zip(ended).map(|(live, ended)| {
            let mut beams: Vec<Beam> = live.into_iter().map(|live| live.beam).chain(ended).collect();
            beams.sort_by(|a, b| self.order(a, b));
            beams
        });
        Ok(all.collect())
    }

    /// Lets the sequences of one row go on by each token, and keeps the best of them and of those that have ended.
    fn extend<E: Float>(
        &self,
        live: &mut Vec<Live>,
        ended: &mut Vec<Beam>,
        logits: &Tensor<E>,
    ) -> Result<()> {
        let mut all: Vec<(Beam, Option<usize>)> = ended.drain(..).map(|beam| (beam, None)).collect();
        for Live { beam, row } in live.drain(..) {
            for (token, log_p) in log_softmax(&logits.select(0, row))?.into_iter().enumerate() {
                let log_probability = beam.log_probability + log_p;
                if log_probability > f64::NEG_INFINITY {
                    let tokens = beam.tokens.iter().copied().chain([token]).collect();
                    let ended = self.end == Some(token);
                    all.push((Beam { tokens, log_probability, ended }, Some(row)));
                }
            }
        }
        all.sort_by(|(a, _), (b, _)| self.order(a, b)); // stable
        all.truncate(self.beams);
        for (beam, row) in all {
            match row {
                Some(row) if !beam.ended => live.push(Live { beam, row }),
                _ => ended.push(beam),
            }
        }
        Ok(())
    }

    fn order(&self, a: &Beam, b: &Beam) -> Ordering {
        let score =
            |beam: &Beam| beam.log_probability / (beam.tokens.len().max(1) as f64).powf(self.length_penalty);
        score(b).total_cmp(&score(a))
    }
}

/// Refuses a state whose leaves have another number of rows.
fn rows_of<E: Float>(state: &impl Tree<Tensor<E>>, rows: usize) -> Result<()> {
    let other = state.leaves().into_iter().find(|x| x.dims().first() != Some(&rows));
    other.map_or(Ok(()), |x| expect(OP, "a state", &[Axis::Size(rows), Axis::Any("..")], x.shape()))
}

/// The logarithms of the probabilities, in double precision.
///
/// # Shapes
/// `logits [V]`
pub(super) fn log_softmax<E: Float>(logits: &Tensor<E>) -> Result<Vec<f64>> {
    let logits: Vec<f64> = logits.iter().map(E::to_f64).collect();
    let greatest = super::sampler::greatest(OP, &logits)?;
    let total: f64 = logits.iter().map(|x| (x - greatest).exp()).sum();
    Ok(logits.into_iter().map(|x| x - greatest - total.ln()).collect())
}
