//! One layer at one size.

use std::hint::black_box;
use std::thread::{self, Scope};
use std::time::Instant;

use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_nn::{Cell, GruCell, LstmCell, Module, Parallel, RnnCell, Time, split_even};
use retrograde_tensor::{IntoShape, Tensor};

use crate::custom::Custom;
use crate::hand_planned::{Plan, Weights};
use crate::noise;
use crate::shared::{Timed, medians};

/// `[N, T, D, H]`
pub(crate) type Sizes = [usize; 4];

/// Reads the gradients of the weights, and those of the input of each thread.
type Read<'r> = dyn FnMut(&Gradients<f32>, &[Option<Tensor<f32>>]) + 'r;

/// The layers that can be measured.
pub(crate) const CELLS: [&str; 4] = ["rnn", "lstm", "gru", "custom"];

/// The result.
pub(crate) struct Measured {
    /// The forward pass, in microseconds.
    pub(crate) forward: f64,
    /// Forward and backward, with everything dropped again.
    pub(crate) both: f64,
    /// Of both, counting the products only.
    pub(crate) gflops: f64,
    /// The time of both, relative to the library's own cell.
    pub(crate) of_rnn: Option<f64>,
    /// The time of both of a [`Plan`] by hand, of one thread.
    pub(crate) by_hand: Option<f64>,
    /// The L2 norm of the gradient of `Wh`, to be compared with other programs'.
    pub(crate) dwh_norm: f64,
}

/// Measures one of [`CELLS`] by turns with a plan by hand; a custom cell with the library's own.
pub(crate) fn measure(cell: &str, sizes: Sizes, [threads, recompute]: [usize; 2], quick: bool) -> Measured {
    thread::scope(|scope| measure_in(scope, cell, sizes, [threads, recompute], quick))
}

fn measure_in<'s>(
    scope: &'s Scope<'s, '_>,
    cell: &str,
    sizes: Sizes,
    [threads, recompute]: [usize; 2],
    quick: bool,
) -> Measured {
    let [n, t, d, h] = sizes;
    let gates = match cell {
        "lstm" => 4,
        "gru" => 3,
        _ => 1,
    };
    // As PyTorch initialises its layers.
    let scale = 1.0 / (h as f64).sqrt();
    let (wx, wh) = (noise([d, gates * h], scale, 1), noise([h, gates * h], scale, 2));
    let b = noise([gates * h], scale, 3);
    let fits = "the sizes fit";
    let rnn = RnnCell::from_arrays(wx.clone(), wh.clone(), b.clone());
    let bh = noise([h], scale, 4);
    let weights = Weights { wx: wx.clone(), wh: wh.clone(), b: b.clone(), bh: Some(bh.clone()) };
    let (gradients, run) = match cell {
        "rnn" => runs(scope, [threads, recompute], rnn.clone().expect(fits), sizes),
        "lstm" => runs(scope, [threads, recompute], LstmCell::from_arrays(wx, wh, b).expect(fits), sizes),
        "gru" => {
            runs(scope, [threads, recompute], GruCell::from_arrays(wx, wh, b, Some(bh)).expect(fits), sizes)
        }
        _ => runs(
            scope,
            [threads, recompute],
            Custom { wx: Param::new("Wx", wx), wh: Param::new("Wh", wh), b: Param::new("b", b) },
            sizes,
        ),
    };
    let dwh = gradients.iter().find(|(name, _)| name == "Wh").expect("every cell has it");
    let dwh_norm = dwh.1.iter().map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let mut all = vec![run];
    if cell == "custom" {
        all.push(runs(scope, [threads, recompute], rnn.expect(fits), sizes).1);
    }
    if threads == 1 {
        let mut plan = Plan::new(cell, sizes, weights, &noise([n, t, d], 1.0, 5), &noise([n, t, h], 1.0, 6));
        plan.run();
        compare(&gradients, &plan);
        all.push(Box::new(move || plan.run()));
    }
    let times = medians(quick, &mut all);
    let [forward, both] = times[0];
    let by_hand = times.last().filter(|_| threads == 1).map(|&[_, both]| both);
    // A product and its two derivatives, each with a multiplication and an addition.
    let flops = (2 * 3 * n * t * gates * h * (d + h)) as f64;
    let of_rnn = times.get(1).filter(|_| cell == "custom").map(|[_, rnn]| both / rnn);
    Measured { forward, both, gflops: flops / both / 1e3, of_rnn, by_hand, dwh_norm }
}

/// Asserts that both sides have the same gradients, but for the order of their sums.
fn compare(gradients: &[(String, Tensor<f32>)], plan: &Plan) {
    for (name, ours) in gradients {
        let by_hand = plan.gradients().into_iter().find(|(other, _)| other == name);
        let by_hand = by_hand.unwrap_or_else(|| panic!("{name}: no such gradient by hand")).1;
        let most = ours.abs().max().item().expect("one number");
        let apart = ours.iter().zip(by_hand).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert_eq!(ours.numel(), by_hand.len(), "the gradient of {name}");
        assert!(apart <= 1e-4 * most, "the gradient of {name}: {apart:e} apart, of at most {most:e}");
    }
}

/// A program that runs both passes and says how long the first and both took; and the gradients by name, that of the input as
/// `xs`.
///
/// The rows of the batch are shared out among threads, and the gradients of the parameters summed.
fn runs<'s, C>(
    scope: &'s Scope<'s, '_>,
    [threads, recompute]: [usize; 2],
    cell: C,
    [n, t, d, h]: Sizes,
) -> (Vec<(String, Tensor<f32>)>, Timed<'s, 2>)
where
    C: Cell<f32> + Clone + Send + 's,
    C::State: Clone + Send,
{
    let layer = match recompute {
        0 => Time::new(cell),
        steps => Time::new(cell).recompute_every(steps),
    };
    let (xs, dhs) = (noise([n, t, d], 1.0, 5), noise([n, t, h], 1.0, 6));
    let params = layer.params();
    // Fewer than threads, where there are fewer rows.
    let shares: Vec<_> = split_even(n, threads)
        .map(|rows| [&xs, &dhs].map(|x| x.narrow(0, rows.start, rows.len()).contiguous()))
        .collect();
    let mut parallel = Parallel::new(scope, shares.len(), |part| {
        let mut layer = layer.clone();
        let [xs, dhs] = shares[part].clone();
        move |()| {
            let start = Instant::now();
            let tape = Tape::new();
            let x = tape.var(xs.clone());
            let out = layer.forward(&x).expect("the sizes fit");
            let forward = start.elapsed();
            let grads = out.hs.backward_with(&dhs).expect("the tape records");
            let dx = black_box(grads.get(&x)).cloned();
            (forward, grads, dx)
        }
    });
    let mut run = move |read: &mut Read<'_>| {
        for param in &params {
            // As after a step of an optimizer: nothing that was derived from the weights is left.
            param.set(param.value().map(|x| x)).expect("the same shape");
        }
        let start = Instant::now();
        let mut parts = parallel.run(vec![(); shares.len()]).into_iter();
        let (mut forward, mut grads, dx) = parts.next().expect("there is at least one part");
        let mut dxs = vec![dx];
        for (other, part, dx) in parts {
            forward = forward.max(other);
            grads.add_params(&part);
            dxs.push(dx);
        }
        read(&grads, &dxs);
        drop((grads, dxs));
        [forward, start.elapsed()].map(|time| time.as_secs_f64() * 1e6)
    };
    let mut gradients = vec![];
    run(&mut |grads, dxs| {
        gradients.extend(grads.params().map(|(param, gradient)| (param.name().to_owned(), gradient.clone())));
        let dxs: Vec<_> = dxs.iter().map(|dx| dx.as_ref().expect("the input is a variable")).collect();
        gradients.push(("xs".to_owned(), Tensor::concat(&dxs, 0)));
    });
    let timed = move || {
        run(&mut |grads, _| {
            for (_, gradient) in grads.params() {
                black_box(gradient);
            }
        })
    };
    (gradients, Box::new(timed))
}

/// The numbers that all programs make.
fn noise(shape: impl IntoShape, scale: f64, seed: u64) -> Tensor<f32> {
    let shape = shape.into_shape("noise").unwrap();
    Tensor::from_vec(noise::noise(shape.numel(), scale, seed), shape).expect("as many numbers as places")
}
