//! Broken backpropagations through time, each wrong in one line.

use std::cell::RefCell;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::{BoxError, Check, Error, Named, Report};
use retrograde_tensor::Tensor;

use crate::lstm;

/// A fault, in the order of the table in `docs/checking.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    NoCarry,
    Overwritten,
    BatchNotSummed,
    MissingTranspose,
    Notebook,
    OffByOne,
    Truncated,
    Aliased,
    Reversed,
    Dropped,
    Scaled,
    SignOfBias,
    TransposedWeight,
    LastStateIgnored,
    InitialStateForgotten,
    BatchMean,
    Detached,
    WeightByValue,
    StateLeak,
    GradientLeak,
    Lstm(lstm::Fault),
}

impl Fault {
    pub(crate) const ALL: [Fault; 25] = [
        Fault::NoCarry,
        Fault::Overwritten,
        Fault::BatchNotSummed,
        Fault::MissingTranspose,
        Fault::Notebook,
        Fault::OffByOne,
        Fault::Truncated,
        Fault::Aliased,
        Fault::Reversed,
        Fault::Dropped,
        Fault::Scaled,
        Fault::SignOfBias,
        Fault::TransposedWeight,
        Fault::LastStateIgnored,
        Fault::InitialStateForgotten,
        Fault::BatchMean,
        Fault::Detached,
        Fault::WeightByValue,
        Fault::StateLeak,
        Fault::GradientLeak,
        Fault::Lstm(lstm::Fault::NoCellCarry),
        Fault::Lstm(lstm::Fault::CellFromNextAlone),
        Fault::Lstm(lstm::Fault::GatesSwapped),
        Fault::Lstm(lstm::Fault::ForgetOffByOne),
        Fault::Lstm(lstm::Fault::TanhForgotten),
    ];

    /// The fault, in words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Fault::NoCarry => "`dh` from the next step is not added",
            Fault::Overwritten => "`dWh` overwritten at each step, not summed",
            Fault::BatchNotSummed => "`db` not summed over the batch",
            Fault::MissingTranspose => "missing transpose: `dh_prev = dt·Wh`",
            Fault::Notebook => "the notebook's `dh_prev = xᵀ·dt` (N = D = H)",
            Fault::OffByOne => "off by one: `dWh` from `h_next`, not `h_prev`",
            Fault::Truncated => "`dh` cut at step 2 of 5",
            Fault::Aliased => "one buffer for all states, overwritten in place",
            Fault::Reversed => "`dxs` in reversed time",
            Fault::Dropped => "one element of a 32 x 32 `dWh` dropped",
            Fault::Scaled => "`dWh` off by 0.05 %",
            Fault::SignOfBias => "`db` with the wrong sign",
            Fault::TransposedWeight => "`dWh` transposed",
            Fault::LastStateIgnored => "the cotangent of the last state ignored",
            Fault::InitialStateForgotten => "`dh_prev` never stored",
            Fault::BatchMean => "`dWx` averaged over the batch",
            Fault::Detached => "on the tape: state detached at step 2 of 5",
            Fault::WeightByValue => "on the tape: `Wh` used by value, as a constant",
            Fault::StateLeak => "the state leaks from call to call",
            Fault::GradientLeak => "`dWx` not reset between two backward passes",
            Fault::Lstm(fault) => fault.text(),
        }
    }

    /// N, T, D, H
    pub(crate) fn sizes(self) -> [usize; 4] {
        match self {
            Fault::Notebook => [3, 4, 3, 3],
            Fault::Dropped => [2, 3, 4, 32],
            _ => [2, 5, 3, 4],
        }
    }

    /// Checks the broken layer.
    pub(crate) fn check(self) -> Result<Report, Error> {
        if let Fault::Lstm(fault) = self {
            return lstm::check(Some(fault), self.sizes());
        }
        let mut rng = StdRng::seed_from_u64(5);
        let [n, t, d, h] = self.sizes();
        let rnn = Rnn::new(d, h, &mut rng);
        let check = Check::new()
            .input("xs", normal([n, t, d], 1.0, &mut rng))
            .input("h_prev", normal([n, h], 0.5, &mut rng))
            .params([&rnn.wx, &rnn.wh, &rnn.b])
            .time_axis("xs", 1)
            .time_axis("hs", 1)
            .seed(11);
        match self {
            Fault::Detached | Fault::WeightByValue => check.run(|tape, x| rnn.broken_tape(self, tape, x)),
            Fault::StateLeak => {
                let mut state: Option<Tensor<f64>> = None;
                check.run(|tape, x| {
                    let h0 = state.as_ref().map_or_else(|| x["h_prev"].clone(), |h| tape.constant(h.clone()));
                    let [hs, last] = rnn.unroll(tape, &x["xs"], &h0);
                    state = Some(last.value().clone());
                    Ok([("hs", hs), ("h", last)].into())
                })
            }
            _ => {
                let leaked = RefCell::new(Tensor::zeros([d, h]));
                check.compare(
                    |tape, x| {
                        let [hs, last] = rnn.unroll(tape, &x["xs"], &x["h_prev"]);
                        Ok([("hs", hs), ("h", last)].into())
                    },
                    |x, dy| Ok(backward(Some(self), x, dy, &leaked)),
                )
            }
        }
    }
}

/// Values of a normal distribution around 0.
pub(crate) fn normal<const R: usize>(shape: [usize; R], std: f64, rng: &mut StdRng) -> Tensor<f64> {
    let shape = retrograde_tensor::Shape::from(shape);
    Tensor::normal(shape, 0.0, std, rng).expect("a finite standard deviation")
}

/// The layer that is right, in primitive operations.
pub(crate) struct Rnn {
    pub(crate) wx: Param<f64>,
    pub(crate) wh: Param<f64>,
    pub(crate) b: Param<f64>,
}

impl Rnn {
    pub(crate) fn new(d: usize, h: usize, rng: &mut StdRng) -> Self {
        Rnn {
            wx: Param::new("Wx", normal([d, h], 1.0 / (d as f64).sqrt(), rng)),
            wh: Param::new("Wh", normal([h, h], 0.9 / (h as f64).sqrt(), rng)),
            b: Param::new("b", normal([h], 0.3, rng)),
        }
    }

    /// All states `hs [N, T, H]` and the last one `[N, H]`.
    pub(crate) fn unroll<'t>(
        &self,
        tape: &'t Tape<f64>,
        xs: &Var<'t, f64>,
        h0: &Var<'t, f64>,
    ) -> [Var<'t, f64>; 2] {
        let mut h = h0.clone();
        let mut hs = Vec::new();
        for step in 0..xs.shape()[1] {
            tape.set_step(Some(step));
            h = (h.matmul(&self.wh) + xs.select(1, step).matmul(&self.wx) + &self.b).tanh();
            hs.push(h.clone());
        }
        tape.set_step(None);
        [Var::stack(&hs, 1), h]
    }

    /// Forward passes whose derived gradient is not theirs, because something was taken off the tape.
    fn broken_tape<'t>(
        &self,
        fault: Fault,
        tape: &'t Tape<f64>,
        x: &Named<Var<'t, f64>>,
    ) -> Result<Named<Var<'t, f64>>, BoxError> {
        let wh = match fault {
            Fault::WeightByValue => tape.constant(self.wh.value()),
            _ => tape.param(&self.wh),
        };
        let mut h = x["h_prev"].clone();
        let mut hs = Vec::new();
        for step in 0..x["xs"].shape()[1] {
            tape.set_step(Some(step));
            if fault == Fault::Detached && step == 2 {
                h = tape.constant(h.detach());
            }
            h = (h.matmul(&wh) + x["xs"].select(1, step).matmul(&self.wx) + &self.b).tanh();
            hs.push(h.clone());
        }
        Ok([("hs", Var::stack(&hs, 1)), ("h", h)].into())
    }
}

/// Backpropagation through time by hand, right but for one fault.
pub(crate) fn backward(
    fault: Option<Fault>,
    x: &Named<Tensor<f64>>,
    dy: &Named<Tensor<f64>>,
    leaked: &RefCell<Tensor<f64>>,
) -> Named<Tensor<f64>> {
    let [xs, h0, wx, wh, b] = ["xs", "h_prev", "Wx", "Wh", "b"].map(|name| &x[name]);
    let (samples, steps) = (xs.dims()[0], xs.dims()[1]);
    let mut h = vec![h0.clone()]; // h[step] goes into a step, h[step + 1] comes out
    for step in 0..steps {
        let t = h[step].matmul(wh) + xs.select(1, step).matmul(wx) + b;
        h.push(t.tanh());
    }
    if fault == Some(Fault::Aliased) {
        h = vec![h[steps].clone(); steps + 1];
    }

    let (mut dwx, mut dwh) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()));
    let (mut db, mut dxs) = (Tensor::zeros(b.shape()), Vec::new());
    let mut dh = match fault {
        Some(Fault::LastStateIgnored) => Tensor::zeros(h0.shape()),
        _ => dy["h"].clone(),
    };
    for step in (0..steps).rev() {
        let (x, h_prev, h_next) = (xs.select(1, step), &h[step], &h[step + 1]);
        let dh_next = match fault {
            Some(Fault::NoCarry) => dy["hs"].select(1, step),
            _ => dy["hs"].select(1, step) + &dh,
        };
        let dt = dh_next * (1.0 - h_next.square()); // [N, H]
        db += &match fault {
            Some(Fault::BatchNotSummed) => dt.select(0, samples - 1),
            Some(Fault::SignOfBias) => -dt.sum_to(b.shape()),
            _ => dt.sum_to(b.shape()),
        };
        let step_dwh = match fault {
            Some(Fault::OffByOne) => h_next.t().matmul(&dt),
            Some(Fault::TransposedWeight) => dt.t().matmul(h_prev),
            _ => h_prev.t().matmul(&dt),
        };
        match fault {
            Some(Fault::Overwritten) => dwh = step_dwh,
            _ => dwh += &step_dwh,
        }
        dwx += &match fault {
            Some(Fault::BatchMean) => x.t().matmul(&dt) / samples as f64,
            _ => x.t().matmul(&dt),
        };
        dh = match fault {
            Some(Fault::MissingTranspose) => dt.matmul(wh),
            Some(Fault::Notebook) => x.t().matmul(&dt),
            Some(Fault::Truncated) if step == 2 => Tensor::zeros(h0.shape()),
            _ => dt.matmul(&wh.t()),
        };
        dxs.push(dt.matmul(&wx.t()));
    }
    if fault != Some(Fault::Reversed) {
        dxs.reverse();
    }
    match fault {
        Some(Fault::Dropped) => dwh.set(&[17, 4], 0.0).expect("within 32 x 32"),
        Some(Fault::Scaled) => dwh = dwh * 1.0005,
        Some(Fault::InitialStateForgotten) => dh = Tensor::zeros(h0.shape()),
        Some(Fault::GradientLeak) => {
            *leaked.borrow_mut() += &dwx;
            dwx = leaked.borrow().clone();
        }
        _ => {}
    }
    let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1);
    [("xs", dxs), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
