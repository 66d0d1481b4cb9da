//! Windows against the textbook's loop, perplexity over tokens, and sampling against its definition.

use crate::common::seeded;
use retrograde_nn::{Perplexity, Sampler, Windows};
use retrograde_tensor::Tensor;

/// The loop of the textbook, index by index.
fn by_hand(tokens: &[usize], batch: usize, steps: usize, windows: usize) -> Vec<[Vec<usize>; 2]> {
    let xs = &tokens[..tokens.len() - 1];
    let ts = &tokens[1..];
    let jump = xs.len() / batch;
    let mut time_idx = 0;
    let mut found = Vec::new();
    for _ in 0..windows {
        let mut batch_x = vec![0; batch * steps];
        let mut batch_t = vec![0; batch * steps];
        for t in 0..steps {
            for i in 0..batch {
                let offset = i * jump;
                batch_x[i * steps + t] = xs[(offset + time_idx) % xs.len()];
                batch_t[i * steps + t] = ts[(offset + time_idx) % xs.len()];
            }
            time_idx += 1;
        }
        found.push([batch_x, batch_t]);
    }
    found
}

#[test]
fn windows_are_those_of_the_textbooks_loop() {
    for length in [2, 3, 7, 20, 21, 38] {
        let tokens: Vec<usize> = (0..length).map(|i| i * i % 17).collect();
        for batch in (1..length).step_by(3) {
            for steps in (1..length).step_by(2) {
                let windows = Windows::new(&tokens, batch, steps).unwrap();
                let found: Vec<[Vec<usize>; 2]> =
                    windows.take(9).map(|w| [w.inputs.to_vec(), w.targets.to_vec()]).collect();
                let expected = by_hand(&tokens, batch, steps, 9);
                assert_eq!(found, expected, "length {length}, batch {batch}, steps {steps}");
            }
        }
    }
}

#[test]
fn windows_go_on_from_a_position() {
    let tokens: Vec<usize> = (0..23).collect();
    let mut whole = Windows::new(&tokens, 3, 5).unwrap();
    for _ in 0..12 {
        let resumed = Windows::new(&tokens, 3, 5).unwrap().at(whole.position());
        assert_eq!(resumed.take(4).collect::<Vec<_>>(), whole.clone().take(4).collect::<Vec<_>>());
        whole.next();
    }
}

#[test]
fn an_epoch_shows_every_row_its_share() {
    let tokens: Vec<usize> = (0..101).collect();
    let windows = Windows::new(&tokens, 4, 5).unwrap();
    assert_eq!(windows.per_epoch(), 5);
    let mut seen: Vec<usize> = windows.take(5).flat_map(|window| window.inputs.to_vec()).collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..100));
}

#[test]
fn what_cannot_be_cut_is_an_error() {
    let said =
        |tokens: usize, batch, steps| Windows::new(&vec![0; tokens], batch, steps).unwrap_err().to_string();
    assert_eq!(
        said(32, 4, 32),
        "windows: expected at least 33 tokens (4 rows, windows of 32 steps), found 32"
    );
    assert_eq!(
        said(0, 40, 32),
        "windows: expected at least 41 tokens (40 rows, windows of 32 steps), found 0"
    );
    assert_eq!(said(9, 0, 32), "windows: expected at least 1 row and 1 step, found 0 and 32");
    assert_eq!(said(9, 1, 0), "windows: expected at least 1 row and 1 step, found 1 and 0");
    assert!(Windows::new(&[0; 33], 4, 32).is_ok());
}

#[test]
fn perplexity_is_over_tokens() {
    let mut perplexity = Perplexity::default();
    assert_eq!((perplexity.mean(), perplexity.value()), (None, None));
    let batches: [&[f64]; 3] = [&[0.5, 1.0, 3.0], &[2.0], &[0.25, 0.75]];
    for losses in batches {
        perplexity.add(losses.iter().sum::<f64>() / losses.len() as f64, losses.len());
    }
    perplexity.add(f64::NAN, 0);
    assert!((perplexity.value().unwrap() - (7.5_f64 / 6.0).exp()).abs() < 1e-14);
    assert_eq!(perplexity.tokens, 6);
}

/// By the definition: every set of the likeliest tried, the smallest that reaches `top_p` taken.
fn defined(logits: &[f64], sampler: Sampler) -> Vec<f64> {
    let exps: Vec<f64> = logits.iter().map(|x| (x / sampler.temperature).exp()).collect();
    let rank = |i: usize| (0..logits.len()).filter(|&j| logits[j] > logits[i]).count();
    let kept: Vec<bool> =
        (0..logits.len()).map(|i| rank(i) < sampler.top_k.unwrap_or(logits.len())).collect();
    let sum =
        |kept: &dyn Fn(usize) -> bool| -> f64 { (0..exps.len()).filter(|&i| kept(i)).map(|i| exps[i]).sum() };
    let all = sum(&|i| kept[i]);
    let size = (1..=logits.len()).find(|&n| sum(&|i| kept[i] && rank(i) < n) / all >= sampler.top_p);
    let size = size.unwrap_or(logits.len());
    let total = sum(&|i| kept[i] && rank(i) < size);
    (0..logits.len()).map(|i| if kept[i] && rank(i) < size { exps[i] / total } else { 0.0 }).collect()
}

#[test]
fn probabilities_are_as_defined() {
    let logits = [0.3, -1.2, 2.0, 1.1, -0.4, 0.9, 1.6];
    for temperature in [0.3, 1.0, 2.5] {
        for top_k in [None, Some(1), Some(3), Some(50)] {
            for top_p in [1e-9, 0.2, 0.55, 0.9, 1.0] {
                let sampler = Sampler { temperature, top_k, top_p };
                let found = sampler.probabilities(&Tensor::from(logits)).unwrap();
                for (found, expected) in found.iter().zip(defined(&logits, sampler)) {
                    assert!((found - expected).abs() < 1e-14, "{sampler:?}: {found}, expected {expected}");
                    assert_eq!(*found == 0.0, expected == 0.0, "{sampler:?}");
                }
            }
        }
    }
}

#[test]
fn probabilities_at_the_edges() {
    let of = |sampler: Sampler, logits: [f32; 3]| sampler.probabilities(&Tensor::from(logits)).unwrap();
    let greedy = Sampler { temperature: 0.0, ..Sampler::default() };
    assert_eq!(of(greedy, [1.0, 3.0, 2.0]), [0.0, 1.0, 0.0]);
    assert_eq!(of(greedy, [3.0, 3.0, 2.0]), [1.0, 0.0, 0.0]);
    let two = Sampler { top_k: Some(2), ..Sampler::default() };
    assert_eq!(of(two, [5.0, 5.0, 5.0]), [0.5, 0.5, 0.0]);
    assert_eq!(of(two, [f32::NEG_INFINITY, 5.0, f32::NEG_INFINITY]), [0.0, 1.0, 0.0]);
    assert_eq!(of(Sampler::default(), [f32::MAX, f32::MAX, f32::MIN]), [0.5, 0.5, 0.0]);
}

/// The frequency of each token, and that a seed draws the same ones again.
#[test]
fn samples_follow_the_probabilities() {
    let logits = Tensor::from([0.5_f64, 0.0, 0.2, 0.3]).ln();
    let draw = |seed| -> Vec<usize> {
        let mut rng = seeded(seed);
        (0..20_000).map(|_| Sampler::default().sample(&logits, &mut rng).unwrap()).collect()
    };
    let drawn = draw(1);
    assert_eq!(drawn, draw(1));
    assert_ne!(drawn, draw(2));
    let frequency = |token| drawn.iter().filter(|&&t| t == token).count() as f64 / 20_000.0;
    for (token, p) in [0.5, 0.0, 0.2, 0.3].into_iter().enumerate() {
        // Four standard deviations of a frequency.
        assert!((frequency(token) - p).abs() <= 4.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{token}");
    }
}

#[test]
fn what_cannot_be_drawn_from_is_an_error() {
    let said =
        |sampler: Sampler, logits: &Tensor<f64>| sampler.probabilities(logits).unwrap_err().to_string();
    let logits = Tensor::from([1.0, 2.0]);
    let all = Sampler::default();
    assert_eq!(
        said(Sampler { temperature: -1.0, ..all }, &logits),
        "sampler: expected temperature to be finite and at least 0, found -1"
    );
    assert_eq!(
        said(Sampler { top_k: Some(0), ..all }, &logits),
        "sampler: expected top_k to be at least 1, found 0"
    );
    assert_eq!(
        said(Sampler { top_p: 0.0, ..all }, &logits),
        "sampler: expected top_p to be above 0 and at most 1, found 0"
    );
    let range = "sampler: expected logits to be numbers below infinity, found";
    assert_eq!(said(all, &Tensor::from([0.0, f64::NAN])), format!("{range} NaN"));
    assert_eq!(said(all, &Tensor::from([0.0, f64::INFINITY])), format!("{range} inf"));
    assert_eq!(said(all, &Tensor::zeros([1, 2])), "sampler: expected logits of shape [V], found [1, 2]");
}
