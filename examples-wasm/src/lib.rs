//! An RNN that learns to echo a number from three steps ago, in WebAssembly: no imports, nothing but numbers in and out.

use retrograde::check::Check;
use retrograde::nn::mse;
use retrograde::prelude::*;

const T: usize = 12;
const H: usize = 16;

/// Numbers between -1 and 1 that look random (Lehmer's generator), the same on every processor.
fn numbers(seed: u64) -> impl FnMut(&[usize]) -> f64 {
    let mut state = seed;
    move |_| {
        state = state * 48_271 % 2_147_483_647;
        state as f64 / 1_073_741_823.5 - 1.0
    }
}

struct Echo {
    rnn: TimeRnn<f64>,
    wy: Param<f64>,
}

fn model() -> retrograde::nn::Result<Echo> {
    let array = |shape: [usize; 2], seed| Tensor::from_fn(shape, numbers(seed)) * 0.3;
    let cell = RnnCell::from_arrays(array([1, H], 1), array([H, H], 2), Tensor::zeros([H]))?;
    Ok(Echo { rnn: Time::new(cell), wy: Param::new("wy", array([H, 1], 3)) })
}

/// The losses of some steps of training, each to all its digits.
///
/// # Errors
/// None, unless the library is at fault.
pub fn losses(steps: u32) -> retrograde::nn::Result<Vec<f64>> {
    let mut model = model()?;
    let mut adam = Adam::new(0.01);
    (0..u64::from(steps))
        .map(|step| {
            let xs = Tensor::from_fn([8, T, 1], numbers(100 + step)); // [N, T, 1]
            let targets = Tensor::from_fn([8, T, 1], |at| if at[1] < 3 { 0.0 } else { xs.at(&[at[0], at[1] - 3, 0]) });
            let tape = Tape::new();
            let hs = model.rnn.forward(&tape.constant(xs))?.hs;
            let loss = mse(&hs.matmul(&model.wy), &targets, None)?;
            adam.step(&loss.backward()?)?;
            Ok(loss.value().item()?)
        })
        .collect()
}

/// The loss after some steps.
// SAFETY: no other function has this name.
#[unsafe(no_mangle)]
pub extern "C" fn loss_after(steps: u32) -> f64 {
    losses(steps).ok().and_then(|losses| losses.last().copied()).unwrap_or(f64::NAN)
}

/// The number of gradients that a check of the layer finds right; 0 if one is wrong.
// SAFETY: no other function has this name.
#[unsafe(no_mangle)]
pub extern "C" fn gradients_that_are_right() -> u32 {
    let Ok(model) = model() else { return 0 };
    let check = Check::new().input("xs", Tensor::from_fn([2, 4, 1], numbers(7)));
    let check = model.rnn.named_params().into_iter().fold(check, |check, (path, w)| check.param(path, &w));
    let report = check.run(|_, x| Ok([("hs", model.rnn.run(&x["xs"], None, &Default::default())?.hs)].into()));
    report.ok().filter(|report| report.is_ok()).map_or(0, |report| report.rows().len() as u32)
}
