//! Values that are computed again: the same gradients, in every reading, from less memory.

use retrograde_autograd::{Param, Plain, Tape, Var};
use retrograde_tensor::Tensor;

use rand::SeedableRng;
use rand::rngs::StdRng;

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 0.7, &mut StdRng::seed_from_u64(seed)).unwrap()
}

/// Twelve steps of a small network with a constant, a weight first met within a segment, and a value that leaves one.
fn network<'t>(tape: &'t Tape<f64>, x: &Var<'t, f64>, w: &Param<f64>, segments: bool) -> Var<'t, f64> {
    let mut h = x.clone();
    let mut middle = None;
    for first in (0..12).step_by(4) {
        let mut run = || {
            for step in first..first + 4 {
                let noise = tape.constant(normal([3, 5], step));
                h = (h.matmul(w) + x * &noise).tanh() * (&noise * &noise);
                if step == 5 {
                    middle = Some(h.clone());
                }
            }
        };
        if segments { tape.recompute(run) } else { run() }
    }
    h.square().sum() + middle.unwrap().exp().sum()
}

#[test]
fn gradients_are_the_same_bit_for_bit_in_every_reading() {
    let w = Param::new("w", normal([5, 5], 100));
    let results = [false, true].map(|segments| {
        let tape = Tape::new();
        let x = tape.var(normal([3, 5], 101));
        let y = network(&tape, &x, &w, segments);
        let numbers = y.backward().unwrap();
        let plain = tape.backward_over(&[(&y, Plain(Tensor::ones([])))], Plain).unwrap();
        let v = normal([3, 5], 102);
        let direction = tape.jvp(&[&y], &[(&x, &v)]).unwrap();
        let second = y.hvp(&[(&x, &v)]).unwrap().get(&x).unwrap().clone();
        y.check_finite().unwrap();
        let gradients = [numbers.get(&x).unwrap(), numbers.get(&w).unwrap(), &plain.get(&x).unwrap().0];
        (gradients.map(Clone::clone), direction, second)
    });
    assert_eq!(results[0], results[1]);
}

#[test]
fn a_segment_keeps_only_what_it_began_from() {
    let kept = |segments: bool| {
        let tape = Tape::new();
        let mut h = tape.var(normal([8, 100], 1));
        for _ in 0..10 {
            let mut run = || (0..10).for_each(|_| h = h.tanh());
            if segments { tape.recompute(run) } else { run() }
        }
        let text = tape.to_string();
        let total = text.lines().rev().find(|line| line.contains("kept")).unwrap_or_default().to_owned();
        (tape.len(), total)
    };
    // 100 values of 6400 bytes, or the 10 that segments began from and the input among them.
    assert_eq!(kept(false).0, 101);
    assert!(kept(false).1.contains("631.2 KiB"), "{}", kept(false).1);
    assert!(kept(true).1.contains("62.5 KiB"), "{}", kept(true).1);
}

#[test]
fn a_segment_within_a_segment_is_part_of_it_and_an_empty_one_is_none() {
    let tape = Tape::new();
    let x = tape.var(normal([4], 1));
    tape.recompute(|| {});
    let y = tape.recompute(|| tape.recompute(|| x.exp()).tanh()).sum();
    let kept = x.exp().tanh().sum();
    assert_eq!(y.backward().unwrap().get(&x), kept.backward().unwrap().get(&x));
}

/// A node after an inner segment still belongs to the outer one, so it is not kept either.
#[test]
fn a_segment_within_a_segment_does_not_end_it() {
    let tape = Tape::new();
    let x = tape.var(normal([4], 1));
    let y = tape.recompute(|| {
        let inner = tape.recompute(|| x.exp().tanh());
        tape.recompute(|| inner.sigmoid().square()).exp().tanh()
    });
    let kept: Vec<bool> = tape.nodes().iter().map(|node| node.value.is_some()).collect();
    assert_eq!(kept, [true, false, false, false, false, false, false]);
    let plain = x.exp().tanh().sigmoid().square().exp().tanh();
    assert_eq!(y.sum().backward().unwrap().get(&x), plain.sum().backward().unwrap().get(&x));
}

#[test]
fn a_segment_that_panics_ends() {
    let tape = Tape::new();
    let x = tape.var(normal([4], 1));
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        tape.recompute(|| x.tanh() + Tensor::from([1.0, 2.0]));
    }));
    assert!(failed.is_err());
    let y = x.exp().tanh().sum();
    let dx = y.backward().unwrap().get(&x).unwrap().clone();
    let exact = x.value().map(|x| x.exp() / x.exp().cosh().powi(2));
    retrograde_tensor::assert_close!(dx, exact, 1e-12, 1e-12);
}
