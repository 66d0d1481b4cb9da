//! Initial values: their moments, their bounds, and what defines them.

use crate::common::{assert_near, seeded};
use rand::rngs::StdRng;
use retrograde_nn::init;
use retrograde_tensor::Tensor;

/// Mean, standard deviation, least and greatest of samples.
fn moments(x: &Tensor<f64>) -> [f64; 4] {
    let (x, count) = (x.to_vec(), x.numel() as f64);
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let least = x.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [mean, variance.sqrt(), least, greatest]
}

type Init = fn([usize; 2], &mut StdRng) -> Tensor<f64>;

/// For 300 inputs and 200 outputs: the bound of the uniform ones and the standard deviation of the normal ones, by
/// `calculate_gain` and the formulas of `torch.nn.init`.
#[test]
fn samples_have_the_scale_of_their_formula() {
    let uniform: [(&str, Init, f64); 3] = [
        ("uniform", |shape, rng| init::uniform(shape, 200, rng), 1.0 / 200.0_f64.sqrt()),
        ("xavier", |shape, rng| init::xavier_uniform(shape, rng), (6.0 / 500.0_f64).sqrt()),
        ("kaiming", |shape, rng| init::kaiming_uniform(shape, rng), (6.0 / 300.0_f64).sqrt()),
    ];
    for (name, init, bound) in uniform {
        let x = init([300, 200], &mut seeded(1));
        assert_eq!(x.dims(), [300, 200]);
        let [mean, std, least, greatest] = moments(&x);
        assert!(least >= -bound && least < -0.999 * bound, "{name}: {least} of {bound}");
        assert!(greatest <= bound && greatest > 0.999 * bound, "{name}: {greatest} of {bound}");
        assert!(mean.abs() < 0.01 * bound, "{name}: mean {mean}");
        assert!((std * 3.0_f64.sqrt() / bound - 1.0).abs() < 0.01, "{name}: deviation {std}");
    }
    let normal: [(&str, Init, f64); 3] = [
        ("lecun", |shape, rng| init::normal(shape, 300, rng), 1.0 / 300.0_f64.sqrt()),
        ("xavier", |shape, rng| init::xavier_normal(shape, rng), (2.0 / 500.0_f64).sqrt()),
        ("kaiming", |shape, rng| init::kaiming_normal(shape, rng), (2.0 / 300.0_f64).sqrt()),
    ];
    for (name, init, expected) in normal {
        let [mean, std, _, greatest] = moments(&init([300, 200], &mut seeded(2)));
        assert!(mean.abs() < 0.02 * expected, "{name}: mean {mean}");
        assert!((std / expected - 1.0).abs() < 0.01, "{name}: deviation {std}, expected {expected}");
        assert!(greatest > 3.0 * expected, "{name}: no tail");
    }
}

#[test]
fn orthogonal_columns_or_rows() {
    for [rows, columns] in [[1, 1], [7, 7], [9, 4], [4, 9], [1, 5], [5, 1], [60, 60], [0, 3], [3, 0]] {
        let q = init::orthogonal::<f64, _>([rows, columns], &mut seeded(3));
        assert_eq!(q.dims(), [rows, columns]);
        let short = rows.min(columns);
        let product = if rows >= columns { q.t().matmul(&q) } else { q.matmul(&q.t()) };
        if short > 0 {
            assert_near("QᵀQ", &product, &Tensor::eye(short), 1e-14);
        }
        let single = init::orthogonal::<f32, _>([rows, columns], &mut seeded(3));
        assert_eq!(single, q.map(|x| x as f32));
    }
}

/// A QR decomposition without its signs corrected favours one side: Householder's, say, gives only reflections in two
/// dimensions.
#[test]
fn orthogonal_matrices_are_as_likely_as_their_reflections() {
    let mut rng = seeded(4);
    let (mut positive, mut first) = (0, 0);
    for _ in 0..2000 {
        let q = init::orthogonal::<f64, _>([2, 2], &mut rng);
        positive += usize::from(q.at(&[0, 0]) * q.at(&[1, 1]) > q.at(&[0, 1]) * q.at(&[1, 0]));
        first += usize::from(q.at(&[0, 0]) > 0.0);
    }
    // Within four standard deviations, sqrt(2000) / 2 each.
    assert!((910..=1090).contains(&positive), "{positive} rotations of 2000");
    assert!((910..=1090).contains(&first), "{first} positive corners of 2000");
}

/// The first column is the direction of the first sample, whose sign is not turned.
#[test]
fn the_first_column_is_that_of_the_samples() {
    let q = init::orthogonal::<f64, _>([5, 3], &mut seeded(5));
    let drawn = Tensor::<f64>::normal([5], 0.0, 1.0, &mut seeded(5)).unwrap();
    let norm = drawn.square().sum().sqrt();
    assert_near("q", &q.select(1, 0), &(drawn / norm), 1e-15);
}
