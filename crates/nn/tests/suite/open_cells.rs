//! Cells whose type is chosen at run time, and cells whose inputs have more axes than one.

use crate::common::{normal, perturb, seeded};
use retrograde_autograd::{Param, Placeholder, Tape, Var};
use retrograde_check::Check;
use retrograde_nn::{
    BoxedCell, Cell, GruCell, Layer, Linear, LstmCell, Module, Noise, Residual, SequenceOptions, Stacked,
    Time, Tree, module,
};
use retrograde_tensor::{Float, Shape, Tensor, assert_close};

#[test]
fn a_boxed_cell_is_the_cell() {
    for seed in 0..3 {
        let lstm = LstmCell::<f64>::new(3, 4, &mut seeded(seed));
        perturb(&lstm, &mut seeded(seed));
        let options = || {
            let resets = Tensor::from([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]);
            SequenceOptions::new().lengths(&[3, 2]).resets(resets).with_noise(Noise::seeded(seed))
        };
        let xs: Tensor<f64> = normal([2, 3, 3], 1.0, &mut seeded(seed + 10));
        let dhs: Tensor<f64> = normal([2, 3, 4], 1.0, &mut seeded(seed + 20));
        macro_rules! outcome {
            ($cell:expr) => {{
                let layer = Time::new($cell).zoneout(&[("h", 0.2), ("c", 0.1)]).unwrap();
                let layer = layer.recurrent_dropout(&[("h", 0.3)]).unwrap().learn_initial();
                let tape = Tape::new();
                let out = layer.run(&tape.constant(xs.clone()), None, &options()).unwrap();
                let grads = out.hs.backward_with(&dhs).unwrap();
                let names: Vec<String> = layer.named_params().into_iter().map(|(name, _)| name).collect();
                let last: Vec<Tensor<f64>> =
                    out.last.leaves().into_iter().map(|x| x.value().clone()).collect();
                (names, out.hs.value().clone(), last, layer.flat_gradients(&grads).unwrap())
            }};
        }
        let boxed: BoxedCell<f64> = lstm.clone().boxed();
        assert_eq!(boxed.state_names(), ["h", "c"]);
        assert_eq!(outcome!(boxed), outcome!(lstm));
    }
}

#[test]
fn a_boxed_cell_is_checked_and_stacked() {
    let rng = &mut seeded(1);
    let cells: Vec<BoxedCell<f64>> = vec![LstmCell::new(3, 4, rng).boxed(), GruCell::new(4, 4, rng).boxed()];
    let mut layers = Stacked::new(cells.into_iter().map(Time::new).collect());
    assert_eq!(layers.input_size(), 3);
    Check::new().layer(&mut layers).unwrap().assert_ok();
    assert_eq!(layers.step(&Tensor::ones([2, 3])).unwrap().dims(), [2, 4]);
}

/// A cell that says of itself no more than it has to, and whose steps share `2 W`.
#[derive(Clone)]
struct Doubled {
    w: Param<f64>,
    shared: Placeholder<f64>,
}

impl Module<f64> for Doubled {
    fn visit(&self, _: &str, f: &mut dyn FnMut(&str, &Param<f64>)) {
        f("w", &self.w);
    }
}

impl Cell<f64> for Doubled {
    type State = Tensor<f64>;

    fn initial_state(&self, n: usize) -> Tensor<f64> {
        Tensor::zeros([n, 2])
    }
    fn prepare(&self, tape: &Tape<f64>) {
        self.shared.bind(&(tape.param(&self.w) * 2.0));
    }
    fn step<'t>(&self, x: &Var<'t, f64>, h_prev: &Var<'t, f64>) -> Var<'t, f64> {
        x.matmul(&self.shared) + h_prev
    }
}

#[test]
fn what_steps_share_is_made_in_a_box_too() {
    let cell =
        Doubled { w: Param::new("w", normal([3, 2], 1.0, &mut seeded(1))), shared: Placeholder::new("2w") };
    let xs: Tensor<f64> = normal([2, 4, 3], 1.0, &mut seeded(2));
    let expected = xs.sum_axis(1, false).matmul(&cell.w.value()) * 2.0;
    macro_rules! check {
        ($cell:expr) => {{
            let cell = $cell;
            assert_eq!((cell.input_size(), cell.input_shape()), (3, Shape::from([3])));
            let tape = Tape::new();
            let hs =
                Time::new(cell).run(&tape.constant(xs.clone()), None, &SequenceOptions::new()).unwrap().hs;
            assert_close!(hs.value().select(1, 3), expected, 1e-13, 1e-14);
        }};
    }
    check!(cell.clone());
    check!(Box::new(cell.clone()));
    check!(cell.boxed());
}

module!(struct Positions { w, u });

/// An RNN at each of three positions.
impl<E: Float> Cell<E> for Positions<E> {
    type State = Tensor<E>;

    fn input_shape(&self) -> Shape {
        Shape::from([2, self.w.shape()[0]]) // [S, D]
    }
    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, 2, self.u.shape()[0]])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w)
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        (x + h_prev.matmul(&self.u)).tanh() // [N, S, H]
    }
}

fn positions(seed: u64) -> Time<Positions<f64>, f64> {
    let rng = &mut seeded(seed);
    let (w, u) = (Param::new("w", normal([3, 2], 1.0, rng)), Param::new("u", normal([2, 2], 0.7, rng)));
    Time::new(Positions { w, u })
}

#[test]
fn positions_are_rows() {
    // With N = T = S = H = 2, a mask that is aligned wrongly has a shape that fits.
    for seed in 0..4 {
        let layer = positions(seed);
        assert_eq!((layer.input_size(), layer.input_shape()), (6, Shape::from([2, 3])));
        let xs: Tensor<f64> = normal([2, 2, 2, 3], 1.0, &mut seeded(seed + 9)); // [N, T, S, D]
        let tape = Tape::new();
        let resets = Tensor::from([[0.0, 1.0], [0.0, 0.0]]);
        let options = [SequenceOptions::new(), SequenceOptions::new().lengths(&[2, 1]).resets(resets)];
        for (cut, options) in options.iter().enumerate() {
            let out = layer.run(&tape.constant(xs.clone()), None, options).unwrap();
            assert_eq!(out.hs.value().dims(), [2, 2, 2, 2]);
            for n in 0..2 {
                for s in 0..2 {
                    let mut h = Tensor::<f64>::zeros([2]);
                    for t in 0..2 {
                        if cut == 1 && n == 0 && t == 1 {
                            h = Tensor::zeros([2]);
                        }
                        let x = xs.select(0, n).select(0, t).select(0, s).unsqueeze(0);
                        let next =
                            x.matmul(&layer.cell.w.value()) + h.unsqueeze(0).matmul(&layer.cell.u.value());
                        let counts = !(cut == 1 && n == 1 && t == 1);
                        let expected = if counts { next.tanh().squeeze(0) } else { Tensor::zeros([2]) };
                        assert_close!(
                            out.hs.value().select(0, n).select(0, t).select(0, s),
                            expected,
                            1e-12,
                            1e-12
                        );
                        h = if counts { expected } else { h };
                    }
                    assert_close!(out.last.value().select(0, n).select(0, s), h, 1e-12, 1e-12);
                }
            }
        }
    }
}

#[test]
fn positions_are_checked() {
    Check::new().layer(&mut positions(3)).unwrap().assert_ok();
    let options = SequenceOptions::new().lengths(&[2, 1, 2]);
    Check::new().layer_with(&positions(3), &options).unwrap().assert_ok();
    let mut pair = (positions(4), Linear::new(2, 3, &mut seeded(1)));
    Check::new().layer(&mut pair).unwrap_err(); // a linear map reads [N, T, D]
    let mut layer = positions(1);
    let error = layer.step(&Tensor::ones([2, 6])).unwrap_err().to_string();
    assert_eq!(error, "step: expected x of shape [N, 2, 3], found [2, 6]");
    assert_eq!(layer.step(&Tensor::ones([1, 2, 3])).unwrap().dims(), [1, 2, 2]);
    let tape = Tape::new();
    let flat = layer.forward(&tape.constant(Tensor::ones([1, 4, 6]))).unwrap_err().to_string();
    assert_eq!(flat, "time: expected xs of shape [N, T, 2, 3], found [1, 4, 6]");
    let none = layer.forward(&tape.constant(Tensor::ones([1, 0, 2, 3])));
    assert!(none.is_err() || *none.unwrap().hs.shape() == [1, 0, 2, 2]);
    assert_eq!(Residual(positions(2)).input_shape(), Shape::from([2, 3]));
}
