//! Beam search, against all sequences that there are.

use crate::common::{normal, seeded};
use retrograde_autograd::Tape;
use retrograde_nn::{
    BeamSearch, Embedding, Layer, Linear, LstmCell, Sampler, SequenceOptions, State, Time, TimeLstm,
};
use retrograde_tensor::Tensor;

type LstmState = (Tensor<f64>, Tensor<f64>);

/// A small language model, with sharp predictions.
struct Writer {
    embedding: Embedding<f64>,
    lstm: TimeLstm<f64>,
    linear: Linear<f64>,
}

impl Writer {
    fn new(v: usize, seed: u64) -> Self {
        let rng = &mut seeded(seed);
        let linear = Linear::from_arrays(normal([4, v], 2.0, rng), normal([v], 1.0, rng)).unwrap();
        Writer { embedding: Embedding::new(v, 3, rng), lstm: Time::new(LstmCell::new(3, 4, rng)), linear }
    }

    fn step(
        &self,
        tokens: &Tensor<usize>,
        state: &LstmState,
    ) -> retrograde_nn::Result<(Tensor<f64>, LstmState)> {
        let tape = Tape::inference();
        let xs = self.embedding.forward(&tape, tokens)?.unsqueeze(1); // [R, 1, D]
        let (hs, last) = self.lstm.run_from(&xs, state.on(&tape), &SequenceOptions::new())?;
        Ok((self.linear.forward(&hs.select(1, 0))?.value().clone(), LstmState::detach(&last)))
    }

    /// The logarithm of the probability of a sequence, from one run over all of it.
    fn log_probability(&self, first: usize, row: &LstmState, tokens: &[usize]) -> f64 {
        let tape = Tape::inference();
        let inputs: Vec<usize> = [first].iter().chain(tokens).copied().take(tokens.len()).collect();
        let inputs = Tensor::from_vec(inputs, [1, tokens.len()]).unwrap();
        let xs = self.embedding.forward(&tape, &inputs).unwrap();
        let hs = self.lstm.run(&xs, Some(row), &SequenceOptions::new()).unwrap().hs;
        let log_p = self.linear.forward(&hs).unwrap().value().log_softmax(2);
        tokens.iter().enumerate().map(|(t, &token)| log_p.at(&[0, t, token])).sum()
    }
}

/// All sequences of at most `steps` tokens that end with `end` or with the last step.
fn sequences(v: usize, steps: usize, end: Option<usize>) -> Vec<Vec<usize>> {
    let mut done = Vec::new();
    let mut open = vec![Vec::new()];
    for step in 0..steps {
        let mut next = Vec::new();
        for sequence in open {
            for token in 0..v {
                let longer: Vec<usize> = [&sequence[..], &[token]].concat();
                if end == Some(token) || step + 1 == steps { done.push(longer) } else { next.push(longer) }
            }
        }
        open = next;
    }
    done
}

#[test]
fn with_enough_beams_it_finds_the_likeliest_of_all() {
    for seed in 0..12 {
        let (v, steps, n) = (3 + seed as usize % 2, 3, 1 + seed as usize % 3);
        let writer = Writer::new(v, seed);
        let (end, length_penalty) = ([None, Some(1)][seed as usize % 2], [0.0, 1.0, 0.6][seed as usize % 3]);
        let state: LstmState =
            (normal([n, 4], 1.0, &mut seeded(seed)), normal([n, 4], 1.0, &mut seeded(seed + 50)));
        let first = Tensor::from_fn([n], |at| at[0] % v);
        let all = sequences(v, steps, end);
        let search = BeamSearch { beams: all.len() + v, end, length_penalty, ..BeamSearch::new(steps) };
        let found = search.run(&first, &state, |tokens, state| writer.step(tokens, state)).unwrap();
        for (row, found) in found.iter().enumerate() {
            let one = (state.0.narrow(0, row, 1), state.1.narrow(0, row, 1));
            let mut expected: Vec<(f64, f64, &Vec<usize>)> = all
                .iter()
                .map(|tokens| {
                    let log_p = writer.log_probability(first.at(&[row]), &one, tokens);
                    (log_p / (tokens.len() as f64).powf(length_penalty), log_p, tokens)
                })
                .collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0));
            assert_eq!(found.len(), all.len());
            for (found, (_, log_p, tokens)) in found.iter().zip(expected) {
                assert_eq!(&found.tokens, tokens);
                assert!((found.log_probability - log_p).abs() < 1e-10);
                assert_eq!(found.ended, end.is_some() && tokens.last().copied() == end);
            }
        }
    }
}

#[test]
fn one_beam_is_greedy_and_rows_do_not_mix() {
    for seed in 0..8 {
        let (v, steps, n) = (5, 6, 3);
        let writer = Writer::new(v, seed);
        let state: LstmState = (normal([n, 4], 1.0, &mut seeded(seed)), Tensor::zeros([n, 4]));
        let first = Tensor::from([0, 1, 2]);
        let search = BeamSearch { beams: 1, end: Some(4), ..BeamSearch::new(steps) };
        let step = |tokens: &Tensor<usize>, state: &LstmState| writer.step(tokens, state);
        let found = search.run(&first, &state, step).unwrap();
        let wide = BeamSearch { beams: 3, ..search };
        let many = wide.run(&first, &state, step).unwrap();
        for row in 0..n {
            let mut one = (state.0.narrow(0, row, 1), state.1.narrow(0, row, 1));
            let mut tokens = vec![first.at(&[row])];
            while tokens.len() <= steps && (tokens.len() == 1 || tokens.last() != Some(&4)) {
                let (logits, next) = writer.step(&Tensor::from([*tokens.last().unwrap()]), &one).unwrap();
                tokens.push(logits.argmax(1).at(&[0]));
                one = next;
            }
            assert_eq!(found[row][0].tokens, tokens[1..]);
            // A batch is its rows, one by one.
            let one = (state.0.narrow(0, row, 1), state.1.narrow(0, row, 1));
            let alone = wide.run(&first.narrow(0, row, 1), &one, step).unwrap();
            assert_eq!(alone[0].len(), many[row].len());
            for (a, b) in alone[0].iter().zip(&many[row]) {
                assert_eq!(a.tokens, b.tokens);
                assert!((a.log_probability - b.log_probability).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn bad_searches_are_refused() {
    let (first, state) = (Tensor::from([0, 1]), Tensor::<f64>::zeros([2, 1]));
    let search = BeamSearch::new(2);
    let text = |search: BeamSearch, logits: Tensor<f64>, state: &Tensor<f64>| {
        let step = |_: &Tensor<usize>, state: &Tensor<f64>| Ok((logits.clone(), state.clone()));
        search.run(&first, state, step).unwrap_err().to_string()
    };
    let ones = Tensor::ones([2, 3]);
    let none = BeamSearch { beams: 0, ..search };
    assert_eq!(text(none, ones.clone(), &state), "beam search: expected beams to be at least 1, found 0");
    let odd = BeamSearch { length_penalty: f64::NAN, ..search };
    assert!(text(odd, ones.clone(), &state).starts_with("beam search: expected length_penalty"));
    let three = Tensor::zeros([3, 1]);
    assert_eq!(
        text(search, ones.clone(), &three),
        "beam search: expected a state of shape [2, ..], found [3, 1]"
    );
    let flat = Tensor::ones([3]);
    assert_eq!(text(search, flat, &state), "beam search: expected logits of shape [2, V], found [3]");
    assert_eq!(
        text(search, Tensor::ones([2, 0]), &state),
        "beam search: expected at least 1 logit, found none"
    );
    assert!(text(search, Tensor::full([2, 3], f64::NAN), &state).contains("found NaN"));
    let no_rows =
        search.run(&Tensor::zeros([0]), &Tensor::<f64>::zeros([0, 1]), |_, _| unreachable!()).unwrap();
    assert!(no_rows.is_empty());
    // Impossible tokens are never written.
    let only = Tensor::from([[f64::NEG_INFINITY, 0.0], [0.0, f64::NEG_INFINITY]]);
    let found =
        search.run(&first, &state, |tokens, state| Ok((only.gather_rows(tokens), state.clone()))).unwrap();
    assert_eq!(found[0].len(), 1);
    assert_eq!((&found[0][0].tokens[..], &found[1][0].tokens[..]), (&[1, 0][..], &[0, 1][..]));
}

#[test]
fn rows_are_sampled_one_after_the_other() {
    for seed in 0..10 {
        let logits = normal::<f64>([2, 3, 4], 2.0, &mut seeded(seed));
        let sampler = Sampler { temperature: 0.7, top_k: Some(3), top_p: 0.9 };
        let found = sampler.sample_rows(&logits, &mut seeded(seed)).unwrap();
        let rng = &mut seeded(seed);
        let expected = Tensor::from_fn([2, 3], |at| {
            sampler.sample(&logits.select(0, at[0]).select(0, at[1]), rng).unwrap()
        });
        assert_eq!(found, expected);
        let transposed = logits.permute(&[1, 0, 2]);
        assert_eq!(sampler.sample_rows(&transposed, &mut seeded(seed)).unwrap().dims(), [3, 2]);
    }
    let sampler = Sampler::default();
    let text = |shape: &[usize]| {
        let shape = retrograde_tensor::Shape::new(shape).unwrap();
        sampler.sample_rows(&Tensor::<f32>::zeros(shape), &mut seeded(1)).unwrap_err().to_string()
    };
    assert_eq!(text(&[]), "sampler: expected logits of shape [.., V], found []");
    assert_eq!(text(&[2, 0]), "sampler: expected at least 1 logit, found none");
    assert_eq!(sampler.sample_rows(&Tensor::<f32>::zeros([0, 3]), &mut seeded(1)).unwrap().dims(), [0]);
}
