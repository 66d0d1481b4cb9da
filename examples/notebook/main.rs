//! The notebook's RNN in Rust: the forward pass alone, on the numbers that `docs/notebook/notebook_fixed.py` reads.
//!
//! [The notebook, cell by cell](../../docs/notebook/cell-by-cell.md) sets the two beside each other.
#![forbid(unsafe_code)]

use retrograde::prelude::*;

type V<'t> = Var<'t, f64>;

/// One step: h_next = tanh(h_prev·Wh + x·Wx + b).
struct Rnn {
    wx: Param<f64>,
    wh: Param<f64>,
    b: Param<f64>,
}

impl Rnn {
    fn forward<'t>(&self, x: &V<'t>, h: &V<'t>) -> V<'t> {
        let h = h.matmul(&self.wh);
        let x = x.matmul(&self.wx);
        (h + x + &self.b).tanh()
    }
}

/// The step over time: [N, T, D] -> [N, T, H].
fn over_time<'t>(rnn: &Rnn, xs: &V<'t>) -> V<'t> {
    let (n, steps) = (xs.shape()[0], xs.shape()[1]);
    let units = rnn.b.value().dims()[0];
    let zeros = Tensor::zeros([n, units]);
    let mut h = xs.tape().constant(zeros);
    let mut hs = Vec::new();
    for t in 0..steps {
        h = rnn.forward(&xs.select(1, t), &h);
        hs.push(h.clone());
    }
    Var::stack(&hs, 1)
}

const FILE: &str = include_str!("../../docs/notebook/numbers.txt");

fn numbers(name: &str) -> Tensor<f64> {
    let named = |line: &&str| line.starts_with(name);
    let line = FILE.lines().find(named).expect("a line");
    let mut words = line.split(' ').skip(1);
    let sizes = words.next().expect("sizes").split('x');
    let shape: Vec<usize> = sizes.flat_map(str::parse).collect();
    let values: Vec<f64> = words.flat_map(str::parse).collect();
    Tensor::from_vec(values, shape.as_slice()).expect("a tensor")
}

fn show(name: &str, x: &Tensor<f64>) {
    let columns = x.dims()[x.dims().len() - 1];
    for row in x.to_vec().chunks(columns) {
        let digits = |value| format!(" {value:.10}");
        let row: String = row.iter().map(digits).collect();
        println!("{name}{row}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = 2;
    let part = |name| numbers(name).narrow(0, 0, rows);
    let (xs, dhs) = (part("xs"), part("dhs"));
    let param = |name| Param::new(name, numbers(name));
    let [wx, wh, b] = ["Wx", "Wh", "b"].map(param);
    let rnn = Rnn { wx, wh, b };

    let tape = Tape::new();
    let hs = over_time(&rnn, &tape.constant(xs.clone()));
    show("hs", &hs.value().select(0, 0));

    let grads = hs.backward_with(&dhs)?;
    let grad = |param| grads.get(param).expect("used");
    show("dWx", grad(&rnn.wx));
    show("dWh", grad(&rnn.wh));
    show("db", grad(&rnn.b));

    let params = [&rnn.wx, &rnn.wh, &rnn.b];
    let check = Check::new().input("xs", xs).params(params);
    let report = check.run(|_, x| {
        let hs = over_time(&rnn, &x["xs"]);
        Ok([("hs", hs)].into())
    })?;
    let found = if report.is_ok() { "right" } else { "wrong" };
    println!("dWh is {found}");
    Ok(())
}
