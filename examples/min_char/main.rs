//! A character-level recurrent network in one file: data, model, loss, training and sampling on the tape alone, without
//! the crate of layers.
//!
//! ```text
//! cargo run --release --example min_char
//! ```
//!
//! # Source
//! The subject and the size are those of A. Karpathy, *The unreasonable effectiveness of recurrent neural networks*
//! (2015), whose program writes the backward pass by hand. Here it is derived.
#![forbid(unsafe_code)]

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde::autograd::{Param, Result, Tape, Var};
use retrograde::tensor::Tensor;

const TEXT: &str = include_str!("../data/northanger_abbey.txt");
/// The size of the state, and the steps of truncated backpropagation through time.
const H: usize = 100;
const STEPS: usize = 25;

struct Model {
    wx: Param<f64>, // [V, H]
    wh: Param<f64>, // [H, H]
    bh: Param<f64>, // [H]
    wy: Param<f64>, // [H, V]
    by: Param<f64>, // [V]
}

impl Model {
    fn new(v: usize, rng: &mut StdRng) -> Result<Self> {
        let mut small = |name, shape: [usize; 2]| -> Result<_> {
            Ok(Param::new(name, Tensor::normal(shape, 0.0, 0.05, rng)?))
        };
        Ok(Model {
            wx: small("Wx", [v, H])?,
            wh: small("Wh", [H, H])?,
            bh: Param::new("bh", Tensor::zeros([H])),
            wy: small("Wy", [H, v])?,
            by: Param::new("by", Tensor::zeros([v])),
        })
    }

    /// One step: the next state `[1, H]` and the scores of the next character `[1, V]`.
    fn step<'t>(&self, x: usize, h_prev: &Var<'t, f64>) -> (Var<'t, f64>, Var<'t, f64>) {
        let x = h_prev.tape().param(&self.wx).gather_rows(&Tensor::from([x])); // row x of Wx: onehot(x)·Wx
        let h = (x + h_prev.matmul(&self.wh) + &self.bh).tanh();
        let y = h.matmul(&self.wy) + &self.by;
        (h, y)
    }

    /// The loss of a piece of text, in nats per character, and the last state. Character `t + 1` is to be predicted
    /// from the characters up to `t`.
    fn loss<'t>(&self, text: &[usize], h_prev: Var<'t, f64>) -> (Var<'t, f64>, Var<'t, f64>) {
        let mut h = h_prev;
        let mut losses = Vec::new();
        for pair in text.windows(2) {
            let (h_next, y) = self.step(pair[0], &h);
            losses.push(y.logsumexp(1, true) - y.narrow(1, pair[1], 1)); // -ln softmax(y)[target], [1, 1]
            h = h_next;
        }
        (Var::concat(&losses, 0).mean(), h)
    }

    /// Text that the model writes, character by character.
    fn sample(&self, first: usize, length: usize, h: &Tensor<f64>, rng: &mut StdRng) -> Result<Vec<usize>> {
        let (mut x, mut h, mut written) = (first, h.clone(), Vec::new());
        for _ in 0..length {
            let tape = Tape::new();
            let (h_next, y) = self.step(x, &tape.constant(h));
            let mut left = rng.random::<f64>();
            let p = y.value().softmax(1).to_vec();
            x = p
                .iter()
                .position(|p| {
                    left -= p;
                    left < 0.0
                })
                .unwrap_or(p.len() - 1);
            h = h_next.detach();
            written.push(x);
        }
        Ok(written)
    }
}

fn main() -> Result<()> {
    // `--quick` is for a look, and teaches the model nothing.
    let total = if std::env::args().any(|argument| argument == "--quick") { 600 } else { 20_000 };
    let mut letters: Vec<char> = TEXT.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let text: Vec<usize> = TEXT.chars().filter_map(|c| letters.binary_search(&c).ok()).collect();
    let mut rng = StdRng::seed_from_u64(0);
    let model = Model::new(letters.len(), &mut rng)?;
    let params = [&model.wx, &model.wh, &model.bh, &model.wy, &model.by];
    let mut squares: Vec<_> = params.iter().map(|param| Tensor::<f64>::zeros(param.shape())).collect();
    let mut smooth = (letters.len() as f64).ln(); // the loss of a model that knows nothing
    let (mut at, mut h) = (0, Tensor::zeros([1, H]));
    println!(
        "{} characters, {} different ones; knowing nothing is {smooth:.2} nats per character",
        text.len(),
        letters.len()
    );
    for step in 0..=total {
        if at + STEPS + 1 > text.len() {
            (at, h) = (0, Tensor::zeros([1, H]));
        }
        let piece = &text[at..=at + STEPS];
        let tape = Tape::new();
        let (loss, h_last) = model.loss(piece, tape.constant(h));
        let gradients = loss.backward()?;
        // AdaGrad, each element of the gradient clipped to [-1, 1].
        for (param, square) in params.iter().zip(&mut squares) {
            let Some(gradient) = gradients.get(*param) else { continue };
            let gradient = gradient.clamp(-1.0, 1.0);
            *square += &gradient.square();
            param.set(param.value() - gradient * 0.1 / (&*square + 1e-8).sqrt())?;
        }
        smooth += 0.002 * (loss.value().item()? - smooth);
        (at, h) = (at + STEPS, h_last.detach());
        if step % (total / 4) == 0 {
            let written = model.sample(text[at], 160, &h, &mut rng)?;
            let written: String = written.into_iter().map(|i| letters[i]).collect();
            println!("\nstep {step}: {smooth:.2} nats per character\n{written}");
        }
    }
    Ok(())
}
