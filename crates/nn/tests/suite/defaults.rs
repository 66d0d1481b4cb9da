//! The numbers that a caller who names none gets: those of PyTorch's documentation.

use crate::common::{assert_near, gradients, normal, seeded};
use retrograde_autograd::{Param, Tape};
use retrograde_nn::{
    AdaGrad, Adam, AdamW, Group, LayerNorm, LayerNormLstmCell, Optimizer, Plateau, RmsProp, Sgd,
};
use retrograde_tensor::Tensor;

#[test]
fn optimizers() {
    let settings = |optimizer: &dyn Optimizer<f64>| -> Vec<(&str, f64)> {
        optimizer.settings().iter().map(|setting| (setting.name, setting.value)).collect()
    };
    let adam = [("lr", 0.5), ("betas.0", 0.9), ("betas.1", 0.999), ("eps", 1e-8)];
    assert_eq!(settings(&Adam::new(0.5)), [&adam[..], &[("weight_decay", 0.0)]].concat());
    assert_eq!(settings(&AdamW::new(0.5)), [&adam[..], &[("weight_decay", 0.01)]].concat());
    let rms_prop = [("lr", 0.5), ("alpha", 0.99), ("eps", 1e-8), ("weight_decay", 0.0)];
    assert_eq!(settings(&RmsProp::new(0.5)), rms_prop);
    assert_eq!(settings(&AdaGrad::new(0.5)), [("lr", 0.5), ("eps", 1e-10), ("weight_decay", 0.0)]);
    let sgd = |momentum, nesterov| {
        [("lr", 0.5), ("momentum", momentum), ("nesterov", nesterov), ("weight_decay", 0.0)]
    };
    assert_eq!(settings(&Sgd::new(0.5)), sgd(0.0, 0.0));
    assert_eq!(settings(&Sgd::new(0.5).momentum(0.25)), sgd(0.25, 0.0));
    assert_eq!(settings(&Sgd::new(0.5).nesterov(0.25)), sgd(0.25, 1.0));
    // The textbook's: the learning rate is divided by 4.
    assert_eq!(Plateau::new(20.0).divisor, 4.0);
}

/// A group that names neither changes neither the learning rate nor the weight decay.
#[test]
fn groups() {
    let [alone, grouped] = ["alone", "grouped"].map(|name| Param::new(name, Tensor::from([1.0_f64])));
    let mut adam = AdamW::new(0.5);
    adam.add_group(Group::new([grouped.clone()])).unwrap();
    let dw = Tensor::from([0.25]);
    adam.step(&gradients(&[(&alone, &dw), (&grouped, &dw)])).unwrap();
    assert_eq!(alone.value(), grouped.value());
}

#[test]
fn layer_norms() {
    let [gain, b] = [Tensor::from([2.0, 3.0, 4.0]), Tensor::from([0.5, -0.5, 0.25])];
    let shared =
        LayerNorm::from_params(Param::new("gain", gain.clone()), Param::new("b", b.clone())).unwrap();
    let new = LayerNorm::<f64>::new(3);
    assert_eq!([new.eps, shared.eps], [1e-5, 1e-5]);
    assert_eq!([new.gain.value(), new.b.value()], [Tensor::ones([3]), Tensor::zeros([3])]);
    // Rows whose variance is as small as eps: `torch.nn.functional.layer_norm`, by its formula.
    let x = [1e-3, -2e-3, 4e-3];
    let mean = x.iter().sum::<f64>() / 3.0;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 3.0;
    let expected = x.map(|x| (x - mean) / (variance + 1e-5).sqrt());
    let expected = Tensor::from([expected]) * gain + b;
    let tape = Tape::new();
    assert_near("y", shared.forward(&tape.constant(Tensor::from([x]))).unwrap().value(), &expected, 1e-14);
    let cell = LayerNormLstmCell::<f64>::new(2, 3, &mut seeded(1));
    assert_eq!([cell.norm_x.eps, cell.norm_h.eps, cell.norm_c.eps], [1e-5; 3]);
}

/// Each optimizer in single precision against its documented formula in double precision, from gradients of every size:
/// a step differs by roundings of its own size, never by those of its constants.
#[test]
fn optimizers_in_single_precision() {
    type Formula = fn(&mut [f64; 3], i32, f64);
    let adam: Formula = |[w, m, v], t, g| {
        *m = 0.9 * *m + (1.0 - 0.9) * g;
        *v = 0.999 * *v + (1.0 - 0.999) * g * g;
        *w -= 0.01 * (*m / (1.0 - 0.9_f64.powi(t))) / ((*v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
    };
    let rms_prop: Formula = |[w, v, _], _, g| {
        *v = 0.99999 * *v + (1.0 - 0.99999) * g * g;
        *w -= 0.01 * g / (v.sqrt() + 1e-8);
    };
    let ada_grad: Formula = |[w, sum, _], _, g| {
        *sum += g * g;
        *w -= 0.01 * g / (sum.sqrt() + 1e-10);
    };
    let momentum: Formula = |[w, v, _], _, g| {
        *v = 0.9 * *v + g;
        *w -= 0.01 * *v;
    };
    let nesterov: Formula = |[w, v, _], _, g| {
        *v = 0.9 * *v + g;
        *w -= 0.01 * (g + 0.9 * *v);
    };
    let mut slow_rms_prop = RmsProp::<f32>::new(0.01);
    slow_rms_prop.alpha = 0.99999;
    let mut plain_adam_w = AdamW::<f32>::new(0.01);
    plain_adam_w.weight_decay = 0.0;
    let all: [(Box<dyn Optimizer<f32>>, Formula); 7] = [
        (Box::new(Adam::new(0.01)), adam),
        (Box::new(plain_adam_w), adam),
        (Box::new(slow_rms_prop), rms_prop),
        (Box::new(AdaGrad::new(0.01)), ada_grad),
        (Box::new(Sgd::new(0.01).momentum(0.9)), momentum),
        (Box::new(Sgd::new(0.01).nesterov(0.9)), nesterov),
        (Box::new(Sgd::new(0.01)), |[w, ..], _, g| *w -= 0.01 * g),
    ];
    let mut rng = seeded(9);
    for (mut optimizer, formula) in all {
        for size in [1e-6, 1e-3, 1.0, 1e3] {
            // From 0, so that the digits of what was added are not lost in those of the parameter.
            let w = Param::new("w", Tensor::<f32>::zeros([20]));
            let mut numbers = [[0.0_f64; 3]; 20];
            // The way that each number went, by which its roundings are measured.
            let mut way = [0.0_f64; 20];
            for t in 1..=30 {
                let g: Tensor<f32> = normal([20], size, &mut rng);
                optimizer.step(&gradients(&[(&w, &g)])).unwrap();
                for ((number, g), way) in numbers.iter_mut().zip(&g).zip(&mut way) {
                    let before = number[0];
                    formula(number, t, g.into());
                    *way += (number[0] - before).abs();
                }
            }
            for ((found, [expected, ..]), way) in w.value().iter().zip(numbers).zip(way) {
                let error = (f64::from(found) - expected).abs() / way;
                let name = optimizer.name();
                assert!(
                    error < 5e-7,
                    "{name}, gradients of {size}: {found}, expected {expected}: {error:e} of the way"
                );
            }
        }
    }
}
