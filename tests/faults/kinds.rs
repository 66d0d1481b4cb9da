//! Faults of other kinds than those of the table in `docs/checking.md`: of gates, norms, attention, rows and calls.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_check::{Error, Pattern, Report};
use retrograde_tensor::Tensor;

use crate::functions::{
    contiguous, function, kept_forward, kept_weight, large, last_call, seventh, two_by_three,
};
use crate::passes::{
    attention, causal, convolution, gates, gru, halves, layer_norm, learned, notebook, ragged, reset, rows,
    tanh, tied,
};

pub(crate) type Outcome = Result<Report, Error>;

/// A fault: what is wrong, the tensors whose gradient it spoils (none where the check refuses it), its check.
pub(crate) struct Kind {
    pub(crate) text: &'static str,
    pub(crate) wrong: &'static [&'static str],
    pub(crate) guess: fn(&Pattern) -> bool,
    pub(crate) check: fn() -> Outcome,
}

pub(crate) fn rng() -> StdRng {
    StdRng::seed_from_u64(21)
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
    "attention without its scale", ["x", "Wq", "Wk"], Pattern::Factor(_) => causal(false, true);
    "attention without the path through its values", ["x"], Pattern::LostUse { .. } => causal(true, false);
    "a convolution that loses its last tap", ["x"], Pattern::OneElement => convolution();
    "a mean over the steps of the longest row", ["xs"], Pattern::Rows(_) => ragged();
    "rows that are over, but get a gradient", ["xs"], Pattern::Leak => rows(true);
    "a reset that lets the gradient through", ["h_prev", "x"], Pattern::Leak => reset();
    "a learned initial state that sees row 0 alone", ["h_prev"], Pattern::OneSample(0) => learned();
    "tied weights with a lost use", ["W"], Pattern::OneUse { .. } => tied();
    "a bidirectional layer with its halves swapped", ["x", "forwards", "backwards"], Pattern::Other(_) => halves();
    "a straight-through rounding", ["x"], Pattern::Flat => function(two_by_three() * 3.0, |x| x.map(f64::round), |_, _, dy| dy.clone());
    "a straight-through sign", ["x"], Pattern::Flat => function(two_by_three(), Tensor::sign, |_, _, dy| dy.clone());
    "cotangents clipped at 5", ["x"], Pattern::NotLinear => tanh(two_by_three(), |dy| dy.clamp(-5.0, 5.0));
    "small cotangents dropped", ["x"], Pattern::NotLinear => tanh(two_by_three(), |dy| dy.map(|dy| if dy.abs() < 1e-4 { 0.0 } else { dy }));
    "gradients clipped at 100", ["x"], Pattern::NotLinear => function(two_by_three(), Tensor::exp, |_, y, dy| (dy * y).clamp(-100.0, 100.0));
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
