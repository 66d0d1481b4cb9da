//! Layers over sequences: stacked, in both directions, reversed; and what a pass tells them.

mod common;

use common::{assert_near, normal, parts, perturb, seeded, tensors};
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{
    Bidirectional, Cell, Dropout, GruCell, Layer, LstmCell, Module, Noise, Pass, Residual, RnnCell, Stacked,
    State, Time, TimeLstm, TimeRnn,
};
use retrograde_tensor::{Shape, Tensor};

/// Everything that comes out of a call, and every gradient that goes back, for given cotangents.
struct Outcome {
    hs: Tensor<f64>,
    last: Vec<Tensor<f64>>,
    dxs: Tensor<f64>,
    dinitial: Vec<Tensor<f64>>,
    dparams: Vec<Tensor<f64>>,
}

fn zero_where_absent(gradient: Option<&Tensor<f64>>, shape: Shape) -> Tensor<f64> {
    gradient.cloned().unwrap_or_else(|| Tensor::zeros(shape))
}

fn outcome<L: Layer<f64>>(
    layer: &L,
    xs: &Tensor<f64>,
    given: Option<&L::State>,
    pass: &Pass<f64>,
    dhs: &Tensor<f64>,
    dlast: &[Tensor<f64>],
) -> Outcome {
    let tape = Tape::new();
    let x = tape.var(xs.clone());
    let out = layer.run(&x, given, pass).unwrap();
    let last = parts::<L::State>(&out.last);
    let mut outputs = vec![(&out.hs, dhs)];
    outputs.extend(last.iter().zip(dlast));
    let grads = tape.backward(&outputs).unwrap();
    let initial = parts::<L::State>(&out.initial);
    Outcome {
        hs: out.hs.value().clone(),
        last: last.iter().map(|h| h.value().clone()).collect(),
        dxs: zero_where_absent(grads.get(&x), x.shape()),
        dinitial: initial.iter().map(|h| zero_where_absent(grads.get(h), h.shape())).collect(),
        dparams: layer.params().iter().map(|w| zero_where_absent(grads.get(w), w.shape())).collect(),
    }
}

/// Random cotangents of the last state, for a batch of `n`.
fn like<S: State<f64>>(state: &S, rng: &mut StdRng) -> Vec<Tensor<f64>> {
    tensors(state).iter().map(|h| normal(h.shape(), 1.0, rng)).collect()
}

fn pair(parts: &[Tensor<f64>]) -> (Tensor<f64>, Tensor<f64>) {
    (parts[0].clone(), parts[1].clone())
}

fn rows(parts: &[Tensor<f64>], row: usize) -> Vec<Tensor<f64>> {
    parts.iter().map(|part| part.narrow(0, row, 1)).collect()
}

fn assert_all_near(name: &str, found: &[Tensor<f64>], expected: &[Tensor<f64>]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        if expected.numel() == 0 || expected.iter().all(|x| x == 0.0) {
            assert_eq!(found, expected, "{name}");
        } else {
            assert_near(name, found, expected, 1e-12);
        }
    }
}

fn assert_same(found: &Outcome, expected: &Outcome) {
    assert_near("hs", &found.hs, &expected.hs, 1e-12);
    assert_all_near("last", &found.last, &expected.last);
    assert_all_near("dxs", std::slice::from_ref(&found.dxs), std::slice::from_ref(&expected.dxs));
    assert_all_near("dinitial", &found.dinitial, &expected.dinitial);
    assert_all_near("dparams", &found.dparams, &expected.dparams);
}

fn lstm(d: usize, h: usize, rng: &mut StdRng) -> TimeLstm<f64> {
    let lstm = TimeLstm::new(LstmCell::new(d, h, rng));
    perturb(&lstm, rng);
    lstm
}

/// `[N, T, D, H]`
const SIZES: [[usize; 4]; 4] = [[1, 1, 2, 3], [3, 1, 1, 2], [1, 5, 3, 1], [4, 6, 2, 3]];

#[test]
fn reversed_is_reversed_input() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(steps as u64);
        let forwards = lstm(d, h, &mut rng);
        let backwards = forwards.clone().reversed(true);
        assert!(backwards.is_reversed() && !forwards.is_reversed());
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
        let zeros = forwards.cell.zero_state(n);
        let (initial, dlast) = (pair(&like(&zeros, &mut rng)), like(&zeros, &mut rng));
        let found = outcome(&backwards, &xs, Some(&initial), &Pass::new(), &dhs, &dlast);
        let mut expected =
            outcome(&forwards, &xs.flip(1), Some(&initial), &Pass::new(), &dhs.flip(1), &dlast);
        (expected.hs, expected.dxs) = (expected.hs.flip(1), expected.dxs.flip(1));
        assert_same(&found, &expected);
    }
}

#[test]
fn a_batch_is_a_loop_over_its_rows() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(n as u64);
        let layer = lstm(d, h, &mut rng);
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
        let zeros = layer.cell.zero_state(n);
        let (initial, dlast) = (like(&zeros, &mut rng), like(&zeros, &mut rng));
        let whole = outcome(&layer, &xs, Some(&pair(&initial)), &Pass::new(), &dhs, &dlast);
        let mut sums: Vec<Tensor<f64>> = layer.params().iter().map(|w| Tensor::zeros(w.shape())).collect();
        for row in 0..n {
            let (xs, dhs) = (xs.narrow(0, row, 1), dhs.narrow(0, row, 1));
            let initial = pair(&rows(&initial, row));
            let alone = outcome(&layer, &xs, Some(&initial), &Pass::new(), &dhs, &rows(&dlast, row));
            assert_near("hs", &whole.hs.narrow(0, row, 1), &alone.hs, 1e-12);
            assert_near("dxs", &whole.dxs.narrow(0, row, 1), &alone.dxs, 1e-12);
            assert_all_near("last", &rows(&whole.last, row), &alone.last);
            assert_all_near("dinitial", &rows(&whole.dinitial, row), &alone.dinitial);
            sums.iter_mut().zip(&alone.dparams).for_each(|(sum, dw)| *sum += dw);
        }
        assert_all_near("dparams", &whole.dparams, &sums);
    }
}

/// Of each row alone, cut at its end: whatever lies in the padding, forwards and backwards in time.
#[test]
fn a_masked_batch_is_each_row_alone() {
    let (n, steps, d, h) = (4, 5, 2, 3);
    let lengths = [5, 1, 3, 0];
    for (reversed, padding) in [(false, f64::NAN), (true, f64::NAN), (false, f64::INFINITY), (true, 7.0)] {
        let mut rng = seeded(5);
        let layer = lstm(d, h, &mut rng).reversed(reversed);
        let mut xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
        let mut dhs = normal::<f64>([n, steps, h], 1.0, &mut rng);
        for (row, &length) in lengths.iter().enumerate() {
            for step in length..steps {
                (0..d).for_each(|k| xs.set(&[row, step, k], padding).unwrap());
                (0..h).for_each(|k| dhs.set(&[row, step, k], padding).unwrap());
            }
        }
        let zeros = layer.cell.zero_state(n);
        let (initial, dlast) = (like(&zeros, &mut rng), like(&zeros, &mut rng));
        let mask = Tensor::from_fn([n, steps], |at| if at[1] < lengths[at[0]] { 1.0 } else { 0.0 });
        for pass in [Pass::new().lengths(&lengths), Pass::new().mask(mask)] {
            let whole = outcome(&layer, &xs, Some(&pair(&initial)), &pass, &dhs, &dlast);
            let mut sums: Vec<Tensor<f64>> =
                layer.params().iter().map(|w| Tensor::zeros(w.shape())).collect();
            for (row, &length) in lengths.iter().enumerate() {
                let cut = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, 0, length);
                let rest = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, length, steps - length);
                let initial = pair(&rows(&initial, row));
                let dlast = rows(&dlast, row);
                let alone = outcome(&layer, &cut(&xs), Some(&initial), &Pass::new(), &cut(&dhs), &dlast);
                assert_all_near("hs", &[cut(&whole.hs)], &[alone.hs]);
                assert_all_near("dxs", &[cut(&whole.dxs)], &[alone.dxs]);
                assert_all_near("last", &rows(&whole.last, row), &alone.last);
                assert_all_near("dinitial", &rows(&whole.dinitial, row), &alone.dinitial);
                assert!(rest(&whole.hs).iter().chain(rest(&whole.dxs).iter()).all(|x| x == 0.0));
                sums.iter_mut().zip(&alone.dparams).for_each(|(sum, dw)| *sum += dw);
            }
            assert_all_near("dparams", &whole.dparams, &sums);
        }
    }
}

/// A row with a reset is two sequences, of which the second starts from the state of a new sequence.
#[test]
fn a_reset_starts_a_new_sequence() {
    let (n, steps, d, h) = (3, 6, 2, 3);
    // The first steps of new sequences, by row: in the middle, none, at the start and twice in a row.
    let starts: [&[usize]; 3] = [&[3], &[], &[0, 4, 5]];
    for (reversed, learned) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut rng = seeded(6);
        let mut layer = lstm(d, h, &mut rng).reversed(reversed);
        if learned {
            layer = layer.learn_initial();
            perturb(&layer, &mut rng);
        }
        let xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
        let dhs = normal::<f64>([n, steps, h], 1.0, &mut rng);
        let resets = Tensor::from_fn([n, steps], |at| if starts[at[0]].contains(&at[1]) { 1.0 } else { 0.0 });
        let zeros = layer.cell.zero_state(n);
        let (initial, dlast) = (like(&zeros, &mut rng), like(&zeros, &mut rng));
        let found = outcome(&layer, &xs, Some(&pair(&initial)), &Pass::new().resets(resets), &dhs, &dlast);
        let mut sums: Vec<Tensor<f64>> = layer.params().iter().map(|w| Tensor::zeros(w.shape())).collect();
        for (row, &starts) in starts.iter().enumerate().take(n) {
            let bounds = [&[0], starts, &[steps]].concat();
            let pieces: Vec<(usize, usize)> =
                bounds.windows(2).map(|ends| (ends[0], ends[1])).filter(|(start, end)| start < end).collect();
            // Which piece the given state goes into, and which one the last state comes out of.
            let (first, last) = if reversed { (pieces.len() - 1, 0) } else { (0, pieces.len() - 1) };
            let unused = !reversed && starts.contains(&0);
            for (i, &(start, end)) in pieces.iter().enumerate() {
                let cut = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, start, end - start);
                let given = (i == first && !unused).then(|| pair(&rows(&initial, row)));
                let weight = if i == last { 1.0 } else { 0.0 };
                let dlast: Vec<Tensor<f64>> = rows(&dlast, row).iter().map(|dh| dh * weight).collect();
                let alone = outcome(&layer, &cut(&xs), given.as_ref(), &Pass::new(), &cut(&dhs), &dlast);
                assert_near("hs", &cut(&found.hs), &alone.hs, 1e-12);
                assert_near("dxs", &cut(&found.dxs), &alone.dxs, 1e-12);
                if given.is_some() {
                    assert_all_near("dinitial", &rows(&found.dinitial, row), &alone.dinitial);
                }
                if i == last {
                    assert_all_near("last", &rows(&found.last, row), &alone.last);
                }
                sums.iter_mut().zip(&alone.dparams).for_each(|(sum, dw)| *sum += dw);
            }
            if unused {
                assert!(rows(&found.dinitial, row).iter().flatten().all(|dh| dh == 0.0));
            }
        }
        assert_all_near("dparams", &found.dparams, &sums);
    }
}

#[test]
fn two_windows_are_one_sequence_if_nothing_is_cut() {
    let (n, steps, d, h) = (2, 7, 3, 2);
    let mut rng = seeded(7);
    let layer = lstm(d, h, &mut rng);
    let (xs, dhs) = (normal::<f64>([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
    let zeros = layer.cell.zero_state(n);
    let (initial, dlast) = (pair(&like(&zeros, &mut rng)), like(&zeros, &mut rng));
    let resets = Tensor::from_fn([n, steps], |at| if at[0] == 1 && at[1] == 5 { 1.0 } else { 0.0 });
    for resets in [Tensor::zeros([n, steps]), resets] {
        let whole = outcome(&layer, &xs, Some(&initial), &Pass::new().resets(resets.clone()), &dhs, &dlast);
        for cut in [0, 1, 4, 7] {
            let tape = Tape::new();
            let windows = [(0, cut), (cut, steps - cut)];
            let x = windows.map(|(start, length)| tape.var(xs.narrow(1, start, length)));
            let start = initial.on(&tape);
            let mut state = start.clone();
            let mut hs = Vec::new();
            for (x, (start, length)) in x.iter().zip(windows) {
                let pass = Pass::new().resets(resets.narrow(1, start, length));
                let out = layer.unroll_with(x, state, &pass).unwrap();
                hs.push(out.0);
                state = out.1;
            }
            let d = windows.map(|(start, length)| dhs.narrow(1, start, length));
            let outputs = [(&hs[0], &d[0]), (&hs[1], &d[1]), (&state.0, &dlast[0]), (&state.1, &dlast[1])];
            let grads = tape.backward(&outputs).unwrap();
            let dxs: Vec<Tensor<f64>> =
                x.iter().map(|x| zero_where_absent(grads.get(x), x.shape())).collect();
            let found = Outcome {
                hs: Tensor::concat(&[hs[0].value(), hs[1].value()], 1),
                last: vec![state.0.value().clone(), state.1.value().clone()],
                dxs: Tensor::concat(&[&dxs[0], &dxs[1]], 1),
                dinitial: vec![grads.get(&start.0).unwrap().clone(), grads.get(&start.1).unwrap().clone()],
                dparams: layer.params().iter().map(|w| grads.get(w).unwrap().clone()).collect(),
            };
            assert_same(&found, &whole);
        }
    }
}

#[test]
fn both_directions_are_one_layer_each() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(8);
        let layer = Bidirectional::<_, f64>::new(GruCell::new(d, h, &mut rng), GruCell::new(d, h, &mut rng));
        perturb(&layer, &mut rng);
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, 2 * h], 1.0, &mut rng));
        let zeros = Tensor::zeros([n, h]);
        let both = like(&(zeros.clone(), zeros), &mut rng);
        let dlast: Vec<Tensor<f64>> = both.iter().map(|h| h * 0.5).collect();
        let found = outcome(&layer, &xs, Some(&pair(&both)), &Pass::new(), &dhs, &dlast);
        let one = |layer: &Time<GruCell<f64>, f64>, k: usize| {
            let dhs = dhs.narrow(2, k * h, h);
            outcome(layer, &xs, Some(&both[k]), &Pass::new(), &dhs, &dlast[k..=k])
        };
        let (forward, backward) = (one(&layer.forward, 0), one(&layer.backward, 1));
        let joined = Outcome {
            hs: Tensor::concat(&[&forward.hs, &backward.hs], 2),
            last: [forward.last, backward.last].concat(),
            dxs: forward.dxs + backward.dxs,
            dinitial: [forward.dinitial, backward.dinitial].concat(),
            dparams: [forward.dparams, backward.dparams].concat(),
        };
        assert_same(&found, &joined);
        let paths: Vec<String> = layer.named_params().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths[..2], ["forward.wx", "forward.wh"]);
        assert_eq!(paths[4..6], ["backward.wx", "backward.wh"]);
    }
}

#[test]
fn stacked_layers_are_called_one_after_the_other() {
    let (n, steps, d, h) = (2, 4, 3, 2);
    let mut rng = seeded(9);
    let layers = vec![lstm(d, h, &mut rng), lstm(h, 5, &mut rng), lstm(5, 1, &mut rng)];
    let mut stacked = Stacked::new(layers.clone()).stateful(true);
    let mut single: Vec<_> = layers.into_iter().map(|layer| layer.stateful(true)).collect();
    for _window in 0..2 {
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, d], 1.0, &mut rng));
        let dhs = normal([n, steps, 1], 1.0, &mut rng);
        let out = stacked.forward(&xs).unwrap();
        let mut hs = xs.clone();
        for layer in &mut single {
            hs = layer.forward(&hs).unwrap().hs;
        }
        assert_near("hs", out.hs.value(), hs.value(), 1e-13);
        let states: Vec<Tensor<f64>> =
            single.iter().flat_map(|layer| tensors(layer.state().unwrap())).collect();
        assert_all_near("state", &tensors(&stacked.state().unwrap().to_vec()), &states);
        let (found, expected) = (out.hs.backward_with(&dhs).unwrap(), hs.backward_with(&dhs).unwrap());
        assert_near("dxs", found.get(&xs).unwrap(), expected.get(&xs).unwrap(), 1e-12);
        for (path, param) in stacked.named_params() {
            assert_near(&path, found.get(&param).unwrap(), expected.get(&param).unwrap(), 1e-12);
        }
    }
    assert_eq!(stacked.named_params()[3].0, "1.wx");
    stacked.set_state(vec![(Tensor::zeros([n, h]), Tensor::zeros([n, h]))]);
    let tape = Tape::new();
    let error = stacked.forward(&tape.constant(Tensor::zeros([n, steps, d]))).unwrap_err();
    assert_eq!(error.to_string(), "stacked: expected 3 states, found 1");
}

/// A learned initial state gets the sum over the rows of what reaches the state, unless one is given.
#[test]
fn an_initial_state_is_learned() {
    let mut rng = seeded(10);
    let mut layer = lstm(2, 3, &mut rng).learn_initial();
    let paths: Vec<String> = layer.named_params().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["wx", "wh", "b", "h0", "c0"]);
    assert_eq!(layer.initial()[1].value(), Tensor::zeros([1, 3]));
    perturb(&layer, &mut rng);
    let xs = normal([4, 5, 2], 1.0, &mut rng);
    let dhs = normal([4, 5, 3], 1.0, &mut rng);
    let tape = Tape::new();
    let out = layer.forward(&tape.constant(xs)).unwrap();
    let grads = out.hs.backward_with(&dhs).unwrap();
    for (param, part) in layer.initial().iter().zip([&out.initial.0, &out.initial.1]) {
        assert_eq!(part.value(), &param.value().broadcast_to([4, 3]));
        let sum = grads.get(part).unwrap().sum_axis(0, true);
        assert_near(param.name(), grads.get(param).unwrap(), &sum, 1e-13);
    }
    layer.set_state(pair(&[Tensor::ones([4, 3]), Tensor::zeros([4, 3])]));
    let out = layer.forward(&tape.constant(Tensor::zeros([4, 5, 2]))).unwrap();
    let grads = out.hs.backward_with(&dhs).unwrap();
    assert!(grads.get(&layer.initial()[0]).is_none());
    assert!(grads.get(&out.initial.0).is_some());
}

#[test]
fn dropout_between_layers_acts_in_training_alone() {
    let mut rng = seeded(11);
    let rnn = |d, h, rng: &mut StdRng| TimeRnn::<f64>::new(RnnCell::new(d, h, rng));
    let layers = vec![rnn(3, 40, &mut rng), rnn(40, 2, &mut rng)];
    let plain = Stacked::new(layers.clone());
    let dropped = Stacked::new(layers).dropout(Dropout::new(0.5).unwrap());
    let xs = normal([2, 3, 3], 1.0, &mut rng);
    let tape = Tape::new();
    let hs = |stacked: &Stacked<TimeRnn<f64>, f64>, noise| {
        let pass = Pass::new().noise(noise);
        stacked.run(&tape.constant(xs.clone()), None, &pass).unwrap().hs.detach()
    };
    assert_eq!(hs(&dropped, Noise::off()), hs(&plain, Noise::seeded(1)));
    assert_eq!(hs(&dropped, Noise::seeded(1)), hs(&dropped, Noise::seeded(1)));
    assert_ne!(hs(&dropped, Noise::seeded(1)), hs(&dropped, Noise::seeded(2)));
    assert_ne!(hs(&dropped, Noise::seeded(1)), hs(&plain, Noise::off()));
}

#[test]
fn dropout_keeps_the_mean_and_cuts_the_gradient() {
    let tape = Tape::new();
    let x = tape.var(Tensor::<f64>::ones([50, 40, 10]));
    let dropout = Dropout::new(0.2).unwrap();
    let y = dropout.forward(&x, Noise::seeded(3));
    assert!((y.value().mean().item().unwrap() - 1.0).abs() < 0.02);
    let dy = normal([50, 40, 10], 1.0, &mut seeded(12));
    let grads = y.backward_with(&dy).unwrap();
    assert_eq!(grads.get(&x), Some(&(&dy * y.value())));
    let y = Dropout::variational(0.2).unwrap().forward(&x, Noise::seeded(3)).detach();
    assert!((y.mean().item().unwrap() - 1.0).abs() < 0.1);
    assert!((1..40).all(|step| y.select(1, step) == y.select(1, 0)));
    for p in [-0.1, 1.0, f64::NAN] {
        let error = Dropout::new(p).unwrap_err().to_string();
        assert_eq!(error, format!("dropout: expected p to be at least 0 and below 1, found {p}"));
    }
}

#[test]
fn a_shortcut_adds_the_input() {
    let mut rng = seeded(13);
    let inner = lstm(3, 3, &mut rng);
    let xs = normal::<f64>([2, 4, 3], 1.0, &mut rng);
    let dhs = normal([2, 4, 3], 1.0, &mut rng);
    let pass = Pass::new().lengths(&[4, 2]);
    let expected = outcome(&inner, &xs, None, &pass, &dhs, &[]);
    let found = outcome(&Residual(inner), &xs, None, &pass, &dhs, &[]);
    let mask = Tensor::from_fn([2, 4, 3], |at| if at[0] == 0 || at[1] < 2 { 1.0 } else { 0.0 });
    assert_near("hs", &found.hs, &(&expected.hs + &xs * &mask), 1e-13);
    assert_near("dxs", &found.dxs, &(&expected.dxs + &dhs * &mask), 1e-13);
}

#[test]
fn a_pass_that_does_not_fit_is_refused() {
    let layer = lstm(2, 3, &mut seeded(14));
    let tape = Tape::new();
    let xs = tape.constant(Tensor::zeros([2, 4, 2]));
    let text = |pass: Pass<f64>| layer.run(&xs, None, &pass).err().unwrap().to_string();
    assert_eq!(text(Pass::new().lengths(&[1])), "pass: expected 2 lengths, found 1");
    let long = text(Pass::new().lengths(&[4, 5]));
    assert_eq!(long, "pass: expected lengths of at most 4, found 5 of row 1");
    let mask = text(Pass::new().mask(Tensor::zeros([4, 2])));
    assert_eq!(mask, "pass: expected a mask of shape [2, 4], found [4, 2]");
    let resets = text(Pass::new().resets(Tensor::zeros([2])));
    assert_eq!(resets, "pass: expected resets of shape [2, 4], found [2]");
}
