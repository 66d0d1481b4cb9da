//! States as trees: the same cell with its state in every form, under every option of a call.

use crate::common::{normal, seeded, tensors};
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::Check;
use retrograde_nn::{Cell, Leaf, Module, Noise, SequenceOptions, State, StateOn, Time, Tree, module, state};
use retrograde_tensor::{Float, Tensor};

state!(
    /// A state of three variables by name.
    Memory { h, c, m }
);

/// A cell with the weights of `Weights` whose state has the form that `$pack` makes of three leaves.
macro_rules! cell {
    ($cell:ident, $state:ty, |$h:ident, $c:ident, $m:ident| $pack:expr) => {
        struct $cell<E: Float>(Weights<E>);

        impl<E: Float> Module<E> for $cell<E> {
            fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
                self.0.visit(path, f);
            }
        }

        impl<E: Float> $cell<E> {
            fn pack<L: Leaf>($h: L, $c: L, $m: L) -> retrograde_nn::Mapped<$state, Tensor<E>, L> {
                $pack
            }
        }

        impl<E: Float> Cell<E> for $cell<E> {
            type State = $state;

            fn input_size(&self) -> usize {
                self.0.w.shape()[0]
            }

            fn initial_state(&self, n: usize) -> Self::State {
                let zeros = || Tensor::zeros([n, self.0.w.shape()[1]]);
                Self::pack(zeros(), zeros() + E::from_f64(0.5), zeros())
            }

            fn state_names(&self) -> &'static [&'static str] {
                &["h", "c", "m"]
            }

            fn step<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, Self, E>) -> StateOn<'t, Self, E> {
                let [h, c, m] = state.leaves()[..] else { panic!("three leaves") };
                let [h, c, m] = self.0.step(x, h, c, m);
                Self::pack(h, c, m)
            }
        }
    };
}

struct Weights<E> {
    w: Param<E>,
    u: Param<E>,
}
module!(Weights { w, u });

impl<E: Float> Weights<E> {
    fn step<'t>(&self, x: &Var<'t, E>, h: &Var<'t, E>, c: &Var<'t, E>, m: &Var<'t, E>) -> [Var<'t, E>; 3] {
        let z = (x.matmul(&self.w) + h.matmul(&self.u)).sigmoid();
        let c = &z * c + (1.0 - &z) * (m - 1.0).tanh();
        let m = m * 0.5 + &c * h;
        [(&c + &m).tanh(), c, m]
    }
}

cell!(Triple, (Tensor<E>, Tensor<E>, Tensor<E>), |h, c, m| (h, c, m));
cell!(Nested, ((Tensor<E>,), (Tensor<E>, (Tensor<E>, ()))), |h, c, m| ((h,), (c, (m, ()))));
cell!(Array, [Tensor<E>; 3], |h, c, m| [h, c, m]);
cell!(Row, Vec<Tensor<E>>, |h, c, m| vec![h, c, m]);
cell!(Struct, Memory<Tensor<E>>, |h, c, m| Memory { h, c, m });
cell!(Mixed, (Tensor<E>, Vec<[Tensor<E>; 1]>), |h, c, m| (h, vec![[c], [m]]));

fn weights(seed: u64) -> Weights<f64> {
    let mut rng = seeded(seed);
    let param = |name: &str, shape, rng: &mut _| Param::new(name, normal(shape, 0.7, rng));
    Weights { w: param("w", [2, 3], &mut rng), u: param("u", [3, 3], &mut rng) }
}

/// Everything that comes of two calls of a stateful layer with options: outputs, states, gradients.
fn outcome<C: Cell<f64>>(cell: C) -> Vec<Tensor<f64>> {
    let mut rng = seeded(3);
    let layer = Time::new(cell).learn_initial().stateful(true).recompute_every(2);
    let layer = layer.zoneout(&[("h", 0.3), ("m", 0.2)]).unwrap();
    let mut layer = layer.recurrent_dropout(&[("h", 0.4), ("c", 0.1)]).unwrap();
    let mut outcome = Vec::new();
    for call in 0..2 {
        let tape = Tape::new();
        let xs = tape.var(normal([3, 5, 2], 1.0, &mut rng));
        let resets = Tensor::from_fn([3, 5], |at| f64::from(u8::from(at[0] == 1 && at[1] == 2)));
        let options =
            SequenceOptions::new().lengths(&[5, 4, 2]).resets(resets).with_noise(Noise::seeded(call));
        let out = layer.forward_with(&xs, &options).unwrap();
        let dhs = normal([3, 5, 3], 1.0, &mut rng);
        let gradients = out.hs.backward_with(&dhs).unwrap();
        outcome.extend([out.hs.value().clone(), gradients.get(&xs).unwrap().clone()]);
        outcome.extend(layer.params().iter().filter_map(|p| gradients.get(p)).cloned());
        outcome.extend(tensors(layer.state().unwrap()));
    }
    outcome
}

#[test]
fn the_form_of_a_state_changes_nothing() {
    let expected = outcome(Triple(weights(1)));
    assert!(expected.len() > 10);
    assert_eq!(outcome(Nested(weights(1))), expected);
    assert_eq!(outcome(Array(weights(1))), expected);
    assert_eq!(outcome(Row(weights(1))), expected);
    assert_eq!(outcome(Struct(weights(1))), expected);
    assert_eq!(outcome(Mixed(weights(1))), expected);
}

#[test]
fn every_form_of_a_state_is_checked() {
    fn check<C: Cell<f64>>(cell: C) {
        Check::new().layer(&mut Time::new(cell)).unwrap().assert_ok();
    }
    check(Triple(weights(2)));
    check(Nested(weights(2)));
    check(Array(weights(2)));
    check(Row(weights(2)));
    check(Struct(weights(2)));
    check(Mixed(weights(2)));
}

/// Leaves come in order, whatever they are, and a map keeps the form.
#[test]
fn a_map_keeps_the_form() {
    let leaf = |x: f64| Tensor::from([[x], [10.0 * x]]);
    let state =
        (leaf(1.0), (vec![leaf(2.0), leaf(3.0)], [Memory { h: leaf(4.0), c: leaf(5.0), m: leaf(6.0) }]));
    assert_eq!(
        state.leaves().iter().map(|x| x.at(&[0, 0])).collect::<Vec<_>>(),
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    );
    let tape = Tape::new();
    let on = state.on(&tape);
    let kept = on.map(|x| x.gather_rows(&Tensor::from([1, 1, 0])));
    assert_eq!(kept.1.0[1].value(), &Tensor::from([[30.0], [30.0], [3.0]]));
    let average = on.zip(&state.map(|x| x * 3.0).on(&tape), |a, b| (a + b) * 0.5);
    assert_eq!(average.1.1[0].m.value(), &Tensor::from([[12.0], [120.0]]));
    let params = state.map(|x| Param::new("initial", x.clone()));
    assert_eq!(
        params.zip(&state, |p, x| p.value() - x).leaves().iter().map(|x| x.numel()).sum::<usize>(),
        12
    );
    assert!(Tree::<Tensor<f64>>::leaves(&()).is_empty() && Vec::<Tensor<f64>>::new().leaves().is_empty());
}

#[test]
#[should_panic(expected = "same number of leaves")]
fn rows_of_different_lengths_have_no_zip() {
    let zeros = Tensor::<f64>::zeros([1]);
    let _ = vec![zeros.clone(), zeros.clone()].zip(&vec![zeros], |a: &Tensor<f64>, b: &Tensor<f64>| a + b);
}
