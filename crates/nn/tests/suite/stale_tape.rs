//! A tape that is kept while parameters move: every layer refuses it, and nothing trains in silence.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Error as TapeError, Tape, Var};
use retrograde_nn::{
    Adam, Embedding, Error, Layer, Linear, LstmCell, Module, Optimizer, RnnCell, SequenceOptions, Sgd,
    TimeLstm, TimeRnn, mse,
};
use retrograde_tensor::Tensor;

#[track_caller]
fn refused<T>(result: retrograde_nn::Result<T>, name: &str) {
    let error = result.err().unwrap();
    let Error::Autograd(TapeError::ParamChanged { name: found }) = &error else { panic!("{error}") };
    assert_eq!(found, name);
    assert!(error.to_string().contains("fresh tape"), "{error}");
}

#[test]
fn a_loop_on_one_tape_ends_at_its_second_step() {
    let mut rng = StdRng::seed_from_u64(1);
    let linear = Linear::<f64>::new(2, 1, &mut rng);
    let (x, y) = (Tensor::normal([3, 2], 0.0, 1.0, &mut rng).unwrap(), Tensor::zeros([3, 1]));
    for adam in [false, true] {
        let (mut sgd, mut adam) = (Sgd::new(0.1), if adam { Some(Adam::new(0.1)) } else { None });
        let mut train = |tape: &Tape<f64>| {
            let loss = mse(&linear.forward(&tape.constant(x.clone()))?, &y, None)?;
            let value = loss.value().item().unwrap();
            match &mut adam {
                Some(adam) => adam.step(&loss.backward()?)?,
                None => sgd.step(&loss.backward()?)?,
            }
            Ok(value)
        };
        let kept = Tape::new();
        let first = train(&kept).unwrap();
        refused(train(&kept), linear.w.name());
        let second = train(&Tape::new()).unwrap();
        assert!(second < first, "{second} after {first}");
    }
}

#[test]
fn layers_refuse_the_tape_of_other_weights() {
    let mut rng = StdRng::seed_from_u64(2);
    let rnn = TimeRnn::<f64>::new(RnnCell::new(2, 3, &mut rng)).learn_initial();
    let lstm = TimeLstm::<f64>::new(LstmCell::new(2, 3, &mut rng));
    let embedding = Embedding::<f64>::new(5, 2, &mut rng);
    let tape = Tape::new();
    let xs = tape.constant(Tensor::normal([2, 4, 2], 0.0, 1.0, &mut rng).unwrap());
    let run = |layer: &dyn Fn(&Var<'_, f64>) -> retrograde_nn::Result<()>| layer(&xs);
    let of_rnn = || run(&|xs| rnn.run(xs, None, &SequenceOptions::new()).map(|_| ()));
    let of_lstm = || run(&|xs| lstm.run(xs, None, &SequenceOptions::new()).map(|_| ()));
    let of_embedding = || embedding.forward(&tape, &Tensor::from([1, 4])).map(|_| ());
    for layer in [&of_rnn as &dyn Fn() -> _, &of_lstm, &of_embedding] {
        layer().unwrap();
        layer().unwrap();
    }
    for (module, name, layer) in [
        (&rnn as &dyn Module<f64>, "wh", &of_rnn as &dyn Fn() -> _),
        (&rnn, "initial.h_prev", &of_rnn),
        (&lstm, "wh", &of_lstm),
        (&embedding, "w", &of_embedding),
    ] {
        let params = module.named_params();
        let (_, param) = params.iter().find(|(path, _)| path == name).unwrap();
        let before = param.value();
        param.set(&before + 1.0).unwrap();
        refused(layer(), param.name());
        // The values that the tape has are welcome.
        param.set(before).unwrap();
        layer().unwrap();
    }
}
