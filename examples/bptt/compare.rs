//! Part 3: the gradients of a TimeRnn three ways. Derived from the tape, by the explicit formulas, and by finite
//! differences.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::check::{Check, Measure, Named, Oracle};
use retrograde::nn::explicit;
use retrograde::prelude::*;
use retrograde_examples::difference::Difference;
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Ink, Result, Screen};
use serde_json::{Value, json};

/// `[N, T, D, H]`: sizes that all differ tell a transpose from what it transposes.
const SIZES: [usize; 4] = [3, 5, 4, 6];
/// The number of windows over which a stateful layer is compared.
const WINDOWS: usize = 3;
/// The tensors that gradients are taken of: inputs, parameters, and the initial state.
const NAMES: [&str; 5] = ["xs", "Wx", "Wh", "b", "h_prev"];

/// One window: the inputs, and the cotangents of all states and of the last one.
struct Window<E> {
    xs: Tensor<E>,
    dhs: Tensor<E>,
    dh_last: Tensor<E>,
}

/// The distance of the derived gradient of one tensor from the other two.
struct Row {
    tensor: &'static str,
    explicit: Difference,
    differences: Measure,
}

/// Compares in both precisions, stateless and stateful, and prints a table.
pub(crate) fn run(seed: u64, screen: &mut Screen, findings: &mut Findings) -> Result<()> {
    let [n, steps, d, h] = SIZES;
    screen.part(3, "Three ways to the same gradient")?;
    screen.line(format!(
        "  TimeRnn, N={n} T={steps} D={d} H={h}, random cotangents of all states and the last one;"
    ))?;
    screen.line(format!("  stateful: the worst of {WINDOWS} windows, the gradient cut between them"))?;
    screen.line("")?;
    let mut table = Table::new(&[
        ("layer", Align::Left),
        ("tensor", Align::Left),
        ("largest", Align::Right),
        ("absolute", Align::Right),
        ("relative", Align::Right),
        ("absolute", Align::Right),
        ("relative", Align::Right),
        ("", Align::Left),
    ])
    .over(3..5, "explicit formulas")
    .over(5..7, "finite differences");
    let mut numbers: Vec<Value> = Vec::new();
    for stateful in [false, true] {
        show::<f64>([1e-12, 1e-8], seed, stateful, &mut table, &mut numbers, findings)?;
        show::<f32>([1e-5, 1e-5], seed, stateful, &mut table, &mut numbers, findings)?;
    }
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.line("  Relative to the tensor's largest element; for finite differences, to that of")?;
    screen.line("  the time step. They are taken in f64 and extrapolated (Richardson).")?;
    screen.line("  Tolerances: 1e-12 and 1e-8 for f64, 1e-5 for f32.")?;
    findings.record("compare", json!({ "sizes": SIZES, "windows": WINDOWS, "rows": numbers }));
    Ok(())
}

/// One group of the table: a row a tensor.
fn show<E: Float>(
    [explicit, differences]: [f64; 2],
    seed: u64,
    stateful: bool,
    table: &mut Table,
    numbers: &mut Vec<Value>,
    findings: &mut Findings,
) -> Result<()> {
    let layer = format!("{} {}", E::DTYPE, if stateful { "stateful" } else { "stateless" });
    for (i, row) in compare::<E>(seed, stateful, differences)?.iter().enumerate() {
        let name = format!("d{}", row.tensor);
        let mut hold = true;
        for (what, found, tolerance) in [
            ("the explicit formulas", row.explicit.relative, explicit),
            ("finite differences", row.differences.relative, differences),
        ] {
            if found.is_nan() || found > tolerance {
                hold = false;
                findings.fail(format!(
                    "{layer}: {name}: expected at most {tolerance:e} from {what}, relative, found {found:.1e}"
                ));
            }
        }
        let number = |x: f64| (format!("{x:.1e}"), Ink::Plain);
        table.inked_row([
            (if i == 0 { layer.clone() } else { String::new() }, Ink::Plain),
            (name.clone(), Ink::Plain),
            number(row.explicit.magnitude),
            number(row.explicit.absolute),
            number(row.explicit.relative),
            number(row.differences.absolute),
            number(row.differences.relative),
            if hold { ("✓".to_owned(), Ink::Good) } else { ("✗".to_owned(), Ink::Bad) },
        ]);
        let pair = |[absolute, relative, tolerance]: [f64; 3]| -> Value {
            json!({ "absolute": absolute, "relative": relative, "tolerance": tolerance })
        };
        numbers.push(json!({
            "layer": layer,
            "tensor": name,
            "largest": row.explicit.magnitude,
            "explicit": pair([row.explicit.absolute, row.explicit.relative, explicit]),
            "differences": pair([row.differences.absolute, row.differences.relative, differences]),
            "hold": hold,
        }));
    }
    Ok(())
}

/// The three ways, window by window; the worst of all windows counts.
fn compare<E: Float>(seed: u64, stateful: bool, tolerance: f64) -> Result<Vec<Row>> {
    let [n, steps, d, h] = SIZES;
    let mut rng = StdRng::seed_from_u64(seed);
    let std = |fan_in: usize| 1.0 / (fan_in as f32).sqrt();
    let wx: Tensor<E> = random([d, h], std(d), &mut rng)?;
    let wh: Tensor<E> = random([h, h], std(h), &mut rng)?;
    let b: Tensor<E> = random([h], 0.3, &mut rng)?;
    let mut by_hand = explicit::TimeRnn::new(wx.clone(), wh.clone(), b.clone())?.stateful(stateful);
    let mut rnn = TimeRnn::new(RnnCell::from_arrays(wx, wh, b)?).stateful(stateful);

    let mut worst: Vec<Row> = Vec::new();
    for _ in 0..if stateful { WINDOWS } else { 1 } {
        let window = Window {
            xs: random([n, steps, d], 1.0, &mut rng)?,
            dhs: random([n, steps, h], 1.0, &mut rng)?,
            dh_last: random([n, h], 1.0, &mut rng)?,
        };
        let h_prev = rnn.state().cloned().unwrap_or_else(|| Tensor::zeros([n, h]));
        let measures = from_differences(&rnn.cell, &window.xs, &h_prev, tolerance, seed)?;
        let derived = derived(&mut rnn, &window)?;
        let explicit = explicit_formulas(&mut by_hand, &window)?;
        for (i, tensor) in NAMES.into_iter().enumerate() {
            let row = Row {
                tensor,
                explicit: Difference::between(&derived[i], &explicit[i]),
                differences: measures[i],
            };
            match worst.get_mut(i) {
                Some(worst) => worst.take(row),
                None => worst.push(row),
            }
        }
    }
    Ok(worst)
}

/// The gradients that the tape derives.
fn derived<E: Float>(rnn: &mut TimeRnn<E>, window: &Window<E>) -> Result<[Tensor<E>; 5]> {
    let tape = Tape::new();
    let xs = tape.var(window.xs.clone()); // [N, T, D]
    let out = rnn.forward(&xs)?;
    let grads = tape.backward(&[(&out.hs, &window.dhs), (&out.last, &window.dh_last)])?;
    let cell = &rnn.cell;
    let x = [xs, tape.param(&cell.wx), tape.param(&cell.wh), tape.param(&cell.b), out.initial];
    Ok(x.map(|x| grads.get(&x).cloned().unwrap_or_else(|| Tensor::zeros(x.shape()))))
}

/// The gradients by the formulas that the textbook derives by hand.
fn explicit_formulas<E: Float>(rnn: &mut explicit::TimeRnn<E>, window: &Window<E>) -> Result<[Tensor<E>; 5]> {
    let hs = rnn.forward(&window.xs)?;
    let dxs = rnn.backward_with_last(&window.dhs, &window.dh_last)?;
    let dh_prev = rnn.dh.clone().unwrap_or_else(|| Tensor::zeros([hs.dims()[0], hs.dims()[2]]));
    Ok([dxs, rnn.dwx.clone(), rnn.dwh.clone(), rnn.db.clone(), dh_prev])
}

/// The distance of gradients from the tape in precision `E` from finite differences of the forward pass in double precision,
/// with the incoming state held fixed: that is the gradient which truncation leaves.
fn from_differences<E: Float>(
    cell: &RnnCell<E>,
    xs: &Tensor<E>,
    h_prev: &Tensor<E>,
    tolerance: f64,
    seed: u64,
) -> Result<[Measure; 5]> {
    let [wx, wh, b] = [&cell.wx, &cell.wh, &cell.b].map(|param| cast(&param.value()));
    let rnn = TimeRnn::<f64>::new(RnnCell::from_arrays(wx, wh, b)?);
    let report = Check::new()
        .input("xs", cast(xs))
        .input("h_prev", cast(h_prev))
        .params([&rnn.cell.wx, &rnn.cell.wh, &rnn.cell.b])
        .time_axis("xs", 1)
        .time_axis("hs", 1)
        .full_jacobian(false)
        .tolerance(tolerance)
        .exact_tolerance(tolerance)
        .seed(seed)
        .compare(
            |_, x| {
                let (hs, last) = rnn.run_from(&x["xs"], x["h_prev"].clone(), &SequenceOptions::new())?;
                Ok([("hs", hs), ("last", last)].into())
            },
            |x, dy| {
                let cell = RnnCell::from_arrays(cast(&x["Wx"]), cast(&x["Wh"]), cast(&x["b"]))?;
                let mut rnn = TimeRnn::<E>::new(cell);
                rnn.set_state(cast(&x["h_prev"]));
                let [xs, dhs, dh_last] = [cast(&x["xs"]), cast(&dy["hs"]), cast(&dy["last"])];
                let grads = derived(&mut rnn, &Window { xs, dhs, dh_last })?;
                Ok(NAMES.into_iter().zip(grads.map(|grad| cast(&grad))).collect::<Named<Tensor<f64>>>())
            },
        )?;
    Ok(NAMES.map(|name| {
        let rows = report.rows().iter().filter(|row| row.name == name);
        let found = rows.flat_map(|row| &row.measures).filter(|(oracle, _)| *oracle == Oracle::Differences);
        let none = Measure { absolute: f64::NAN, relative: f64::NAN, compared: 0 };
        found.map(|&(_, measure)| measure).reduce(worse).unwrap_or(none)
    }))
}

impl Row {
    fn take(&mut self, other: Row) {
        self.explicit = self.explicit.worse(other.explicit);
        self.differences = worse(self.differences, other.differences);
    }
}

fn worse(a: Measure, b: Measure) -> Measure {
    if a.relative.is_nan() || a.relative >= b.relative { a } else { b }
}

/// A random tensor of numbers that every precision has: finite differences in `f64` are then taken at the same point.
fn random<E: Float>(shape: impl IntoShape, std: f32, rng: &mut StdRng) -> Result<Tensor<E>> {
    Ok(cast(&Tensor::<f32>::normal(shape, 0.0, std, rng)?))
}

fn cast<A: Float, B: Float>(x: &Tensor<A>) -> Tensor<B> {
    x.map(|x| B::from_f64(x.to_f64()))
}
