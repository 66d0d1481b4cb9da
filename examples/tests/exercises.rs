//! Each exercise is broken as its grade says, its reference repair is right, and only a repair by hand counts.

#[path = "../faults/check.rs"]
mod check;
#[path = "../faults/forecaster.rs"]
mod forecaster;
#[path = "../faults/problem.rs"]
mod problem;
#[path = "../faults/source.rs"]
mod source;
#[path = "../faults/table.rs"]
mod table;

use check::{Outcome, SIZES};
use retrograde::autograd::Var;
use source::reach;
use table::{EXERCISES, Exercise, Grade, Pass};

/// A pass that is right since the tape made it.
#[path = "exercises/by_tape.rs"]
mod by_tape;

fn outcomes(exercise: &Exercise, noise: bool) -> Vec<Outcome> {
    SIZES.into_iter().map(|sizes| exercise.outcome(exercise.pass, sizes, noise)).collect()
}

#[test]
fn each_exercise_is_broken_as_its_grade_says() {
    let right = |outcome: &Outcome| matches!(outcome, Outcome::Right);
    let wrong = |outcome: &Outcome| matches!(outcome, Outcome::Wrong(_));
    for exercise in EXERCISES {
        let found = outcomes(exercise, true);
        let (number, title, grade) = (exercise.number, exercise.title, exercise.grade.text());
        let what = format!("exercise {number}, {title} ({grade})");
        assert!(!exercise.is_right(exercise.pass), "{what} is repaired: put the broken file back");
        match exercise.grade {
            Grade::Loud => assert!(matches!(found[0], Outcome::Stopped(_)), "{what}"),
            Grade::SomeShapes => {
                assert!(!right(&found[0]), "{what}");
                let silent = found.iter().filter(|outcome| right(outcome)).count();
                let mixed = found.iter().any(wrong) && !found.iter().all(wrong);
                assert!(silent > 0 || mixed, "{what}");
            }
            Grade::WithoutNoise => {
                assert!(wrong(&found[0]), "{what}");
                assert!(outcomes(exercise, false).iter().all(right), "{what}");
            }
            Grade::Silent => assert!(found.iter().all(wrong), "{what}"),
            Grade::OffTheTape => {
                let Outcome::Wrong(report) = &found[0] else { panic!("{what} is not wrong") };
                assert_eq!(report.caught_by(), [retrograde::check::Oracle::Differences], "{what}");
            }
        }
    }
}

#[test]
fn each_reference_repair_is_right_and_by_hand() {
    for exercise in EXERCISES {
        let what = format!("exercise {}, {}", exercise.number, exercise.title);
        for sizes in SIZES {
            for noise in [true, false] {
                match exercise.outcome(exercise.repair, sizes, noise) {
                    Outcome::Right => {}
                    Outcome::Wrong(report) => panic!("{what}, {sizes:?}\n{report}"),
                    Outcome::Stopped(message) => panic!("{what}, {sizes:?}: {message}"),
                }
            }
        }
        let repaired = exercise.repaired();
        assert_eq!((exercise.dishonest(), repaired.dishonest()), (None, None), "{what}");
    }
}

#[test]
fn the_texts_are_there() {
    assert!(EXERCISES.len() >= 25);
    for (i, exercise) in EXERCISES.iter().enumerate() {
        assert_eq!(exercise.number, i + 1);
        assert!(exercise.source.starts_with(&format!("//! {}. {}\n//!\n", i + 1, exercise.title)));
        assert_eq!(exercise.hints().len(), 3, "exercise {}", i + 1);
        let code = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
        let (broken, repaired) = (code(exercise.source), code(exercise.answer));
        let differ = broken.lines().filter(|line| !repaired.contains(line)).count()
            + repaired.lines().filter(|line| !broken.contains(line)).count();
        assert!((1..=8).contains(&differ), "exercise {}: {differ} lines differ", i + 1);
    }
}

#[test]
fn a_repair_that_calls_the_tape_is_noticed() {
    let cheat = Exercise {
        source: include_str!("exercises/by_tape.rs"),
        pass: Pass::Hand(by_tape::backward),
        ..EXERCISES[6]
    };
    assert!(cheat.is_right(cheat.pass), "the tape is right");
    let reason = cheat.dishonest().unwrap();
    assert_eq!(reason, "line 3: expected a repair of the pass by hand, on tensors alone, found `retrograde`");
}

/// A pass that is derived is right for any function, so the function is compared, too.
#[test]
fn another_function_is_no_repair() {
    let other = Pass::Tape(|_, x| {
        let [xs, h] = ["xs", "h_prev"].map(|name| &x[name]);
        let hs: Vec<_> = (0..xs.shape()[1]).map(|_| h.matmul(&x["Wh"]).tanh()).collect();
        [("hs", Var::stack(&hs, 1))].into()
    });
    match EXERCISES[22].outcome(other, SIZES[0], true) {
        Outcome::Stopped(message) => {
            assert_eq!(message, "hs: expected the value of the formula, found another")
        }
        _ => panic!("another function passes"),
    }
}

#[test]
fn no_other_way_leads_out_of_a_file() {
    for line in [
        "use retrograde::prelude::*;",
        "use retrograde::{autograd as a, tensor::Tensor};",
        "    let tape = ::retrograde::autograd::Tape::new();",
        "use r#retrograde::nn::explicit;",
        "use retrograde_examples as r;",
        "extern crate retrograde as r;",
        "    super::a06::backward(x, dy)",
        "    crate::table::EXERCISES[5].outcome()",
        "include!(\"../answers/06.rs\");",
        "mod other;",
        "pub(crate) use crate::table;",
        "use retrograde::autograd::{Tape, Var};",
        "use retrograde::tensor::Tensor; use retrograde::nn::explicit;",
        "use retrograde::tensor::{super::autograd::Tape, Tensor};",
        "use retrograde::check::Named; use retrograde::autograd::Tape;",
    ] {
        assert!(reach(&format!("//! A title\n{line}\n"), true).is_some(), "{line}");
    }
    assert_eq!(reach("// the crate retrograde\nuse retrograde::tensor::{Shape, Tensor};\n", true), None);
    assert_eq!(reach("use retrograde::autograd::{Tape, Var};\n", false), None);
    assert_eq!(reach("\nuse retrograde::nn::TimeRnn;\n", false), Some((2, "retrograde")));
}

/// A loss that falls says little: the fault of each trained exercise trains, and the repair trains better.
#[test]
fn the_loss_falls_with_the_fault_and_further_without() {
    let mut frozen = Vec::new();
    for exercise in EXERCISES {
        let trained = [exercise.pass, exercise.repair].map(|pass| exercise.training(pass));
        let [Some(broken), Some(repaired)] = trained else { continue };
        let what = format!("exercise {}: {broken}; {repaired}", exercise.number);
        println!("{what}");
        assert!(repaired.last < 0.9 * broken.last || !broken.last.is_finite(), "{what}");
        if exercise.grade == Grade::Silent {
            assert!(broken.last < broken.first / 3.0, "{what}");
        }
        frozen.extend((broken.moved == 0.0).then_some(exercise.number));
    }
    assert_eq!(frozen, [20], "the layer that never moves");
}
