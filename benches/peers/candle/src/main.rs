//! Forward and backward through recurrent cells with candle: an RNN from primitives, its own LSTM and GRU.

#[path = "../../shared/mod.rs"]
mod shared;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rnn::{GRUConfig, LSTMConfig, RNN, gru, lstm};
use candle_nn::{VarBuilder, VarMap};
use shared::{Clock, Problem};

const CPU: Device = Device::Cpu;

fn main() -> Result<()> {
    let problem = Problem::new();
    let &Problem { n, d, h, .. } = &problem;
    let dhs =
        problem.dhs.iter().map(|dh| Tensor::from_slice(dh, (n, h), &CPU)).collect::<Result<Vec<_>>>()?;
    let map = VarMap::new();
    let vb = VarBuilder::from_varmap(&map, DType::F32, &CPU);
    match &*problem.cell {
        "rnn" => {
            let wx = Var::from_slice(&problem.wx, (d, h), &CPU)?;
            let wh = Var::from_slice(&problem.wh, (h, h), &CPU)?;
            let b = Var::from_slice(&problem.b, h, &CPU)?;
            let zeros = Tensor::zeros((n, h), DType::F32, &CPU)?;
            let step = |x: &Tensor, h_prev: &Tensor| {
                (x.matmul(&wx)? + h_prev.matmul(&wh)?)?.broadcast_add(&b)?.tanh()
            };
            measure(&problem, &dhs, &[&wh, &wx, &b], &zeros, step, |h| h)
        }
        "lstm" => {
            let lstm = lstm(d, h, LSTMConfig::default(), vb)?;
            let zeros = lstm.zero_state(n)?;
            let params = map.all_vars();
            let params: Vec<&Var> = params.iter().collect();
            measure(&problem, &dhs, &params, &zeros, |x, state| lstm.step(x, state), |state| state.h())
        }
        "gru" => {
            let gru = gru(d, h, GRUConfig::default(), vb)?;
            let zeros = gru.zero_state(n)?;
            let params = map.all_vars();
            let params: Vec<&Var> = params.iter().collect();
            measure(&problem, &dhs, &params, &zeros, |x, state| gru.step(x, state), |state| &state.h)
        }
        cell => panic!("--cell: expected rnn, lstm or gru, found {cell}"),
    }
}

/// The gradients of `Σ dhs ⊙ hs` for all parameters and the input of each step.
fn measure<S: Clone>(
    problem: &Problem,
    dhs: &[Tensor],
    params: &[&Var],
    zeros: &S,
    step: impl Fn(&Tensor, &S) -> Result<S>,
    h: impl Fn(&S) -> &Tensor,
) -> Result<()> {
    let &Problem { n, d, .. } = problem;
    let xs = problem.xs.iter().map(|x| Var::from_slice(x, (n, d), &CPU)).collect::<Result<Vec<_>>>()?;
    let pass = |clock: &mut Clock| {
        let (mut state, mut loss) = (zeros.clone(), Tensor::zeros((), DType::F32, &CPU)?);
        for (x, dh) in xs.iter().zip(dhs) {
            state = step(x, &state)?;
            loss = (loss + (h(&state) * dh)?.sum_all()?)?;
        }
        clock.forward_done();
        let grads = loss.backward()?;
        assert!(xs.iter().chain(params.iter().copied()).all(|var| grads.get(var).is_some()));
        grads.get(params[0]).expect("it was used").flatten_all()?.to_vec1()
    };
    shared::report(problem, |clock| pass(clock).expect("the sizes fit"));
    Ok(())
}
