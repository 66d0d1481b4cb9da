//! Variables that stand for the parameters of the library's own layers.

use crate::common::{normal, seeded};
use retrograde_autograd::{Error as TapeError, Param, Tape, Var};
use retrograde_check::{BoxError, Check};
use retrograde_derivation::DeriveVar;
use retrograde_nn::{
    Layer, Linear, LstmCell, Module, Parallel, RnnCell, SequenceOptions, Time, TimeLstm, TimeRnn, module, mse,
};
use retrograde_tensor::{Float, Tensor, assert_close};

struct Model<E: Float> {
    lstm: TimeLstm<E>,
    head: Linear<E>,
}
module!(Model { lstm, head });

impl Model<f64> {
    fn new(seed: u64) -> Self {
        let rng = &mut seeded(seed);
        let model = Model { lstm: Time::new(LstmCell::new(2, 3, rng)), head: Linear::new(3, 2, rng) };
        crate::common::perturb(&model, rng);
        model
    }

    fn loss<'t>(&self, xs: &Var<'t, f64>) -> Result<Var<'t, f64>, BoxError> {
        let hs = self.lstm.run(xs, None, &SequenceOptions::new())?.hs;
        let target = Tensor::from_fn([xs.shape()[0], xs.shape()[1], 2], |at| 0.3 - at[1] as f64 * 0.2);
        Ok(mse(&self.head.forward(&hs)?, &target, None)?)
    }

    /// The loss on `b` of the weights that `steps` gradient steps on `a` lead to.
    ///
    /// # Source
    /// C. Finn, P. Abbeel and S. Levine, *Model-agnostic meta-learning* (2017), algorithm 1.
    fn adapted<'t>(
        &self,
        a: &Var<'t, f64>,
        b: &Var<'t, f64>,
        steps: usize,
    ) -> Result<Var<'t, f64>, BoxError> {
        for _ in 0..steps {
            let inner = self.loss(a)?.backward_recorded()?;
            for p in self.params() {
                let w = a.tape().param(&p);
                a.tape().bind(&p, &w - inner.get(&w).expect("a gradient of each weight") * 0.3)?;
            }
        }
        self.loss(b)
    }
}

fn check(
    model: &Model<f64>,
    f: impl for<'t> FnMut(&'t Tape<f64>, [&Var<'t, f64>; 2]) -> Result<Var<'t, f64>, BoxError>,
) {
    let (rng, mut f) = (&mut seeded(5), f);
    let mut check =
        Check::new().input("a", normal([2, 3, 2], 1.0, rng)).input("b", normal([1, 4, 2], 1.0, rng));
    for (path, param) in model.named_params() {
        check = check.param(path, &param);
    }
    let report = check.run(|tape, x| Ok([("loss", f(tape, [&x["a"], &x["b"]])?)].into())).unwrap();
    report.assert_ok();
}

/// The gradient through one and two steps of learning, against finite differences of the outer loss; and it is not that
/// of first order.
#[test]
fn a_model_learns_to_learn_through_the_layers() {
    for steps in [1, 2] {
        let model = Model::new(steps as u64);
        check(&model, |_, [a, b]| model.adapted(a, b, steps));
        let (tape, rng) = (Tape::new(), &mut seeded(9));
        let [a, b] = [[2, 3, 2], [1, 4, 2]].map(|shape| tape.constant(normal(shape, 1.0, rng)));
        let outer = model.adapted(&a, &b, steps).unwrap().backward().unwrap();
        let w = &model.lstm.cell.wh;
        let first_order = outer.get(&tape.param(w)).unwrap();
        assert!(outer.get(w).unwrap().allclose(first_order, 1e-3, 0.0).is_err());
    }
}

fn mask(w: &Param<f64>) -> Tensor<f64> {
    Tensor::from_fn(w.shape(), |at| [2.0, 0.0][(at[0] + at[1]) % 2])
}

/// DropConnect: L. Wan et al., *Regularization of neural networks using DropConnect* (2013).
fn drop_connect(tape: &Tape<f64>, w: &Param<f64>) {
    tape.bind(w, tape.param(w) * mask(w)).unwrap();
}

/// Weight norm: T. Salimans and D. Kingma, *Weight normalization* (2016), equation 2, with g = 1.
fn weight_norm(tape: &Tape<f64>, w: &Param<f64>) {
    let v = tape.param(w);
    let norm = v.square().sum_axes(&[0], true).sqrt();
    tape.bind(w, v / norm).unwrap();
}

#[test]
fn masked_and_normed_weights_are_checked() {
    let model = Model::new(3);
    let wh = &model.lstm.cell.wh;
    check(&model, |tape, [a, b]| {
        drop_connect(tape, wh);
        Ok(model.loss(a)? + model.loss(b)?)
    });
    check(&model, |tape, [a, b]| {
        weight_norm(tape, wh);
        weight_norm(tape, &model.head.w);
        Ok(model.loss(a)? * model.loss(b)?)
    });
    // A weight that is dropped has no gradient, and does not act.
    let tape = Tape::new();
    drop_connect(&tape, wh);
    let a = tape.constant(normal([2, 3, 2], 1.0, &mut seeded(4)));
    let loss = model.loss(&a).unwrap();
    let dw = loss.backward().unwrap().get(wh).unwrap().clone();
    assert!(dw.iter().zip(mask(wh).iter()).all(|(d, m)| (m == 0.0) == (d == 0.0)));
    let whole = wh.value();
    wh.set(&whole * mask(wh)).unwrap();
    assert_eq!(model.loss(&Tape::inference().constant(a.value().clone())).unwrap().value(), loss.value());
    wh.set(whole).unwrap();
    // The same on a tape that records nothing.
    let tape = Tape::inference();
    drop_connect(&tape, wh);
    assert_eq!(model.loss(&tape.constant(a.value().clone())).unwrap().value(), loss.value());
}

/// A frozen parameter has no gradient and takes no product; all other gradients are the same bit for bit.
#[test]
fn frozen_layers_have_no_gradient() {
    let rng = &mut seeded(6);
    let layers = [3, 4].map(|d| TimeRnn::<f64>::new(RnnCell::new(d, 4, rng)));
    let xs = normal([2, 5, 3], 1.0, rng);
    let dhs = normal([2, 5, 4], 1.0, rng);
    let pass = |frozen: &[usize]| {
        let tape = Tape::new();
        frozen.iter().for_each(|&i| layers[i].freeze(&tape).unwrap());
        let mut hs = tape.constant(xs.clone());
        for layer in &layers {
            hs = layer.run(&hs, None, &SequenceOptions::new()).unwrap().hs;
        }
        let grads = hs.backward_with(&dhs).unwrap();
        [0, 1].map(|i| layers[i].params().iter().map(|p| grads.get(p).cloned()).collect::<Option<Vec<_>>>())
    };
    let [lower, upper] = pass(&[]);
    assert_eq!(pass(&[0]), [None, upper]);
    assert_eq!(pass(&[1]), [lower, None]);
    let tape = Tape::new();
    layers.iter().for_each(|layer| layer.freeze(&tape).unwrap());
    assert!(tape.params().is_empty() && tape.nodes().iter().all(|node| node.name.is_some()));
}

#[test]
fn bound_weights_in_segments_that_are_computed_again() {
    let rng = &mut seeded(7);
    let mut rnn = TimeRnn::<f64>::new(RnnCell::new(2, 3, rng));
    let (xs, dhs) = (normal([2, 7, 2], 1.0, rng), normal([2, 7, 3], 1.0, rng));
    let pass = |rnn: &TimeRnn<f64>| {
        let tape = Tape::new();
        weight_norm(&tape, &rnn.cell.wh);
        drop_connect(&tape, &rnn.cell.wx);
        let hs = rnn.run(&tape.constant(xs.clone()), None, &SequenceOptions::new()).unwrap().hs;
        let grads = hs.backward_with(&dhs).unwrap();
        rnn.params().iter().map(|p| grads.get(p).unwrap().clone()).collect::<Vec<_>>()
    };
    let kept = pass(&rnn);
    rnn = rnn.recompute_every(3);
    assert_eq!(pass(&rnn), kept);
}

/// The sum over threads, each with a tape on which the weight is bound, is the gradient of the batch.
#[test]
fn bound_weights_on_several_threads() {
    let rng = &mut seeded(8);
    let rnn = TimeRnn::<f64>::new(RnnCell::new(2, 3, rng));
    let (xs, dhs) = (normal([4, 5, 2], 1.0, rng), normal([4, 5, 3], 1.0, rng));
    let pass = |(xs, dhs): (Tensor<f64>, Tensor<f64>)| {
        let tape = Tape::new();
        weight_norm(&tape, &rnn.cell.wh);
        let hs = rnn.run(&tape.constant(xs), None, &SequenceOptions::new()).unwrap().hs;
        hs.backward_with(&dhs).unwrap()
    };
    let whole = pass((xs.clone(), dhs.clone()));
    std::thread::scope(|scope| {
        let mut parallel = Parallel::new(scope, 2, |_| pass);
        let parts = parallel.run([0, 2].map(|row| (xs.narrow(0, row, 2), dhs.narrow(0, row, 2))).to_vec());
        let mut sum = parts[0].clone();
        sum.add_params(&parts[1]);
        for p in rnn.params() {
            assert_close!(sum.get(&p).unwrap(), whole.get(&p).unwrap(), 1e-12, 1e-13);
        }
    });
}

/// Printed tapes and derived formulas show the variable that stands for the weight.
#[test]
fn bound_weights_are_printed_and_derived() {
    let rnn = RnnCell::<f64>::new(2, 3, &mut seeded(9));
    let derive = |bind: fn(&Tape<f64>, &RnnCell<f64>)| {
        use retrograde_nn::Cell;
        let tape = Tape::new();
        bind(&tape, &rnn);
        let x = tape.constant(Tensor::ones([1, 2])).named("x");
        let h_prev = tape.var(Tensor::ones([1, 3])).named("h_prev");
        let h = rnn.step(&rnn.project(&x), &h_prev).named("h");
        (h.derivation().unwrap().to_string(), tape.to_string())
    };
    let (derived, _) = derive(|_, _| {});
    let (masked, printed) = derive(|tape, rnn| {
        let wh = tape.param(&rnn.wh) * tape.constant(mask(&rnn.wh)).named("M");
        tape.bind(&rnn.wh, wh.named("V")).unwrap();
    });
    assert!(printed.contains("V = ") || printed.contains("V "), "{printed}");
    assert!(derived.contains("dh_prev = dt·Whᵀ") && masked.contains("dh_prev = dt·Vᵀ"), "{derived}{masked}");
    assert!(masked.contains("dWh = dV ⊙ M"), "{masked}");
    let (frozen, _) = derive(|tape, rnn| rnn.freeze(tape).unwrap());
    assert!(frozen.contains("dh_prev = dt·Whᵀ") && !frozen.contains("dWh"), "{frozen}");
}

#[test]
fn what_cannot_stand_for_a_parameter_is_refused() {
    let (tape, other) = (Tape::<f64>::new(), Tape::new());
    let w = Param::new("w", Tensor::zeros([2, 3]));
    let error = tape.bind(&w, other.constant(Tensor::zeros([2, 3]))).unwrap_err();
    assert_eq!(error, TapeError::ForeignVariable { op: "bind" });
    let error = tape.bind(&w, Tensor::zeros([3, 2])).unwrap_err();
    assert_eq!(error.to_string(), "parameter w: expected a value of shape [2, 3], found [3, 2]");
    assert!(tape.bind(&w, 1.0).is_err() && tape.param(&w).value() == &w.value());
    // A later variable takes the place of an earlier one; a parameter can stand for itself again.
    tape.bind(&w, Tensor::ones([2, 3])).unwrap();
    tape.bind(&w, tape.param(&w) + 1.0).unwrap();
    assert_eq!(tape.param(&w).value(), &Tensor::full([2, 3], 2.0));
    tape.unbind(&w);
    assert_eq!(tape.param(&w).value(), &w.value());
    // The value of what stands for a parameter is not that of the parameter, so a change of that is no error.
    tape.bind(&w, Tensor::ones([2, 3])).unwrap();
    w.set(Tensor::full([2, 3], 7.0)).unwrap();
    assert_eq!(tape.param(&w).value(), &Tensor::ones([2, 3]));
}
