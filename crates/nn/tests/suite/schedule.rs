//! Schedules against values computed by hand and against loops.

use retrograde_nn::{Plateau, Schedule};

#[test]
fn a_constant_and_its_steps() {
    let constant = Schedule::constant(0.3).unwrap();
    assert!([0, 1, 1_000_000].iter().all(|&step| constant.lr(step) == 0.3));

    let schedule = Schedule::step(0.8, 3, 0.5).unwrap();
    let found: Vec<f64> = (0..10).map(|step| schedule.lr(step)).collect();
    assert_eq!(found, [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1]);
    let off = Schedule::step(0.8, 1, 0.0).unwrap();
    assert_eq!([off.lr(0), off.lr(1), off.lr(2)], [0.8, 0.0, 0.0]);
}

#[test]
fn a_cosine_after_a_warm_up() {
    let schedule = Schedule::cosine(1.0, 4, 10, 0.2).unwrap();
    // cos of 0°, 30°, 60°, 90°, 120°, 150°.
    let root = 3.0_f64.sqrt() / 2.0;
    let fall = [1.0, root, 0.5, 0.0, -0.5, -root].map(|cos| 0.2 + 0.4 * (1.0 + cos));
    let expected = [0.25, 0.5, 0.75, 1.0].into_iter().chain(fall).chain([0.2, 0.2]);
    for (step, expected) in (0..).zip(expected) {
        let found = schedule.lr(step);
        assert!((found - expected).abs() < 1e-15, "step {step}: {found}, expected {expected}");
    }
    assert_eq!(schedule.lr(u64::MAX), 0.2);

    // Neither a warm-up nor a fall is needed.
    assert_eq!(Schedule::cosine(1.0, 0, 10, 0.0).unwrap().lr(0), 1.0);
    let up = Schedule::cosine(1.0, 2, 2, 0.5).unwrap();
    assert_eq!([up.lr(0), up.lr(1), up.lr(2)], [0.5, 1.0, 0.5]);
    let nothing = Schedule::cosine(1.0, 0, 0, 0.5).unwrap_err().to_string();
    assert_eq!(nothing, "schedule: expected steps to be at least 1, found 0");
}

/// The textbook's loop: `if best_ppl > ppl: best_ppl = ppl` and otherwise `lr /= 4.0`.
#[test]
fn a_plateau_as_the_textbook_has_it() {
    let perplexities = [f64::NAN, 200.0, 150.0, 150.0, f64::INFINITY, 149.0, 160.0, f64::NAN, 148.0];
    let (mut lr, mut best_ppl) = (20.0, f64::INFINITY);
    let mut plateau = Plateau::new(20.0);
    for ppl in perplexities {
        if best_ppl > ppl {
            best_ppl = ppl;
        } else {
            lr /= 4.0;
        }
        assert_eq!(plateau.observe(ppl), lr);
        assert_eq!((plateau.lr, plateau.best), (lr, best_ppl));
    }
    assert_eq!(lr, 20.0 / 4.0_f64.powi(5));
}

#[test]
fn a_plateau_that_cannot_fall_is_refused() {
    let said = |f: &dyn Fn()| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    for divisor in [1.0, 0.5, 0.0, -4.0, f64::NAN, f64::INFINITY] {
        let found = said(&|| {
            let _ = Plateau { divisor, ..Plateau::new(1.0) }.observe(3.0);
        });
        assert_eq!(found, format!("schedule: expected divisor to be finite and above 1, found {divisor}"));
    }
    for lr in [-1.0, f64::NAN, f64::INFINITY] {
        let found = said(&|| {
            let _ = Plateau::new(lr);
        });
        assert_eq!(found, format!("schedule: expected lr to be finite and at least 0, found {lr}"));
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let said = |schedule: Result<Schedule, retrograde_nn::Error>| schedule.unwrap_err().to_string();
    assert_eq!(
        said(Schedule::constant(-0.1)),
        "schedule: expected lr to be finite and at least 0, found -0.1"
    );
    assert_eq!(said(Schedule::step(1.0, 0, 0.5)), "schedule: expected every to be at least 1, found 0");
    assert_eq!(
        said(Schedule::step(1.0, 1, f64::NAN)),
        "schedule: expected factor to be finite and at least 0, found NaN"
    );
    assert_eq!(
        said(Schedule::cosine(1.0, 5, 4, 0.0)),
        "schedule: expected steps to be at least warm_up, found 4"
    );
    assert_eq!(
        said(Schedule::cosine(1.0, 0, 4, f64::INFINITY)),
        "schedule: expected floor to be finite and at least 0, found inf"
    );
}
