//! State dictionaries of PyTorch: there and back, and what is refused.

use crate::common::{normal, perturb, seeded, tensors};
use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_nn::torch::{StateDict, TorchCell, TorchLayer, stack_states};
use retrograde_nn::{
    Bidirectional, Embedding, GruCell, Layer, LayerNormLstmCell, Linear, LstmCell, MguCell, Module,
    PeepholeLstmCell, RnnCell, SequenceOptions, Stacked, Time, TimeGru, TimeLstm, TimeRnn, init,
};
use retrograde_tensor::{Shape, Tensor};

/// Random entries for layers of these cells.
pub(crate) fn random<L: TorchLayer<f64>>(
    prefix: &str,
    d: usize,
    h: usize,
    layers: usize,
    seed: u64,
) -> StateDict<f64> {
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
    assert_eq!(wrong, "torch: expected a state of shape [4, 5, 2], found [2, 5, 2]");
    let batches = text(&[Tensor::zeros([4, 5, 2]), Tensor::zeros([4, 6, 2])]);
    assert_eq!(batches, "torch: expected a state of shape [4, 5, 2], found [4, 6, 2]");
    let flat = text(&[Tensor::zeros([4, 2]), Tensor::zeros([4, 2])]);
    assert_eq!(flat, "torch: expected a state of shape [4, N, 2], found [4, 2]");
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
        (
            text(&set("weight_hr_l0", &[2, 2])),
            "torch: expected an lstm without a projection (proj_size), found weight_hr_l0",
        ),
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
    assert_eq!(
        one,
        "torch: expected layers of one direction, or a `Stacked<Bidirectional<..>>` to read into, found bias_hh_l0_reverse"
    );
    // With `proj_size`, P stands where H does: the entry is named, not a shape.
    let mut projected = random::<TimeLstm<f64>>("rnn.", 3, 2, 1, 4);
    projected.insert("rnn.weight_hh_l0".into(), Tensor::zeros([8, 1]));
    projected.insert("rnn.weight_hr_l0".into(), Tensor::zeros([1, 2]));
    assert_eq!(
        Lstm::from_torch(&projected, "rnn.").unwrap_err().to_string(),
        "torch: expected an lstm without a projection (proj_size), found rnn.weight_hr_l0"
    );
    // Other modules of the dictionary may have what they like.
    let mut others = random::<TimeLstm<f64>>("rnn.", 3, 2, 1, 4);
    others.insert("other.weight_ih_l0_reverse".into(), Tensor::zeros([1]));
    others.insert("other.weight_hr_l0".into(), Tensor::zeros([1]));
    assert!(Lstm::from_torch(&others, "rnn.").is_ok());

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

/// A layer that no state dictionary can express is refused.
#[test]
fn layers_that_pytorch_does_not_have_are_not_exported() {
    let rng = &mut seeded(10);
    let lstm = |rng: &mut _| TimeLstm::<f64>::new(LstmCell::new(2, 2, rng));
    let said = |layers: Vec<TimeLstm<f64>>| {
        let stacked = Stacked::new(layers);
        let grads = common_gradients(&stacked);
        let [dict, grads] = [stacked.to_torch(""), stacked.gradients_to_torch(&grads, "")];
        assert_eq!(dict.as_ref().err(), grads.as_ref().err());
        dict.unwrap_err().to_string()
    };
    let reversed = vec![lstm(rng), lstm(rng).reversed(true)];
    assert_eq!(said(reversed), "torch: expected a layer that is not reversed, found the other in layer 1");
    let learned = vec![lstm(rng).learn_initial(), lstm(rng)];
    assert_eq!(
        said(learned),
        "torch: expected layers that start from zeros, found a learned initial state in layer 0"
    );
    let zoneout = vec![lstm(rng).zoneout(&[("c", 0.1)]).unwrap()];
    assert_eq!(said(zoneout), "torch: expected layers without zoneout, found zoneout in layer 0");
    assert!(Stacked::new(vec![lstm(rng).zoneout(&[("h", 0.0)]).unwrap()]).to_torch("").is_ok());

    let both = |change: fn(&mut Bidirectional<RnnCell<f64>, f64>), rng: &mut _| {
        let mut layer = Bidirectional::new(RnnCell::new(2, 2, rng), RnnCell::new(2, 2, rng));
        change(&mut layer);
        Stacked::new(vec![layer]).to_torch("").map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(both(|_| {}, rng), Ok(()));
    let forwards = both(|layer| layer.backward = layer.backward.clone().reversed(false), rng);
    assert_eq!(forwards.unwrap_err(), "torch: expected a reversed layer, found the other in layer 0");
    assert!(both(|layer| layer.forward = layer.forward.clone().reversed(true), rng).is_err());
    assert!(both(|layer| layer.backward = layer.backward.clone().learn_initial(), rng).is_err());
}

/// The gradients of a random cotangent of all outputs.
fn common_gradients(layer: &impl Layer<f64>) -> Gradients<f64> {
    let tape = Tape::new();
    let xs = tape.constant(normal([2, 3, layer.input_size()], 1.0, &mut seeded(11)));
    let hs = layer.run(&xs, None, &SequenceOptions::new()).unwrap().hs;
    hs.backward_with(&normal(hs.shape(), 1.0, &mut seeded(12))).unwrap()
}

/// Sizes whose product with the number of gates does not fit, in arrays without elements.
#[test]
fn sizes_that_wrap_are_refused() {
    let said = |gates: usize, result: &dyn Fn(&StateDict<f64>) -> Option<String>| {
        for h in [usize::MAX / gates + 1, 1 << 62] {
            let mut dict = StateDict::new();
            dict.insert("weight_ih_l0".into(), Tensor::zeros([0, 3]));
            dict.insert("weight_hh_l0".into(), Tensor::zeros([0, h]));
            let found = result(&dict).unwrap();
            assert!(found.contains(&format!("torch: expected {gates} · {h} to fit in usize")), "{found}");
        }
    };
    said(4, &|dict| Some(Stacked::<TimeLstm<f64>, f64>::from_torch(dict, "").err()?.to_string()));
    said(4, &|dict| {
        Some(Stacked::<Bidirectional<LstmCell<f64>, f64>, f64>::from_torch(dict, "").err()?.to_string())
    });
    let mut dict = StateDict::new();
    dict.insert("weight_ih_l0".into(), Tensor::zeros([0, 3]));
    dict.insert("weight_hh_l0".into(), Tensor::zeros([0, usize::MAX / 3 + 1]));
    let found = Stacked::<TimeGru<f64>, f64>::from_torch(&dict, "").unwrap_err().to_string();
    assert!(found.contains("torch: expected 3 · "), "{found}");
    // The constructors of cells, whatever the gates.
    let h = 1 << 62;
    let zeros = |dims: [usize; 2]| Param::new("w", Tensor::<f64>::zeros(dims));
    let b = || Param::new("b", Tensor::<f64>::zeros([0]));
    assert_eq!(
        LstmCell::from_params(zeros([3, 0]), zeros([h, 0]), b()).unwrap_err().to_string(),
        format!("lstm_cell: expected 4 · {h} to fit in usize")
    );
    let panic = |f: fn(usize)| {
        for h in [1 << 62, usize::MAX / 2] {
            let panic = std::panic::catch_unwind(|| f(h)).unwrap_err();
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(text.contains("expected") && !text.contains("overflow"), "{text}");
        }
    };
    panic(|h| drop(RnnCell::<f32>::new(h, h, &mut seeded(1))));
    panic(|h| drop(LstmCell::<f32>::new(1, h, &mut seeded(1))));
    panic(|h| drop(LstmCell::<f32>::new(0, h, &mut seeded(1))));
    panic(|h| drop(GruCell::<f32>::reset_before(0, h, &mut seeded(1))));
    panic(|h| drop(MguCell::<f32>::new(0, 2 * h, &mut seeded(1))));
    panic(|h| drop(PeepholeLstmCell::<f32>::new(0, h, &mut seeded(1))));
    panic(|h| drop(LayerNormLstmCell::<f32>::new(0, h, &mut seeded(1))));
    panic(|h| drop(Linear::<f32>::new(h, h, &mut seeded(1))));
    panic(|h| drop(Embedding::<f32>::new(h, h, &mut seeded(1))));
    panic(|h| drop(init::forget_bias::<f32>(h, 1.0)));
}
