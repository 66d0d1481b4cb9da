//! Each optimizer against PyTorch's formulas for single numbers, with groups, and resumed from its state.

use crate::common::{assert_near, gradients, normal, seeded};
use retrograde_autograd::Param;
use retrograde_nn::{AdaGrad, Adam, AdamW, Error, Group, Module, Optimizer, RmsProp, Sgd};
use retrograde_tensor::{Float, Tensor};

/// One number and what is remembered of it, moved by a formula of PyTorch's documentation.
#[derive(Clone, Copy, Default)]
struct Number {
    theta: f64,
    /// The momentum buffer, or the first moment.
    b: f64,
    /// The square average, the state sum, or the second moment.
    v: f64,
    t: i32,
}

type Formula = fn(&mut Number, g: f64, lr: f64, lambda: f64);

/// `torch.optim.SGD`, momentum μ = 0.9, no dampening.
fn momentum(n: &mut Number, g: f64, lr: f64, lambda: f64) {
    let g = g + lambda * n.theta;
    n.t += 1;
    n.b = if n.t > 1 { 0.9 * n.b + g } else { g };
    n.theta -= lr * n.b;
}

/// `torch.optim.SGD`, momentum μ = 0.8, Nesterov.
fn nesterov(n: &mut Number, g: f64, lr: f64, lambda: f64) {
    let g = g + lambda * n.theta;
    n.t += 1;
    n.b = if n.t > 1 { 0.8 * n.b + g } else { g };
    n.theta -= lr * (g + 0.8 * n.b);
}

/// `torch.optim.RMSprop`, α = 0.99, ε = 1e-8.
fn rms_prop(n: &mut Number, g: f64, lr: f64, lambda: f64) {
    let g = g + lambda * n.theta;
    n.v = 0.99 * n.v + 0.01 * g.powi(2);
    n.theta -= lr * g / (n.v.sqrt() + 1e-8);
}

/// `torch.optim.Adagrad`, no decay of the learning rate, ε = 1e-10.
fn ada_grad(n: &mut Number, g: f64, lr: f64, lambda: f64) {
    let g = g + lambda * n.theta;
    n.v += g.powi(2);
    n.theta -= lr * g / (n.v.sqrt() + 1e-10);
}

/// `torch.optim.Adam`, β = (0.9, 0.999), ε = 1e-8.
fn adam(n: &mut Number, g: f64, lr: f64, lambda: f64) {
    let g = g + lambda * n.theta;
    n.t += 1;
    n.b = 0.9 * n.b + (1.0 - 0.9) * g;
    n.v = 0.999 * n.v + (1.0 - 0.999) * g.powi(2);
    let b_hat = n.b / (1.0 - 0.9_f64.powi(n.t));
    let v_hat = n.v / (1.0 - 0.999_f64.powi(n.t));
    n.theta -= lr * b_hat / (v_hat.sqrt() + 1e-8);
}

/// `torch.optim.AdamW`.
fn adam_w(n: &mut Number, g: f64, lr: f64, lambda: f64) {
    n.theta -= lr * lambda * n.theta;
    adam(n, g, lr, 0.0);
}

/// Each optimizer, as it decays weights by `decay`, with its formula.
fn all<E: Float>(decay: f64) -> Vec<(&'static str, Box<dyn Optimizer<E>>, Formula)> {
    let (mut rms, mut ada) = (RmsProp::new(0.05), AdaGrad::new(0.05));
    let (mut a, mut w) = (Adam::new(0.05), AdamW::new(0.05));
    (rms.weight_decay, ada.weight_decay, a.weight_decay, w.weight_decay) = (decay, decay, decay, decay);
    vec![
        ("momentum", Box::new(Sgd::new(0.05).momentum(0.9).weight_decay(decay)), momentum),
        ("nesterov", Box::new(Sgd::new(0.05).nesterov(0.8).weight_decay(decay)), nesterov),
        ("plain", Box::new(Sgd::new(0.05).weight_decay(decay)), |n, g, lr, lambda| {
            n.theta -= lr * (g + lambda * n.theta);
        }),
        ("rms_prop", Box::new(rms), rms_prop),
        ("ada_grad", Box::new(ada), ada_grad),
        ("adam", Box::new(a), adam),
        ("adam_w", Box::new(w), adam_w),
    ]
}

/// Two parameters, the second in a group of its own, moved ten times; nothing flows to it every third time.
fn against_formulas<E: Float>(tolerance: f64) {
    for decay in [0.0, 0.1] {
        for (name, mut optimizer, formula) in all::<E>(decay) {
            let mut rng = seeded(3);
            let params = ["w", "v"].map(|name| Param::new(name, normal::<E>([2, 3], 1.0, &mut rng)));
            let numbers = |param: &Param<E>| -> Vec<Number> {
                param.value().iter().map(|x| Number { theta: x.to_f64(), ..Number::default() }).collect()
            };
            let mut expected = [numbers(&params[0]), numbers(&params[1])];
            let group = Group::new([params[1].clone()]).lr_scale(0.5).weight_decay(0.3);
            optimizer.add_group(group).unwrap();
            let settings = [(1.0, decay), (0.5, 0.3)];
            for step in 0..10 {
                let lr = if step < 5 { 0.05 } else { 0.02 };
                optimizer.set_lr(lr);
                assert_eq!(optimizer.lr(), lr);
                let dws: [Tensor<E>; 2] = [normal([3, 2], 1.0, &mut rng).t(), normal([2, 3], 1.0, &mut rng)];
                let flowing = if step % 3 == 2 { 1 } else { 2 };
                let of: Vec<_> = params.iter().zip(&dws).take(flowing).collect();
                optimizer.step(&gradients(&of)).unwrap();
                for i in 0..flowing {
                    let (scale, lambda) = settings[i];
                    for (n, g) in expected[i].iter_mut().zip(&dws[i]) {
                        formula(n, g.to_f64(), lr * scale, lambda);
                    }
                }
            }
            for (param, numbers) in params.iter().zip(expected) {
                let expected = numbers.iter().map(|n| n.theta).collect();
                let expected = Tensor::from_vec(expected, param.shape()).unwrap();
                assert_near(name, &param.value().map(|x| x.to_f64()), &expected, tolerance);
            }
        }
    }
}

#[test]
fn every_optimizer_follows_its_formula() {
    against_formulas::<f64>(1e-13);
    against_formulas::<f32>(2e-5);
}

/// Three steps, then three more by another optimizer that was given the state: bit for bit six steps.
#[test]
fn a_state_is_all_that_is_remembered() {
    for (i, (name, mut whole, _)) in all::<f32>(0.1).into_iter().enumerate() {
        let mut rng = seeded(4);
        let model: Vec<Param<f32>> = (0..3).map(|_| Param::new("w", normal([4], 1.0, &mut rng))).collect();
        let dws: Vec<Tensor<f32>> = (0..6).map(|_| normal([4], 1.0, &mut rng)).collect();
        // Nothing ever flows to the last one.
        let step = |optimizer: &mut dyn Optimizer<f32>, model: &[Param<f32>], i: usize| {
            optimizer.step(&gradients(&[(&model[0], &dws[i]), (&model[1], &dws[(i + 1) % 6])])).unwrap();
        };
        (0..3).for_each(|i| step(&mut *whole, &model, i));
        whole.set_lr(0.03);
        let state = whole.state(&model.named_params()).unwrap();
        let copy: Vec<Param<f32>> = model.iter().map(|param| Param::new("v", param.value())).collect();
        let mut resumed = all::<f32>(0.1).remove(i).1;
        resumed.set_state(&copy.named_params(), &state).unwrap();
        assert_eq!(resumed.state(&copy.named_params()).unwrap(), state);
        for i in 3..6 {
            step(&mut *whole, &model, i);
            step(&mut *resumed, &copy, i);
        }
        for (param, copy) in model.iter().zip(&copy) {
            assert_eq!(param.value(), copy.value(), "{name}");
        }
    }
}

#[test]
fn a_state_of_something_else_is_refused() {
    let mut rng = seeded(5);
    let model = vec![Param::new("w", normal::<f64>([3], 1.0, &mut rng))];
    let mut adam = Adam::new(0.1);
    adam.step(&gradients(&[(&model[0], &normal([3], 1.0, &mut rng))])).unwrap();
    let state = adam.state(&model.named_params()).unwrap();
    let said = |result: Result<(), Error>| result.unwrap_err().to_string();

    let other = vec![Param::new("w", Tensor::<f64>::zeros([4]))];
    assert_eq!(
        said(adam.set_state(&other.named_params(), &state)),
        r#"optimizer state: expected ["m [4]", "v [4]"] for 0, found ["m [3]", "v [3]"]"#
    );
    assert_eq!(said(adam.set_state(&[], &state)), "expected a parameter 0 in the model, found none");
    assert_eq!(
        said(AdaGrad::new(0.1).set_state(&model.named_params(), &state)),
        "optimizer state: expected that of ada_grad, found that of adam"
    );
    let mut half = state.clone();
    half.slots.get_mut("0").unwrap().tensors.remove("m");
    assert_eq!(
        said(adam.set_state(&model.named_params(), &half)),
        r#"optimizer state: expected ["m [3]", "v [3]"] for 0, found ["v [3]"]"#
    );
    let mut more = state.clone();
    more.slots.get_mut("0").unwrap().tensors.insert("x".into(), Tensor::zeros([3]));
    assert_eq!(
        said(adam.set_state(&model.named_params(), &more)),
        r#"optimizer state: expected ["m [3]", "v [3]"] for 0, found ["m [3]", "v [3]", "x [3]"]"#
    );
    let (mut fewer, mut renamed) = (state.clone(), state.clone());
    let decay = fewer.settings.remove("weight_decay").unwrap();
    renamed.settings.remove("weight_decay");
    renamed.settings.insert("decay".into(), decay);
    for (state, found) in [
        (&fewer, r#"["betas.0", "betas.1", "eps", "lr"]"#),
        (&renamed, r#"["betas.0", "betas.1", "decay", "eps", "lr"]"#),
    ] {
        let expected = format!(
            r#"adam: expected the settings ["lr", "betas.0", "betas.1", "eps", "weight_decay"], found {found}"#
        );
        assert_eq!(said(adam.set_state(&model.named_params(), state)), expected);
    }
    assert_eq!(
        said(adam.state(&other.named_params()).map(drop)),
        "optimizer state: expected parameters that the model lists, found w; add its field to `module!`"
    );
    // What was refused has changed nothing.
    assert_eq!(adam.state(&model.named_params()).unwrap(), state);
}

#[test]
fn settings_out_of_range_are_refused_and_nothing_moves() {
    let w = Param::new("w", Tensor::from([1.0_f64]));
    let dw = Tensor::from([1.0]);
    let grads = gradients(&[(&w, &dw)]);
    let refused = |optimizer: &mut dyn Optimizer<f64>| {
        let said = optimizer.step(&grads).unwrap_err().to_string();
        assert_eq!(w.value(), Tensor::from([1.0]));
        said
    };
    assert_eq!(
        refused(&mut Sgd::new(0.1).momentum(1.0)),
        "sgd: expected momentum to be at least 0 and below 1, found 1"
    );
    assert_eq!(
        refused(&mut Sgd::new(0.1).weight_decay(-1.0)),
        "sgd: expected weight_decay to be finite and at least 0, found -1"
    );
    let mut rms = RmsProp::new(0.1);
    rms.alpha = f64::NAN;
    assert_eq!(refused(&mut rms), "rms_prop: expected alpha to be at least 0 and below 1, found NaN");
    assert_eq!(
        refused(&mut AdaGrad::new(f64::INFINITY)),
        "ada_grad: expected lr to be finite and at least 0, found inf"
    );
    let mut adam_w = AdamW::new(0.1);
    adam_w.betas.1 = 1.0;
    assert_eq!(refused(&mut adam_w), "adam_w: expected betas.1 to be at least 0 and below 1, found 1");
    assert_eq!(
        adam_w.set("momentum", 0.9).unwrap_err().to_string(),
        r#"adam_w: expected the settings ["lr", "betas.0", "betas.1", "eps", "weight_decay"], found ["momentum"]"#
    );
    let twice = Group::new([w.clone()]);
    adam_w.add_group(twice.clone()).unwrap();
    assert_eq!(
        adam_w.add_group(twice).unwrap_err().to_string(),
        "group: expected parameters that are in no group yet, found w"
    );
    assert_eq!(
        adam_w.add_group(Group::new([]).lr_scale(-1.0)).unwrap_err().to_string(),
        "group: expected lr_scale to be finite and at least 0, found -1"
    );
}

/// One number moved by Adam's formula in double precision, and by Adam in single precision.
#[test]
fn single_precision_keeps_the_digits_of_its_constants() {
    type New = fn(f64) -> Box<dyn Optimizer<f32>>;
    let adam: New = |beta2| {
        let mut adam = Adam::new(0.1);
        (adam.betas.1, adam.eps) = (beta2, 1e-30);
        Box::new(adam)
    };
    let adam_w: New = |beta2| {
        let mut adam = AdamW::new(0.1);
        (adam.betas.1, adam.eps, adam.weight_decay) = (beta2, 1e-30, 0.0);
        Box::new(adam)
    };
    let mut rng = seeded(8);
    for new in [adam, adam_w] {
        for beta2 in [0.9, 0.999, 0.9999, 0.99999, 0.999999, 0.9999999, 0.99999999] {
            let w = Param::new("w", Tensor::<f32>::zeros([1]));
            let mut optimizer = new(beta2);
            let (mut theta, mut m, mut v) = (0.0_f64, 0.0, 0.0);
            for t in 1..=5 {
                let g: Tensor<f32> = normal([1], 1.0, &mut rng);
                optimizer.step(&gradients(&[(&w, &g)])).unwrap();
                let g = f64::from(g.at(&[0]));
                m = 0.9 * m + (1.0 - 0.9) * g;
                v = beta2 * v + (1.0 - beta2) * g * g;
                let (m_hat, v_hat) = (m / (1.0 - 0.9_f64.powi(t)), v / (1.0 - beta2.powi(t)));
                theta -= 0.1 * m_hat / v_hat.sqrt();
                let found = f64::from(w.value().at(&[0]));
                assert!(
                    (found - theta).abs() < 5e-7 * theta.abs().max(0.1),
                    "beta2 {beta2}, step {t}: {found}, {theta}"
                );
            }
        }
    }
}

/// A model that lists one of its parameters.
struct Forgetful {
    w: Param<f64>,
    forgotten: Param<f64>,
}

impl Module<f64> for Forgetful {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<f64>)) {
        self.w.visit(&retrograde_nn::join(path, "w"), f);
    }
}

#[test]
fn a_gradient_of_a_parameter_that_the_model_does_not_list_is_refused() {
    let dw = Tensor::from([1.0, 2.0]);
    let text = "expected parameters that the model lists, found forgotten; add its field to `module!`";
    for (name, ..) in all::<f64>(0.1) {
        let [w, forgotten] = ["w", "forgotten"].map(|name| Param::new(name, Tensor::<f64>::zeros([2])));
        let model = Forgetful { w, forgotten };
        let mut optimizer: Box<dyn Optimizer<f64>> = match name {
            "rms_prop" => Box::new(RmsProp::new(0.1).of(&model).unwrap()),
            "ada_grad" => Box::new(AdaGrad::new(0.1).of(&model).unwrap()),
            "adam" => Box::new(Adam::new(0.1).of(&model).unwrap()),
            "adam_w" => Box::new(AdamW::new(0.1).of(&model).unwrap()),
            "plain" => Box::new(Sgd::new(0.1).of(&model).unwrap()),
            _ => Box::new(Sgd::new(0.1).momentum(0.9).of(&model).unwrap()),
        };
        let both = gradients(&[(&model.w, &dw), (&model.forgotten, &dw)]);
        let said = optimizer.step(&both).unwrap_err().to_string();
        assert_eq!(said, format!("{}: {text}", optimizer.name()));
        assert_eq!(model.check_gradients(&both).unwrap_err().to_string(), format!("gradients: {text}"));
        assert_eq!([model.w.value(), model.forgotten.value()], [Tensor::zeros([2]), Tensor::zeros([2])]);
        let listed = gradients(&[(&model.w, &dw)]);
        model.check_gradients(&listed).unwrap();
        optimizer.step(&listed).unwrap();
        assert_ne!(model.w.value(), Tensor::zeros([2]));
        // It survives a restore.
        let params = model.named_params();
        let state = optimizer.state(&params).unwrap();
        optimizer.set_state(&params, &state).unwrap();
        assert!(optimizer.step(&both).is_err());
    }
}
