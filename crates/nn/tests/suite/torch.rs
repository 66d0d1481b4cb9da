//! State dictionaries of PyTorch: there and back, and what is refused.

use crate::common::{normal, perturb, seeded, tensors};
use retrograde_autograd::Tape;
use retrograde_nn::torch::{StateDict, TorchCell, TorchLayer, stack_states};
use retrograde_nn::{
    Bidirectional, GruCell, Layer, LstmCell, Module, RnnCell, SequenceOptions, Stacked, Time, TimeGru,
    TimeLstm, TimeRnn,
};
use retrograde_tensor::{Shape, Tensor};

/// Random entries for layers of these cells.
fn random<L: TorchLayer<f64>>(prefix: &str, d: usize, h: usize, layers: usize, seed: u64) -> StateDict<f64> {
    let mut rng = seeded(seed);
    let mut dict = StateDict::new();
    let wide = <L::Cell as TorchCell<f64>>::GATES * h;
    for layer in 0..layers {
        let inputs = if layer == 0 { d } else { L::DIRECTIONS.len() * h };
        for direction in L::DIRECTIONS {
            let mut add = |name: &str, dims: &[usize]| {
                let array = normal(Shape::new(dims).unwrap(), 0.5, &mut rng);
                dict.insert(format!("{prefix}{name}_l{layer}{direction}"), array);
            };
            add("weight_ih", &[wide, inputs]);
            add("weight_hh", &[wide, h]);
            add("bias_ih", &[wide]);
            add("bias_hh", &[wide]);
        }
    }
    dict
}

/// Read, written and read again, the numbers are the same; and what is written has the sums of the biases.
fn round_trip<L: TorchLayer<f64>>(gru: bool) {
    for (d, h, layers) in [(1, 1, 1), (3, 2, 2), (2, 5, 3)] {
        let dict = random::<L>("encoder.rnn.", d, h, layers, 1);
        let model = Stacked::<L, f64>::from_torch(&dict, "encoder.rnn.").unwrap();
        assert_eq!((model.layers.len(), model.input_size()), (layers, d));
        let written = model.to_torch("rnn.").unwrap();
        let again = Stacked::<L, f64>::from_torch(&written, "rnn.").unwrap();
        for (a, b) in model.params().iter().zip(again.params()) {
            assert_eq!(a.value(), b.value());
        }
        assert_eq!(again.to_torch("rnn.").unwrap(), written);
        assert_eq!(written.len(), dict.len());
        for (name, array) in &written {
            let original = &dict[&format!("encoder.{name}")];
            if let Some(rest) = name.strip_prefix("rnn.bias_hh") {
                // What of the second bias is not zero is inside the reset.
                let bound = if gru { 2 * h } else { array.numel() };
                assert!(array.narrow(0, 0, bound).iter().all(|b| b == 0.0));
                if gru {
                    assert_eq!(array.narrow(0, bound, h), original.narrow(0, bound, h));
                }
                let first = &dict[&format!("encoder.rnn.bias_ih{rest}")];
                let sum = (first + original).narrow(0, 0, bound);
                assert_eq!(written[&format!("rnn.bias_ih{rest}")].narrow(0, 0, bound), sum);
            } else if name.contains("weight") {
                assert_eq!(array, original);
            }
        }
    }
}

#[test]
fn there_and_back() {
    round_trip::<TimeRnn<f64>>(false);
    round_trip::<TimeLstm<f64>>(false);
    round_trip::<TimeGru<f64>>(true);
    round_trip::<Bidirectional<RnnCell<f64>, f64>>(false);
    round_trip::<Bidirectional<LstmCell<f64>, f64>>(false);
    round_trip::<Bidirectional<GruCell<f64>, f64>>(true);
}

/// One number of every gate, where PyTorch's documentation puts it.
#[test]
fn gates_are_where_pytorch_has_them() {
    let mut dict = StateDict::new();
    let column = |x: [f64; 4]| Tensor::from(x.map(|x| [x]));
    dict.insert("weight_ih_l0".into(), column([1.0, 2.0, 3.0, 4.0])); // i, f, g, o
    dict.insert("weight_hh_l0".into(), column([5.0, 6.0, 7.0, 8.0]));
    let lstm = Stacked::<TimeLstm<f64>, f64>::from_torch(&dict, "").unwrap();
    let LstmCell { wx, wh, b } = &lstm.layers[0].cell;
    assert_eq!(wx.value(), Tensor::from([[2.0, 3.0, 1.0, 4.0]])); // f, g, i, o
    assert_eq!(wh.value(), Tensor::from([[6.0, 7.0, 5.0, 8.0]]));
    assert_eq!(b.value(), Tensor::zeros([4])); // bias=False
}

#[test]
fn states_by_layer_and_direction() {
    let dict = random::<Bidirectional<LstmCell<f64>, f64>>("", 3, 2, 2, 2);
    let model = Stacked::<Bidirectional<LstmCell<f64>, f64>, f64>::from_torch(&dict, "").unwrap();
    let mut rng = seeded(3);
    let (h0, c0) = (normal::<f64>([4, 5, 2], 1.0, &mut rng), normal::<f64>([4, 5, 2], 1.0, &mut rng));
    let state = model.state_from_torch(&[h0.clone(), c0.clone()]).unwrap();
    assert_eq!(state[1].0.1, c0.select(0, 2)); // c of layer 1, forwards
    assert_eq!(state[0].1.0, h0.select(0, 1)); // h of layer 0, backwards
    assert_eq!(stack_states(&tensors(&state), 2), [h0.clone(), c0]);
    let text = |parts: &[Tensor<f64>]| model.state_from_torch(parts).unwrap_err().to_string();
    assert_eq!(text(std::slice::from_ref(&h0)), "torch: expected 2 tensors of a state, found 1");
    let wrong = text(&[h0, Tensor::zeros([2, 5, 2])]);
    assert_eq!(wrong, "torch: expected a state of shape [4, N, 2], found [2, 5, 2]");
}

#[test]
fn a_dictionary_that_does_not_fit_is_refused() {
    type Lstm = Stacked<TimeLstm<f64>, f64>;
    let good = random::<TimeLstm<f64>>("", 3, 2, 2, 4);
    let text = |change: &dyn Fn(&mut StateDict<f64>)| {
        let mut dict = good.clone();
        change(&mut dict);
        Lstm::from_torch(&dict, "").unwrap_err().to_string()
    };
    let set = |name: &'static str, dims: &'static [usize]| {
        move |dict: &mut StateDict<f64>| {
            dict.insert(name.into(), Tensor::zeros(Shape::new(dims).unwrap()));
        }
    };
    let remove = |name: &'static str| move |dict: &mut StateDict<f64>| drop(dict.remove(name));
    let cases: [(String, &str); 8] = [
        (text(&remove("weight_hh_l0")), "*_l0: torch: expected an entry weight_hh_l0, found none"),
        (text(&remove("bias_ih_l1")), "*_l1: torch: expected an entry bias_ih_l1, found none"),
        (text(&|dict| dict.clear()), "*_l0: torch: expected an entry weight_ih_l0, found none"),
        (text(&remove("weight_ih_l1")), "torch: expected no entry bias_hh_l1, found one"),
        (text(&set("weight_hr_l0", &[2, 2])), "torch: expected no entry weight_hr_l0, found one"),
        (
            text(&set("weight_ih_l1", &[8, 3])),
            "*_l1: torch: expected weight_ih of shape [8, 2], found [8, 3]",
        ),
        (
            text(&set("weight_hh_l0", &[6, 2])),
            "*_l0: torch: expected weight_hh of shape [8, 2], found [6, 2]",
        ),
        (text(&set("bias_hh_l0", &[2])), "*_l0: torch: expected bias_hh of shape [8], found [2]"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let both = random::<Bidirectional<LstmCell<f64>, f64>>("", 3, 2, 1, 4);
    let one = Lstm::from_torch(&both, "").unwrap_err().to_string();
    assert_eq!(one, "torch: expected no entry bias_hh_l0_reverse, found one");

    let gru = Stacked::new(vec![Time::<_, f64>::new(GruCell::reset_before(3, 2, &mut seeded(5)))]);
    let error = gru.to_torch("").unwrap_err().to_string();
    assert_eq!(error, "torch: expected a gru that resets after the product, found one that resets before");
}

/// The gradient of each of the two biases is that of their sum.
#[test]
fn gradients_of_both_biases() {
    let model = Stacked::new(vec![TimeGru::<f64>::new(GruCell::new(3, 2, &mut seeded(6)))]);
    perturb(&model, &mut seeded(7));
    let tape = Tape::new();
    let xs = tape.constant(normal([2, 4, 3], 1.0, &mut seeded(8)));
    let hs = model.run(&xs, None, &SequenceOptions::new()).unwrap().hs;
    let grads = hs.backward_with(&normal([2, 4, 2], 1.0, &mut seeded(9))).unwrap();
    let found = model.gradients_to_torch(&grads, "").unwrap();
    let cell = &model.layers[0].cell;
    let db = grads.get(&cell.b).unwrap();
    assert_eq!(&found["bias_ih_l0"], db);
    assert_eq!(found["bias_hh_l0"].narrow(0, 0, 4), db.narrow(0, 0, 4));
    assert_eq!(&found["bias_hh_l0"].narrow(0, 4, 2), grads.get(cell.bh.as_ref().unwrap()).unwrap());
    assert_eq!(found["weight_ih_l0"], grads.get(&cell.wx).unwrap().t());
}
