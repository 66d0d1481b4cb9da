//! Cells of one's own, evaluation without recording, and initial values.

use crate::common::{assert_near, normal, seeded};
use retrograde_autograd::{Param, Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_nn::{Cell, Embedding, Linear, Module, RnnCell, Time, TimeRnn, module};
use retrograde_tensor::{Float, Tensor};

/// A cell whose state is a pair: `c_next = c ⊙ decay + x`, `h_next = tanh(c_next + h · W)`.
struct Pair<E: Float> {
    decay: Param<E>,
    w: Param<E>,
}
module!(Pair { decay, w });

impl<E: Float> Cell<E> for Pair<E> {
    type State = (Tensor<E>, Tensor<E>);

    fn input_size(&self) -> usize {
        self.decay.shape()[0]
    }
    fn initial_state(&self, n: usize) -> Self::State {
        let zeros = Tensor::zeros([n, self.input_size()]);
        (zeros.clone(), zeros)
    }
    fn state_names(&self) -> &'static [&'static str] {
        &["h", "c"]
    }
    fn step<'t>(&self, x: &Var<'t, E>, (h, c): &(Var<'t, E>, Var<'t, E>)) -> (Var<'t, E>, Var<'t, E>) {
        let c_next = c * &self.decay + x;
        let h_next = (&c_next + h.matmul(&self.w)).tanh();
        (h_next, c_next)
    }
}

fn pair(rng: &mut rand::rngs::StdRng) -> Pair<f64> {
    Pair { decay: Param::new("decay", normal([3], 0.5, rng)), w: Param::new("W", normal([3, 3], 0.5, rng)) }
}

/// Against the same steps recorded one by one, without `Time`.
#[test]
fn a_state_may_be_a_pair() {
    let mut rng = seeded(1);
    let mut rnn = Time::new(pair(&mut rng)).stateful(true);
    let xs = normal([2, 4, 3], 1.0, &mut rng);
    let (dhs, dc) = (normal([2, 4, 3], 1.0, &mut rng), normal([2, 3], 1.0, &mut rng));
    let (h0, c0) = (normal([2, 3], 1.0, &mut rng), normal([2, 3], 1.0, &mut rng));
    rnn.set_state((h0.clone(), c0.clone()));

    let tape = Tape::new();
    let x = tape.var(xs.clone());
    let out = rnn.forward(&x).unwrap();
    let grads = tape.backward(&[(&out.hs, &dhs), (&out.last.1, &dc)]).unwrap();

    let by_step = Tape::new();
    let x_by_step: Vec<_> = (0..4).map(|step| by_step.var(xs.select(1, step))).collect();
    let initial = (by_step.var(h0), by_step.var(c0));
    let mut state = initial.clone();
    let mut outputs = Vec::new();
    for x in &x_by_step {
        state = rnn.cell.step(x, &state);
        outputs.push(state.0.clone());
    }
    let dhs_by_step: Vec<_> = (0..4).map(|step| dhs.select(1, step)).collect();
    let mut seeds: Vec<_> = outputs.iter().zip(&dhs_by_step).collect();
    seeds.push((&state.1, &dc));
    let expected = by_step.backward(&seeds).unwrap();

    let (h, c) = rnn.state().unwrap();
    assert_eq!((h, c), (state.0.value(), state.1.value()));
    for (step, output) in outputs.iter().enumerate() {
        assert_eq!(&out.hs.value().select(1, step), output.value());
        let dx = grads.get(&x).unwrap().select(1, step);
        assert_near("dx", &dx, expected.get(&x_by_step[step]).unwrap(), 1e-14);
    }
    for param in rnn.params() {
        assert_near(param.name(), grads.get(&param).unwrap(), expected.get(&param).unwrap(), 1e-14);
    }
    assert_near("dh0", grads.get(&out.initial.0).unwrap(), expected.get(&initial.0).unwrap(), 1e-14);
    assert_near("dc0", grads.get(&out.initial.1).unwrap(), expected.get(&initial.1).unwrap(), 1e-14);
}

#[test]
fn a_pair_is_named_and_checked_part_by_part() {
    let mut rng = seeded(2);
    let mut rnn = Time::new(pair(&mut rng));
    let tape = Tape::new();
    let xs = tape.var(normal([2, 2, 3], 1.0, &mut rng)).named("xs");
    let derivation = rnn.forward(&xs).unwrap().hs.derivation().unwrap();
    let names: Vec<&str> = derivation.lines.iter().map(|line| line.name.as_str()).collect();
    let expected =
        ["dh_1", "dv15", "dc_1", "dh_0", "dv9", "dW", "dc_0", "ddecay", "dc_prev", "dh_prev", "dxs"];
    assert_eq!(names, expected);

    rnn.set_state((Tensor::zeros([2, 3]), Tensor::zeros([2, 5])));
    let error = rnn.forward(&xs).unwrap_err().to_string();
    assert_eq!(error, "time: expected a state of shape [2, 3], found [2, 5]");
}

/// The same layer in both precisions, recorded and not.
fn infers<E: Float>(tolerance: f64) {
    let mut rng = seeded(3);
    let mut rnn = TimeRnn::<E>::new(RnnCell::new(3, 4, &mut rng));
    let (embedding, linear) = (Embedding::<E>::new(6, 3, &mut rng), Linear::<E>::new(4, 6, &mut rng));
    let ids = Tensor::from([[1_usize, 5, 0, 2], [3, 3, 4, 1]]);
    let mut logits = |tape: &Tape<E>| {
        let hs = rnn.forward(&embedding.forward(tape, &ids).unwrap()).unwrap().hs;
        linear.forward(&hs).unwrap().detach()
    };
    let (recording, inference) = (Tape::new(), Tape::inference());
    let recorded = logits(&recording);
    assert_near("logits", &logits(&inference), &recorded, 0.0);
    assert!(!recording.is_empty() && inference.is_empty());

    // The same numbers in double precision.
    let mut rng = seeded(3);
    let exact = TimeRnn::<f64>::new(RnnCell::new(3, 4, &mut rng));
    let wx = rnn.cell.wx.value().map(|x| x.to_f64());
    assert_near("Wx", &wx, &exact.cell.wx.value(), tolerance);

    let out = rnn.forward(&inference.constant(Tensor::ones([1, 2, 3]))).unwrap();
    let error = out.hs.backward_with(&Tensor::ones([1, 2, 4])).err().unwrap().to_string();
    assert_eq!(error, "backward: expected a tape that records, found an inference tape");
}

#[test]
fn inference_needs_no_tape() {
    infers::<f32>(1e-7);
    infers::<f64>(0.0);
}

#[test]
fn initial_weights_are_normal_and_seeded() {
    let cell = RnnCell::<f64>::new(400, 100, &mut seeded(4));
    let std = |x: &Param<f64>| x.value().square().mean().item().unwrap().sqrt();
    assert!((std(&cell.wx) * 400_f64.sqrt() - 1.0).abs() < 0.02);
    assert!((std(&cell.wh) * 100_f64.sqrt() - 1.0).abs() < 0.04);
    assert_eq!(cell.b.value(), Tensor::zeros([100]));
    let again = RnnCell::<f64>::new(400, 100, &mut seeded(4));
    assert_eq!(cell.wx.value(), again.wx.value());
    let linear = Linear::<f64>::new(400, 100, &mut seeded(4));
    assert!((std(&linear.w) * 400_f64.sqrt() - 1.0).abs() < 0.02);
    assert_eq!(linear.b.value(), Tensor::zeros([100]));
    let embedding = Embedding::<f64>::new(400, 100, &mut seeded(4));
    assert!((std(&embedding.w) * 100_f64.sqrt() - 1.0).abs() < 0.02);
}

struct Model<E: Float> {
    embedding: Embedding<E>,
    rnns: Vec<TimeRnn<E>>,
    linear: Linear<E>,
}
module!(Model { embedding, rnns, linear });

#[test]
fn parameters_are_found_by_path_and_counted_once() {
    let mut rng = seeded(5);
    let first = RnnCell::<f32>::new(3, 3, &mut rng);
    let second =
        RnnCell::from_params(Param::new("Wx", Tensor::zeros([3, 3])), first.wh.clone(), first.b.clone())
            .unwrap();
    let model = Model {
        embedding: Embedding::new(5, 3, &mut rng),
        rnns: vec![TimeRnn::new(first), TimeRnn::new(second)],
        linear: Linear::new(3, 5, &mut rng),
    };
    let mut places = Vec::new();
    model.visit("model", &mut |path, _| places.push(path.to_owned()));
    let expected =
        ["embedding.w", "rnns.0.wx", "rnns.0.wh", "rnns.0.b", "rnns.1.wx", "rnns.1.wh", "rnns.1.b"];
    assert_eq!(places[..7], expected.map(|path| format!("model.{path}")));
    assert_eq!(places[7..], ["model.linear.w", "model.linear.b"]);
    let named = model.named_params();
    let paths: Vec<&str> = named.iter().map(|(path, _)| path.as_str()).collect();
    let once = ["embedding.w", "rnns.0.wx", "rnns.0.wh", "rnns.0.b", "rnns.1.wx", "linear.w", "linear.b"];
    assert_eq!(paths, once);
    assert!(named[2].1.same(&model.rnns[1].cell.wh));
    assert_eq!(model.params().len(), 7);
    assert_eq!(model.param_count(), 15 + 9 + 9 + 3 + 9 + 15 + 5);
}

/// The affine map over any leading axes, against loops.
#[test]
fn linear_over_leading_axes() {
    let mut rng = seeded(6);
    let (w, b) = (normal::<f64>([3, 2], 1.0, &mut rng), normal::<f64>([2], 1.0, &mut rng));
    let linear = Linear::from_arrays(w.clone(), b.clone()).unwrap();
    let tape = Tape::new();
    for leading in [&[][..], &[4], &[1], &[2, 5], &[2, 0], &[2, 3, 2]] {
        let mut dims = leading.to_vec();
        dims.push(3);
        let x: Tensor<f64> = normal(retrograde_tensor::Shape::new(&dims).unwrap(), 1.0, &mut rng);
        let y = linear.forward(&tape.constant(x.clone())).unwrap();
        let rows = x.numel() / 3;
        let (x, found) = (x.reshape([rows, 3]), y.value().reshape([rows, 2]));
        for (row, v) in (0..rows).flat_map(|row| [(row, 0), (row, 1)]) {
            let sum: f64 = (0..3).map(|d| x.at(&[row, d]) * w.at(&[d, v])).sum();
            assert!((found.at(&[row, v]) - sum - b.at(&[v])).abs() < 1e-14);
        }
        assert_eq!(y.value().dims()[..leading.len()], *leading);
    }
}
