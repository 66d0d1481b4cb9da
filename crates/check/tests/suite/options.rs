//! Layers as they are called: with lengths, masks, resets and noise, and from inputs of one's own.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::{Check, Report, Verdict};
use retrograde_nn::{
    Bidirectional, Dropout, GruCell, Layer, LayerStateOn, Linear, LstmCell, Noise, Result, RnnCell,
    SequenceOptions, Stacked, Time, TimeRnn, module,
};
use retrograde_tensor::Tensor;

fn rng() -> StdRng {
    StdRng::seed_from_u64(5)
}

/// The row of a tensor, or of one of its steps.
fn verdict(report: &Report, name: &str, step: Option<usize>) -> Verdict {
    let row = report.rows().iter().find(|row| row.name == name && row.step == step);
    row.unwrap_or_else(|| panic!("no row for {name}\n{report}")).verdict
}

#[track_caller]
fn right(layer: &impl Layer<f64>, options: &SequenceOptions<f64>) {
    let report = Check::new().directions(1).full_jacobian(false).layer_with(layer, options).unwrap();
    report.assert_ok();
}

#[test]
fn lengths_masks_and_resets() {
    let rng = &mut rng();
    let mask = Tensor::from([[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]);
    let resets = Tensor::from([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]);
    let lengths = SequenceOptions::new().lengths(&[4, 1, 0]);
    let all = [
        lengths.clone(),
        SequenceOptions::new().mask(mask.clone()),
        SequenceOptions::new().resets(resets.clone()),
        SequenceOptions::new().lengths(&[3, 4]).mask(mask).resets(resets),
    ];
    for options in &all {
        right(&Time::new(RnnCell::new(2, 3, rng)), options);
        right(&Time::new(LstmCell::new(2, 3, rng)).learn_initial(), options);
        right(&Time::new(GruCell::new(2, 2, rng)).reversed(true), options);
        right(&Bidirectional::new(RnnCell::new(2, 2, rng), RnnCell::new(2, 2, rng)), options);
        right(&(TimeRnn::new(RnnCell::new(2, 3, rng)), Linear::new(3, 2, rng)), options);
    }
    let xs = Tensor::normal([3, 5, 2], 0.0, 1.0, rng).unwrap();
    let report =
        Check::new().input("xs", xs).layer_with(&Time::new(RnnCell::new(2, 3, rng)), &lengths).unwrap();
    report.assert_ok();
    assert_eq!(verdict(&report, "xs", Some(4)), Verdict::NotVerifiable, "no row has a fifth step\n{report}");
    assert_eq!(verdict(&report, "xs", Some(3)), Verdict::Verified, "{report}");
}

#[test]
fn noise_is_that_of_its_seed_in_each_call() {
    let rng = &mut rng();
    let dropout = Dropout::new(0.5).unwrap();
    let stacked =
        Stacked::new(vec![TimeRnn::new(RnnCell::new(2, 3, rng)), TimeRnn::new(RnnCell::new(3, 3, rng))]);
    let stacked = stacked.dropout(dropout);
    let zoneout = Time::new(LstmCell::new(2, 3, rng)).zoneout(&[("h", 0.3), ("c", 0.2)]).unwrap();
    for seed in 0..10 {
        let options = SequenceOptions::new().with_noise(Noise::seeded(seed));
        right(&stacked, &options);
        right(&zoneout, &options.lengths(&[2, 5]));
    }
}

#[test]
fn listed_inputs_replace_the_examples() {
    let rng = &mut rng();
    let xs = Tensor::normal([2, 4, 3], 0.0, 1.0, rng).unwrap();
    let mut layer = Time::new(LstmCell::new(3, 2, rng));
    let report = Check::new().input("xs", xs.clone()).layer(&mut layer).unwrap();
    report.assert_ok();
    let text = report.to_string();
    assert!(text.contains("outputs: hs [2, 4, 2], h_last [2, 2], c_last [2, 2]"), "{text}");
    let c = Tensor::normal([2, 2], 0.0, 1.0, rng).unwrap();
    Check::new().input("c_prev", c.clone()).input("xs", xs).layer(&mut layer).unwrap().assert_ok();
    let error = Check::new().input("c_prev", c).layer(&mut layer).unwrap_err().to_string();
    assert!(error.contains("[3, 2]") && error.contains("[2, 2]"), "{error}");
    let xs = Tensor::zeros([3, 5, 3]);
    let error = Check::new().input("xs", xs).layer_with(&layer, &SequenceOptions::new().lengths(&[9, 1, 2]));
    assert!(error.unwrap_err().to_string().contains("expected lengths of at most 5, found 9 of row 0"));
    let options = SequenceOptions::new().lengths(&[7, 1]);
    let report = Check::new().layer_with(&layer, &options).unwrap();
    assert!(report.to_string().contains("outputs: hs [2, 7, 2]"), "{report}");
}

/// The running sum of all steps, of those too that do not count.
struct Leaking<E> {
    a: Param<E>,
}
module!(Leaking { a });

impl Layer<f64> for Leaking<f64> {
    type State = ();

    fn input_size(&self) -> usize {
        2
    }
    fn initial_state<'t>(
        &self,
        _: &'t Tape<f64>,
        _: usize,
        _: Option<&()>,
    ) -> Result<LayerStateOn<'t, Self, f64>> {
        Ok(())
    }
    fn run_from<'t>(
        &self,
        xs: &Var<'t, f64>,
        (): (),
        _: &SequenceOptions<f64>,
    ) -> Result<(Var<'t, f64>, LayerStateOn<'t, Self, f64>)> {
        Ok((xs + xs.sum_axes(&[1], true) * &self.a, ()))
    }
}

#[test]
fn steps_that_do_not_count_have_no_effect() {
    let mut leaking = Leaking { a: Param::new("a", Tensor::from([0.5, -0.7])) };
    Check::new().layer(&mut leaking).unwrap().assert_ok();
    let error = Check::new().layer_with(&leaking, &SequenceOptions::new().lengths(&[5, 2, 3])).unwrap_err();
    let expected = "check: the layer cannot be checked: expected steps that do not count to have no effect, \
                    found another hs for other inputs there";
    assert!(error.to_string().starts_with(expected), "{error}");
}
