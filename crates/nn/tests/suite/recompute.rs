//! Steps that are computed again for the backward pass: the same gradients bit for bit.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{Cell, GruCell, LstmCell, Module, Noise, RnnCell, SequenceOptions, Time};
use retrograde_tensor::Tensor;

const N: usize = 3;
const T: usize = 13;

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f32> {
    Tensor::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed)).unwrap()
}

/// The outputs, the last state, and all gradients.
fn run<C: Cell<f32>>(mut layer: Time<C, f32>, options: &SequenceOptions<f32>) -> Vec<Tensor<f32>>
where
    Time<C, f32>: Module<f32>,
{
    let tape = Tape::new();
    let xs = tape.var(normal([N, T, 4], 1));
    let out = layer.forward_with(&xs, options).unwrap();
    let grads = out.hs.backward_with(&normal([N, T, 5], 2)).unwrap();
    let mut results = vec![out.hs.value().clone(), grads.get(&xs).unwrap().clone()];
    layer.visit("", &mut |_, param| results.push(grads.get(param).unwrap().clone()));
    results
}

#[test]
fn gradients_do_not_depend_on_which_steps_are_kept() {
    let rng = || StdRng::seed_from_u64(3);
    let resets = Tensor::from_fn([N, T], |i| if (i[0] + 2 * i[1]) % 7 == 0 { 1.0 } else { 0.0 });
    let options = SequenceOptions::new().lengths(&[13, 0, 8]).resets(resets).with_noise(Noise::seeded(4));
    for every in [1, 4, 13, 50] {
        for options in [&SequenceOptions::new(), &options] {
            let rnn = || Time::new(RnnCell::new(4, 5, &mut rng())).learn_initial();
            assert_eq!(run(rnn(), options), run(rnn().recompute_every(every), options), "rnn, every {every}");
            let lstm = || {
                let cell = LstmCell::new(4, 5, &mut rng());
                let layer = Time::new(cell)
                    .learn_initial()
                    .reversed(true)
                    .zoneout(&[("h", 0.2), ("c", 0.4)])
                    .unwrap();
                layer.recurrent_dropout(&[("h", 0.3)]).unwrap()
            };
            assert_eq!(
                run(lstm(), options),
                run(lstm().recompute_every(every), options),
                "lstm, every {every}"
            );
            let gru = || Time::new(GruCell::new(4, 5, &mut rng())).learn_initial();
            assert_eq!(run(gru(), options), run(gru().recompute_every(every), options), "gru, every {every}");
        }
    }
}
