//! Layers in primitive operations, to be checked.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::{BoxError, Check, Checkable, Named};
use retrograde_tensor::{Shape, Tensor};

pub(crate) fn normal<const R: usize>(shape: [usize; R], std: f64, rng: &mut StdRng) -> Tensor<f64> {
    Tensor::normal(Shape::from(shape), 0.0, std, rng).unwrap()
}

/// The function of a pre-activation.
pub(crate) type Activation = for<'t> fn(&Var<'t, f64>) -> Var<'t, f64>;

pub(crate) struct Rnn {
    pub(crate) wx: Param<f64>,
    pub(crate) wh: Param<f64>,
    pub(crate) b: Param<f64>,
    pub(crate) sizes: [usize; 4],
    pub(crate) activation: Activation,
}

impl Rnn {
    /// Of sizes N, T, D, H; `gain` is about the factor by which a gradient shrinks or grows each step.
    pub(crate) fn new([n, t, d, h]: [usize; 4], gain: f64) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        Rnn {
            wx: Param::new("Wx", normal([d, h], 1.0 / (d as f64).sqrt(), &mut rng)),
            wh: Param::new("Wh", normal([h, h], gain / (h as f64).sqrt(), &mut rng)),
            b: Param::new("b", normal([h], 0.3, &mut rng)),
            sizes: [n, t, d, h],
            activation: |t| t.tanh(),
        }
    }

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
            let t = h.matmul(&self.wh) + xs.select(1, step).matmul(&self.wx) + &self.b;
            h = (self.activation)(&t);
            hs.push(h.clone());
        }
        tape.set_step(None);
        [Var::stack(&hs, 1), h]
    }

    /// A check with everything that this layer needs listed.
    pub(crate) fn listed(&self) -> Check {
        let inputs = self.inputs(&mut StdRng::seed_from_u64(3));
        let check = Check::new().params([&self.wx, &self.wh, &self.b]).time_axis("xs", 1).seed(7);
        inputs.into_iter().fold(check, |check, (name, value)| check.input(name, value))
    }
}

impl Checkable for Rnn {
    fn params(&self) -> Vec<(String, Param<f64>)> {
        [&self.wx, &self.wh, &self.b].map(|param| (param.name().to_owned(), param.clone())).to_vec()
    }

    fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>> {
        let [n, t, d, h] = self.sizes;
        [("xs", normal([n, t, d], 1.0, rng)), ("h_prev", normal([n, h], 0.5, rng))].into()
    }

    fn time_axes(&self) -> Vec<(&'static str, usize)> {
        vec![("xs", 1), ("hs", 1)]
    }

    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f64>,
        x: &Named<Var<'t, f64>>,
    ) -> Result<Named<Var<'t, f64>>, BoxError> {
        let [hs, h] = self.unroll(tape, x.get("xs")?, x.get("h_prev")?);
        Ok([("hs", hs), ("h", h)].into())
    }
}
