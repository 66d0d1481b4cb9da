//! The backward passes as textbooks derive them, a line for each cotangent, and faults that they are written down with.
//!
//! A line is a template: `{t}` stands for the step, and the step before the first is called `prev`. A term after `[all]` is
//! there only if the loss reads all states, after `[later]` only if a step follows, after `[here]` only within the
//! sequence.

use clap::ValueEnum;

use crate::problem::{Cell, Loss, Problem, Sizes};

/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.3.
const RNN: &[&str] = &[
    "dh_{t} = [all] dhs[:, {t}] + [later] dt_{t+1}·Whᵀ",
    "dt_{t} = dh_{t} ⊙ (1 - h_{t}²)",
    "dWh += h_{t-1}ᵀ·dt_{t}",
    "dWx += x_{t}ᵀ·dt_{t}",
    "db += Σₙ dt_{t}",
    "dx_{t} = dt_{t}·Wxᵀ",
];

/// *Deep Learning from Scratch 2*, section 6.3.
const LSTM: &[&str] = &[
    "dh_{t} = [all] dhs[:, {t}] + [later] dt_{t+1}·Whᵀ",
    "dc_{t} = [here] dh_{t} ⊙ o_{t} ⊙ (1 - tanh(c_{t})²) + [later] dc_{t+1} ⊙ f_{t+1}",
    "do_{t} = dh_{t} ⊙ tanh(c_{t})",
    "di_{t} = dc_{t} ⊙ g_{t}",
    "dg_{t} = dc_{t} ⊙ i_{t}",
    "df_{t} = dc_{t} ⊙ c_{t-1}",
    "dt_{t} = hstack(df_{t} ⊙ f_{t} ⊙ (1 - f_{t}), dg_{t} ⊙ (1 - g_{t}²), di_{t} ⊙ i_{t} ⊙ (1 - i_{t}), \
     do_{t} ⊙ o_{t} ⊙ (1 - o_{t}))",
    "dWh += h_{t-1}ᵀ·dt_{t}",
    "dWx += x_{t}ᵀ·dt_{t}",
    "db += Σₙ dt_{t}",
    "dx_{t} = dt_{t}·Wxᵀ",
];

/// As *Deep Learning from Scratch 2*, appendix C, with the reset after the product.
const GRU: &[&str] = &[
    "dh_{t} = [all] dhs[:, {t}] + [later] dh_{t+1} ⊙ z_{t+1} + [later] dth_{t+1}·Whᵀ",
    "dz_{t} = dh_{t} ⊙ (h_{t-1} - n_{t})",
    "dn_{t} = dh_{t} ⊙ (1 - z_{t})",
    "dtn_{t} = dn_{t} ⊙ (1 - n_{t}²)",
    "dr_{t} = dtn_{t} ⊙ th_{t}[:, {n}]",
    "dtr_{t} = dr_{t} ⊙ r_{t} ⊙ (1 - r_{t})",
    "dtz_{t} = dz_{t} ⊙ z_{t} ⊙ (1 - z_{t})",
    "dth_{t} = hstack(dtr_{t}, dtz_{t}, dtn_{t} ⊙ r_{t})",
    "dtx_{t} = hstack(dtr_{t}, dtz_{t}, dtn_{t})",
    "dWh += h_{t-1}ᵀ·dth_{t}",
    "dWx += x_{t}ᵀ·dtx_{t}",
    "db += Σₙ dtx_{t}",
    "dx_{t} = dtx_{t}·Wxᵀ",
];

/// A slip in a backward pass by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// The cotangent from the next step is not added (with --loss all)
    NoCarry,
    /// dh = dt·Wh, without the transpose (rnn)
    MissingTranspose,
    /// dh = xᵀ·dt, which fits since N = D (rnn)
    Notebook,
    /// dWh from the state after the step, not before it
    OffByOne,
    /// dWh transposed (rnn)
    TransposedWeight,
    /// db with the wrong sign
    SignOfBias,
    /// The cotangent from the next step is dropped once, in the middle (with --loss all)
    Truncated,
    /// The cell gets nothing from the next step's cell (lstm)
    NoCellCarry,
    /// df from the cell after the step, not before it (lstm)
    ForgetOffByOne,
    /// The gates i and g change places (lstm)
    GatesSwapped,
    /// The slope of tanh(c) is left out (lstm)
    TanhForgotten,
    /// The reset gate is left out on the way to the state (gru)
    ResetForgotten,
}

/// `name = formula`, or a share of a sum over time, `name += formula`.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// `dh_3`
    pub(crate) name: String,
    /// The step of a share.
    pub(crate) share: Option<usize>,
    pub(crate) formula: String,
}

/// The lines by hand, in the order in which they can be computed.
pub(crate) fn lines(problem: &Problem, fault: Option<Fault>) -> Vec<Line> {
    let templates = match problem.cell {
        Cell::Rnn => RNN,
        Cell::Lstm => LSTM,
        Cell::Gru => GRU,
    };
    let steps = (0..problem.steps as isize).rev().chain([-1]);
    let lines = steps.flat_map(|t| {
        templates.iter().filter_map(move |&right| {
            let wrong = fault.and_then(|fault| fault.wrong(problem, right, t));
            line(problem, wrong.unwrap_or(right), t)
        })
    });
    lines.collect()
}

/// A template at a step; `None` if nothing is left of it.
fn line(problem: &Problem, template: &str, t: isize) -> Option<Line> {
    let (name, formula) = template.split_once(" = ").or_else(|| template.split_once(" += "))?;
    let later = t + 1 < problem.steps as isize;
    let term = |term: &str| match term.split_once("] ") {
        Some(("[all", term)) => (problem.loss == Loss::All && t >= 0).then(|| term.to_owned()),
        Some(("[later", term)) => later.then(|| term.to_owned()),
        Some(("[here", term)) => (t >= 0).then(|| term.to_owned()),
        _ => (t >= 0).then(|| term.to_owned()),
    };
    let terms: Vec<String> = formula.split(" + ").filter_map(term).collect();
    let share = template.contains(" += ").then_some(t as usize);
    let h = problem.sizes.h;
    let fill = |text: &str| {
        let mut text = text.replace("{n}", &format!("{}:{}", 2 * h, 3 * h));
        for (slot, t) in [("t-1", t - 1), ("t+1", t + 1), ("t", t)] {
            let number = if t < 0 { "prev".to_owned() } else { t.to_string() };
            text = text.replace(&format!("{{{slot}}}"), &number);
        }
        text
    };
    (!terms.is_empty()).then(|| Line { name: fill(name), share, formula: fill(&terms.join(" + ")) })
}

impl Fault {
    /// The cells that can have it.
    fn cells(self) -> &'static [Cell] {
        match self {
            Fault::MissingTranspose | Fault::Notebook | Fault::TransposedWeight => &[Cell::Rnn],
            Fault::NoCellCarry | Fault::ForgetOffByOne | Fault::GatesSwapped | Fault::TanhForgotten => {
                &[Cell::Lstm]
            }
            Fault::ResetForgotten => &[Cell::Gru],
            Fault::NoCarry | Fault::OffByOne | Fault::SignOfBias | Fault::Truncated => {
                &[Cell::Rnn, Cell::Lstm, Cell::Gru]
            }
        }
    }

    /// Says why a problem cannot show the fault.
    pub(crate) fn refusal(self, cell: Cell, loss: Loss, steps: usize) -> Option<String> {
        let name = self.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        let carried = matches!(self, Fault::NoCarry | Fault::Truncated);
        if !self.cells().contains(&cell) {
            let cells: Vec<&str> = self.cells().iter().map(|cell| cell.name()).collect();
            return Some(format!(
                "fault {name}: expected --cell {}, found {}",
                cells.join(" or "),
                cell.name()
            ));
        }
        if carried && loss == Loss::Last {
            return Some(format!("fault {name}: expected --loss all, found last"));
        }
        (steps < 2).then(|| format!("fault {name}: expected --steps of at least 2, found {steps}"))
    }

    /// The sizes at which the shapes hide it.
    pub(crate) fn sizes(self, sizes: Sizes) -> Sizes {
        if self == Fault::Notebook { Sizes { n: sizes.d, ..sizes } } else { sizes }
    }

    /// The wrong line in the place of the right one, if this is where it is.
    fn wrong(self, problem: &Problem, right: &str, t: isize) -> Option<&'static str> {
        let gru = problem.cell == Cell::Gru;
        let middle = (problem.steps as isize - 1) / 2;
        let (name, wrong) = match self {
            Fault::NoCarry if t >= 0 => ("dh_{t} =", "dh_{t} = [all] dhs[:, {t}]"),
            Fault::Truncated if t == middle => ("dh_{t} =", "dh_{t} = [all] dhs[:, {t}]"),
            Fault::MissingTranspose => ("dh_{t} =", "dh_{t} = [all] dhs[:, {t}] + [later] dt_{t+1}·Wh"),
            Fault::Notebook => ("dh_{t} =", "dh_{t} = [all] dhs[:, {t}] + [later] x_{t+1}ᵀ·dt_{t+1}"),
            Fault::OffByOne if gru => ("dWh +=", "dWh += h_{t}ᵀ·dth_{t}"),
            Fault::OffByOne => ("dWh +=", "dWh += h_{t}ᵀ·dt_{t}"),
            Fault::TransposedWeight => ("dWh +=", "dWh += dt_{t}ᵀ·h_{t-1}"),
            Fault::SignOfBias if gru => ("db +=", "db += -Σₙ dtx_{t}"),
            Fault::SignOfBias => ("db +=", "db += -Σₙ dt_{t}"),
            Fault::NoCellCarry if t >= 0 => {
                ("dc_{t} =", "dc_{t} = [here] dh_{t} ⊙ o_{t} ⊙ (1 - tanh(c_{t})²)")
            }
            Fault::ForgetOffByOne => ("df_{t} =", "df_{t} = dc_{t} ⊙ c_{t}"),
            Fault::GatesSwapped => (
                "dt_{t} =",
                "dt_{t} = hstack(df_{t} ⊙ f_{t} ⊙ (1 - f_{t}), di_{t} ⊙ i_{t} ⊙ (1 - i_{t}), dg_{t} ⊙ (1 - g_{t}²), \
                 do_{t} ⊙ o_{t} ⊙ (1 - o_{t}))",
            ),
            Fault::TanhForgotten => {
                ("dc_{t} =", "dc_{t} = [here] dh_{t} ⊙ o_{t} + [later] dc_{t+1} ⊙ f_{t+1}")
            }
            Fault::ResetForgotten => ("dth_{t} =", "dth_{t} = hstack(dtr_{t}, dtz_{t}, dtn_{t})"),
            Fault::NoCarry | Fault::Truncated | Fault::NoCellCarry => return None,
        };
        right.starts_with(name).then_some(wrong)
    }
}
