//! A layer with a backward pass by hand as one operation of a tape.

use std::sync::Arc;

use crate::common::{assert_near, autodiff, normal, seeded, weights};
use retrograde_autograd::{Error, Function, Param, Result, Tape, Var};
use retrograde_check::{Check, Oracle, Pattern, Report};
use retrograde_nn::explicit::TimeRnn;
use retrograde_nn::{Layer, SequenceOptions};
use retrograde_tensor::Tensor;

/// `hs` from `xs, h0, Wx, Wh, b`: the hand-derived layer as one operation.
struct ByHand {
    /// The factor of `dWx`; 1 where nothing is wrong.
    factor: f64,
}

impl ByHand {
    /// The layer, after its forward pass.
    fn run(&self, x: &[&Tensor<f64>]) -> (TimeRnn<f64>, Tensor<f64>) {
        let [xs, h0, wx, wh, b] = x else { panic!("expected 5 inputs, found {}", x.len()) };
        let [wx, wh, b] = [wx, wh, b].map(|w| Tensor::clone(w));
        let mut rnn = TimeRnn::new(wx, wh, b).expect("the shapes of the weights agree");
        rnn.set_state(Tensor::clone(h0));
        let hs = rnn.forward(xs).expect("the shapes of the inputs agree");
        (rnn, hs)
    }
}

impl Function<f64> for ByHand {
    fn name(&self) -> &'static str {
        "time_rnn"
    }

    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        let (xs, wx) = (x[0].shape(), x[2].shape());
        if xs[2] != wx[0] {
            let (expected, found) = (Box::new(xs.with_axis(2, wx[0])), Box::new(xs));
            return Err(Error::InputShape { op: self.name(), expected, found });
        }
        Ok(self.run(x).1)
    }

    fn backward(&self, x: &[&Tensor<f64>], _: &Tensor<f64>, dhs: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        let (mut rnn, _) = self.run(x);
        let dxs = rnn.backward(dhs).expect("a cotangent of the shape of hs");
        let dwx = rnn.dwx * self.factor;
        vec![Some(dxs), rnn.dh, Some(dwx), Some(rnn.dwh), Some(rnn.db)]
    }
}

struct Model {
    wx: Param<f64>,
    wh: Param<f64>,
    b: Param<f64>,
    function: Arc<ByHand>,
}

impl Model {
    fn new([wx, wh, b]: [Tensor<f64>; 3], factor: f64) -> Self {
        let function = Arc::new(ByHand { factor });
        Model { wx: Param::new("Wx", wx), wh: Param::new("Wh", wh), b: Param::new("b", b), function }
    }

    fn unroll<'t>(&self, xs: &Var<'t, f64>, h0: &Var<'t, f64>) -> Var<'t, f64> {
        let tape = xs.tape();
        let [wx, wh, b] = [&self.wx, &self.wh, &self.b].map(|w| tape.param(w));
        tape.call(self.function.clone(), &[xs, h0, &wx, &wh, &b])
    }
}

const SIZES: [[usize; 4]; 4] = [[1, 1, 1, 1], [1, 4, 2, 3], [3, 1, 3, 2], [2, 5, 3, 4]];

/// In a model with a layer below and one above: the same numbers, and the same gradient of everything.
#[test]
fn is_the_derived_layer() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded((n + 10 * steps) as u64);
        let arrays = weights::<f64>(d, h, &mut rng);
        let (layer, model) = (autodiff(&arrays), Model::new(arrays, 1.0));
        let (xs, h0) = (normal([n, steps, d], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        let (below, above) = (normal([d, d], 1.0, &mut rng), normal([h, 2], 1.0, &mut rng));
        let dys = normal([n, steps, 2], 1.0, &mut rng);

        let tape = Tape::new();
        let (x, state) = (tape.var(xs), tape.var(h0));
        let ys = layer
            .run_from(&x.matmul(&below), state.clone(), &SequenceOptions::new())
            .unwrap()
            .0
            .matmul(&above);
        let grads = ys.backward_with(&dys).unwrap();
        let zs = model.unroll(&x.matmul(&below), &state).matmul(&above);
        let own = zs.backward_with(&dys).unwrap();

        assert_near("ys", zs.value(), ys.value(), 1e-14);
        let [wx, wh, b] = [&layer.cell.wx, &layer.cell.wh, &layer.cell.b].map(|w| grads.get(w).unwrap());
        for (name, found, expected) in [
            ("dxs", own.get(&x).unwrap(), grads.get(&x).unwrap()),
            ("dh0", own.get(&state).unwrap(), grads.get(&state).unwrap()),
            ("dWx", own.get(&model.wx).unwrap(), wx),
            ("dWh", own.get(&model.wh).unwrap(), wh),
            ("db", own.get(&model.b).unwrap(), b),
        ] {
            assert_near(name, found, expected, 1e-13);
        }
    }
}

fn check(factor: f64) -> Report {
    let mut rng = seeded(8);
    let model = Model::new(weights(3, 4, &mut rng), factor);
    Check::new()
        .input("xs", normal([2, 5, 3], 1.0, &mut rng))
        .input("h_prev", normal([2, 4], 0.5, &mut rng))
        .params([&model.wx, &model.wh, &model.b])
        .time_axis("xs", 1)
        .time_axis("hs", 1)
        .run(|_, x| Ok([("hs", model.unroll(&x["xs"], &x["h_prev"]))].into()))
        .unwrap()
}

#[test]
fn passes_the_check() {
    let report = check(1.0);
    report.assert_ok();
    assert_eq!(report.not_applicable().len(), 5, "{report}");
}

#[test]
fn a_wrong_backward_pass_is_found() {
    let report = check(1.01);
    assert_eq!(report.wrong(), ["Wx"]);
    assert_eq!(report.caught_by(), [Oracle::Differences]);
    let Some(Pattern::Factor(factor)) = report.pattern("Wx") else { panic!("{report}") };
    assert!((factor - 1.01).abs() < 1e-9);
}

#[test]
fn inputs_that_do_not_fit_are_an_error() {
    let mut rng = seeded(9);
    let model = Model::new(weights(3, 4, &mut rng), 1.0);
    let tape = Tape::new();
    let [wx, wh, b] = [&model.wx, &model.wh, &model.b].map(|w| tape.param(w));
    let (xs, h0) = (tape.var(Tensor::zeros([2, 5, 2])), tape.var(Tensor::zeros([2, 4])));
    let error = tape.try_call(model.function.clone(), &[&xs, &h0, &wx, &wh, &b]).unwrap_err();
    let text = "time_rnn: expected a tensor of the input's shape [2, 5, 3], found [2, 5, 2]";
    assert_eq!(error.to_string(), text);
}
