//! The forward passes that the exercises are the backward passes of.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::autograd::Var;
use retrograde::check::Named;
use retrograde::tensor::Tensor;

/// N, T, D and H. A loss has H classes.
pub(crate) type Sizes = [usize; 4];

/// A forward pass, whose formula the exercise states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Problem {
    Step,
    Centred,
    Sequence,
    /// From a state of zeros, whose gradient nobody asks for.
    Series,
    Dropout,
    Zoneout,
    Loss,
    Lstm,
}

/// The values that a check perturbs, and those that it does not.
pub(crate) struct Data {
    pub(crate) inputs: Named<Tensor<f64>>,
    pub(crate) constants: Named<Tensor<f64>>,
}

impl Problem {
    pub(crate) fn data(self, [n, steps, d, h]: Sizes, noise: bool) -> Data {
        let mut rng = StdRng::seed_from_u64(5);
        let mut normal =
            |shape: &[usize]| Tensor::normal(shape, 0.0, 0.7, &mut rng).expect("a finite standard deviation");
        let units = if self == Problem::Lstm { 4 * h } else { h };
        let weights = [("Wx", normal(&[d, units])), ("Wh", normal(&[h, units])), ("b", normal(&[units]))];
        let state = ("h_prev", normal(&[n, h]));
        let coins = normal(&[n, steps, h]);
        let (inputs, constants) = match self {
            Problem::Step | Problem::Centred => (vec![("x", normal(&[n, d])), state], vec![]),
            Problem::Lstm => (vec![("x", normal(&[n, d])), state, ("c_prev", normal(&[n, h]))], vec![]),
            Problem::Sequence => (vec![("xs", normal(&[n, steps, d])), state], vec![]),
            Problem::Series => {
                (vec![("xs", normal(&[n, steps, d]))], vec![("h_prev", Tensor::zeros([n, h]))])
            }
            Problem::Dropout => {
                let mask = coins.map(|x| {
                    if !noise {
                        1.0
                    } else if x > 0.0 {
                        2.0
                    } else {
                        0.0
                    }
                });
                (vec![("xs", normal(&[n, steps, d])), state], vec![("mask", mask)])
            }
            Problem::Zoneout => {
                let kept = coins.map(|x| if noise && x > 0.0 { 1.0 } else { 0.0 });
                (vec![("xs", normal(&[n, steps, d])), state], vec![("kept", kept)])
            }
            Problem::Loss => {
                let labels: Vec<usize> = (0..n).map(|i| (2 * i + 1) % h).collect();
                let mut onehot = vec![0.0; n * h];
                labels.iter().enumerate().for_each(|(i, label)| onehot[i * h + label] = 1.0);
                let onehot = Tensor::from_vec(onehot, [n, h]).expect("N rows of H");
                let labels = labels.into_iter().map(|label| label as f64).collect::<Vec<_>>();
                let labels = Tensor::from_vec(labels, [n]).expect("N labels");
                return Data {
                    inputs: [("z", normal(&[n, h]))].into(),
                    constants: [("labels", labels), ("onehot", onehot)].into(),
                };
            }
        };
        Data { inputs: inputs.into_iter().chain(weights).collect(), constants: constants.into() }
    }

    /// The outputs, and what the forward pass leaves to the backward pass.
    pub(crate) fn forward<'t>(self, x: &Named<Var<'t, f64>>) -> (Named<Var<'t, f64>>, Named<Var<'t, f64>>) {
        match self {
            Problem::Step => {
                let h_next = sum(x, &x["h_prev"], &x["x"]).tanh();
                ([("h_next", h_next.clone())].into(), [("h_next", h_next)].into())
            }
            Problem::Centred => {
                let t = sum(x, &x["h_prev"], &x["x"]);
                let h_next = (&t - &t.mean_axes(&[1], true)).tanh();
                ([("h_next", h_next)].into(), Vec::<(&str, _)>::new().into())
            }
            Problem::Lstm => {
                let t = sum(x, &x["h_prev"], &x["x"]); // [N, 4H]
                let h = t.shape()[1] / 4;
                let gate = |k: usize| t.narrow(1, k * h, h);
                let (f, g, i, o) = (gate(0).sigmoid(), gate(1).tanh(), gate(2).sigmoid(), gate(3).sigmoid());
                let c_next = &f * &x["c_prev"] + &g * &i;
                let h_next = &o * c_next.tanh();
                let kept = [("f", f), ("g", g), ("i", i), ("o", o), ("c_next", c_next.clone())];
                ([("h_next", h_next), ("c_next", c_next)].into(), kept.into())
            }
            Problem::Loss => {
                let n = x["z"].shape()[0] as f64;
                let loss = -(&x["onehot"] * x["z"].log_softmax(1)).sum() / n;
                ([("loss", loss)].into(), Vec::<(&str, _)>::new().into())
            }
            Problem::Sequence | Problem::Series | Problem::Dropout | Problem::Zoneout => self.unroll(x),
        }
    }

    fn unroll<'t>(self, x: &Named<Var<'t, f64>>) -> (Named<Var<'t, f64>>, Named<Var<'t, f64>>) {
        let (mut h, mut s) = (vec![x["h_prev"].clone()], Vec::new());
        for t in 0..x["xs"].shape()[1] {
            s.push(sum(x, &h[t], &x["xs"].select(1, t)).tanh());
            h.push(match self {
                Problem::Zoneout => {
                    let kept = x["kept"].select(1, t);
                    &kept * &h[t] + (1.0 - &kept) * &s[t]
                }
                _ => s[t].clone(),
            });
        }
        let hs = Var::stack(&h[1..], 1); // [N, T, H]
        let outputs = match self {
            Problem::Dropout => [("ys", hs * &x["mask"])],
            _ => [("hs", hs)],
        };
        (outputs.into(), [("h", Var::stack(&h, 1)), ("s", Var::stack(&s, 1))].into())
    }
}

/// `h·Wh + x·Wx + b`
fn sum<'t>(all: &Named<Var<'t, f64>>, h: &Var<'t, f64>, x: &Var<'t, f64>) -> Var<'t, f64> {
    h.matmul(&all["Wh"]) + x.matmul(&all["Wx"]) + &all["b"]
}
