//! Recurrent cells over time. Each case of an RNN is run twice: with the derived backward pass, and with the one by hand.

use retrograde::autograd::Tape;
use retrograde::nn::{RnnCell, TimeRnn, explicit};

use super::{Case, Comparison, Error, Runner, torch};

const KINDS: [(&str, Runner); 2] = [("time_rnn", time_rnn), ("stateful_rnn", stateful_rnn)];

/// The function that runs the cases of a kind.
pub fn runner(kind: &str) -> Option<Runner> {
    KINDS.iter().chain(&torch::KINDS).find(|(name, _)| *name == kind).map(|&(_, run)| run)
}

/// `xs [N, T, D] -> hs [N, T, H]` from a given state `h0 [N, H]`.
fn time_rnn(case: &Case<'_>, comparison: &mut Comparison) -> Result<(), Error> {
    let sizes = Sizes::of(case)?;
    let h0 = case.tensor("h0", &[sizes.n, sizes.h])?;
    let (mut derived, mut by_hand) = layers(case, &sizes)?;
    derived.set_state(h0.clone());
    by_hand.set_state(h0);
    window(case, comparison, &sizes, "", &mut derived, &mut by_hand)
}

/// Windows of a longer sequence: the first starts from zeros, each other one from where the one before ended. Between
/// them the gradient is cut; the gradient of a window's initial state is `dh0`.
fn stateful_rnn(case: &Case<'_>, comparison: &mut Comparison) -> Result<(), Error> {
    let sizes = Sizes::of(case)?;
    let (derived, by_hand) = layers(case, &sizes)?;
    let (mut derived, mut by_hand) = (derived.stateful(true), by_hand.stateful(true));
    let windows = case.size("windows")?;
    if windows == 0 {
        return Err(case.wrong("windows", "at least 1"));
    }
    for index in 0..windows {
        window(case, comparison, &sizes, &index.to_string(), &mut derived, &mut by_hand)?;
    }
    Ok(())
}

struct Sizes {
    n: usize,
    t: usize,
    d: usize,
    h: usize,
}

impl Sizes {
    fn of(case: &Case<'_>) -> Result<Self, Error> {
        Ok(Sizes { n: case.size("N")?, t: case.size("T")?, d: case.size("D")?, h: case.size("H")? })
    }
}

fn layers(case: &Case<'_>, sizes: &Sizes) -> Result<(TimeRnn<f64>, explicit::TimeRnn<f64>), Error> {
    let &Sizes { d, h, .. } = sizes;
    let (wx, wh, b) = (case.tensor("Wx", &[d, h])?, case.tensor("Wh", &[h, h])?, case.tensor("b", &[h])?);
    let cell = RnnCell::from_arrays(wx.clone(), wh.clone(), b.clone())?;
    Ok((TimeRnn::new(cell), explicit::TimeRnn::new(wx, wh, b)?))
}

/// One call of both layers, forward and backward. Its arrays have names that end in `suffix`.
fn window(
    case: &Case<'_>,
    comparison: &mut Comparison,
    &Sizes { n, t, d, h }: &Sizes,
    suffix: &str,
    derived: &mut TimeRnn<f64>,
    by_hand: &mut explicit::TimeRnn<f64>,
) -> Result<(), Error> {
    let array = |tensor: &str, dims: &[usize]| case.tensor(&format!("{tensor}{suffix}"), dims);
    let (xs, dhs) = (array("xs", &[n, t, d])?, array("dhs", &[n, t, h])?);
    let expected = [
        ("hs", array("hs", &[n, t, h])?),
        ("dxs", array("dxs", &[n, t, d])?),
        ("dWx", array("dWx", &[d, h])?),
        ("dWh", array("dWh", &[h, h])?),
        ("db", array("db", &[h])?),
        ("dh0", array("dh0", &[n, h])?),
    ];

    let tape = Tape::new();
    let x = tape.var(xs.clone());
    let out = derived.forward(&x)?;
    let grads = out.hs.backward_with(&dhs)?;
    let RnnCell { wx, wh, b } = &derived.cell;
    let [dwx, dwh, db] = [wx, wh, b].map(|param| grads.get(param));
    let from_tape = [Some(out.hs.value()), grads.get(&x), dwx, dwh, db, grads.get(&out.initial)];

    let hs = by_hand.forward(&xs)?;
    let dxs = by_hand.backward(&dhs)?;
    let explicit::TimeRnn { dwx, dwh, db, dh, .. } = &*by_hand;
    let from_formulas = [Some(&hs), Some(&dxs), Some(dwx), Some(dwh), Some(db), dh.as_ref()];

    for found in [from_tape, from_formulas] {
        for ((tensor, expected), found) in expected.iter().zip(found) {
            comparison.check(&format!("{tensor}{suffix}"), found, expected);
        }
    }
    Ok(())
}
