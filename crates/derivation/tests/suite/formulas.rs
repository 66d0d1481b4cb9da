//! The symbolic reading, as text, as LaTeX and as data.

use std::collections::HashMap;

use retrograde_autograd::{Error, Op, Param, Tape, Value, Var};
use retrograde_derivation::{Derivation, DeriveTape, DeriveVar, Expr, Term};
use retrograde_tensor::{Tensor, assert_close};

/// The derivation of one operation on variables `a` and `b` of shape `[3, 3]`, its result named `y`.
fn derived(f: impl for<'t> Fn(&Var<'t, f64>, &Var<'t, f64>) -> Var<'t, f64>) -> String {
    let tape = Tape::new();
    let a = tape.var(Tensor::ones([3, 3])).named("a");
    let b = tape.var(Tensor::ones([3, 3])).named("b");
    let y = f(&a, &b).named("y");
    tape.derivation(&[&y]).unwrap().to_string()
}

#[test]
fn arithmetic() {
    assert_eq!(derived(|a, b| a + b), "db = dy\nda = dy\n");
    assert_eq!(derived(|a, b| a - b), "db = -dy\nda = dy\n");
    assert_eq!(derived(|a, b| a * b), "db = dy ⊙ a\nda = dy ⊙ b\n");
    assert_eq!(derived(|a, b| a / b), "db = -((dy ⊙ y) / b)\nda = dy / b\n");
    assert_eq!(derived(|a, _| -a), "da = -dy\n");
    assert_eq!(derived(|a, _| a * 2.5), "da = 2.5 dy\n");
    assert_eq!(derived(|a, _| 1.0 - a), "da = -dy\n");
    assert_eq!(derived(|a, _| a / 2.0), "da = dy / 2\n");
    assert_eq!(derived(|a, _| 2.0 / a), "da = -((dy ⊙ y) / a)\n");
    assert_eq!(derived(|a, _| a * a), "da = dy ⊙ a + dy ⊙ a\n");
    assert_eq!(derived(|a, b| a - a * b), "db = -dy ⊙ a\nda = dy - dy ⊙ b\n");
}

#[test]
fn functions_of_each_element() {
    assert_eq!(derived(|a, _| a.tanh()), "da = dy ⊙ (1 - y²)\n");
    assert_eq!(derived(|a, _| a.sigmoid()), "da = dy ⊙ y ⊙ (1 - y)\n");
    assert_eq!(derived(|a, _| a.relu()), "da = dy ⊙ sign(y)\n");
    assert_eq!(derived(|a, _| a.exp()), "da = dy ⊙ y\n");
    assert_eq!(derived(|a, _| a.ln()), "da = dy / a\n");
    assert_eq!(derived(|a, _| a.sqrt()), "da = dy / (2 y)\n");
    assert_eq!(derived(|a, _| a.square()), "da = dy ⊙ 2 a\n");
    assert_eq!(derived(|a, _| a.sin()), "da = dy ⊙ cos(a)\n");
    assert_eq!(derived(|a, _| a.cos()), "da = -(dy ⊙ sin(a))\n");
    assert_eq!(derived(|a, _| a.abs()), "da = dy ⊙ sign(a)\n");
    assert_eq!(derived(|a, _| a.clamp(-1.0, 1.0)), "da = dy ⊙ [a = y]\n");
    assert_eq!(derived(|a, _| a.softmax(1)), "da = y ⊙ (dy - Σᵢ (dy ⊙ y))\n");
    assert_eq!(derived(|a, _| a.log_softmax(1)), "da = dy - exp(y) ⊙ (Σᵢ dy)\n");
    assert_eq!(derived(|a, _| a.logsumexp(1, true)), "da = dy ⊙ softmax(a)\n");
    assert_eq!(derived(|a, _| a.sign()), "");
}

#[test]
fn masks() {
    let halves = "([a = y] + [b = y])";
    let expected = format!("db = (dy ⊙ [b = y]) / {halves}\nda = (dy ⊙ [a = y]) / {halves}\n");
    assert_eq!(derived(|a, b| a.maximum(b)), expected);
    assert_eq!(derived(|a, b| a.where_mask(a.gt(b), b)), "db = dy ⊙ (1 - [a > b])\nda = dy ⊙ [a > b]\n");
    assert_eq!(derived(|a, b| a.where_mask(b, a.exp())), "da = dy ⊙ [b ≠ 0] + dy ⊙ (1 - [b ≠ 0]) ⊙ exp(a)\n");
    assert_eq!(derived(|a, b| a.le(b) * b), "db = dy ⊙ [a ≤ b]\n");
    assert_eq!(derived(|a, _| a.max_axes(&[0], true)), "da = (dy ⊙ [a = y]) / (Σₙ [a = y])\n");
}

#[test]
fn products_sums_and_views() {
    assert_eq!(derived(|a, b| a.matmul(b)), "db = aᵀ·dy\nda = dy·bᵀ\n");
    assert_eq!(derived(|a, b| a.t().matmul(b)), "db = (aᵀ)ᵀ·dy\nda = (dy·bᵀ)ᵀ\n");
    assert_eq!(derived(|a, b| a.matmul(b).tanh()), "dv2 = dy ⊙ (1 - y²)\ndb = aᵀ·dv2\nda = dv2·bᵀ\n");
    assert_eq!(derived(|a, _| a.sum()), "da = broadcast_to(dy)\n");
    assert_eq!(derived(|a, _| a.broadcast_to([2, 3, 3])), "da = Σₙ dy\n");
    assert_eq!(derived(|a, b| a + b.select(0, 1)), "db = place(Σₙ dy, [1])\nda = dy\n");
    assert_eq!(derived(|a, _| a.reshape([9])), "da = reshape(dy)\n");
    assert_eq!(derived(|a, _| a.narrow(1, 1, 2)), "da = place(dy, [:, 1:3])\n");
    assert_eq!(derived(|a, _| a.select(1, 2)), "da = place(dy, [:, 2])\n");
    assert_eq!(derived(|a, _| a.pad(0, 2, 9)), "da = dy[2:5]\n");
    assert_eq!(derived(|a, b| Var::stack(&[a.clone(), b.clone()], 1)), "db = dy[:, 1]\nda = dy[:, 0]\n");
    assert_eq!(derived(|a, b| Var::concat(&[a.clone(), b.clone()], 1)), "db = dy[:, 3:6]\nda = dy[:, 0:3]\n");
    assert_eq!(derived(|a, _| a.gather_rows(&Tensor::from([2, 0]))), "da = scatter_add_rows(dy)\n");
}

#[test]
fn parentheses() {
    let name = |name: &str| Expr::name(name, [3, 3]);
    let (a, b, c) = (name("a"), name("b"), name("c"));
    let text = |x: Expr| x.to_string();
    assert_eq!(text(a.add(&b.add(&c))), "a + b + c");
    assert_eq!(text(a.sub(&b.add(&c))), "a - (b + c)");
    assert_eq!(text(a.sub(&b).sub(&c)), "a - b - c");
    assert_eq!(text(a.sub(&b.sub(&c))), "a - (b - c)");
    assert_eq!(text(a.sub(&b.neg())), "a - (-b)");
    assert_eq!(text(a.add(&b.neg())), "a - b");
    assert_eq!(text(a.add(&b.add(&c).neg())), "a - (b + c)");
    assert_eq!(text(a.neg().neg()), "-(-a)");
    assert_eq!(text(a.neg().square()), "(-a)²");
    assert_eq!(text(a.square().neg()), "-a²");
    assert_eq!(text(a.square().square()), "(a²)²");
    assert_eq!(text(a.square().transposed()), "(a²)ᵀ");
    assert_eq!(text(a.mul(&b).mul(&c)), "a ⊙ b ⊙ c");
    assert_eq!(text(a.mul(&b.mul(&c))), "a ⊙ b ⊙ c");
    assert_eq!(text(a.mul(&b.add(&c))), "a ⊙ (b + c)");
    assert_eq!(text(a.mul(&b.neg())), "a ⊙ (-b)");
    assert_eq!(text(a.mul(&b).div(&c)), "(a ⊙ b) / c");
    assert_eq!(text(a.div(&b).div(&c)), "a / b / c");
    assert_eq!(text(a.div(&b.div(&c))), "a / (b / c)");
    assert_eq!(text(a.div(&b.mul(&c))), "a / (b ⊙ c)");
    assert_eq!(text(a.div(&b.scale(2.0))), "a / (2 b)");
    assert_eq!(text(a.mul(&b).matmul_nt(&c)), "(a ⊙ b)·cᵀ");
    assert_eq!(text(a.mul(&b.matmul_tn(&c))), "a ⊙ (bᵀ·c)");
    assert_eq!(text(a.matmul_nt(&b).square()), "(a·bᵀ)²");
    assert_eq!(text(a.scale(2.0).mul(&b)), "2 a ⊙ b");
    assert_eq!(text(a.scale(-2.0).add(&b.scale(-0.5))), "-2 a - 0.5 b");
    assert_eq!(text(a.add(&b).scale(2.0)), "2 (a + b)");
    assert_eq!(text(a.one_minus()), "1 - a");
    assert_eq!(text(Value::apply(Op::Shift(-2.0), &[&a])), "a - 2");
    assert_eq!(text(a.mul(&b).sum_axis(0)), "Σₙ (a ⊙ b)");
    assert_eq!(text(a.sum_axis(0).mul(&b)), "(Σₙ a) ⊙ b");
    assert_eq!(text(a.sum_axis(1).add(&b)), "Σᵢ a + b");
    assert_eq!(text(a.add(&b).select(0, 1)), "(a + b)[1]");
    assert_eq!(text(a.select(0, 1).select(0, 2)), "a[1][2]");
    assert_eq!(text(Expr::number(-2.0).mul(&a)), "(-2) ⊙ a");
}

/// Records `steps` steps of an RNN with shared weights.
fn rnn(steps: usize) -> Derivation {
    let (wx, wh) = (Param::new("Wx", Tensor::<f64>::zeros([3, 4])), Param::new("Wh", Tensor::zeros([4, 4])));
    let b = Param::new("b", Tensor::zeros([4]));
    let tape = Tape::new();
    let mut h = tape.var(Tensor::zeros([2, 4])).named("h_init");
    for step in 1..=steps {
        tape.set_step(Some(step));
        let x = tape.var(Tensor::zeros([2, 3])).named("x");
        let t = (h.matmul(&wh) + x.matmul(&wx) + &b).named("t");
        h = t.tanh().named("h");
    }
    h.derivation().unwrap()
}

#[test]
fn one_step_of_an_rnn_is_the_textbook() {
    let tape = Tape::new();
    let (wx, wh) = (Param::new("Wx", Tensor::<f64>::zeros([3, 4])), Param::new("Wh", Tensor::zeros([4, 4])));
    let b = Param::new("b", Tensor::zeros([4]));
    let h_prev = tape.var(Tensor::zeros([2, 4])).named("h_prev");
    let x = tape.var(Tensor::zeros([2, 3])).named("x");
    let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t");
    let h_next = t.tanh().named("h_next");
    let derivation = h_next.derivation().unwrap();
    let text = "\
dt = dh_next ⊙ (1 - h_next²)
db = Σₙ dt
dWx = xᵀ·dt
dWh = h_prevᵀ·dt
dx = dt·Wxᵀ
dh_prev = dt·Whᵀ
";
    assert_eq!(derivation.to_string(), text);
    let latex = r"\begin{aligned}
dt &= dh_{\mathrm{next}} \odot \left(1 - {h_{\mathrm{next}}}^2\right) \\
db &= \sum_{n} dt \\
dW_{x} &= {x}^\top \cdot dt \\
dW_{h} &= {h_{\mathrm{prev}}}^\top \cdot dt \\
dx &= dt \cdot {W_{x}}^\top \\
dh_{\mathrm{prev}} &= dt \cdot {W_{h}}^\top
\end{aligned}
";
    assert_eq!(derivation.latex(), latex);
}

#[test]
fn shared_weights_sum_over_steps() {
    let text = "\
dt_3 = dh_3 ⊙ (1 - h_3²)
dx_3 = dt_3·Wxᵀ
dh_2 = dt_3·Whᵀ
dt_2 = dh_2 ⊙ (1 - h_2²)
dx_2 = dt_2·Wxᵀ
dh_1 = dt_2·Whᵀ
dt_1 = dh_1 ⊙ (1 - h_1²)
db = Σₙ dt_3 + Σₙ dt_2 + Σₙ dt_1
dWx = x_3ᵀ·dt_3 + x_2ᵀ·dt_2 + x_1ᵀ·dt_1
dWh = h_2ᵀ·dt_3 + h_1ᵀ·dt_2 + h_initᵀ·dt_1
dx_1 = dt_1·Wxᵀ
dh_init = dt_1·Whᵀ
";
    assert_eq!(format!("{:#}", rnn(3)), text);
}

/// The gated update of a GRU, whose `1 - z` is a number minus a variable.
#[test]
fn an_interpolation_between_two_states() {
    let tape = Tape::<f64>::new();
    let of = |name: &'static str| tape.var(Tensor::zeros([2, 4])).named(name);
    let (z, n, h_prev) = (of("z"), of("n"), of("h_prev"));
    let h_next = ((1.0 - &z) * &n + &z * &h_prev).named("h_next");
    let text = "\
dh_prev = dh_next ⊙ z
dn = dh_next ⊙ (1 - z)
dz = dh_next ⊙ h_prev - dh_next ⊙ n
";
    assert_eq!(h_next.derivation().unwrap().to_string(), text);
}

/// The cotangents of slices add up in the array that they were cut from.
#[test]
fn slices_of_one_array() {
    let tape = Tape::<f64>::new();
    let xs = tape.var(Tensor::zeros([2, 3, 4])).named("xs");
    let w = tape.var(Tensor::zeros([4, 4])).named("W");
    let steps: Vec<_> = (0..3).map(|step| xs.select(1, step).matmul(&w)).collect();
    let hs = Var::stack(&steps, 1).named("hs");
    let text = "\
dW = xs[:, 2]ᵀ·dhs[:, 2] + xs[:, 1]ᵀ·dhs[:, 1] + xs[:, 0]ᵀ·dhs[:, 0]
dxs = place(dhs[:, 2]·Wᵀ, [:, 2]) + place(dhs[:, 1]·Wᵀ, [:, 1]) + place(dhs[:, 0]·Wᵀ, [:, 0])
";
    assert_eq!(hs.derivation().unwrap().to_string(), text);
}

/// The formulas as data: what a program compares.
#[test]
fn formulas_are_values() {
    let derivation = rnn(2);
    let line = derivation.line("dt_2").unwrap();
    let (dh, h) = (Expr::name("dh_2", [2, 4]), Expr::name("h_2", [2, 4]));
    assert_eq!(line.formula, dh.mul(&h.square().one_minus()));
    let Term::Apply(Op::Mul, operands) = line.formula.term() else { panic!("{line}") };
    assert_eq!(operands[0], dh);
    assert_eq!(derivation.line("no such name"), None);
    assert_eq!(derivation, rnn(2));
    assert_ne!(derivation, rnn(3));
}

#[test]
fn latex() {
    let name = |name: &str| Expr::name(name, [3, 3]).latex();
    assert_eq!(name("x"), "x");
    assert_eq!(name("Wx"), "W_{x}");
    assert_eq!(name("dWh"), "dW_{h}");
    assert_eq!(name("dh_next"), r"dh_{\mathrm{next}}");
    assert_eq!(name("h_2"), "h_{2}");
    let (a, b) = (Expr::name("a", [3, 3]), Expr::name("b", [3, 3]));
    assert_eq!(a.mul(&b).latex(), r"a \odot b");
    assert_eq!(a.div(&b).latex(), "a / b");
    assert_eq!(a.matmul_tn(&b.add(&a)).latex(), r"{a}^\top \cdot \left(b + a\right)");
    assert_eq!(a.square().transposed().latex(), r"{\left({a}^2\right)}^\top");
    assert_eq!(a.sum_axis(0).latex(), r"\sum_{n} a");
    assert_eq!(
        Value::apply(Op::LogSoftmax { axis: 1 }, &[&a]).latex(),
        r"\operatorname{log\_softmax}\left(a\right)"
    );
    assert_eq!(a.equal(&b).latex(), "[a = b]");
    assert_eq!(a.select(1, 2).latex(), "a[:, 2]");
}

/// The gradient of each variable by evaluating the lines of a derivation in order.
fn evaluated(derivation: &Derivation, known: &[(&str, Tensor<f64>)]) -> HashMap<String, Tensor<f64>> {
    let mut known: HashMap<String, Tensor<f64>> =
        known.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    for line in &derivation.lines {
        let lookup = |name: &str| Ok(known.get(name).ok_or(Error::NotRecorded { op: "lookup" })?.clone());
        let value = line.formula.evaluate(&lookup).unwrap_or_else(|_| panic!("{line} reads an unknown name"));
        known.insert(line.name.clone(), value);
    }
    known
}

/// Runs on a stack that no recursion in proportion to `f` fits on.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(f).unwrap().join().unwrap();
}

/// 100 000 operations without a name: every line is short, all together grow with the tape, and their value is the
/// gradient.
#[test]
fn a_long_chain_without_names() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.var(Tensor::from([0.3, -0.2])).named("x");
        let mut y = x.clone();
        for i in 0..100_000 {
            y = if i % 2 == 0 { y.sin() } else { y * 1.1 };
        }
        let y = y.named("y");
        let derivation = y.derivation().unwrap();
        let (text, latex) = (derivation.to_string(), derivation.latex());
        assert!(text.lines().all(|line| line.chars().count() < 800), "a long line");
        assert!(
            text.len() < 200 * 100_000 && latex.len() < 500 * 100_000,
            "{} and {}",
            text.len(),
            latex.len()
        );
        assert!(derivation == derivation.clone() && !format!("{derivation:?}").is_empty());
        let v = Tensor::from([1.5, -0.5]);
        let known = [("x", x.value().clone()), ("y", y.value().clone()), ("dy", v.clone())];
        let found = evaluated(&derivation, &known)["dx"].clone();
        assert_close!(found, y.backward_with(&v).unwrap().get(&x).unwrap(), 1e-9, 1e-300);
        assert!(!tape.to_string().is_empty() && !format!("{tape:#}").is_empty());
        let error = tape.check_finite(&[(&y, &Tensor::from([f64::NAN, 0.0]))]).unwrap_err();
        assert!(!error.to_string().is_empty());
    });
}

/// Formulas made by hand, as deep as they come: built, written, compared, evaluated, dropped.
#[test]
fn deep_formulas_of_every_operation() {
    on_a_small_stack(|| {
        let ops: [fn(&Expr, &Expr) -> Expr; 9] = [
            |x, a| x.add(a),
            |x, a| a.sub(x),
            |x, a| x.mul(a),
            |x, a| a.div(x),
            |x, _| x.neg(),
            |x, _| x.square(),
            |x, a| a.matmul_nt(x),
            |x, a| x.masked(a, true),
            |x, _| x.softmax(1),
        ];
        for op in ops {
            let a = Expr::name("a", [1, 1]);
            let build = || (0..20_000).fold(a.clone(), |x, _| op(&x, &a));
            let x = build();
            assert!(x == build() && x != a && x.clone() == x);
            assert!(
                x.to_string().len() > 20_000 && x.latex().len() > 20_000 && format!("{x:?}").len() > 20_000
            );
            assert!(x.evaluate(&|_| Ok(Tensor::from([[0.5]]))).is_ok());
        }
    });
}

/// `x² + x`, 60 times over: written out, each node would double the text.
#[test]
fn a_value_that_is_used_more_than_once_has_a_line() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([0.3])).named("x");
    let y = (0..60).fold(x.clone(), |x, _| &x * &x * 0.5 + &x).named("y");
    let derivation = y.derivation().unwrap();
    assert!(derivation.to_string().len() < 60 * 200);
    let known = [("x", x.value().clone()), ("dy", Tensor::from([1.5]))];
    let found = evaluated(&derivation, &known)["dx"].clone();
    assert_close!(found, y.backward_with(&Tensor::from([1.5])).unwrap().get(&x).unwrap(), 1e-12, 0.0);

    // The same sharing in a formula made by hand.
    let a = Expr::name("a", [1]);
    let doubled = (0..60).fold(a.clone(), |x, _| x.mul(&x));
    assert!(doubled == (0..60).fold(a.clone(), |x, _| x.mul(&x)));
    let value = doubled.evaluate(&|_| Ok(Tensor::from([1.0 + 1e-18])));
    assert_eq!(value.unwrap(), Tensor::from([1.0]));
    assert!(doubled.to_string().contains('…'));
}

#[test]
fn lines_of_values_without_a_name() {
    let tape = Tape::<f64>::new();
    let a = tape.var(Tensor::zeros([2, 2])).named("a");
    let s = a.exp() + 1.0;
    let y = (&s * s.tanh()).named("y");
    let text = "\
v2 = exp(a) + 1
dv2 = dy ⊙ tanh(v2) + dy ⊙ v2 ⊙ (1 - tanh(v2)²)
da = dv2 ⊙ exp(a)
";
    assert_eq!(y.derivation().unwrap().to_string(), text);

    // A name that the user gave is not taken.
    let tape = Tape::<f64>::new();
    let a = tape.var(Tensor::zeros([2, 2])).named("v1");
    let s = a.exp();
    let text = "v1' = exp(v1)\ndv1' = dy ⊙ v1' + dy ⊙ v1'\ndv1 = dv1' ⊙ v1'\n";
    assert_eq!((&s * &s).named("y").derivation().unwrap().to_string(), text);
}
