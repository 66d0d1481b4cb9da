//! Losses over the positions that count, against loops over positions.

use crate::common::{assert_near, normal, seeded};
use rand::RngExt;
use rand::rngs::StdRng;
use retrograde_autograd::{Tape, Var};
use retrograde_nn::{CrossEntropy, Error, binary_cross_entropy, mse};
use retrograde_tensor::{IntoShape, Shape, Tensor};

/// The loss and its gradient, times a cotangent that is not 1.
fn computed<'t>(
    tape: &'t Tape<f64>,
    x: &Tensor<f64>,
    loss: impl FnOnce(&Var<'t, f64>) -> Result<Var<'t, f64>, Error>,
) -> (f64, Tensor<f64>) {
    let x = tape.var(x.clone());
    let loss = loss(&x).unwrap();
    let grads = loss.backward_with(&Tensor::scalar(-1.75)).unwrap();
    (loss.value().item().unwrap(), grads.get(&x).unwrap().clone())
}

fn coins(shape: impl IntoShape, rng: &mut StdRng) -> Tensor<bool> {
    let mut mask = Tensor::from_fn(shape, |_| rng.random_range(0..3) > 0);
    mask.as_mut_slice()[0] = true;
    mask
}

/// `Σ m w (-ln softmax(x)[k]) / Σ m w` and `m w (softmax - onehot) / Σ m w`, position by position.
fn cross_entropy_by_hand(
    x: &Tensor<f64>,
    targets: &Tensor<usize>,
    counts: &[bool],
    weights: &[f64],
) -> (f64, Vec<f64>) {
    let total: f64 = targets.iter().zip(counts).filter(|(_, c)| **c).map(|(k, _)| weights[k]).sum();
    let (mut loss, mut gradient) = (0.0, Vec::new());
    for ((row, target), counts) in x.to_vec().chunks(weights.len()).zip(targets).zip(counts) {
        if !counts {
            gradient.extend(row.iter().map(|_| 0.0));
            continue;
        }
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        loss -= weights[target] * (row[target].exp() / sum).ln() / total;
        let onehot = |k| if k == target { 1.0 } else { 0.0 };
        let slope = |(k, x): (usize, &f64)| -1.75 * weights[target] * (x.exp() / sum - onehot(k)) / total;
        gradient.extend(row.iter().enumerate().map(slope));
    }
    (loss, gradient)
}

#[test]
fn cross_entropy_of_what_counts() {
    let mut rng = seeded(1);
    for dims in [vec![3, 4], vec![1, 1], vec![5], vec![2, 3, 2]] {
        let shape = Shape::new(&dims).unwrap();
        for case in 0..8 {
            let (ignores, masks, weighs) = (case & 1 > 0, case & 2 > 0, case & 4 > 0);
            let mut x = normal::<f64>(shape.inserted(shape.rank(), 5), 2.0, &mut rng);
            let mut targets = Tensor::from_fn(shape, |_| rng.random_range(0..5));
            targets.as_mut_slice()[0] = 1;
            let mask = coins(shape, &mut rng);
            let weights: Vec<f64> = (0..5).map(|_| rng.random_range(0.1..2.0)).collect();
            let (mut loss, mut counts) = (CrossEntropy::new(), vec![true; targets.numel()]);
            if ignores {
                loss = loss.ignored(3);
                targets.iter().zip(&mut counts).for_each(|(target, counts)| *counts &= target != 3);
            }
            if masks {
                mask.iter().zip(&mut counts).for_each(|(mask, counts)| *counts &= mask);
            }
            if weighs {
                loss = loss.weights(Tensor::from_vec(weights.clone(), [5]).unwrap()).unwrap();
            }
            for (row, _) in x.as_mut_slice().chunks_mut(5).zip(&counts).filter(|(_, counts)| !**counts) {
                row.fill(f64::NAN);
            }
            let tape = Tape::new();
            let mut count = 0;
            let (found, gradient) = computed(&tape, &x, |x| {
                let mean = loss.forward(x, &targets, masks.then_some(&mask))?;
                count = mean.count;
                Ok(mean.loss)
            });
            let weights = if weighs { weights } else { vec![1.0; 5] };
            let (expected, slopes) = cross_entropy_by_hand(&x, &targets, &counts, &weights);
            assert!((found - expected).abs() < 1e-13 * expected.abs(), "{found}, expected {expected}");
            assert_near("dx", &gradient, &Tensor::from_vec(slopes, x.shape()).unwrap(), 1e-13);
            assert_eq!(count, counts.iter().filter(|counts| **counts).count());
        }
    }
}

/// An ignored target need not be a class; any other has to be, and weights one for each class.
#[test]
fn cross_entropy_refuses() {
    let tape = Tape::<f64>::new();
    let logits = tape.var(Tensor::zeros([1, 2, 3]));
    let padded = CrossEntropy::new().ignored(99);
    let said = |loss: &CrossEntropy<f64>, targets: [usize; 2], mask: Option<[bool; 2]>| {
        let mask = mask.map(|mask| Tensor::from([mask]));
        loss.forward(&logits, &Tensor::from([targets]), mask.as_ref()).unwrap_err().to_string()
    };
    assert_eq!(padded.forward(&logits, &Tensor::from([[99, 2]]), None).unwrap().count, 1);
    assert_eq!(said(&padded, [0, 3], None), "cross_entropy: expected targets below 3, found 3 at [0, 1]");
    let nothing = "cross_entropy: expected at least one position that counts, found none of 2";
    assert_eq!(said(&padded, [99, 99], None), nothing);
    assert_eq!(said(&padded, [99, 1], Some([true, false])), nothing);
    let zero = CrossEntropy::new().weights(Tensor::from([1.0, 0.0, 1.0])).unwrap();
    assert_eq!(said(&zero, [1, 1], None), nothing);
    let short = CrossEntropy::new().weights(Tensor::from([1.0, 1.0])).unwrap();
    assert_eq!(said(&short, [1, 1], None), "cross_entropy: expected weights of shape [3], found [2]");
    let negative = CrossEntropy::new().weights(Tensor::from([1.0, -1.0])).unwrap_err().to_string();
    assert_eq!(negative, "cross_entropy: expected weights to be finite and at least 0, found -1");
    let mask = Tensor::from([true, true]);
    let wrong = padded.forward(&logits, &Tensor::from([[0, 1]]), Some(&mask)).unwrap_err().to_string();
    assert_eq!(wrong, "cross_entropy: expected mask of shape [1, 2], found [2]");
}

type Loss = for<'t> fn(&Var<'t, f64>, &Tensor<f64>, Option<&Tensor<bool>>) -> Result<Var<'t, f64>, Error>;

/// Each element's loss and slope, `f(x, z)`, over what a mask of the leading axes counts.
fn against_a_loop(loss: Loss, f: fn(f64, f64) -> (f64, f64)) {
    let mut rng = seeded(2);
    for dims in [vec![], vec![4], vec![1, 1], vec![3, 2], vec![2, 3, 4]] {
        let shape = Shape::new(&dims).unwrap();
        for leading in 0..=dims.len() {
            let mut x = normal::<f64>(shape, 3.0, &mut rng);
            let mut z = Tensor::from_fn(shape, |_| rng.random_range(0.0..=1.0));
            let mask = coins(Shape::new(&dims[..leading]).unwrap(), &mut rng);
            let width = shape.numel() / mask.numel();
            let counts = |i: usize| mask.to_vec()[i / width];
            let count = (0..shape.numel()).filter(|&i| counts(i)).count() as f64;
            let (mut expected, mut slopes) = (0.0, vec![0.0; shape.numel()]);
            for (i, slope_of) in slopes.iter_mut().enumerate() {
                if counts(i) {
                    let (loss, slope) = f(x.to_vec()[i], z.to_vec()[i]);
                    expected += loss / count;
                    *slope_of = -1.75 * slope / count;
                } else {
                    (x.as_mut_slice()[i], z.as_mut_slice()[i]) = (f64::NAN, f64::NAN);
                }
            }
            let tape = Tape::new();
            let (found, gradient) = computed(&tape, &x, |x| loss(x, &z, Some(&mask)));
            assert!((found - expected).abs() < 1e-13 * expected.abs(), "{found}, expected {expected}");
            assert_near("dx", &gradient, &Tensor::from_vec(slopes, shape).unwrap(), 1e-13);
            if mask.iter().all(|counts| counts) {
                let tape = Tape::new();
                let (whole, same) = computed(&tape, &x, |x| loss(x, &z, None));
                assert!((whole - found).abs() < 1e-14 * found.abs());
                assert_near("dx", &same, &gradient, 1e-14);
            }
        }
    }
}

#[test]
fn squared_errors_of_what_counts() {
    against_a_loop(mse, |y, target| ((y - target).powi(2), 2.0 * (y - target)));
}

#[test]
fn binary_cross_entropy_of_what_counts() {
    against_a_loop(binary_cross_entropy, |x, z| {
        let (p, q) = (1.0 / (1.0 + (-x).exp()), 1.0 / (1.0 + x.exp())); // q = 1 - p
        (-(z * p.ln() + (1.0 - z) * q.ln()), p - z)
    });
}

/// Where the definition overflows: a sure and right prediction costs nothing, a sure and wrong one its logit. At zero
/// the slope is a half less the target.
#[test]
fn binary_cross_entropy_of_extreme_logits() {
    for (x, z, loss, slope) in [
        (1e4, 1.0, 0.0, 0.0),
        (1e4, 0.0, 1e4, 1.0),
        (-1e300, 0.0, 0.0, 0.0),
        (-1e300, 1.0, 1e300, -1.0),
        (0.0, 1.0, 2.0_f64.ln(), -0.5),
        (0.0, 0.0, 2.0_f64.ln(), 0.5),
    ] {
        let tape = Tape::new();
        let found =
            computed(&tape, &Tensor::from([x]), |x| binary_cross_entropy(x, &Tensor::from([z]), None));
        assert!((found.0 - loss).abs() <= 1e-15 * loss, "{x} {z}: {}", found.0);
        assert_near("dx", &found.1, &Tensor::from([-1.75 * slope]), 1e-15);
    }
}

#[test]
fn squared_errors_and_binary_cross_entropy_refuse() {
    let tape = Tape::<f64>::new();
    let y = tape.var(Tensor::zeros([2, 3]));
    let said = |result: Result<Var<'_, f64>, Error>| result.unwrap_err().to_string();
    let targets = Tensor::from([[0.0, 0.5, 1.0], [0.0, 0.5, 1.5]]);
    assert_eq!(
        said(binary_cross_entropy(&y, &targets, None)),
        "binary_cross_entropy: expected targets to be between 0 and 1, found 1.5"
    );
    assert!(binary_cross_entropy(&y, &targets, Some(&Tensor::from([true, false]))).is_ok());
    assert_eq!(said(mse(&y, &Tensor::zeros([3]), None)), "mse: expected targets of shape [2, 3], found [3]");
    let mask = |mask: [bool; 2]| Tensor::from(mask);
    assert_eq!(
        said(mse(&y, &targets, Some(&mask([false, false])))),
        "mse: expected at least one position that counts, found none of 2"
    );
    let wide = Tensor::from([true, true, true]);
    assert_eq!(said(mse(&y, &targets, Some(&wide))), "mse: expected mask of shape [2], found [3]");
    let none = tape.var(Tensor::zeros([0, 3]));
    assert_eq!(
        said(mse(&none, &Tensor::zeros([0, 3]), None)),
        "mse: expected at least one position that counts, found none of 0"
    );
    let flat = tape.var(Tensor::zeros([2, 0]));
    assert_eq!(
        said(mse(&flat, &Tensor::zeros([2, 0]), Some(&mask([true, false])))),
        "mse: expected at least one position that counts, found none of 0"
    );
}
