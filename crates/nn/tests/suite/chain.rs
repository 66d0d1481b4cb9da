//! Layers of different types one after the other, any layer stateful, tied weights, recurrent dropout.

use crate::common::outcome::{assert_all_near, like, lstm, outcome};
use crate::common::{assert_near, normal, perturb, seeded, tensors};
use rand::RngExt;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape};
use retrograde_check::Check;
use retrograde_nn::{
    Bidirectional, Cell, Embedding, GruCell, Layer, LayerNorm, Linear, LstmCell, MguCell, Module, Noise,
    Residual, RnnCell, SequenceOptions, State, Stateful, Time, TimeRnn, cross_entropy, module,
};
use retrograde_tensor::{Float, Tensor};

/// `[N, T, D, H]`
const SIZES: [[usize; 4]; 4] = [[1, 1, 2, 3], [3, 1, 1, 2], [1, 5, 3, 1], [4, 6, 2, 3]];

#[test]
fn a_chain_is_one_layer_after_the_other() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(21);
        let chain =
            (lstm(d, h, &mut rng), (TimeRnn::new(RnnCell::new(h, 5, &mut rng)), Linear::new(5, 2, &mut rng)));
        perturb(&chain, &mut rng);
        let paths: Vec<String> = chain.named_params().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["0.wx", "0.wh", "0.b", "1.0.wx", "1.0.wh", "1.0.b", "1.1.w", "1.1.b"]);
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, 2], 1.0, &mut rng));
        let zeros = (chain.0.cell.initial_state(n), (chain.1.0.cell.initial_state(n), ()));
        let given = like(&zeros, &mut rng);
        let state = ((given[0].clone(), given[1].clone()), (given[2].clone(), ()));
        let found = outcome(&chain, &xs, Some(&state), &SequenceOptions::new(), &dhs, &[]);

        let tape = Tape::new();
        let x = tape.var(xs);
        let (hs, a) = chain.0.run_from(&x, state.0.on(&tape), &SequenceOptions::new()).unwrap();
        let (hs, b) = chain.1.0.run_from(&hs, tape.var(state.1.0.clone()), &SequenceOptions::new()).unwrap();
        let hs = chain.1.1.forward(&hs).unwrap();
        let grads = hs.backward_with(&dhs).unwrap();
        assert_near("hs", &found.hs, hs.value(), 1e-13);
        assert_near("dxs", &found.dxs, grads.get(&x).unwrap(), 1e-12);
        assert_all_near("last", &found.last, &[a.0, a.1, b].map(|h| h.detach()));
        let dparams: Vec<_> = chain.params().iter().map(|w| grads.get(w).unwrap().clone()).collect();
        assert_all_near("dparams", &found.dparams, &dparams);
    }
}

/// In steps that do not count, the output of layers without a state is zero and they take no gradient, whatever is there.
#[test]
fn layers_without_a_state_keep_to_the_mask() {
    let mut rng = seeded(22);
    let chain = (LayerNorm::new(3), Linear::new(3, 2, &mut rng));
    perturb(&chain, &mut rng);
    let clean = normal::<f64>([2, 4, 3], 1.0, &mut rng);
    let counts = Tensor::from_fn([2, 4, 1], |at| f64::from(u8::from(at[0] == 0 || at[1] < 2)));
    let xs = Tensor::where_mask(&counts, &clean, &Tensor::scalar(f64::NAN));
    let dhs = normal([2, 4, 2], 1.0, &mut rng);
    let found = outcome(&chain, &xs, None, &SequenceOptions::new().lengths(&[4, 2]), &dhs, &[]);
    let expected = outcome(&chain, &clean, None, &SequenceOptions::new(), &(&dhs * &counts), &[]);
    assert_near("hs", &found.hs, &(&expected.hs * &counts), 1e-14);
    assert_near("dxs", &found.dxs, &(&expected.dxs * &counts), 1e-14);
    assert_all_near("dparams", &found.dparams, &expected.dparams);
    let tape = Tape::new();
    let error = chain.run(&tape.var(Tensor::zeros([2, 3])), None, &SequenceOptions::new()).unwrap_err();
    assert_eq!(error.to_string(), "time: expected xs of shape [N, T, 3], found [2, 3]");
    let error =
        chain.1.run_from(&tape.var(Tensor::zeros([2, 4, 2])), (), &SequenceOptions::new()).unwrap_err();
    assert_eq!(error.to_string(), "linear: expected xs of shape [N, T, 3], found [2, 4, 2]");
}

#[test]
fn any_layer_carries_its_state() {
    let (n, steps) = (2, 3);
    let mut rng = seeded(23);
    let both = Bidirectional::<_, f64>::new(GruCell::new(3, 2, &mut rng), GruCell::new(3, 2, &mut rng));
    let layer = (Residual(lstm(3, 3, &mut rng)), both);
    let mut carried = Stateful::new(layer.clone());
    assert!(carried.state().is_none());
    let mut state = None;
    for _window in 0..3 {
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, 3], 1.0, &mut rng));
        let expected = layer.run(&xs, state.as_ref(), &SequenceOptions::new()).unwrap();
        let found = carried.forward(&xs).unwrap();
        assert_eq!(found.hs.value(), expected.hs.value());
        let last = <_ as State<f64>>::detach(&expected.last);
        assert_eq!(tensors(carried.state().unwrap()), tensors(&last));
        state = Some(last);
        // The gradient is cut: it reaches the initial state, a leaf, and nothing before it.
        let dhs = normal([n, steps, 4], 1.0, &mut rng);
        assert!(found.hs.backward_with(&dhs).unwrap().get(&found.initial.1.0).is_some());
    }
    let tape = Tape::new();
    let xs = tape.var(normal([n, steps, 3], 1.0, &mut rng));
    let fresh = layer.run(&xs, None, &SequenceOptions::new()).unwrap().hs.detach();
    let before = carried.state().unwrap().clone();
    assert_ne!(carried.forward(&xs).unwrap().hs.value(), &fresh);
    carried.reset_state();
    assert_eq!(carried.forward(&xs).unwrap().hs.value(), &fresh);
    carried.set_state(before.clone());
    let error = carried.forward(&tape.var(Tensor::zeros([n + 1, steps, 3]))).unwrap_err().to_string();
    assert_eq!(error, "time: expected a state of shape [3, 3], found [2, 3]");
    assert_eq!(tensors(carried.state().unwrap()), tensors(&before));
    assert_eq!(carried.params().len(), layer.params().len());
}

struct Tied<E: Float> {
    embedding: Embedding<E>,
    rnn: TimeRnn<E>,
    head: Linear<E>,
}
module!(Tied { embedding, rnn, head });

/// One parameter as the table of an embedding and as the weight of a linear layer: its gradient is the sum of both.
#[test]
fn tied_weights_get_both_gradients() {
    let (v, h) = (4, 4);
    let mut rng = seeded(24);
    let w = Param::new("W", normal::<f64>([v, h], 0.5, &mut rng));
    let model = Tied {
        embedding: Embedding::from_param(w.clone()).unwrap(),
        rnn: TimeRnn::new(RnnCell::new(h, h, &mut rng)),
        head: Linear::from_params(w.clone(), Param::new("b", normal([v], 0.5, &mut rng))).unwrap(),
    };
    assert_eq!(model.named_params().iter().filter(|(_, param)| param.same(&w)).count(), 1);
    let (ids, targets) = (Tensor::from([[0, 2, 1], [3, 3, 0]]), Tensor::from([[2, 1, 1], [0, 3, 2]]));
    let loss = |tape: &'_ Tape<f64>| -> f64 {
        let xs = model.embedding.forward(tape, &ids).unwrap();
        let hs = model.rnn.run(&xs, None, &SequenceOptions::new()).unwrap().hs;
        let logits = model.head.forward(&hs).unwrap();
        cross_entropy(&logits, &targets).unwrap().value().item().unwrap()
    };
    let tape = Tape::new();
    let xs = model.embedding.forward(&tape, &ids).unwrap();
    let hs = model.rnn.run(&xs, None, &SequenceOptions::new()).unwrap().hs;
    let value = cross_entropy(&model.head.forward(&hs).unwrap(), &targets).unwrap();
    let grads = value.backward().unwrap();
    let at = w.value();
    let numeric = crate::common::differences(&at, |moved| {
        w.set(moved.clone()).unwrap();
        loss(&Tape::inference())
    });
    w.set(at.clone()).unwrap();
    assert_near("dW", grads.get(&w).unwrap(), &numeric, 1e-9);

    // The parts of the sum: each use with a parameter of its own.
    let apart = Tied {
        embedding: Embedding::from_array(at.clone()).unwrap(),
        rnn: model.rnn.clone(),
        head: Linear::from_arrays(at, model.head.b.value()).unwrap(),
    };
    let tape = Tape::new();
    let xs = apart.embedding.forward(&tape, &ids).unwrap();
    let hs = apart.rnn.run(&xs, None, &SequenceOptions::new()).unwrap().hs;
    let parts = cross_entropy(&apart.head.forward(&hs).unwrap(), &targets).unwrap().backward().unwrap();
    let sum = parts.get(&apart.embedding.w).unwrap() + parts.get(&apart.head.w).unwrap();
    assert_near("dW", grads.get(&w).unwrap(), &sum, 1e-13);
}

/// The masks that a call draws: those of variable `i` of the state from the noise's child 1, and of that child `i`.
fn masks(p: &[f64], shape: [usize; 2], seed: u64) -> Vec<Tensor<f64>> {
    let draw = |(i, &p): (usize, &f64)| {
        let mut rng = Noise::seeded(seed).child(1).child(i).rng().unwrap();
        let kept = |_: &[usize]| if rng.random::<f64>() < p { 0.0 } else { 1.0 / (1.0 - p) };
        Tensor::from_fn(shape, kept)
    };
    p.iter().enumerate().map(draw).collect()
}

fn call<C: Cell<f64>>(
    layer: &Time<C, f64>,
    xs: &Tensor<f64>,
    noise: Noise,
) -> (Tensor<f64>, Vec<Tensor<f64>>) {
    let tape = Tape::inference();
    let out = layer.run(&tape.constant(xs.clone()), None, &SequenceOptions::new().with_noise(noise)).unwrap();
    (out.hs.detach(), tensors(&C::State::detach(&out.last)))
}

#[test]
fn recurrent_dropout_has_one_mask_for_all_steps() {
    let (n, steps, d, h, p) = (3, 6, 2, 8, [0.4, 0.0]);
    let mut rng = seeded(25);
    let xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
    let plain = Time::new(LstmCell::new(d, h, &mut rng));
    let LstmCell { wx, wh, b } = &plain.cell;
    let (wx, wh, b) = (wx.value(), wh.value(), b.value());
    let dropped = plain.clone().recurrent_dropout(&[("h", p[0])]).unwrap();
    let (hs, last) = call(&dropped, &xs, Noise::seeded(3));

    let mask = &masks(&p, [n, h], 3)[0];
    assert!(mask.iter().any(|m| m == 0.0) && mask.iter().any(|m| m == 1.0 / 0.6));
    let (mut state, mut c) = (Tensor::zeros([n, h]), Tensor::zeros([n, h]));
    for step in 0..steps {
        let t = (&state * mask).matmul(&wh) + xs.select(1, step).matmul(&wx) + &b;
        let gate = |k: usize| t.narrow(1, k * h, h);
        c = gate(0).sigmoid() * &c + gate(1).tanh() * gate(2).sigmoid();
        state = gate(3).sigmoid() * c.tanh();
        assert_near("h", &hs.select(1, step), &state, 1e-13);
    }
    assert_all_near("last", &last, &[state, c]);

    assert_eq!(call(&dropped, &xs, Noise::off()), call(&plain, &xs, Noise::off()));
    assert_eq!(call(&dropped, &xs, Noise::seeded(3)).0, hs);
    assert_ne!(call(&dropped, &xs, Noise::seeded(4)).0, hs);
    let nothing = plain.clone().recurrent_dropout(&[("h", 0.0), ("c", 0.0)]).unwrap();
    assert_eq!(call(&nothing, &xs, Noise::seeded(3)), call(&plain, &xs, Noise::off()));

    let error = plain.clone().recurrent_dropout(&[("c", 0.1), ("x", 0.1)]).unwrap_err().to_string();
    assert_eq!(error, "time: expected recurrent dropout of variables of the state, h, c, found x");
    let error = plain.recurrent_dropout(&[("h", 1.0)]).unwrap_err().to_string();
    assert_eq!(error, "time: expected recurrent dropout to be at least 0 and below 1, found 1");
}

/// In a gated unit the products read what the mask leaves, and the state is carried past them whole: a mask that scaled
/// it too would let it grow from step to step.
#[test]
fn recurrent_dropout_leaves_what_is_carried() {
    let (n, steps, d, h, p) = (2, 7, 3, 4, 0.5);
    let mut rng = seeded(26);
    for after in [true, false] {
        let cell = GruCell::<f64>::new(d, h, &mut rng);
        let [wx, wh, b] = [&cell.wx, &cell.wh, &cell.b].map(|w| w.value() + normal(w.shape(), 0.3, &mut rng));
        let bh = after.then(|| normal([h], 0.3, &mut rng));
        let cell = GruCell::from_arrays(wx.clone(), wh.clone(), b.clone(), bh.clone()).unwrap();
        let xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
        let (hs, _) = call(&Time::new(cell).recurrent_dropout(&[("h", p)]).unwrap(), &xs, Noise::seeded(1));
        let mask = &masks(&[p], [n, h], 1)[0];
        let mut state = Tensor::zeros([n, h]);
        for step in 0..steps {
            let read = &state * mask;
            let tx = xs.select(1, step).matmul(&wx) + &b;
            let block = |t: &Tensor<f64>, k: usize| t.narrow(1, k * h, h);
            let part = |k: usize| read.matmul(&wh.narrow(1, k * h, h));
            let (r, z) = ((part(0) + block(&tx, 0)).sigmoid(), (part(1) + block(&tx, 1)).sigmoid());
            let from_state = match &bh {
                Some(bh) => &r * (part(2) + bh),
                None => (&r * &read).matmul(&wh.narrow(1, 2 * h, h)),
            };
            let candidate = (from_state + block(&tx, 2)).tanh();
            state = &z * &state + (1.0 - &z) * candidate;
            assert_near("h", &hs.select(1, step), &state, 1e-13);
        }
    }
}

/// Of every cell with a mask, a reset, zoneout and a learned initial state besides, for given noise.
#[test]
fn gradients_with_recurrent_dropout() {
    fn check<C: Cell<f64>>(cell: C, p: &[(&str, f64)], rng: &mut StdRng) {
        let (n, steps) = (3, 4);
        let layer = Time::new(cell).learn_initial().recurrent_dropout(p).unwrap().zoneout(p).unwrap();
        perturb(&layer, rng);
        let resets = Tensor::from_fn([n, steps], |at| f64::from(u8::from(at == [2, 2])));
        let options = SequenceOptions::new().lengths(&[4, 2, 4]).resets(resets).with_noise(Noise::seeded(11));
        let mut check = Check::new()
            .input("xs", normal([n, steps, layer.cell.input_size()], 1.0, rng))
            .time_axis("xs", 1)
            .time_axis("hs", 1);
        for (path, param) in layer.named_params() {
            check = check.param(path, &param);
        }
        let report = check.run(|_, x| {
            let out = layer.run(&x["xs"], None, &options)?;
            Ok([("hs", out.hs)].into())
        });
        report.unwrap().assert_ok();
    }
    let mut rng = seeded(27);
    check(RnnCell::new(2, 3, &mut rng), &[("h", 0.3)], &mut rng);
    check(LstmCell::new(2, 3, &mut rng), &[("h", 0.3), ("c", 0.2)], &mut rng);
    check(GruCell::new(2, 3, &mut rng), &[("h", 0.3)], &mut rng);
    check(MguCell::new(2, 3, &mut rng), &[("h", 0.3)], &mut rng);
}
