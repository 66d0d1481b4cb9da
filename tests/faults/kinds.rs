//! Faults of other kinds than those of the table in `docs/checking.md`: of gates, norms, attention, rows and calls.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::Mutex;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::autograd::{Function, Param, Result as TapeResult, Var};
use retrograde_check::{Check, Error, Named, Pattern, Report};
use retrograde_tensor::Tensor;

use crate::zoo::normal;

type Outcome = Result<Report, Error>;

/// A fault: what is wrong, the tensors whose gradient it spoils (none where the check refuses it), its check.
pub(crate) struct Kind {
    pub(crate) text: &'static str,
    pub(crate) wrong: &'static [&'static str],
    pub(crate) guess: fn(&Pattern) -> bool,
    pub(crate) check: fn() -> Outcome,
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(21)
}

fn sigmoid_slope(y: &Tensor<f64>) -> Tensor<f64> {
    y * &(1.0 - y)
}

/// `y = norm(x)`, its backward pass without the term of the mean, the variance or `eps`.
fn layer_norm(variance: bool, eps: f64) -> Outcome {
    Check::new().input("x", normal([3, 4], 0.1, &mut rng())).compare(
        |_, x| {
            let centred = &x["x"] - x["x"].mean_axes(&[1], true);
            Ok([("y", &centred / (centred.square().mean_axes(&[1], true) + 1e-3).sqrt())].into())
        },
        |x, dy| {
            let centred = &x["x"] - &x["x"].mean_axes(&[1], true);
            let std = (centred.square().mean_axes(&[1], true) + eps).sqrt();
            let (y, dy) = (&centred / &std, &dy["y"]);
            let mut dx = dy - &dy.mean_axes(&[1], true);
            if variance {
                dx = dx - &y * &(dy * &y).mean_axes(&[1], true);
            }
            Ok([("x", dx / &std)].into())
        },
    )
}

/// One gate of an LSTM, `c = f ⊙ c_prev + i ⊙ g`, whose backward pass is wrong where `wrong` says so.
fn gates(own_derivative: bool, candidate: bool) -> Outcome {
    let rng = &mut rng();
    let [tf, ti, tg, c] = [(); 4].map(|()| normal([2, 3], 1.0, rng));
    Check::new().input("tf", tf).input("ti", ti).input("tg", tg).input("c_prev", c).compare(
        |_, x| {
            let c = x["tf"].sigmoid() * &x["c_prev"] + x["ti"].sigmoid() * x["tg"].tanh();
            Ok([("c", c)].into())
        },
        move |x, dy| {
            let (f, i, g) = (x["tf"].sigmoid(), x["ti"].sigmoid(), x["tg"].tanh());
            let dc = &dy["c"];
            let di = dc * &g;
            let di = if own_derivative { di * sigmoid_slope(&i) } else { di };
            let dg = dc * &i * if candidate { 1.0 - g.square() } else { Tensor::ones([2, 3]) };
            let df = dc * &x["c_prev"] * sigmoid_slope(&f);
            Ok([("tf", df), ("ti", di), ("tg", dg), ("c_prev", dc * &f)].into())
        },
    )
}

/// `h = z h_prev + (1 - z) n`, `n = tanh(r (h_prev · W))`: the path of the candidate to the past state is lost, or its reset gate.
fn gru(past: bool, reset: bool) -> Outcome {
    let rng = &mut rng();
    let [z, r, h] = [(); 3].map(|()| normal([2, 3], 1.0, rng));
    let w = Param::new("W", normal([3, 3], 0.6, rng));
    Check::new().input("z", z).input("r", r).input("h_prev", h).params([&w]).compare(
        |_, x| {
            let n = (x["r"].sigmoid() * x["h_prev"].matmul(&w)).tanh();
            let z = x["z"].sigmoid();
            Ok([("h", &z * (&x["h_prev"] - &n) + n)].into())
        },
        |x, dy| {
            let (z, r, h_prev) = (x["z"].sigmoid(), x["r"].sigmoid(), &x["h_prev"]);
            let t = h_prev.matmul(&x["W"]);
            let n = (&r * &t).tanh();
            let dt = &dy["h"] * &(1.0 - &z) * (1.0 - n.square());
            let dz = &dy["h"] * &(h_prev - &n) * sigmoid_slope(&z);
            let dr = &dt * &t * if reset { sigmoid_slope(&r) } else { Tensor::zeros([2, 3]) };
            let dn = &dt * &r;
            let mut dh = &dy["h"] * &z;
            if past {
                dh = dh + dn.matmul(&x["W"].t());
            }
            Ok([("z", dz), ("r", dr), ("h_prev", dh), ("W", h_prev.t().matmul(&dn))].into())
        },
    )
}

/// Weights of an attention, without the sum of the softmax's derivative.
fn attention() -> Outcome {
    let rng = &mut rng();
    let [q, k, v] = [(); 3].map(|()| normal([3, 4], 1.0, rng));
    Check::new().input("q", q).input("k", k).input("v", v).compare(
        |_, x| Ok([("y", x["q"].matmul(x["k"].t()).softmax(1).matmul(&x["v"]))].into()),
        |x, dy| {
            let a = x["q"].matmul(&x["k"].t()).softmax(1);
            let da = dy["y"].matmul(&x["v"].t());
            let ds = &a * &da; // without - a Σ a da
            let gradients =
                [("q", ds.matmul(&x["k"])), ("k", ds.t().matmul(&x["q"])), ("v", a.t().matmul(&dy["y"]))];
            Ok(gradients.into())
        },
    )
}

/// A sum over the steps that count, whose backward pass does not know which do, or forgets a reset.
fn rows(leak: bool) -> Outcome {
    let mask = Tensor::from([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]);
    let w = Tensor::from([0.3, -0.8, 0.5, 1.2]);
    Check::new().input("xs", normal([2, 4], 1.0, &mut rng())).time_axis("xs", 1).compare(
        |_, x| Ok([("y", (x["xs"].square() * &mask * &w).sum_axes(&[1], true))].into()),
        |x, dy| {
            let dx = &x["xs"] * 2.0 * &w * &dy["y"];
            Ok([("xs", if leak { dx } else { dx * &mask })].into())
        },
    )
}

/// Two steps of `h = tanh(h + x)`, where the state of the second row is reset before the second step.
fn reset() -> Outcome {
    let keep = Tensor::from([[1.0], [0.0]]);
    Check::new()
        .input("h_prev", normal([2, 3], 1.0, &mut rng()))
        .input("x", normal([2, 3], 1.0, &mut rng()))
        .compare(
            |_, x| {
                let h = (&x["h_prev"] + &x["x"]).tanh();
                Ok([("h", (h * &keep + &x["x"]).tanh())].into())
            },
            |x, dy| {
                let h1 = (&x["h_prev"] + &x["x"]).tanh();
                let h2 = (&h1 * &keep + &x["x"]).tanh();
                let d2 = &dy["h"] * &(1.0 - h2.square());
                let d1 = &d2 * &(1.0 - h1.square()); // past the reset
                Ok([("h_prev", d1.clone()), ("x", d1 + d2)].into())
            },
        )
}

/// A learned initial state that is repeated over the batch, and gets the gradient of its first row.
fn learned() -> Outcome {
    let h0 = Param::new("h_prev", normal([1, 3], 1.0, &mut rng()));
    Check::new().input("x", normal([4, 3], 1.0, &mut rng())).params([&h0]).compare(
        |_, x| Ok([("h", (&x["x"] + &h0).tanh())].into()),
        |x, dy| {
            let dt = &dy["h"] * &(1.0 - (&x["x"] + &x["h_prev"]).tanh().square());
            Ok([("h_prev", dt.narrow(0, 0, 1)), ("x", dt)].into())
        },
    )
}

/// An encoder and a decoder that share `W`, of which one use is lost.
fn tied() -> Outcome {
    let w = Param::new("W", normal([3, 4], 0.5, &mut rng()));
    Check::new().input("x", normal([2, 3], 1.0, &mut rng())).params([&w]).compare(
        |tape, x| Ok([("y", x["x"].matmul(&w).tanh().matmul(tape.param(&w).t()))].into()),
        |x, dy| {
            let h = x["x"].matmul(&x["W"]).tanh();
            let dh = dy["y"].matmul(&x["W"]);
            let dt = dh * (1.0 - h.square());
            Ok([("W", dy["y"].t().matmul(&h)), ("x", dt.matmul(&x["W"].t()))].into())
        },
    )
}

/// Both directions side by side, whose cotangents are taken from the other half.
fn halves() -> Outcome {
    let rng = &mut rng();
    let [a, b] = ["forwards", "backwards"].map(|name| Param::new(name, normal([3, 2], 0.5, rng)));
    Check::new().input("x", normal([4, 3], 1.0, rng)).params([&a, &b]).compare(
        |_, x| Ok([("hs", Var::concat(&[x["x"].matmul(&a), x["x"].matmul(&b)], 1))].into()),
        |x, dy| {
            let [da, db] = [2, 0].map(|start| dy["hs"].narrow(1, start, 2));
            let dx = da.matmul(&x["forwards"].t()) + db.matmul(&x["backwards"].t());
            let xt = x["x"].t();
            Ok([("x", dx), ("forwards", xt.matmul(&da)), ("backwards", xt.matmul(&db))].into())
        },
    )
}

/// `tanh`, its backward pass changed.
fn tanh(x: Tensor<f64>, change: impl Fn(&Tensor<f64>) -> Tensor<f64>) -> Outcome {
    Check::new().input("x", x).compare(
        |_, x| Ok([("y", x["x"].tanh())].into()),
        |x, dy| Ok([("x", change(&dy["y"]) * (1.0 - x["x"].tanh().square()))].into()),
    )
}

/// The notebook's `dh_prev = xᵀ·dt`, which has the right shape where N = D, whatever H, and is broadcast where D = 1.
fn notebook([n, d, h]: [usize; 3]) -> Outcome {
    let rng = &mut rng();
    let [wx, wh] =
        [("Wx", [d, h]), ("Wh", [h, h])].map(|(name, shape)| Param::new(name, normal(shape, 0.6, rng)));
    let [x, h0] = [normal([n, d], 1.0, rng), normal([n, h], 0.5, rng)];
    Check::new().input("x", x).input("h_prev", h0).params([&wx, &wh]).compare(
        |_, x| Ok([("h", (x["h_prev"].matmul(&wh) + x["x"].matmul(&wx)).tanh())].into()),
        |x, dy| {
            let t = x["h_prev"].matmul(&x["Wh"]) + x["x"].matmul(&x["Wx"]);
            let dt = &dy["h"] * &(1.0 - t.tanh().square());
            let xt = x["x"].t();
            let dh = xt.matmul(&dt).broadcast_to(x["h_prev"].shape());
            let (dwx, dwh) = (xt.matmul(&dt), x["h_prev"].t().matmul(&dt));
            Ok([("x", dt.matmul(&x["Wx"].t())), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh)].into())
        },
    )
}

type Forward = dyn Fn(&Tensor<f64>) -> Tensor<f64> + Send + Sync;
type Backward = dyn Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64> + Send + Sync;

/// A function of one input on a tape.
struct Of {
    forward: Box<Forward>,
    backward: Box<Backward>,
}

impl Function<f64> for Of {
    fn name(&self) -> &'static str {
        "of"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> TapeResult<Tensor<f64>> {
        Ok((self.forward)(x[0]))
    }
    fn backward(&self, x: &[&Tensor<f64>], y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        vec![Some((self.backward)(x[0], y, dy))]
    }
}

fn function(
    x: Tensor<f64>,
    forward: impl Fn(&Tensor<f64>) -> Tensor<f64> + Send + Sync + 'static,
    backward: impl Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64> + Send + Sync + 'static,
) -> Outcome {
    let of: Arc<dyn Function<f64>> =
        Arc::new(Of { forward: Box::new(forward), backward: Box::new(backward) });
    Check::new().input("x", x).run(|tape, x| Ok([("y", tape.call(of.clone(), &[&x["x"]]))].into()))
}

fn two_by_three() -> Tensor<f64> {
    normal([2, 3], 1.0, &mut rng())
}

/// The squares of the last call, whoever asks.
fn last_call() -> Outcome {
    let kept: Arc<Mutex<Option<Tensor<f64>>>> = Arc::default();
    let last = kept.clone();
    function(
        two_by_three(),
        move |x| {
            *kept.lock().unwrap() = Some(x.clone());
            x.square()
        },
        move |_, _, dy| last.lock().unwrap().as_ref().unwrap() * 2.0 * dy,
    )
}

/// A weight that the backward pass reads once and keeps.
fn kept_weight() -> Outcome {
    let w = Param::new("w", Tensor::from([0.4, -0.9, 1.3]));
    let kept = RefCell::new(None);
    Check::new().input("x", two_by_three()).params([&w]).compare(
        |_, x| Ok([("y", (&x["x"] * &w).sin())].into()),
        |x, dy| {
            let w = kept.borrow_mut().get_or_insert_with(|| x["w"].clone()).clone();
            let dt = &dy["y"] * &(&x["x"] * &x["w"]).cos();
            Ok([("x", &dt * &w), ("w", (dt * &x["x"]).sum_to([3]))].into())
        },
    )
}

/// A weight that the forward pass reads once and keeps.
fn kept_forward() -> Outcome {
    let w = Param::new("w", Tensor::from([0.4, -0.9, 1.3]));
    let kept = RefCell::new(None);
    Check::new().input("x", two_by_three()).params([&w]).run(|tape, x| {
        let value = kept.borrow_mut().get_or_insert_with(|| w.value()).clone();
        let zero = tape.param(&w) - w.value();
        Ok([("y", (&x["x"] * (zero + value)).sin())].into())
    })
}

/// Noise in every 7th backward pass.
fn seventh() -> Outcome {
    let calls = Cell::new(0);
    tanh(two_by_three(), |dy| {
        calls.set(calls.get() + 1);
        dy * if calls.get() % 7 == 0 { 1.0 + 1e-6 } else { 1.0 }
    })
}

/// A kernel that takes any tensor for contiguous, where it can.
fn contiguous() -> Outcome {
    let raw = |x: &Tensor<f64>| match x.as_slice() {
        Some(x) => x.to_vec(),
        None => x.t().to_vec(), // the elements in the order of memory, as a pointer would read them
    };
    let product = Param::new("v", normal([2, 3], 1.0, &mut rng()));
    let of: Arc<dyn Function<f64>> = Arc::new(Of {
        forward: Box::new(|x| x.sin()),
        backward: Box::new(move |x, _, dy| Tensor::from_vec(raw(x), x.shape()).unwrap().cos() * dy),
    });
    Check::new()
        .input("x", two_by_three())
        .params([&product])
        .run(|tape, x| Ok([("y", tape.call(of.clone(), &[&x["x"]]) * &product)].into()))
}

fn large(change: impl Fn(Tensor<f64>) -> Tensor<f64>) -> Outcome {
    let w = Param::new("W", normal([80, 90], 0.1, &mut rng()));
    Check::new().input("x", normal([2, 80], 1.0, &mut rng())).params([&w]).compare(
        |_, x| Ok([("y", x["x"].matmul(&w).tanh())].into()),
        |x, dy| {
            let dt = &dy["y"] * &(1.0 - x["x"].matmul(&x["W"]).tanh().square());
            Ok(Named::from([("x", dt.matmul(&x["W"].t())), ("W", change(x["x"].t().matmul(&dt)))]))
        },
    )
}

macro_rules! kinds {
    ($($text:literal, $wrong:expr, $guess:pat => $check:expr;)*) => {
        &[$(Kind { text: $text, wrong: &$wrong, guess: |guess| matches!(guess, $guess), check: || $check },)*]
    };
}

pub(crate) const KINDS: &[Kind] = kinds! {
    "a layer norm with a constant variance", ["x"], Pattern::Rows(_) => layer_norm(false, 1e-3);
    "a layer norm without eps", ["x"], Pattern::Rows(_) => layer_norm(true, 0.0);
    "a gate without its own derivative", ["ti"], Pattern::OwnDerivative(_) => gates(false, true);
    "a candidate without its own derivative", ["tg"], Pattern::OwnDerivative(_) => gates(true, false);
    "a GRU without the candidate's path to the past", ["h_prev"], Pattern::OneUse { .. } | Pattern::LostUse { .. } => gru(false, true);
    "a GRU without the path through the reset gate", ["r"], Pattern::Zero => gru(true, false);
    "attention without the sum of softmax", ["q", "k"], Pattern::Rows(_) => attention();
    "rows that are over, but get a gradient", ["xs"], Pattern::Leak => rows(true);
    "a reset that lets the gradient through", ["h_prev", "x"], Pattern::Leak => reset();
    "a learned initial state that sees row 0 alone", ["h_prev"], Pattern::OneSample(0) => learned();
    "tied weights with a lost use", ["W"], Pattern::OneUse { .. } => tied();
    "a bidirectional layer with its halves swapped", ["x", "forwards", "backwards"], Pattern::Other(_) => halves();
    "a straight-through rounding", ["x"], Pattern::Flat => function(two_by_three() * 3.0, |x| x.map(f64::round), |_, _, dy| dy.clone());
    "a straight-through sign", ["x"], Pattern::Flat => function(two_by_three(), Tensor::sign, |_, _, dy| dy.clone());
    "cotangents clipped at 5", ["x"], Pattern::NotLinear => tanh(two_by_three(), |dy| dy.clamp(-5.0, 5.0));
    "small cotangents dropped", ["x"], Pattern::NotLinear => tanh(two_by_three(), |dy| dy.map(|dy| if dy.abs() < 1e-4 { 0.0 } else { dy }));
    "cotangents clipped by their norm", ["x"], Pattern::NotLinear => tanh(two_by_three(), |dy| {
        let norm = dy.iter().map(|dy| dy * dy).sum::<f64>().sqrt();
        if norm > 10.0 { dy * (10.0 / norm) } else { dy.clone() }
    });
    "the size of cotangents", ["x"], Pattern::Signs => tanh(two_by_three(), Tensor::abs);
    "single precision inside of a double-precision pass", ["x"], Pattern::SinglePrecision => tanh(two_by_three(), |dy| dy.map(|dy| f64::from(dy as f32)));
    "the notebook's dh_prev, N = D, another H", ["h_prev"], Pattern::Rows(_) => notebook([3, 3, 4]);
    "the notebook's dh_prev, D = 1", ["h_prev"], Pattern::Rows(_) => notebook([2, 1, 4]);
    "off by 1e-7", ["x"], Pattern::Factor(_) => tanh(two_by_three(), |dy| dy * (1.0 + 1e-7));
    "a logarithm that is 50 % off at 1e-6", ["x"], Pattern::OneElement =>
        function(Tensor::from([0.9, 1e-6, 1.3]), Tensor::ln, |x, _, dy| dy / x.map(|x| if x < 1e-3 { 2.0 * x } else { x }));
    "an element that is small beside another, and wrong", ["x"], Pattern::OneElement =>
        function(Tensor::from([0.3, 0.7, 0.2]), |x| (x * &Tensor::from([1e5, 5e-4, 1.0])).sum_to([1]),
            |_, _, dy| Tensor::from([1e5, 1e-3, 1.0]) * dy);
    "one element of 80 x 90", ["W"], Pattern::OneElement => large(|mut dw| { dw.set(&[41, 7], 0.0).unwrap(); dw });
    "a weight that the backward pass reads once", ["x"], Pattern::Kept => kept_weight();
};

type Run = fn() -> Outcome;

/// Faults that the check refuses with an error, since a layer that depends on more than its inputs has no derivative.
pub(crate) const REFUSED: &[(&str, Run)] = &[
    ("a cache of the last call", last_call),
    ("noise in every 7th backward pass", seventh),
    ("a kernel that takes any tensor for contiguous", contiguous),
];

#[test]
fn every_kind_is_caught_by_name() {
    for kind in KINDS {
        let report = (kind.check)().unwrap_or_else(|error| panic!("{}: {error}", kind.text));
        assert!(!report.is_ok(), "{} was not caught\n{report}", kind.text);
        assert_eq!(report.wrong(), kind.wrong, "{}\n{report}", kind.text);
    }
    for (text, check) in REFUSED {
        let error = check().err().unwrap_or_else(|| panic!("{text} was not caught"));
        assert!(matches!(error, Error::NotRepeatable { .. } | Error::Layout { .. }), "{text}: {error}");
    }
}

/// Of the table and of these, four in five have a guess, and a right one.
#[test]
fn most_guesses_are_right() {
    let mut missed = Vec::new();
    for kind in KINDS {
        let report = (kind.check)().unwrap();
        if !kind.wrong.iter().any(|name| report.pattern(name).is_some_and(kind.guess)) {
            let found: Vec<_> = kind.wrong.iter().map(|name| report.pattern(name)).collect();
            missed.push(format!("{}: {found:?}", kind.text));
        }
    }
    let table = crate::Fault::ALL.iter().filter(|&&fault| crate::expected(fault).1.is_none());
    // The error that a state which leaks is refused with says so.
    let table = table.filter(|fault| !matches!(fault, crate::Fault::StateLeak | crate::Fault::GradientLeak));
    missed.extend(table.map(|fault| fault.text().to_owned()));
    let all = KINDS.len() + crate::Fault::ALL.len();
    assert!(
        5 * missed.len() <= all,
        "{} of {all} without a right guess:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

/// The forward pass that keeps a weight is not refused, but said not to move with it.
#[test]
fn a_weight_that_the_forward_pass_keeps_is_seen() {
    let report = kept_forward().unwrap();
    assert!(!report.is_ok(), "{report}");
    assert_eq!(report.wrong(), ["w"], "{report}");
}

#[test]
fn the_element_of_a_large_tensor_is_found() {
    let report = large(|mut dw| {
        dw.set(&[41, 7], 0.0).unwrap();
        dw
    });
    let report = report.unwrap();
    let [found] = report.mismatches() else { panic!("expected one mismatch\n{report}") };
    assert_eq!((found.name.as_str(), found.index.as_deref()), ("W", Some(&[41, 7][..])), "{report}");
}
