//! The zoo of faults: every one is caught, by name, and the layer that they were broken out of is not reported.

mod functions;
mod kinds;
mod lstm;
mod passes;
mod zoo;

use std::cell::RefCell;
use std::fmt::Write;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_check::{Check, Error, Named, Oracle, Pattern, Report};
use retrograde_tensor::Tensor;
use zoo::{Fault, Rnn, backward, normal};

const ALL: &[&str] = &["xs", "h_prev", "Wx", "Wh", "b"];
const LSTM: &[&str] = &["xs", "h_prev", "c_prev", "Wx", "Wh", "b"];

/// The tensors whose gradient each fault makes wrong, and the guess at the cause, with the tensor it is made for.
fn expected(fault: Fault) -> (&'static [&'static str], Option<(&'static str, Pattern)>) {
    match fault {
        Fault::NoCarry => (ALL, Some(("xs", Pattern::ZeroSteps { first: 0, last: 3 }))),
        Fault::Overwritten => (&["Wh"], Some(("Wh", Pattern::OneUse { index: 0, of: 5 }))),
        Fault::BatchNotSummed => (&["b"], Some(("b", Pattern::OneSample(1)))),
        Fault::MissingTranspose | Fault::Aliased => (ALL, Some(("xs", Pattern::Carried { from: 4 }))),
        Fault::Notebook => (ALL, Some(("xs", Pattern::Carried { from: 3 }))),
        Fault::OffByOne => (&["Wh"], None),
        Fault::Truncated | Fault::Detached => (ALL, Some(("xs", Pattern::ZeroSteps { first: 0, last: 1 }))),
        Fault::Reversed => (&["xs"], Some(("xs", Pattern::Reversed))),
        Fault::Dropped => (&["Wh"], Some(("Wh", Pattern::OneElement))),
        Fault::Scaled => (&["Wh"], Some(("Wh", Pattern::Factor(1.0005)))),
        Fault::SignOfBias => (&["b"], Some(("b", Pattern::Sign))),
        Fault::TransposedWeight => (&["Wh"], Some(("Wh", Pattern::Transposed))),
        Fault::LastStateIgnored => (ALL, Some(("xs", Pattern::Zero))),
        Fault::InitialStateForgotten => (&["h_prev"], Some(("h_prev", Pattern::Zero))),
        Fault::BatchMean => (&["Wx"], Some(("Wx", Pattern::Factor(0.5)))),
        Fault::WeightByValue => (&["Wh"], Some(("Wh", Pattern::Zero))),
        Fault::StateLeak => (&["hs"], None),
        Fault::GradientLeak => (&["the gradient of Wx"], None),
        Fault::Lstm(lstm::Fault::CellFromNextAlone) => (LSTM, Some(("c_prev", Pattern::Zero))),
        Fault::Lstm(lstm::Fault::NoCellCarry) => (LSTM, Some(("xs", Pattern::Carried { from: 4 }))),
        Fault::Lstm(lstm::Fault::GatesSwapped) => {
            (LSTM, Some(("Wx", Pattern::Columns { first: 0, last: 11 })))
        }
        Fault::Lstm(lstm::Fault::ForgetOffByOne) => {
            (LSTM, Some(("Wx", Pattern::Columns { first: 0, last: 3 })))
        }
        Fault::Lstm(lstm::Fault::TanhForgotten) => {
            (LSTM, Some(("Wx", Pattern::Columns { first: 12, last: 15 })))
        }
    }
}

#[test]
fn every_fault_is_caught_by_name() {
    for fault in Fault::ALL {
        let (wrong, pattern) = expected(fault);
        let report = match fault.check() {
            Ok(report) => report,
            Err(Error::NotRepeatable { name, .. }) => {
                assert_eq!([name.as_str()], wrong, "{fault:?}");
                continue;
            }
            Err(error) => panic!("{fault:?}: {error}"),
        };
        assert!(!report.is_ok(), "{fault:?} was not caught\n{report}");
        assert_eq!(report.wrong(), wrong, "{fault:?}\n{report}");
        let Some((name, pattern)) = pattern else { continue };
        match (report.pattern(name), pattern) {
            (Some(Pattern::Factor(found)), Pattern::Factor(factor)) => {
                assert!((found - factor).abs() < 1e-9, "{fault:?}: {found}");
            }
            (found, pattern) => assert_eq!(found, Some(&pattern), "{fault:?}\n{report}"),
        }
    }
}

#[test]
fn the_dropped_element_is_found() {
    let report = Fault::Dropped.check().unwrap();
    let [found] = report.mismatches() else { panic!("expected one mismatch\n{report}") };
    assert_eq!((found.name.as_str(), found.index.as_deref()), ("Wh", Some(&[17, 4][..])));
    assert_eq!(found.analytic, 0.0);
    assert_eq!(found.oracles, [Oracle::Differences, Oracle::Adjoint, Oracle::Tape]);
}

/// The dual-number replay and the sweep read the same tape, so what never came onto it is invisible to both.
#[test]
fn what_is_off_the_tape_is_seen_by_finite_differences_alone() {
    for (fault, step) in [(Fault::Detached, ", step 2"), (Fault::WeightByValue, "")] {
        let report = fault.check().unwrap();
        assert_eq!(report.caught_by(), [Oracle::Differences]);
        let [cut] = report.cuts() else { panic!("expected one cut, found {:?}", report.cuts()) };
        assert!(cut.contains("zoo.rs:") && cut.ends_with(step), "{cut}");
    }
}

/// The hand-written pass without a fault, over odd sizes: N = 1, T = 1, D ≠ H and D = H, T = 20.
#[test]
fn the_right_backward_pass_is_not_reported() {
    for [n, t, d, h] in [[2, 3, 4, 3], [1, 5, 2, 4], [3, 1, 2, 3], [3, 3, 3, 3], [1, 1, 1, 1], [2, 20, 3, 4]]
    {
        let mut rng = StdRng::seed_from_u64(2);
        let rnn = Rnn::new(d, h, &mut rng);
        let unused = RefCell::new(Tensor::zeros([d, h]));
        let report = Check::new()
            .input("xs", normal([n, t, d], 1.0, &mut rng))
            .input("h_prev", normal([n, h], 0.5, &mut rng))
            .params([&rnn.wx, &rnn.wh, &rnn.b])
            .time_axis("xs", 1)
            .time_axis("hs", 1)
            .compare(
                |tape, x| {
                    let [hs, last] = rnn.unroll(tape, &x["xs"], &x["h_prev"]);
                    Ok(Named::from([("hs", hs), ("h", last)]))
                },
                |x, dy| Ok(backward(None, x, dy, &unused)),
            )
            .unwrap();
        report.assert_ok();
        assert!(report.kinks().is_empty(), "{report}");
        assert!(report.not_verifiable().iter().all(|found| found.adjoint), "{report}");
    }
}

#[test]
fn the_right_backward_pass_of_an_lstm_is_not_reported() {
    for sizes in [[2, 5, 3, 4], [1, 4, 2, 3], [3, 1, 2, 3], [1, 1, 1, 1]] {
        let report = lstm::check(None, sizes).unwrap();
        report.assert_ok();
        assert!(report.kinks().is_empty(), "{report}");
    }
}

#[test]
fn the_documented_table_is_what_happens() {
    assert_documented("table", &table());
}

#[test]
fn the_documented_report_is_what_is_printed() {
    let report = Fault::Truncated.check().unwrap();
    assert_documented("report", &format!("```text\n{report}```\n"));
    assert!(report.to_string().lines().all(|line| line.chars().count() <= 80), "{report}");
}

fn table() -> String {
    let mut table = String::from(
        "| fault | re-run | differences | adjoint | tape | named | guess |\n\
         |---|:-:|:-:|:-:|:-:|---|---|\n",
    );
    for fault in Fault::ALL {
        let mark = |yes: bool| if yes { "x" } else { "" };
        let (caught, named, guess) = match fault.check() {
            Ok(report) => {
                let by = report.caught_by();
                let seen = |oracle| mark(by.contains(&oracle));
                let tape = if report.cuts().is_empty() { seen(Oracle::Tape) } else { "-" };
                let caught = ["", seen(Oracle::Differences), seen(Oracle::Adjoint), tape];
                (caught, report.wrong().join(", "), guess(fault, &report))
            }
            Err(Error::NotRepeatable { name, .. }) => (["x", "-", "-", "-"], name, String::new()),
            Err(error) => panic!("{fault:?}: {error}"),
        };
        let caught = caught.map(|mark| format!(" {mark} |")).concat();
        writeln!(table, "| {} |{caught} {named} | {guess} |", fault.text()).unwrap();
    }
    table
}

fn guess(fault: Fault, report: &Report) -> String {
    let (_, expected) = expected(fault);
    let guess = expected.and_then(|(name, _)| Some(format!("{name}: {}", report.pattern(name)?)));
    guess.unwrap_or_default()
}

/// Compares the part of `docs/checking.md` between two comments with what it should be.
fn assert_documented(part: &str, expected: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/checking.md");
    let doc = std::fs::read_to_string(path).unwrap();
    let after = doc.split_once(&format!("<!-- {part} -->\n")).expect("the opening comment").1;
    let found = after.split_once(&format!("<!-- end of {part} -->")).expect("the closing comment").0;
    assert!(found == expected, "docs/checking.md: expected between the comments of {part}:\n{expected}");
}
