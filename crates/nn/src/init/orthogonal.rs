//! Orthogonal weights.

use rand::Rng;
use retrograde_tensor::{Float, Tensor};

/// Draws a random matrix with orthonormal columns, or orthonormal rows where it is wider than high: products with it keep
/// the length of a state, and of its cotangent. All such matrices are as likely.
///
/// It is the Q of a QR decomposition of normal samples whose R has a positive diagonal, by the modified Gram-Schmidt
/// process, done twice and in double precision.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::init;
/// use retrograde_tensor::{Tensor, assert_close};
///
/// let wh = init::orthogonal::<f64, _>([8, 8], &mut StdRng::seed_from_u64(1));
/// assert_close!(wh.t().matmul(&wh), Tensor::eye(8), 0.0, 1e-14);
/// ```
///
/// # Source
/// A. Saxe, J. McClelland and S. Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
/// networks* (2014); for the sign, F. Mezzadri, *How to generate random matrices from the classical compact groups*
/// (2007), section 5; for twice, L. Giraud et al., *Rounding error analysis of the classical Gram-Schmidt
/// orthogonalization process* (2005).
pub fn orthogonal<E: Float, R: Rng + ?Sized>([rows, columns]: [usize; 2], rng: &mut R) -> Tensor<E> {
    let (long, short) = (rows.max(columns), rows.min(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(short);
    while basis.len() < short {
        let mut q: Vec<f64> = (0..long).map(|_| f64::standard_normal(rng)).collect();
        let drawn = dot(&q, &q);
        for known in basis.iter().chain(&basis) {
            let along = dot(known, &q);
            q.iter_mut().zip(known).for_each(|(q, known)| *q -= along * known);
        }
        let rest = dot(&q, &q);
        // A sample that lies in the span of those before it adds no direction: draw another.
        if rest > 1e-20 * drawn {
            q.iter_mut().for_each(|q| *q /= rest.sqrt());
            basis.push(q);
        }
    }
    let at = |i: usize, j: usize| if rows >= columns { basis[j][i] } else { basis[i][j] };
    Tensor::from_fn([rows, columns], |index| E::from_f64(at(index[0], index[1])))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
