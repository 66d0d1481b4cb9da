//! Paths of parameters: distinct by construction, and refused where they are not.

use crate::common::files::Temporary;
use crate::common::{gradients, seeded};
use retrograde_autograd::{Param, Var};
use retrograde_nn::weights::{self, Weights};
use retrograde_nn::{
    Adam, Bidirectional, Cell, Checkpoint, GruCell, LstmCell, Module, Optimizer, Residual, RnnCell, Sgd,
    Stacked, StateOn, Stateful, Time, TimeLstm, TimeRnn, Tree, module,
};
use retrograde_tensor::{Float, Tensor};

fn paths(module: &dyn Module<f64>) -> Vec<String> {
    module.try_named_params().unwrap().into_iter().map(|(path, _)| path).collect()
}

/// A state of several variables, all without names, in a cell with fields of names that a learned state might have.
struct Many<E> {
    h0: Param<E>,
    state0: Param<E>,
    initial: Vec<Param<E>>,
    initial_state: Vec<Param<E>>,
}
module!(Many { h0, state0, initial, initial_state });

impl<E: Float> Many<E> {
    fn new() -> Self {
        let param = |name: &str| Param::new(name, Tensor::ones([2]));
        let two = || vec![param("h0"), param("h0")];
        Many { h0: param("h0"), state0: param("h0"), initial: two(), initial_state: two() }
    }
}

impl<E: Float> Cell<E> for Many<E> {
    type State = (Tensor<E>, (Tensor<E>, Vec<Tensor<E>>));

    fn input_size(&self) -> usize {
        2
    }

    fn initial_state(&self, n: usize) -> Self::State {
        let zeros = || Tensor::zeros([n, 2]);
        (zeros(), (zeros(), vec![zeros(), zeros()]))
    }

    fn step<'t>(&self, x: &Var<'t, E>, (h, (a, b)): &StateOn<'t, Self, E>) -> StateOn<'t, Self, E> {
        let h_next = h + x * &self.h0 * &self.state0 * &self.initial[0] * &self.initial[1];
        (h_next * &self.initial_state[0] * &self.initial_state[1], (a + h, vec![&b[1] + a, b[0].clone()]))
    }
}

/// Every variable of a learned state is loaded as it was saved.
#[test]
fn learned_states_have_paths_of_their_own() {
    let layer = |first: f64| {
        let layer = Time::<_, f64>::new(Many::new()).learn_initial();
        for (i, param) in layer.initial().iter().enumerate() {
            param.set(Tensor::full([1, 2], first + i as f64)).unwrap();
        }
        layer
    };
    let (saved, loaded) = (layer(1.0), layer(9.0));
    assert_eq!(saved.initial().len(), 4);
    assert_eq!(paths(&saved).len(), 10);
    let file = Temporary::new("learned");
    weights::save(&saved, &file.0).unwrap();
    Weights::load(&file.0).unwrap().load_into(&loaded).unwrap();
    let values: Vec<f64> = loaded.initial().iter().map(|param| param.value().at(&[0, 0])).collect();
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0]);
}

/// Every composite, with learned states in all of its layers.
#[test]
fn composites_have_distinct_paths() {
    let rng = &mut seeded(1);
    let lstm = |rng: &mut _| TimeLstm::<f64>::new(LstmCell::new(3, 3, rng)).learn_initial();
    let mut both = Bidirectional::new(GruCell::<f64>::new(3, 3, rng), GruCell::new(3, 3, rng));
    (both.forward, both.backward) = (both.forward.learn_initial(), both.backward.learn_initial());
    assert_eq!(paths(&both).len(), 10);
    let stacked = Stacked::new(vec![lstm(rng), lstm(rng)]);
    assert_eq!(paths(&stacked).len(), 10);
    assert_eq!(paths(&stacked)[3..5], ["0.initial.h_prev", "0.initial.c_prev"]);
    let chain = (Residual(lstm(rng)), (lstm(rng), lstm(rng)));
    assert_eq!(paths(&chain).len(), 15);
    assert_eq!(paths(&Stateful::new(chain)).len(), 15);
    let rnn = TimeRnn::<f64>::new(RnnCell::new(3, 3, rng)).learn_initial();
    assert_eq!(paths(&rnn), ["wx", "wh", "b", "initial.h_prev"]);
    assert_eq!(paths(&(&rnn, Some(&stacked))).len(), 14);
}

/// The paths that a map says.
struct Named(Vec<(&'static str, Param<f64>)>);

impl Module<f64> for Named {
    fn visit(&self, _: &str, f: &mut dyn FnMut(&str, &Param<f64>)) {
        self.0.iter().for_each(|(path, param)| f(path, param));
    }
}

#[test]
fn a_path_that_occurs_twice_is_refused() {
    let [a, b] = ["a", "b"].map(|name| Param::new(name, Tensor::from([1.0])));
    let named = |params: &[(&'static str, &Param<f64>)]| {
        Named(params.iter().map(|&(path, param)| (path, param.clone())).collect())
    };
    let text = "module: expected one parameter for each path, found two under \"w\": a and b";
    // The second time under a path that a shared one has, too.
    for twice in [named(&[("w", &a), ("w", &b)]), named(&[("v", &a), ("w", &a), ("u", &b), ("w", &b)])] {
        let file = Temporary::new("twice-path");
        let said = |result: retrograde_nn::Result<()>| assert_eq!(result.unwrap_err().to_string(), text);
        said(weights::save(&twice, &file.0));
        assert!(!file.0.exists());
        weights::save(&named(&[("w", &a)]), &file.0).unwrap();
        said(Weights::load(&file.0).unwrap().load_into(&twice));
        said(Weights::load(&file.0).unwrap().load_part_into(&twice).map(drop));
        said(Checkpoint::of(&twice, &Sgd::new(0.1)).map(drop));
        let checkpoint = Checkpoint::of(&named(&[("w", &a)]), &Sgd::new(0.1)).unwrap();
        said(checkpoint.restore(&twice, &mut Sgd::new(0.1)).map(drop));
        said(Adam::new(0.1).of(&twice).map(drop));
        said(twice.check_gradients(&gradients(&[(&a, &Tensor::from([1.0]))])));
        said(twice.try_named_params().map(drop));
        for panics in [
            (|twice: &Named| drop(twice.named_params())) as fn(&Named),
            |twice| drop(twice.params()),
            |twice| assert!(twice.param_count() > 9),
        ] {
            let panic =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics(&twice))).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), text);
        }
    }
    // Shared parameters are no two.
    let shared = named(&[("w", &a), ("w", &a), ("v", &a), ("v", &a)]);
    assert_eq!((paths(&shared), shared.param_count()), (vec!["w".to_owned()], 1));
}

/// The state is the whole of what a cell carries, in order.
#[test]
fn the_state_of_many_is_as_long_as_its_initial_state() {
    assert_eq!(Cell::<f64>::initial_state(&Many::<f64>::new(), 1).leaves().len(), 4);
}

/// Gradients laid out one after the other and back: in the module's order, whatever the tape's was.
#[test]
fn flat_gradients_are_in_the_order_of_the_module() {
    let rng = &mut seeded(3);
    let rnn = RnnCell::<f64>::new(2, 3, rng);
    let unused = Param::new("unused", Tensor::from([1.0; 4]));
    let empty = Param::new("empty", Tensor::zeros([0, 3]));
    let model = vec![&rnn.b, &rnn.wx, &unused, &empty, &rnn.wh, &rnn.b];
    let dw = |param: &Param<f64>, rng: &mut _| Tensor::normal(param.shape(), 0.0, 1.0, rng).unwrap();
    let (dwh, db) = (dw(&rnn.wh, rng), dw(&rnn.b, rng));
    // A gradient that is a view: what counts is the index, not the place in memory.
    let dwx = Tensor::normal([3, 2], 0.0, 1.0, rng).unwrap().t();
    let flat = model.flat_gradients(&gradients(&[(&rnn.wh, &dwh), (&rnn.wx, &dwx), (&rnn.b, &db)])).unwrap();
    assert_eq!(flat, [db.to_vec(), dwx.to_vec(), vec![0.0; 4], dwh.to_vec()].concat());

    let grads = model.gradients_from_flat(&flat).unwrap();
    assert_eq!([&rnn.b, &rnn.wx, &rnn.wh].map(|w| grads.get(w)), [&db, &dwx, &dwh].map(Some));
    assert_eq!([&unused, &empty].map(|w| grads.get(w).unwrap().to_vec()), [vec![0.0; 4], vec![]]);
    assert_eq!(model.flat_gradients(&grads).unwrap(), flat);

    let said = |flat: &[f64]| model.gradients_from_flat(flat).unwrap_err().to_string();
    assert_eq!(said(&flat[1..]), "gradients: expected 22 numbers, found 21");
    assert_eq!(said(&[&flat[..], &[0.0]].concat()), "gradients: expected 22 numbers, found 23");
    let few = vec![&rnn.wx];
    assert_eq!(
        few.flat_gradients(&grads).unwrap_err().to_string(),
        "gradients: expected parameters that the model lists, found b; add its field to `module!`"
    );
    assert_eq!(
        retrograde_autograd::Gradients::default().insert(&rnn.b, Tensor::zeros([4])).unwrap_err().to_string(),
        "gradients: expected a tensor of the input's shape [3], found [4]"
    );
}
