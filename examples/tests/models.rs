//! Every model of the examples under the checker, from the source that the examples run, at small sizes.
//!
//! Models that the examples build in single precision are checked as they are, as a black box that the checker finds to compute
//! in 24 bits; the others in double precision. The cells of the gallery have a test of their own.

#![allow(dead_code)]

#[path = "../seq2seq/addition.rs"]
mod addition;
#[path = "../rnnlm/better.rs"]
mod better;
#[path = "../bptt/model.rs"]
mod bptt;
#[path = "../char_rnn/model.rs"]
mod char_rnn;
#[path = "../sine/forecaster.rs"]
mod forecaster;
#[path = "../custom_cell/janet.rs"]
mod janet;
#[path = "../seq2seq/model.rs"]
mod seq2seq;
#[path = "../char_rnn/settings.rs"]
mod settings;
#[path = "../rnnlm/simple.rs"]
mod simple;
#[path = "../rnnlm/train.rs"]
mod train;

use std::cell::RefCell;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::check::{Array, BoxError, Named, Report};
use retrograde::nn::{Noise, SequenceOptions};
use retrograde::prelude::*;
use retrograde_examples::Options;
use train::LanguageModel;

/// The options of `char_rnn`.
#[derive(Parser)]
struct CharRnnOptions {
    #[command(flatten)]
    model: settings::Choices,
    #[command(flatten)]
    options: Options,
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(3)
}

/// Rows of characters or words below `v`.
fn ids(shape: [usize; 2], v: usize) -> Tensor<usize> {
    Tensor::from_fn(shape, |at| (5 * at[0] + 3 * at[1] + 1) % v)
}

/// Checks the gradients of all parameters of a model in single precision.
fn in_single<M: Module<f32>>(
    model: M,
    forward: impl for<'t> Fn(&mut M, &'t Tape<f32>) -> Result<Var<'t, f32>, BoxError>,
) -> Report {
    let params = model.named_params();
    let check = params
        .iter()
        .fold(Check::new(), |check, (name, param)| check.input(name, param.value().map(f64::from)));
    let model = RefCell::new(model);
    let set = |x: &Named<Array>| -> Result<(), BoxError> {
        for (name, param) in &params {
            let value = x[name.as_str()].iter().map(|&x| x as f32).collect();
            param.set(Tensor::from_vec(value, param.value().shape())?)?;
        }
        Ok(())
    };
    let report = check.black_box(
        |x| {
            set(x)?;
            let tape = Tape::inference();
            let y = forward(&mut model.borrow_mut(), &tape)?.detach();
            Ok([("y", Array::new(y.iter().map(f64::from).collect(), &y.shape())?)].into())
        },
        |x, dy| {
            set(x)?;
            let tape = Tape::new();
            let y = forward(&mut model.borrow_mut(), &tape)?;
            let dy = Tensor::from_vec(dy["y"].iter().map(|&dy| dy as f32).collect(), y.shape())?;
            let gradients = y.backward_with(&dy)?;
            let of = |(name, param): &(String, Param<f32>)| {
                let zero = || Tensor::zeros(param.value().shape());
                let dw = gradients.get(param).cloned().unwrap_or_else(zero);
                Ok((name.clone(), Array::new(dw.iter().map(f64::from).collect(), &dw.shape())?))
            };
            params.iter().map(of).collect()
        },
    );
    report.unwrap()
}

fn assert_single(report: &Report, name: &str) {
    assert!(report.is_ok(), "{name}: {report}");
    assert_eq!(report.bits(), Some(24), "{name}: {report}");
    // Rows of an embedding that no id asks for move nothing.
    let elements: usize = report.rows().iter().map(|row| row.elements).sum();
    assert!(2 * report.unverified() < elements, "{name}: {report}");
}

#[test]
fn the_models_in_single_precision() {
    let words = ids([2, 4], 6);
    let model = simple::SimpleRnnlm::new(6, 3, 4, &mut rng());
    let report = in_single(model, |model, tape| {
        model.reset_state();
        Ok(model.forward(tape, &words, Noise::off())?)
    });
    assert_single(&report, "the simple model of words");

    let model = better::BetterRnnlm::new(6, 3, 0.5, &mut rng()).unwrap();
    let report = in_single(model, |model, tape| {
        model.reset_state();
        Ok(model.forward(tape, &words, Noise::seeded(4))?)
    });
    assert_single(&report, "the better model of words");

    let model = forecaster::Forecaster::new(4, &mut rng());
    let report = in_single(model, |model, tape| {
        let xs = Tensor::from_fn([2, 5, 1], |at| (at[0] as f32 + 0.7 * at[1] as f32).sin());
        model.reset_state();
        Ok(model.forward(&tape.constant(xs))?)
    });
    assert_single(&report, "the forecaster");

    let arguments = ["char_rnn", "--layers", "2", "--hidden", "4", "--embedding", "3", "--dropout", "0.5"];
    let choices = CharRnnOptions::parse_from(arguments);
    let settings = choices.model.settings(&choices.options).unwrap();
    let model = char_rnn::CharRnn::new(LstmCell::<f32>::new, 6, &settings, &mut rng());
    let report = in_single(model, |model, tape| {
        model.layers.reset_state();
        Ok(model.forward(tape, &words, &SequenceOptions::new().with_noise(Noise::seeded(4)))?)
    });
    assert_single(&report, "the model of characters");

    let sums = addition::Sums::draw(2, &mut rng());
    for (reversed, peeky, attention) in [(true, false, false), (false, true, false), (true, true, true)] {
        let variant = seq2seq::Variant { reversed, peeky, attention };
        let model = seq2seq::Seq2seq::new(variant, 3, 4, &mut rng());
        let report = in_single(model, |model, tape| Ok(model.loss(tape, &sums)?));
        assert_single(&report, &format!("{variant:?}"));
    }
}

#[test]
fn the_models_in_double_precision() {
    let characters = ids([2, 4], 6);
    let mut model = bptt::CharModel::<f64>::new(6, 3, 4, &mut rng());
    let params = model.named_params();
    let check = params.iter().fold(Check::new(), |check, (name, param)| check.param(name, param));
    let report = check.run(|tape, _| {
        model.reset_state();
        Ok([("scores", model.forward(tape, &characters)?)].into())
    });
    report.unwrap().assert_ok();
    for k in [1.0, 4.0] {
        let janet = Time::new(janet::Janet::<f64>::new(3, 4, 20, &mut rng()));
        for (_, param) in janet.named_params() {
            param.set(param.value() * k).unwrap();
        }
        Check::new().layer(&mut { janet }).unwrap().assert_ok();
    }
}
