//! The tape player's page: every number on it is what a tape gives again, and every line holds.

#[path = "../player/base64.rs"]
mod base64;
mod common;
#[path = "../player/policy.rs"]
mod policy;

use std::collections::BTreeSet;
use std::fs;

use common::{folder, printed, refusal};
use retrograde::prelude::*;
use retrograde_examples::formula::Formula;
use serde_json::Value;

const TOLERANCE: f64 = 1e-12;

/// The data of a page.
struct Page {
    html: String,
    recording: Value,
    truncations: Value,
    vanishing: Value,
}

impl Page {
    fn new(name: &str, arguments: &[&str]) -> Self {
        let folder = folder("player");
        let file = format!("{name}.html");
        let printed = printed("player", &folder, &[arguments, &["--out", &file]].concat());
        assert!(printed.contains(&format!("Page: {file}\n")), "{printed}");
        let html = fs::read_to_string(folder.join(file)).unwrap();
        let data = |name: &str| {
            let start =
                html.split(&format!("<script type=\"application/json\" id=\"{name}\">")).nth(1).unwrap();
            serde_json::from_str(start.split("</script>").next().unwrap()).unwrap()
        };
        let [recording, truncations, vanishing] = ["recording", "truncations", "vanishing"].map(data);
        Page { html, recording, truncations, vanishing }
    }

    fn nodes(&self) -> &[Value] {
        self.recording["nodes"].as_array().unwrap()
    }

    fn find(&self, label: &str) -> usize {
        let place = self.nodes().iter().position(|node| node["label"] == label);
        place.unwrap_or_else(|| panic!("no node {label}"))
    }

    fn steps(&self) -> usize {
        self.recording["steps"].as_u64().unwrap() as usize
    }

    /// The names of the lines that are not equal, and how many lines there are.
    fn unequal(&self) -> (BTreeSet<String>, usize) {
        let lines = self.recording["lines"].as_array().unwrap();
        let unequal = lines.iter().filter(|line| line["equal"] != true);
        (unequal.map(|line| line["name"].as_str().unwrap().to_owned()).collect(), lines.len())
    }

    /// Runs the operations of the page again. An input may be another, and the states may be cut off before a step.
    fn replay<'t>(
        &self,
        tape: &'t Tape<f64>,
        input: impl Fn(&str, Tensor<f64>) -> Tensor<f64>,
        cut: impl Fn(usize) -> bool,
    ) -> Vec<Var<'t, f64>> {
        let mut vars: Vec<Var<'t, f64>> = Vec::new();
        for node in self.nodes() {
            let step = node["step"].as_u64();
            let x: Vec<Var<'t, f64>> = indices(&node["operands"])
                .map(|i| {
                    let from = &self.nodes()[i];
                    let is_state = from["step"] != node["step"]
                        && !["Wx", "Wh", "b"].map(Value::from).contains(&from["label"]);
                    let is_cut = is_state && step.is_some_and(|step| cut(step as usize));
                    if is_cut { tape.constant(vars[i].value().clone()) } else { vars[i].clone() }
                })
                .collect();
            let words: Vec<&str> =
                node["op"].as_str().unwrap().split([' ', ',']).filter(|word| !word.is_empty()).collect();
            let var = match words.as_slice() {
                ["input"] => tape.var(input(node["label"].as_str().unwrap(), tensor(node, "value"))),
                ["matmul"] => x[0].matmul(&x[1]),
                ["add"] => &x[0] + &x[1],
                ["mul"] => &x[0] * &x[1],
                ["neg"] => -&x[0],
                ["shift", c] => &x[0] + c.parse::<f64>().unwrap(),
                ["tanh"] => x[0].tanh(),
                ["sigmoid"] => x[0].sigmoid(),
                ["narrow", "axis", "1", range] => {
                    let (start, end) = range.split_once("..").unwrap();
                    let [start, end] = [start, end].map(|x| x.parse::<usize>().unwrap());
                    x[0].narrow(1, start, end - start)
                }
                ["stack", "axis", "1"] => Var::stack(&x, 1),
                words => panic!("an operation that the test does not know: {words:?}"),
            };
            vars.push(var.retain_grad());
        }
        vars
    }

    /// The gradients of a replay, and its variables, from the output and the cotangent of the page.
    fn gradients<'t>(
        &self,
        tape: &'t Tape<f64>,
        cut: impl Fn(usize) -> bool,
    ) -> (Gradients<f64>, Vec<Var<'t, f64>>) {
        let vars = self.replay(tape, |_, x| x, cut);
        let root = self.recording["sweep"][0].as_u64().unwrap() as usize;
        (vars[root].backward_with(&tensor(&self.nodes()[root], "cotangent")).unwrap(), vars)
    }
}

fn indices(value: &Value) -> impl Iterator<Item = usize> {
    value.as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as usize)
}

fn index(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn decode(value: &Value) -> Vec<f64> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = value.as_str().unwrap().trim_end_matches('=').chars();
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits {
        bits = bits << 6 | DIGITS.find(digit).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes.chunks(8).map(|eight| f64::from_le_bytes(eight.try_into().unwrap())).collect()
}

fn tensor(node: &Value, key: &str) -> Tensor<f64> {
    shaped(&node["shape"], &node[key])
}

fn shaped(shape: &Value, numbers: &Value) -> Tensor<f64> {
    let shape: Vec<usize> = indices(shape).collect();
    let numbers = decode(numbers);
    let tensor = match shape.as_slice() {
        &[a] => Tensor::from_vec(numbers, [a]),
        &[a, b] => Tensor::from_vec(numbers, [a, b]),
        &[a, b, c] => Tensor::from_vec(numbers, [a, b, c]),
        shape => panic!("a shape of rank {}", shape.len()),
    };
    tensor.unwrap()
}

fn norm(x: &Tensor<f64>) -> f64 {
    x.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn close(found: &Tensor<f64>, expected: &Tensor<f64>, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let difference = norm(&(found - expected));
    assert!(
        difference <= TOLERANCE * norm(expected),
        "{what}: off by {difference:e} of {:e}",
        norm(expected)
    );
}

fn close_numbers(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-11 * expected.abs() + 1e-15,
        "{what}: {found:e}, expected {expected:e}"
    );
}

const PAGES: [(&str, &[&str]); 7] = [
    ("rnn", &["--cell", "rnn"]),
    ("lstm", &["--cell", "lstm"]),
    ("gru", &["--cell", "gru"]),
    ("last", &["--loss", "last", "--steps", "5", "--seed", "3"]),
    ("lstm_last", &["--cell", "lstm", "--loss", "last", "--steps", "4", "--hidden", "1"]),
    ("gru_last", &["--cell", "gru", "--loss", "last", "--steps", "3", "--hidden", "7"]),
    ("one", &["--steps", "1"]),
];

#[test]
fn every_value_and_cotangent_comes_again() {
    for (name, arguments) in PAGES {
        let page = Page::new(name, arguments);
        let tape = Tape::new();
        let (gradients, vars) = page.gradients(&tape, |_| false);
        let mut cotangents = 0;
        for (node, var) in page.nodes().iter().zip(&vars) {
            let what = format!("{name}: {}", node["label"]);
            close(&tensor(node, "value"), var.value(), &what);
            match gradients.get(var) {
                Some(expected) => close(&tensor(node, "cotangent"), expected, &format!("{what}, cotangent")),
                None => assert!(node["cotangent"].is_null(), "{what}"),
            }
            cotangents += usize::from(!node["cotangent"].is_null());
        }
        assert_eq!(cotangents, page.recording["sweep"].as_array().unwrap().len(), "{name}");
    }
}

#[test]
fn the_terms_sum_to_the_cotangent() {
    for (name, arguments) in PAGES {
        let page = Page::new(&format!("terms_{name}"), arguments);
        let mut ledgers = 0;
        for node in page.nodes() {
            let terms = node["terms"].as_array().unwrap();
            let Some(first) = terms.first() else { continue };
            let mut sum = shaped(&node["shape"], &first["value"]);
            for term in &terms[1..] {
                sum += &shaped(&node["shape"], &term["value"]);
            }
            close(&sum, &tensor(node, "cotangent"), &format!("{name}: {}", node["label"]));
            if ["Wx", "Wh", "b"].map(Value::from).contains(&node["label"]) {
                assert_eq!(terms.len(), page.steps(), "a share for each step");
                ledgers += 1;
            }
        }
        assert_eq!(ledgers, if page.steps() > 1 { 3 } else { 0 }, "{name}");
    }
}

/// The value of a formula in the names of a page.
fn value(page: &Page, formula: &str) -> Tensor<f64> {
    let find = |label: &str| page.nodes().iter().find(|node| node["label"] == label);
    let names = |name: &str| match name.strip_prefix('d').and_then(find) {
        Some(node) => Some(tensor(node, "cotangent")),
        None => find(name).map(|node| tensor(node, "value")),
    };
    Formula::parse(formula).and_then(|formula| formula.value(&names)).unwrap()
}

#[test]
fn each_formula_is_the_number_beside_it() {
    for (name, arguments) in PAGES {
        let page = Page::new(&format!("formulas_{name}"), arguments);
        // `place` has a value within its sum only.
        let lines = page.recording["lines"].as_array().unwrap().iter();
        let lines = lines.filter(|line| !line["derived"].as_str().unwrap().contains("place"));
        let mut sums = 0;
        for line in lines {
            let (derived, node) = (line["derived"].as_str().unwrap(), &page.nodes()[index(&line["at"])]);
            let what = format!("{name}: {} = {derived}", line["name"]);
            if line["share"].is_null() {
                close(&value(&page, derived), &tensor(node, "cotangent"), &what);
                // The terms of a sum stand in the order of the formula.
                let terms = node["terms"].as_array().unwrap();
                let texts: Vec<&str> = derived.split(" + ").collect();
                if terms.len() == texts.len() {
                    for (text, term) in texts.iter().zip(terms) {
                        close(&value(&page, text), &shaped(&node["shape"], &term["value"]), &what);
                    }
                    sums += 1;
                }
            } else {
                let parameter = &page.nodes()[page.find(&line["name"].as_str().unwrap()[1..])];
                let terms = parameter["terms"].as_array().unwrap();
                let share = match terms.iter().find(|term| term["from"] == line["at"]) {
                    Some(term) => shaped(&parameter["shape"], &term["value"]),
                    None => tensor(parameter, "cotangent"),
                };
                close(&value(&page, derived), &share, &what);
            }
        }
        assert!(sums > 0 || page.steps() == 1 || page.recording["loss"] == "last", "{name}");
    }
}

#[test]
fn derived_and_hand_derived_lines_are_equal() {
    for (name, arguments) in PAGES {
        let page = Page::new(&format!("lines_{name}"), arguments);
        let (unequal, lines) = page.unequal();
        assert_eq!(unequal, BTreeSet::new(), "{name}");
        // At least dh, dt, dx and three shares for each step.
        assert!(lines >= 5 * page.steps(), "{name}: {lines} lines");
        for line in page.recording["lines"].as_array().unwrap() {
            assert!(line["difference"].as_f64().unwrap() <= TOLERANCE, "{name}: {line}");
        }
        assert!(page.nodes().iter().all(|node| node["difference"].is_null()), "{name}");
    }
}

#[test]
fn truncation_is_that_of_a_tape_that_is_cut() {
    for (name, arguments) in [PAGES[0], PAGES[1], PAGES[2], PAGES[4]] {
        let page = Page::new(&format!("truncation_{name}"), arguments);
        let steps = page.steps();
        let parameters = ["Wh", "Wx", "b"].map(|label| page.find(label));
        let whole = parameters.map(|i| tensor(&page.nodes()[i], "cotangent"));
        let truncations = page.truncations.as_array().unwrap();
        assert_eq!(truncations.len(), steps);
        for truncation in truncations {
            let window = truncation["window"].as_u64().unwrap() as usize;
            let tape = Tape::new();
            let (gradients, vars) =
                page.gradients(&tape, |step| step > 0 && (steps - step).is_multiple_of(window));
            for (k, &parameter) in parameters.iter().enumerate() {
                let found = &truncation["gradients"][k];
                let what = format!("{name}, window {window}, parameter {k}");
                let error = norm(&(gradients.get(&vars[parameter]).unwrap() - &whole[k])) / norm(&whole[k]);
                let found_error = found["error"].as_f64().unwrap();
                assert!((found_error - error).abs() <= 1e-12, "{what}: {found_error}, expected {error}");
                let norms = decode(&found["norms"]);
                assert_eq!(norms.len(), steps);
                let mut uses = 0;
                for (i, node) in page.nodes().iter().enumerate() {
                    let operands: Vec<usize> = indices(&node["operands"]).collect();
                    if operands.get(1) != Some(&parameter) {
                        continue;
                    }
                    let step = node["step"].as_u64().unwrap() as usize;
                    let share = gradients.get(&vars[i]).map_or(0.0, |dt| match node["op"].as_str() {
                        Some("matmul") => norm(&vars[operands[0]].value().t().matmul(dt)),
                        _ => norm(&dt.sum_to(whole[k].shape())),
                    });
                    close_numbers(norms[step], share, &what);
                    uses += 1;
                }
                assert_eq!(uses, steps, "{what}");
            }
        }
        for k in 0..3 {
            let error = |truncation: &Value| truncation["gradients"][k]["error"].as_f64().unwrap();
            assert_eq!(error(&truncations[steps - 1]), 0.0, "{name}: the last cuts nothing");
            assert!(error(&truncations[0]) > 0.01, "{name}");
        }
    }
}

#[test]
fn vanishing_is_that_of_a_tape_with_these_weights_and_inputs() {
    let pages = [
        ("rnn", Page::new("v_rnn", &["--steps", "6"])),
        ("lstm", Page::new("v_lstm", &["--steps", "6", "--cell", "lstm"])),
    ];
    let rnn = &pages[0].1;
    let shared = |label: &str| {
        rnn.nodes().iter().find(|node| node["label"] == label).map(|node| tensor(node, "value"))
    };
    let dh = tensor(&rnn.nodes()[rnn.find("hs")], "cotangent").select(1, 5);
    let dh = &dh * (1.0 / norm(&dh));
    let curves = rnn.vanishing["curves"].as_array().unwrap();
    assert_eq!(curves.len(), 70);
    for curve in curves {
        let page = &pages.iter().find(|(cell, _)| curve["cell"] == *cell).unwrap().1;
        let [gain, size] = ["gain", "input"].map(|key| curve[key].as_f64().unwrap());
        let tape = Tape::new();
        let input = |label: &str, x: Tensor<f64>| match label {
            "Wh" => &x * gain,
            "h_prev" => shared(label).unwrap(),
            // The forget gate, of four units, begins open.
            "b" if curve["cell"] == "lstm" => {
                Tensor::concat(&[&(x.narrow(0, 0, 4) + Tensor::scalar(2.0)), &x.narrow(0, 4, 12)], 0)
            }
            _ if label.starts_with("x_") => &shared(label).unwrap() * size,
            _ => x,
        };
        let vars = page.replay(&tape, input, |_| false);
        let gradients = vars[page.find("h_5")].backward_with(&dh).unwrap();
        for (step, &found) in decode(&curve["norms"]).iter().enumerate() {
            let dh = gradients.get(&vars[page.find(&format!("h_{step}"))]).unwrap();
            close_numbers(found, norm(dh), &format!("{curve}"));
        }
        for (step, found) in curve["saturations"].as_array().unwrap().iter().enumerate() {
            // The slopes at the squashed numbers of a step, as a share of that at 0.
            let squashed =
                |label: &str| vars[page.find(&format!("{label}_{step}"))].value().to_vec().into_iter();
            let slopes: Vec<f64> = if curve["cell"] == "rnn" {
                squashed("h").map(|y| 1.0 - y * y).collect()
            } else {
                let gates = ["f", "i", "o"].into_iter().flat_map(squashed).map(|y| 4.0 * y * (1.0 - y));
                gates.chain(squashed("g").map(|y| 1.0 - y * y)).collect()
            };
            let saturated = slopes.iter().filter(|&&slope| slope < 0.1).count();
            assert_eq!(
                found.as_f64().unwrap(),
                saturated as f64 / slopes.len() as f64,
                "{curve}, step {step}"
            );
        }
    }
}

#[test]
fn a_fault_makes_its_own_lines_unequal_and_no_others() {
    let steps = ["--steps", "5"];
    let carried = ["dh_3", "dh_2", "dh_1", "dh_0"].as_slice();
    let lines = |name: &'static str| -> Vec<String> { (0..5).map(|t| format!("{name}_{t}")).collect() };
    let cases: [(&str, &[&str], Vec<String>); 16] = [
        ("no-carry", &["rnn", "lstm", "gru"], carried.iter().map(ToString::to_string).collect()),
        ("truncated", &["rnn", "lstm", "gru"], vec!["dh_2".to_owned()]),
        (
            "missing-transpose",
            &["rnn"],
            [carried, &["dh_prev"]].concat().iter().map(ToString::to_string).collect(),
        ),
        ("notebook", &["rnn"], [carried, &["dh_prev"]].concat().iter().map(ToString::to_string).collect()),
        ("off-by-one", &["rnn", "lstm", "gru"], vec!["dWh".to_owned()]),
        ("transposed-weight", &["rnn"], vec!["dWh".to_owned()]),
        ("sign-of-bias", &["rnn", "lstm", "gru"], vec!["db".to_owned()]),
        ("no-cell-carry", &["lstm"], ["dc_3", "dc_2", "dc_1", "dc_0"].map(str::to_owned).to_vec()),
        ("forget-off-by-one", &["lstm"], lines("df")),
        ("gates-swapped", &["lstm"], lines("dt")),
        ("tanh-forgotten", &["lstm"], lines("dc")),
        ("reset-forgotten", &["gru"], lines("dth")),
        ("off-by-one", &["rnn"], vec!["dWh".to_owned()]),
        ("sign-of-bias", &["gru"], vec!["db".to_owned()]),
        ("tanh-forgotten", &["lstm"], lines("dc")),
        ("reset-forgotten", &["gru"], lines("dth")),
    ];
    for (i, (fault, cells, expected)) in cases.into_iter().enumerate() {
        // The last four with a loss of the last state alone.
        let loss = if i < 12 { "all" } else { "last" };
        for cell in cells {
            let arguments = ["--cell", cell, "--fault", fault, "--loss", loss];
            let page = Page::new(&format!("{fault}_{cell}_{loss}"), &[arguments.as_slice(), &steps].concat());
            let (unequal, _) = page.unequal();
            assert_eq!(unequal, expected.iter().cloned().collect(), "{fault}, {cell}, {loss}");
            // The first node that differs is one that the fault names.
            let sweep: Vec<usize> = indices(&page.recording["sweep"]).collect();
            let first = sweep.iter().find(|&&i| !page.nodes()[i]["difference"].is_null()).unwrap();
            let first = format!("d{}", page.nodes()[*first]["label"].as_str().unwrap());
            assert!(expected.contains(&first), "{fault}, {cell}: {first} differs first");
        }
    }
}

#[test]
fn the_page_is_small_and_loads_nothing() {
    for (name, arguments) in &PAGES[..3] {
        let page = Page::new(&format!("size_{name}"), arguments);
        let data: usize =
            [&page.recording, &page.truncations, &page.vanishing].map(|x| x.to_string().len()).iter().sum();
        assert!(page.html.len() < 250_000, "{name}: {} bytes", page.html.len());
        assert!(page.html.len() - data < 60_000, "{name}: {} bytes besides the data", page.html.len() - data);
        assert!(
            page.html.contains("content=\"default-src 'none'; script-src 'sha256-"),
            "a policy of content"
        );
        assert!(!page.html.contains("unsafe-inline"), "{name}");
        for word in
            ["http:", "https:", "src=", "url(", "@import", "<link", "fetch(", "/* style */", "<!-- data -->"]
        {
            let found = page.html.replace("http://www.w3.org/2000/svg", "").contains(word);
            assert!(!found, "{name}: {word}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_again() {
    let page = |name: &str, seed: &str| Page::new(name, &["--steps", "3", "--seed", seed]).html;
    assert_eq!(page("seed_a", "7"), page("seed_b", "7"));
    assert_ne!(page("seed_a", "7"), page("seed_c", "8"));
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let folder = folder("player_refused");
    fs::write(folder.join("file"), "").unwrap();
    let refused = |arguments: &[&str], words: &str| {
        let found = refusal("player", &folder, arguments);
        assert!(found.starts_with(words), "{found}");
    };
    refused(&["--steps", "0"], "error: invalid value '0' for '--steps <T>'");
    refused(&["--steps", "61"], "error: invalid value '61' for '--steps <T>'");
    refused(&["--hidden", "33"], "error: invalid value '33' for '--hidden <H>'");
    refused(&["--fault", "unknown"], "error: invalid value 'unknown' for '--fault <NAME>'");
    refused(
        &["--fault", "notebook", "--cell", "gru"],
        "error: fault notebook: expected --cell rnn, found gru",
    );
    refused(
        &["--fault", "no-carry", "--loss", "last"],
        "error: fault no-carry: expected --loss all, found last",
    );
    refused(
        &["--fault", "off-by-one", "--steps", "1"],
        "error: fault off-by-one: expected --steps of at least 2, found 1",
    );
    refused(&["--out", "file/page.html"], "error: file file/page.html: expected to be able to write it");
}

/// The digests of FIPS 180-4's examples, and of lengths around those at which padding takes another block, as
/// Python's hashlib gives them.
#[test]
fn digests_are_those_of_the_standard() {
    for (text, digest) in [
        ("abc".to_owned(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        (String::new(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ("a".repeat(55), "n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg="),
        ("a".repeat(56), "s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o="),
        ("a".repeat(57), "8TstckZZ6zv0fy3WrxrMyHuB8J9Z8rdeXAvtZYnf6MY="),
        ("a".repeat(63), "fT50oF19sVvOStnsBljqmOPwbu7PFrTG//LaRX3cLzQ="),
        ("a".repeat(64), "/+BU/nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs="),
        ("a".repeat(65), "Y1NhxIu56rFBmOduqKt/GkFoXWrWKqkUbTAdTxfrCuA="),
        ("a".repeat(119), "MeulHDE6XAgiat8Y1KNZz9/Y0ugWsT9K+VL36mWE3Ps="),
        ("a".repeat(120), "Lz0zVDLHC1gK8Ojhs2dKfAINaDql9zqq7f3FWvkEwhw="),
        ("a".repeat(1000), "Qe3s5C1j6Nm/UVqbppMuHCDLyfWl0TRkWttdsblzfqM="),
    ] {
        assert_eq!(policy::source(&text), format!("'sha256-{digest}'"), "{} bytes", text.len());
    }
}
