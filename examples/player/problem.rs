//! A recurrent cell, its weights and a sequence: all that a forward and a backward sweep need.

use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::Result;

/// A cell, in the textbook's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cell {
    Rnn,
    Lstm,
    Gru,
}

/// The states that the loss reads, hence where a cotangent comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Loss {
    Last,
    All,
}

/// The numbers of rows, inputs and hidden units: N, D, H.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) n: usize,
    pub(crate) d: usize,
    pub(crate) h: usize,
}

/// Weights, inputs, initial states, and the cotangent that the loss gives.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) cell: Cell,
    pub(crate) loss: Loss,
    pub(crate) steps: usize,
    pub(crate) sizes: Sizes,
    pub(crate) wx: Tensor<f64>,     // [D, gates H]
    pub(crate) wh: Tensor<f64>,     // [H, gates H]
    pub(crate) b: Tensor<f64>,      // [gates H]
    pub(crate) xs: Tensor<f64>,     // [N, T, D]
    pub(crate) h_prev: Tensor<f64>, // [N, H]
    pub(crate) c_prev: Tensor<f64>, // [N, H]
    pub(crate) dhs: Tensor<f64>,    // [N, T, H]
}

/// A forward pass on a tape: the states, and the variable that the backward pass begins from.
pub(crate) struct Unrolled<'t> {
    /// `Wh`, `Wx` and `b`.
    pub(crate) parameters: [Var<'t, f64>; 3],
    pub(crate) hs: Vec<Var<'t, f64>>,
    pub(crate) root: Var<'t, f64>,
    /// The cotangent of the root.
    pub(crate) seed: Tensor<f64>,
}

/// The parameters on a tape.
struct Weights<'t> {
    wx: Var<'t, f64>,
    wh: Var<'t, f64>,
    b: Var<'t, f64>,
}

/// The state that a step hands to the next: `h`, and `c` for an LSTM.
struct State<'t> {
    h: Var<'t, f64>,
    c: Option<Var<'t, f64>>,
}

impl Cell {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cell::Rnn => "rnn",
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
        }
    }

    /// The blocks of H columns that the weights have.
    fn gates(self) -> usize {
        match self {
            Cell::Rnn => 1,
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }

    /// One step, in the lines of its formula.
    ///
    /// # Source
    /// K. Saitoh, *Deep Learning from Scratch 2* (2018), chapters 5 and 6; the gated recurrent unit with the reset after
    /// the product, as cuDNN has it.
    fn step<'t>(self, x: &Var<'t, f64>, state: &State<'t>, w: &Weights<'t>, h: usize) -> State<'t> {
        let h_prev = &state.h;
        match self {
            Cell::Rnn => {
                let t = (h_prev.matmul(&w.wh) + x.matmul(&w.wx) + &w.b).named("t"); // [N, H]
                State { h: t.tanh().named("h"), c: None }
            }
            Cell::Lstm => {
                let t = (h_prev.matmul(&w.wh) + x.matmul(&w.wx) + &w.b).named("t"); // [N, 4H]
                let f = t.narrow(1, 0, h).sigmoid().named("f"); // [N, H]
                let g = t.narrow(1, h, h).tanh().named("g");
                let i = t.narrow(1, 2 * h, h).sigmoid().named("i");
                let o = t.narrow(1, 3 * h, h).sigmoid().named("o");
                let c_prev = state.c.as_ref().expect("the state of an LSTM has a cell");
                let c = (&f * c_prev + &g * &i).named("c");
                State { h: (&o * c.tanh()).named("h"), c: Some(c) }
            }
            Cell::Gru => {
                let tx = (x.matmul(&w.wx) + &w.b).named("tx"); // [N, 3H]
                let th = h_prev.matmul(&w.wh).named("th"); // [N, 3H]
                let tr = (tx.narrow(1, 0, h) + th.narrow(1, 0, h)).named("tr"); // [N, H]
                let tz = (tx.narrow(1, h, h) + th.narrow(1, h, h)).named("tz");
                let (r, z) = (tr.sigmoid().named("r"), tz.sigmoid().named("z"));
                let tn = (tx.narrow(1, 2 * h, h) + &r * th.narrow(1, 2 * h, h)).named("tn");
                let n = tn.tanh().named("n");
                State { h: (&z * h_prev + (1.0 - &z) * &n).named("h"), c: None }
            }
        }
    }
}

impl Problem {
    /// Weights and a sequence of normally distributed numbers.
    pub(crate) fn new(cell: Cell, loss: Loss, steps: usize, sizes: Sizes, seed: u64) -> Result<Self> {
        let Sizes { n, d, h } = sizes;
        let columns = cell.gates() * h;
        let mut rng = StdRng::seed_from_u64(seed);
        let std = |inputs: usize| 1.0 / (inputs as f64).sqrt();
        Ok(Problem {
            cell,
            loss,
            steps,
            sizes,
            wx: Tensor::normal([d, columns], 0.0, std(d), &mut rng)?,
            wh: Tensor::normal([h, columns], 0.0, std(h), &mut rng)?,
            b: Tensor::normal([columns], 0.0, 0.1, &mut rng)?,
            xs: Tensor::normal([n, steps, d], 0.0, 1.0, &mut rng)?,
            h_prev: Tensor::normal([n, h], 0.0, 0.5, &mut rng)?,
            c_prev: Tensor::normal([n, h], 0.0, 0.5, &mut rng)?,
            dhs: Tensor::normal([n, steps, h], 0.0, 1.0, &mut rng)?,
        })
    }

    /// Records the forward pass. The states are taken off the tape before each step for which `cut` says so, as truncated
    /// backpropagation through time does.
    pub(crate) fn unroll<'t>(&self, tape: &'t Tape<f64>, cut: impl Fn(usize) -> bool) -> Unrolled<'t> {
        let weights = Weights {
            wx: tape.var(self.wx.clone()).named("Wx"),
            wh: tape.var(self.wh.clone()).named("Wh"),
            b: tape.var(self.b.clone()).named("b"),
        };
        let has_cell = self.cell == Cell::Lstm;
        let mut state = State {
            h: tape.var(self.h_prev.clone()).named("h_prev"),
            c: has_cell.then(|| tape.var(self.c_prev.clone()).named("c_prev")),
        };
        let mut hs = Vec::new();
        for step in 0..self.steps {
            tape.set_step(Some(step)); // a name given now is printed with its step: h_0, h_1, ..
            if cut(step) {
                let constant = |x: &Var<'t, f64>| tape.constant(x.value().clone());
                state = State { h: constant(&state.h), c: state.c.as_ref().map(constant) };
            }
            let x = tape.var(self.xs.select(1, step)).named("x"); // [N, D]
            state = self.cell.step(&x, &state, &weights, self.sizes.h);
            hs.push(state.h.clone());
        }
        tape.set_step(None);
        let (root, seed) = match self.loss {
            Loss::All => (Var::stack(&hs, 1).named("hs"), self.dhs.clone()), // [N, T, H]
            Loss::Last => (state.h, self.dhs.select(1, self.steps - 1)),     // [N, H]
        };
        Unrolled { parameters: [weights.wh, weights.wx, weights.b], hs, root, seed }
    }
}
