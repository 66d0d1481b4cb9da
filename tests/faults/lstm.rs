//! Broken backpropagations through a long short-term memory, each wrong in one line.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Var};
use retrograde_check::{Check, Error, Named, Report};
use retrograde_tensor::Tensor;

use crate::zoo::normal;

/// A fault, in the order of the table in `docs/checking.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    NoCellCarry,
    CellFromNextAlone,
    GatesSwapped,
    ForgetOffByOne,
    TanhForgotten,
}

impl Fault {
    /// The fault, in words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Fault::NoCellCarry => "LSTM: `dc` from the next step is not added",
            Fault::CellFromNextAlone => "LSTM: `dh_next ⊙ o ⊙ (1 - tanh²(c_next))` is not added to `dc`",
            Fault::GatesSwapped => "LSTM: `dt` in PyTorch's order of gates, i, f, g, o, not f, g, i, o",
            Fault::ForgetOffByOne => "LSTM: `df` from `c_next`, not `c_prev`",
            Fault::TanhForgotten => "LSTM: `do` from `c_next`, not `tanh(c_next)`",
        }
    }
}

/// Checks a backward pass by hand that is broken, or not.
pub(crate) fn check(fault: Option<Fault>, [n, steps, d, h]: [usize; 4]) -> Result<Report, Error> {
    let mut rng = StdRng::seed_from_u64(9);
    let wx = Param::new("Wx", normal([d, 4 * h], 1.0 / (d as f64).sqrt(), &mut rng));
    let wh = Param::new("Wh", normal([h, 4 * h], 0.9 / (h as f64).sqrt(), &mut rng));
    let b = Param::new("b", normal([4 * h], 0.3, &mut rng));
    Check::new()
        .input("xs", normal([n, steps, d], 1.0, &mut rng))
        .input("h_prev", normal([n, h], 0.5, &mut rng))
        .input("c_prev", normal([n, h], 0.5, &mut rng))
        .params([&wx, &wh, &b])
        .time_axis("xs", 1)
        .time_axis("hs", 1)
        .seed(11)
        .compare(
            |_, x| {
                let (mut state, mut hs) = ((x["h_prev"].clone(), x["c_prev"].clone()), Vec::new());
                for step in 0..steps {
                    let t = state.0.matmul(&wh) + x["xs"].select(1, step).matmul(&wx) + &b; // [N, 4H]
                    state = next(&t, &state.1, h);
                    hs.push(state.0.clone());
                }
                Ok([("hs", Var::stack(&hs, 1)), ("h", state.0), ("c", state.1)].into())
            },
            |x, dy| Ok(backward(fault, x, dy)),
        )
}

/// `h_next` and `c_next`.
fn next<'t>(t: &Var<'t, f64>, c_prev: &Var<'t, f64>, h: usize) -> (Var<'t, f64>, Var<'t, f64>) {
    let gate = |k: usize| t.narrow(1, k * h, h);
    let c_next = gate(0).sigmoid() * c_prev + gate(1).tanh() * gate(2).sigmoid();
    (gate(3).sigmoid() * c_next.tanh(), c_next)
}

/// Values of a step for the backward pass.
struct Step {
    h_prev: Tensor<f64>,
    c_prev: Tensor<f64>,
    /// f, g, i, o
    gates: [Tensor<f64>; 4],
    c_next: Tensor<f64>,
}

/// Backpropagation through time by hand, right but for one fault.
fn backward(fault: Option<Fault>, x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [xs, h0, c0, wx, wh, b] = ["xs", "h_prev", "c_prev", "Wx", "Wh", "b"].map(|name| &x[name]);
    let (steps, h) = (xs.dims()[1], h0.dims()[1]);
    let (mut h_prev, mut c_prev, mut cache) = (h0.clone(), c0.clone(), Vec::new());
    for step in 0..steps {
        let t = h_prev.matmul(wh) + xs.select(1, step).matmul(wx) + b; // [N, 4H]
        let gate = |k: usize| t.narrow(1, k * h, h);
        let gates = [gate(0).sigmoid(), gate(1).tanh(), gate(2).sigmoid(), gate(3).sigmoid()];
        let [f, g, i, o] = &gates;
        let c_next = f * &c_prev + g * i;
        let h_next = o * &c_next.tanh();
        let last = std::mem::replace(&mut c_prev, c_next.clone());
        cache.push(Step { h_prev: std::mem::replace(&mut h_prev, h_next), c_prev: last, gates, c_next });
    }

    let (mut dwx, mut dwh) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()));
    let (mut db, mut dxs) = (Tensor::zeros(b.shape()), Vec::new());
    let (mut dh, mut dc) = (dy["h"].clone(), dy["c"].clone());
    for (step, Step { h_prev, c_prev, gates: [f, g, i, o], c_next }) in cache.iter().enumerate().rev() {
        let dh_next = dy["hs"].select(1, step) + &dh;
        let through_h = &dh_next * o * (1.0 - c_next.tanh().square());
        let dc_next = match fault {
            Some(Fault::NoCellCarry) if step + 1 < steps => through_h,
            Some(Fault::CellFromNextAlone) => dc,
            _ => dc + through_h,
        };
        let df = match fault {
            Some(Fault::ForgetOffByOne) => &dc_next * c_next,
            _ => &dc_next * c_prev,
        } * f
            * (1.0 - f);
        let dg = &dc_next * i * (1.0 - g.square());
        let di = &dc_next * g * i * (1.0 - i);
        let d_o = match fault {
            Some(Fault::TanhForgotten) => &dh_next * c_next,
            _ => &dh_next * &c_next.tanh(),
        } * o
            * (1.0 - o);
        let dt = match fault {
            Some(Fault::GatesSwapped) => Tensor::concat(&[&di, &df, &dg, &d_o], 1),
            _ => Tensor::concat(&[&df, &dg, &di, &d_o], 1),
        }; // [N, 4H]
        db += &dt.sum_to(b.shape());
        dwh += &h_prev.t().matmul(&dt);
        dwx += &xs.select(1, step).t().matmul(&dt);
        dxs.push(dt.matmul(&wx.t()));
        (dh, dc) = (dt.matmul(&wh.t()), &dc_next * f);
    }
    dxs.reverse();
    let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1);
    [("xs", dxs), ("h_prev", dh), ("c_prev", dc), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
