//! `torch.nn.RNN`, `torch.nn.LSTM` and `torch.nn.GRU`, of any number of layers, in one direction or both.

use retrograde::autograd::{Tape, Var};
use retrograde::nn::torch::{StateDict, TorchCell, TorchLayer, stack_states};
use retrograde::nn::{
    Bidirectional, Cell, GruCell, Layer, LstmCell, RnnCell, SequenceOptions, Stacked, Time, Tree,
};
use retrograde::tensor::Tensor;

use super::{Case, Comparison, Error, Runner};

/// Each kind of cases, and the function that runs it.
pub(super) const KINDS: [(&str, Runner); 3] = [
    ("torch_rnn", layers_of::<RnnCell<f64>>),
    ("torch_lstm", layers_of::<LstmCell<f64>>),
    ("torch_gru", layers_of::<GruCell<f64>>),
];

fn layers_of<C: TorchCell<f64>>(case: &Case<'_>, comparison: &mut Comparison) -> Result<(), Error> {
    if case.flag("bidirectional")? {
        stacked::<Bidirectional<C, f64>>(case, comparison)
    } else {
        stacked::<Time<C, f64>>(case, comparison)
    }
}

/// `xs [N, T, D] -> ys [N, T, directions · H]` from given states `h0` (and `c0`), `[layers · directions, N, H]`.
fn stacked<L: TorchLayer<f64>>(case: &Case<'_>, comparison: &mut Comparison) -> Result<(), Error> {
    let (n, t, d, h) = (case.size("N")?, case.size("T")?, case.size("D")?, case.size("H")?);
    let (layers, directions) = (case.size("layers")?, L::DIRECTIONS.len());
    if !case.flag("batch_first")? {
        return Err(case.wrong("batch_first", "true"));
    }
    if layers == 0 {
        return Err(case.wrong("layers", "at least 1"));
    }
    let (mut dict, mut gradients) = (StateDict::new(), StateDict::new());
    for layer in 0..layers {
        let inputs = if layer == 0 { d } else { directions * h };
        let gates = <L::Cell as TorchCell<f64>>::GATES * h;
        for direction in L::DIRECTIONS {
            for (name, dims) in [
                ("weight_ih", &[gates, inputs][..]),
                ("weight_hh", &[gates, h]),
                ("bias_ih", &[gates]),
                ("bias_hh", &[gates]),
            ] {
                let name = format!("{name}_l{layer}{direction}");
                gradients.insert(name.clone(), case.tensor(&format!("d_{name}"), dims)?);
                dict.insert(name.clone(), case.tensor(&name, dims)?);
            }
        }
    }
    let model = Stacked::<L, f64>::from_torch(&dict, "")?;
    let names = model.layers[0].directions()[0].cell.state_names();
    let states = |format: fn(&str) -> String| -> Result<Vec<Tensor<f64>>, Error> {
        names.iter().map(|name| case.tensor(&format(name), &[layers * directions, n, h])).collect()
    };
    let initial = model.state_from_torch(&states(|name| format!("{name}0"))?)?;

    let tape = Tape::new();
    let xs = tape.var(case.tensor("xs", &[n, t, d])?);
    let out = model.run(&xs, Some(&initial), &SequenceOptions::new())?;
    let (last, first) = (parts(&out.last), parts(&out.initial));
    let dys = case.tensor("dys", &[n, t, directions * h])?;
    let dlast = states(|name| format!("d{name}n"))?;
    // A part of the state is h or c of a direction of a layer.
    let dparts: Vec<Tensor<f64>> =
        (0..last.len()).map(|i| dlast[i % names.len()].select(0, i / names.len())).collect();
    let mut outputs = vec![(&out.hs, &dys)];
    outputs.extend(last.iter().zip(&dparts));
    let grads = tape.backward(&outputs)?;

    comparison.check("ys", out.hs.value(), &case.tensor("ys", &[n, t, directions * h])?);
    comparison.check("dxs", grads.get(&xs), &case.tensor("dxs", &[n, t, d])?);
    let last: Vec<Tensor<f64>> = last.iter().map(|part| part.value().clone()).collect();
    let zeros = Tensor::zeros([n, h]);
    let dfirst: Vec<Tensor<f64>> =
        first.iter().map(|part| grads.get(part).unwrap_or(&zeros).clone()).collect();
    for (found, format) in
        [(last, (|name| format!("{name}n")) as fn(&str) -> String), (dfirst, |name| format!("d{name}0"))]
    {
        let expected = states(format)?;
        for ((name, found), expected) in names.iter().zip(stack_states(&found, names.len())).zip(&expected) {
            comparison.check(&format(name), &found, expected);
        }
    }
    let found = model.gradients_to_torch(&grads, "")?;
    for (name, expected) in &gradients {
        comparison.check(&format!("d_{name}"), found.get(name), expected);
    }
    Ok(())
}

/// The variables of the state of stacked layers, in order.
fn parts<'t>(states: &impl Tree<Var<'t, f64>>) -> Vec<Var<'t, f64>> {
    states.leaves().into_iter().cloned().collect()
}
