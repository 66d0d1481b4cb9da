//! The convolution over time, against the sums of its definition.

use crate::common::{assert_near, normal, perturb, seeded};
use retrograde_autograd::{Param, Tape};
use retrograde_check::Check;
use retrograde_nn::{Conv1d, Module, linear_scan};
use retrograde_tensor::Tensor;

/// `[N, T, K, D, V]`: single ones, kernels longer than the sequence, nothing.
const SIZES: [[usize; 5]; 8] = [
    [1, 1, 1, 1, 1],
    [2, 5, 3, 3, 4],
    [3, 2, 5, 2, 1],
    [1, 1, 4, 1, 3],
    [1, 7, 2, 1, 3],
    [0, 3, 2, 2, 2],
    [2, 0, 3, 2, 2],
    [2, 3, 2, 0, 2],
];

/// Sums of products of single numbers.
fn naive(xs: &Tensor<f64>, w: &Tensor<f64>, b: &Tensor<f64>) -> Tensor<f64> {
    let (&[n, steps, d], &[k, _, v]) = (xs.dims(), w.dims()) else { panic!("three axes each") };
    Tensor::from_fn([n, steps, v], |at| {
        let mut sum = b.at(&[at[2]]);
        for tap in 0..k {
            let Some(step) = (at[1] + tap + 1).checked_sub(k) else { continue };
            sum += (0..d).map(|i| xs.at(&[at[0], step, i]) * w.at(&[tap, i, at[2]])).sum::<f64>();
        }
        sum
    })
}

#[test]
fn each_output_is_the_sum_of_its_definition() {
    for (seed, [n, steps, k, d, v]) in (0..).zip(SIZES) {
        let rng = &mut seeded(seed);
        let conv = Conv1d::<f64>::new(k, d, v, rng);
        perturb(&conv, rng);
        // A view whose steps come first in memory.
        let xs = normal([steps, n, d], 1.0, rng).transpose(0, 1);
        let tape = Tape::new();
        let ys = conv.forward(&tape.var(xs.clone())).unwrap();
        let expected = naive(&xs, &conv.w.value(), &conv.b.value());
        assert_near("ys", ys.value(), &expected, 1e-14);
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (seed, [n, steps, k, d, v]) in (0..).zip(SIZES) {
        let rng = &mut seeded(seed);
        let conv = Conv1d::new(k, d, v, rng);
        perturb(&conv, rng);
        let check = Check::new().input("xs", normal([n, steps, d], 1.0, rng));
        let check = check.param("W", &conv.w).param("b", &conv.b);
        let report = check.run(|_, x| Ok([("ys", conv.forward(&x["xs"])?)].into()));
        match report {
            Ok(report) => report.assert_ok(),
            Err(error) => assert!(n * steps * d == 0, "{error}"),
        }
    }
}

/// A quasi-recurrent network (J. Bradbury et al., 2017) against its loop over single numbers.
#[test]
fn a_quasi_recurrent_network_is_its_loop() {
    let [n, steps, k, d, h] = [2, 6, 3, 2, 3];
    for seed in 0..5 {
        let rng = &mut seeded(seed);
        let conv = Conv1d::<f64>::new(k, d, 2 * h, rng);
        perturb(&conv, rng);
        let xs = normal([n, steps, d], 1.0, rng);
        let tape = Tape::new();
        let [z, f] = conv.forward(&tape.var(xs.clone())).unwrap().chunk(2);
        let f = f.sigmoid();
        let hs = linear_scan(&f, &((1.0 - &f) * z.tanh()), None).unwrap();
        let gates = naive(&xs, &conv.w.value(), &conv.b.value());
        let mut states = Tensor::<f64>::zeros([n, h]);
        let mut expected = Tensor::zeros([n, steps, h]);
        for step in 0..steps {
            states = Tensor::from_fn([n, h], |at| {
                let [z, f] = [0, h].map(|first| gates.at(&[at[0], step, first + at[1]]));
                let f = 1.0 / (1.0 + (-f).exp());
                f * states.at(at) + (1.0 - f) * z.tanh()
            });
            expected.set_at(1, step, &states.unsqueeze(1));
        }
        assert_near("hs", hs.value(), &expected, 1e-13);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let said = |w: &[usize], b: usize, xs: &[usize]| {
        let zeros = |dims: &[usize]| Tensor::<f32>::zeros(retrograde_tensor::Shape::new(dims).unwrap());
        let conv = match Conv1d::from_params(Param::new("W", zeros(w)), Param::new("b", zeros(&[b]))) {
            Ok(conv) => conv,
            Err(error) => return error.to_string(),
        };
        conv.forward(&Tape::new().var(zeros(xs))).unwrap_err().to_string()
    };
    for (w, b, xs, text) in [
        (&[2, 3][..], 3, &[1, 1, 2][..], "conv1d: expected w of shape [K, D, V], found [2, 3]"),
        (&[2, 3, 4], 3, &[1, 1, 3], "conv1d: expected b of shape [4], found [3]"),
        (&[2, 3, 4], 4, &[1, 5, 2], "conv1d: expected xs of shape [N, T, 3], found [1, 5, 2]"),
        (&[2, 3, 4], 4, &[5, 3], "conv1d: expected xs of shape [N, T, 3], found [5, 3]"),
        (
            &[0, 3, 4],
            4,
            &[1, 5, 3],
            "conv1d: expected a kernel of at least one step, found a weight of shape [0, 3, 4]",
        ),
    ] {
        assert_eq!(said(w, b, xs), text);
    }
    let conv = Conv1d::<f64>::new(2, 3, 4, &mut seeded(1));
    assert_eq!(conv.named_params().into_iter().map(|(path, _)| path).collect::<Vec<_>>(), ["w", "b"]);
}
