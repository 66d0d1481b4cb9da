//! Attention, against a loop over rows, steps and positions.

use crate::common::{assert_near, normal, seeded};
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape};
use retrograde_check::Check;
use retrograde_nn::{AdditiveAttention, Attention, DotAttention, SequenceOptions};
use retrograde_tensor::Tensor;

/// `[N, S, T, H, Q]`
const SIZES: [[usize; 5]; 4] = [[1, 1, 1, 1, 2], [1, 4, 2, 3, 2], [3, 1, 4, 2, 5], [2, 5, 3, 4, 3]];

/// The score of one state of the encoder for one of the decoder.
type Score = Box<dyn Fn(&[f64], &[f64]) -> f64>;

fn column_product(x: &[f64], w: &Tensor<f64>, column: usize) -> f64 {
    x.iter().enumerate().map(|(i, x)| x * w.at(&[i, column])).sum()
}

/// The kinds of attention for states of size `h` and queries of size `q`, with their scores by the formula.
fn kinds(h: usize, q: usize, rng: &mut StdRng) -> Vec<(Box<dyn Attention<f64>>, Score, usize)> {
    let a = 4;
    let additive = AdditiveAttention::new(q, h, a, rng);
    let general = DotAttention::general(q, h, rng);
    let between = general.w.as_ref().unwrap().value();
    let [w, u, v] = [&additive.w, &additive.u, &additive.v].map(Param::value);
    let dot: Score = Box::new(|s, q| s.iter().zip(q).map(|(s, q)| s * q).sum());
    let of_general: Score =
        Box::new(move |s, q| s.iter().enumerate().map(|(i, s)| s * column_product(q, &between, i)).sum());
    let of_additive: Score = Box::new(move |s, q| {
        let unit = |i| (column_product(q, &w, i) + column_product(s, &u, i)).tanh() * v.at(&[i]);
        (0..a).map(unit).sum()
    });
    vec![
        (Box::new(DotAttention::new()), dot, h),
        (Box::new(general), of_general, q),
        (Box::new(additive), of_additive, q),
    ]
}

fn row(x: &Tensor<f64>, n: usize, i: usize) -> Vec<f64> {
    x.select(0, n).select(0, i).to_vec()
}

/// The context and the weights, element by element, over the first `lengths[n]` positions of each row.
fn naive(states: &Tensor<f64>, queries: &Tensor<f64>, lengths: &[usize], score: &Score) -> [Tensor<f64>; 2] {
    let [n, positions, h] = [0, 1, 2].map(|axis| states.dims()[axis]);
    let steps = queries.dims()[1];
    let (mut context, mut weights) = (Tensor::zeros([n, steps, h]), Tensor::zeros([n, steps, positions]));
    for (n, &length) in lengths.iter().enumerate() {
        for step in 0..steps {
            let query = row(queries, n, step);
            let e: Vec<f64> = (0..length).map(|s| score(&row(states, n, s), &query).exp()).collect();
            let sum: f64 = e.iter().sum();
            for (s, e) in e.iter().enumerate() {
                weights.set(&[n, step, s], e / sum).unwrap();
                for (k, x) in row(states, n, s).iter().enumerate() {
                    let so_far = context.at(&[n, step, k]);
                    context.set(&[n, step, k], so_far + e / sum * x).unwrap();
                }
            }
        }
    }
    [context, weights]
}

#[test]
fn is_the_mean_by_the_softmax_of_the_scores() {
    for [n, positions, steps, h, q] in SIZES {
        let mut rng = seeded((n + positions) as u64);
        for (attention, score, q) in kinds(h, q, &mut rng) {
            let states = normal::<f64>([n, positions, h], 1.0, &mut rng);
            let queries = normal::<f64>([n, steps, q], 1.0, &mut rng);
            let [context, weights] = naive(&states, &queries, &vec![positions; n], &score);
            let tape = Tape::new();
            let found = attention
                .attend(&tape.var(states.clone()), &tape.var(queries.clone()), &SequenceOptions::new())
                .unwrap();
            assert_near("context", found.context.value(), &context, 1e-13);
            assert_near("weights", found.weights.value(), &weights, 1e-13);

            let one = queries.select(1, steps - 1); // [N, Q]: one step of a decoder
            let found = attention.attend(&tape.var(states), &tape.var(one), &SequenceOptions::new()).unwrap();
            assert_near("context", found.context.value(), &context.select(1, steps - 1), 1e-13);
            assert_near("weights", found.weights.value(), &weights.select(1, steps - 1), 1e-13);
        }
    }
}

#[test]
fn gradients_are_those_of_what_is_computed() {
    let [n, positions, steps, h, q] = [3, 4, 2, 3, 2];
    let mut rng = seeded(5);
    for (attention, _, q) in kinds(h, q, &mut rng) {
        for options in [SequenceOptions::new(), SequenceOptions::new().lengths(&[4, 0, 2])] {
            let mut check = Check::new()
                .input("states", normal([n, positions, h], 1.0, &mut rng))
                .input("queries", normal([n, steps, q], 1.0, &mut rng))
                .time_axis("queries", 1)
                .time_axis("context", 1);
            for (path, param) in attention.named_params() {
                check = check.param(path, &param);
            }
            let report = check.run(|_, x| {
                let out = attention.attend(&x["states"], &x["queries"], &options)?;
                Ok([("context", out.context), ("weights", out.weights)].into())
            });
            report.unwrap().assert_ok();
        }
    }
}

/// Whatever lies beyond the end of a row: exact zeros there, and elsewhere what each row alone gets.
#[test]
fn positions_that_do_not_count_have_no_part_in_it() {
    let [n, positions, steps, h, q] = [4, 5, 3, 3, 2];
    let lengths = [5, 1, 0, 3];
    let mut rng = seeded(6);
    for padding in [f64::NAN, f64::INFINITY, 1e300] {
        for (attention, score, q) in kinds(h, q, &mut rng) {
            let clean = normal::<f64>([n, positions, h], 1.0, &mut rng);
            let queries = normal::<f64>([n, steps, q], 1.0, &mut rng);
            let counts = Tensor::from_fn([n, positions], |at| f64::from(u8::from(at[1] < lengths[at[0]])));
            let states = Tensor::where_mask(&counts.unsqueeze(2), &clean, &Tensor::scalar(padding));
            let [context, weights] = naive(&clean, &queries, &lengths, &score);
            let dcontext = normal::<f64>([n, steps, h], 1.0, &mut rng);
            let dweights = normal::<f64>([n, steps, positions], 1.0, &mut rng);
            for options in
                [SequenceOptions::new().lengths(&lengths), SequenceOptions::new().mask(counts.clone())]
            {
                let tape = Tape::new();
                let (x, y) = (tape.var(states.clone()), tape.var(queries.clone()));
                let found = attention.attend(&x, &y, &options).unwrap();
                assert_near("context", found.context.value(), &context, 1e-13);
                assert_near("weights", found.weights.value(), &weights, 1e-13);
                let outputs = [(&found.context, &dcontext), (&found.weights, &dweights)];
                let grads = tape.backward(&outputs).unwrap();
                let (dx, dy) = (grads.get(&x).unwrap(), grads.get(&y).unwrap());
                assert!(dx.iter().chain(dy).all(f64::is_finite));
                for param in attention.params() {
                    assert!(grads.get(&param).unwrap().iter().all(f64::is_finite));
                }
                for (n, &length) in lengths.iter().enumerate() {
                    let rest = |x: &Tensor<f64>, axis| {
                        x.select(0, n).narrow(axis, length, positions - length).to_vec()
                    };
                    assert!(rest(dx, 0).iter().all(|&d| d == 0.0));
                    assert!(rest(found.weights.value(), 1).iter().all(|&w| w == 0.0));
                    let cut = |x: &Tensor<f64>, axis| x.narrow(0, n, 1).narrow(axis, 0, length);
                    if length == 0 {
                        assert!(dy.select(0, n).iter().all(|d| d == 0.0));
                        continue;
                    }
                    let tape = Tape::new();
                    let (a, b) = (tape.var(cut(&states, 1)), tape.var(queries.narrow(0, n, 1)));
                    let alone = attention.attend(&a, &b, &SequenceOptions::new()).unwrap();
                    let (dc, dw) = (dcontext.narrow(0, n, 1), cut(&dweights, 2));
                    let grads = tape.backward(&[(&alone.context, &dc), (&alone.weights, &dw)]).unwrap();
                    assert_near("dstates", &cut(dx, 1), grads.get(&a).unwrap(), 1e-12);
                    assert_near("dqueries", &dy.narrow(0, n, 1), grads.get(&b).unwrap(), 1e-12);
                }
            }
        }
    }
}

/// A search for the first value that is not finite is not stopped by what masks put in.
#[test]
fn masks_leave_nothing_that_is_not_finite() {
    let mut rng = seeded(7);
    let tape = Tape::new();
    let states = tape.var(normal::<f64>([2, 3, 4], 1.0, &mut rng));
    let queries = tape.var(normal::<f64>([2, 2, 4], 1.0, &mut rng));
    let options = SequenceOptions::new().lengths(&[0, 2]);
    let out = DotAttention::new().attend(&states, &queries, &options).unwrap();
    assert_eq!(out.context.square().sum().check_finite(), Ok(()));
}

#[test]
fn no_positions_and_no_steps() {
    let tape = Tape::<f64>::new();
    let attend = |positions, steps| {
        let states = tape.var(Tensor::zeros([2, positions, 3]));
        let out = DotAttention::new().attend(
            &states,
            &tape.var(Tensor::ones([2, steps, 3])),
            &SequenceOptions::new(),
        );
        let out = out.unwrap();
        (out.context.detach(), out.weights.detach())
    };
    assert_eq!(attend(0, 4), (Tensor::zeros([2, 4, 3]), Tensor::zeros([2, 4, 0])));
    assert_eq!(attend(5, 0), (Tensor::zeros([2, 0, 3]), Tensor::zeros([2, 0, 5])));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let mut rng = seeded(8);
    let tape = Tape::<f64>::new();
    let of = |dims: &[usize]| tape.var(Tensor::zeros(retrograde_tensor::Shape::new(dims).unwrap()));
    let dot = DotAttention::new();
    let general = DotAttention::general(2, 3, &mut rng);
    let additive = AdditiveAttention::new(2, 3, 4, &mut rng);
    let text = |attention: &dyn Attention<f64>,
                states: &[usize],
                queries: &[usize],
                options: &SequenceOptions<f64>| {
        attention.attend(&of(states), &of(queries), options).unwrap_err().to_string()
    };
    let any = SequenceOptions::new();
    for (found, expected) in [
        (text(&dot, &[5, 3], &[2, 4, 3], &any), "states of shape [N, S, H], found [5, 3]"),
        (text(&dot, &[2, 5, 3], &[1, 4, 3], &any), "queries of shape [2, T, Q], found [1, 4, 3]"),
        (text(&dot, &[2, 5, 3], &[2, 4, 2], &any), "queries of shape [N, T, 3], found [2, 4, 2]"),
        (text(&general, &[2, 5, 3], &[2, 4, 3], &any), "queries of shape [N, T, 2], found [2, 4, 3]"),
        (text(&general, &[2, 5, 2], &[2, 4, 2], &any), "states of shape [N, S, 3], found [2, 5, 2]"),
        (text(&additive, &[2, 5, 3], &[2, 4, 3], &any), "queries of shape [N, T, 2], found [2, 4, 3]"),
        (text(&additive, &[2, 5, 2], &[2, 4, 2], &any), "states of shape [N, S, 3], found [2, 5, 2]"),
    ] {
        assert_eq!(found, format!("attention: expected {expected}"));
    }
    let found = text(&dot, &[2, 5, 3], &[2, 4, 3], &SequenceOptions::new().lengths(&[5]));
    assert_eq!(found, "sequence options: expected 2 lengths, found 1");
    let found = text(&dot, &[2, 5, 3], &[2, 4, 3], &SequenceOptions::new().lengths(&[5, 6]));
    assert_eq!(found, "sequence options: expected lengths of at most 5, found 6 of row 1");
    let other = Tape::new();
    let found =
        dot.attend(&of(&[2, 5, 3]), &other.var(Tensor::zeros([2, 4, 3])), &any).unwrap_err().to_string();
    assert_eq!(found, "matmul: expected a variable of this tape, found one of another tape");
    let param = |dims: [usize; 2]| Param::new("p", Tensor::<f64>::zeros(dims));
    let error = AdditiveAttention::from_params(param([2, 4]), param([3, 5]), param([4, 1])).unwrap_err();
    assert_eq!(error.to_string(), "attention: expected u of shape [H, 4], found [3, 5]");
}
