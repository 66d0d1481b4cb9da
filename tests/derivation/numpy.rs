//! The printed NumPy class, run by Python where NumPy is installed.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use retrograde::autograd::NodeKind;
use retrograde::nn::*;
use retrograde::prelude::*;
use serde_json::Value;

use crate::cases::{self, Recorded};
use crate::{Named, gradients, labels, same};

/// Whether Python and NumPy are there. If not, it says so.
fn installed() -> bool {
    let found = Command::new("python3").args(["-c", "import numpy"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: python3 with numpy is not installed");
    }
    found
}

#[test]
fn the_numpy_class_has_the_gradients_of_the_tape() {
    if !installed() {
        return;
    }
    for (name, record) in cases::ALL {
        let tape = Tape::new();
        let recorded = record(&tape, 4);
        let class = class(&tape, &recorded);
        // It fits other numbers of rows and of steps than those that it was printed from.
        for seed in [5, 6, cases::OTHER_SIZES + 7] {
            let tape = Tape::new();
            let recorded = record(&tape, seed);
            compare(name, &class, &tape, &recorded, seed);
        }
    }
}

/// A model with a loss: an embedding would be a list of indices; here two layers, one after the other.
#[test]
fn the_numpy_class_of_two_layers_with_a_loss() {
    if !installed() {
        return;
    }
    let mut rng = StdRng::seed_from_u64(3);
    let first = TimeLstm::<f64>::new(LstmCell::new(2, 3, &mut rng));
    let second = TimeGru::<f64>::new(GruCell::new(3, 3, &mut rng));
    let linear = Linear::new(3, 5, &mut rng);
    let tape = Tape::new();
    let xs = tape.var(Tensor::normal([2, 4, 2], 0.0, 1.0, &mut rng).unwrap()).named("xs");
    let none = SequenceOptions::new();
    let hs = first.run(&xs, None, &none).unwrap().hs;
    let hs = second.run(&hs, None, &none).unwrap().hs;
    let z = linear.forward(&hs).unwrap().named("z");
    let targets = Tensor::from([[0usize, 4, 2, 1], [3, 3, 0, 2]]);
    let loss = cross_entropy(&z, &targets).unwrap().named("L");
    let derivation = loss.derivation().unwrap();
    let text = derivation.to_string();
    assert!(text.starts_with("n = 8\ndz = (softmax(z) - onehot) / n\n"), "{text}");
    assert_eq!(text.matches("for t = T-1 .. 0:").count(), 2, "{text}");
    let mut names: Vec<&str> = derivation.lines.iter().map(|line| line.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two lines of one name: {names:?}");

    let params: Vec<Param<f64>> = tape.params();
    let grads = loss.backward().unwrap();
    let script = script(&derivation.numpy("Model").unwrap(), &params, &inputs(&tape), &[]);
    let found = run("two_layers", &script);
    let sorted = sorted(&params);
    for (param, found) in sorted.iter().zip(found["grads"].as_array().unwrap()) {
        let expected = grads.get(*param).unwrap();
        retrograde_tensor::assert_close!(&array(found, expected.shape().to_vec()), expected, 1e-12, 1e-12);
    }
}

/// Matrices before vectors.
fn sorted(params: &[Param<f64>]) -> Vec<&Param<f64>> {
    let mut sorted: Vec<&Param<f64>> = params.iter().collect();
    sorted.sort_by_key(|param| std::cmp::Reverse(param.shape().rank()));
    sorted
}

/// The inputs of the class, in order: those of each step as lists.
fn inputs(tape: &Tape<f64>) -> Vec<(String, Vec<Tensor<f64>>, bool)> {
    let mut inputs: Vec<(String, Vec<Tensor<f64>>, bool)> = Vec::new();
    let mut lists: Vec<(String, Vec<Tensor<f64>>, bool)> = Vec::new();
    let nodes = tape.nodes();
    for node in nodes.iter().filter(|node| nodes.iter().any(|y| y.operands.contains(&node.id))).cloned() {
        let variable = matches!(node.kind, NodeKind::Variable);
        if !variable && !matches!(node.kind, NodeKind::Constant) || node.shape.rank() == 0 {
            continue;
        }
        let value = node.value.clone().unwrap();
        match node.step {
            None => inputs.push((node.label(), vec![value], variable)),
            Some(step) => {
                let name = node.name.unwrap().trim_end_matches(&format!("_{step}")).to_owned();
                match lists.iter_mut().find(|(known, ..)| *known == name) {
                    Some((_, values, _)) => values.push(value),
                    None => lists.push((name, vec![value], variable)),
                }
            }
        }
    }
    for list in &mut lists {
        list.0 += "[]";
    }
    inputs.append(&mut lists);
    inputs
}

/// The class of a recording.
fn class(tape: &Tape<f64>, recorded: &Recorded<'_>) -> String {
    tape.derivation(&recorded.outputs.iter().collect::<Vec<_>>()).unwrap().numpy("Layer").unwrap()
}

fn compare(name: &str, class: &str, tape: &Tape<f64>, recorded: &Recorded<'_>, seed: u64) {
    let (expected, given) = gradients(tape, recorded, seed);
    let label = |y: &Var<'_, f64>| format!("d{}", tape.node(y.id().unwrap()).unwrap().label());
    let given: Vec<Tensor<f64>> = recorded.outputs.iter().map(|y| given[&label(y)].clone()).collect();
    let (params, inputs) = (tape.params(), inputs(tape));
    let script = script(class, &params, &inputs, &given);
    let found = run(&format!("{name}_{seed}"), &script);
    let mut named = Named::new();
    let labels = labels(tape);
    for (param, found) in sorted(&params).into_iter().zip(found["grads"].as_array().unwrap()) {
        let label = &labels[tape.param(param).id().unwrap().index()];
        named.insert(format!("d{label}"), array(found, param.shape().to_vec()));
    }
    let returned = found["inputs"].as_array().unwrap();
    for ((input, values, _), found) in inputs.iter().filter(|(.., tracked)| *tracked).zip(returned) {
        match input.strip_suffix("[]") {
            None => drop(named.insert(format!("d{input}"), array(found, values[0].shape().to_vec()))),
            Some(input) => {
                for (step, (value, found)) in values.iter().zip(found.as_array().unwrap()).enumerate() {
                    named.insert(format!("d{input}_{step}"), array(found, value.shape().to_vec()));
                }
            }
        }
    }
    for (y, found) in recorded.outputs.iter().zip(found["outputs"].as_array().unwrap()) {
        retrograde_tensor::assert_close!(&array(found, y.shape().to_vec()), y.value(), 1e-12, 1e-12);
    }
    same(name, &named, &expected);
}

fn literal(x: &Tensor<f64>) -> String {
    let numbers: Vec<String> = x.iter().map(|x| format!("{x:?}")).collect();
    let sizes: Vec<String> = x.dims().iter().map(ToString::to_string).collect();
    format!("np.array([{}]).reshape([{}])", numbers.join(", "), sizes.join(", "))
}

fn script(
    class: &str,
    params: &[Param<f64>],
    inputs: &[(String, Vec<Tensor<f64>>, bool)],
    given: &[Tensor<f64>],
) -> String {
    let name = class.lines().find_map(|line| line.strip_prefix("class ")).unwrap().trim_end_matches(':');
    let params: Vec<String> = sorted(params).into_iter().map(|param| literal(&param.value())).collect();
    let inputs: Vec<String> = inputs
        .iter()
        .map(|(name, values, _)| match name.ends_with("[]") {
            true => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
            false => literal(&values[0]),
        })
        .collect();
    let given: Vec<String> = given.iter().map(literal).collect();
    let mut script = class.to_owned();
    let _ = write!(
        script,
        "\nimport json\nlayer = {name}({})\ny = layer.forward({})\nd = layer.backward({})\n\
         def plain(x):\n    return [plain(x) for x in x] if isinstance(x, (list, tuple)) else np.asarray(x).tolist()\n\
         as_list = lambda x: list(x) if isinstance(x, tuple) else [x]\n\
         print(json.dumps({{'outputs': plain(as_list(y)), 'grads': plain(layer.grads), 'inputs': plain(as_list(d))}}))\n",
        params.join(", "),
        inputs.join(", "),
        given.join(", ")
    );
    script
}

fn run(name: &str, script: &str) -> Value {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.py"));
    std::fs::write(&path, script).unwrap();
    let output = Command::new("python3").arg("-W").arg("error").arg(&path).output().unwrap();
    assert!(output.status.success(), "{name}: {}\n{script}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn array(value: &Value, shape: Vec<usize>) -> Tensor<f64> {
    fn collect(value: &Value, to: &mut Vec<f64>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| collect(value, to)),
            number => to.push(number.as_f64().unwrap()),
        }
    }
    let mut numbers = Vec::new();
    collect(value, &mut numbers);
    Tensor::from_vec(numbers, &shape[..]).unwrap()
}
