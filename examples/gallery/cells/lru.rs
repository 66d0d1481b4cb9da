//! The linear recurrent unit: a complex diagonal matrix of eigenvalues within the unit circle.
//!
//! ```text
//! λ = exp(-exp(ν) + i exp(θ))    γ = √(1 - |λ|²)
//! h_t = λ ⊙ h_{t-1} + γ ⊙ B x_t
//! y_t = Re(C h_t) + D x_t
//! ```
//! The columns of `B` are the real and the imaginary part, K each, the rows of `C` the real part and the negated imaginary one.
//!
//! # Source
//! A. Orvieto et al., *Resurrecting recurrent neural networks for long sequences* (2023), section 3.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

module!(pub(crate) struct Lru { b, nu, theta, c, d } with { re, im, gain }); // ν, θ [K], B [D, 2K], C [2K, H], D [D, H]

impl<E: Float> Cell<E> for Lru<E> {
    type State = [Tensor<E>; 2];

    fn initial_state(&self, n: usize) -> Self::State {
        [(); 2].map(|()| Tensor::zeros([n, self.nu.shape()[0]]))
    }
    fn prepare(&self, tape: &Tape<E>) {
        let (size, angle) = ((-tape.param(&self.nu).exp()).exp(), tape.param(&self.theta).exp());
        self.re.bind(&(&size * angle.cos()));
        self.im.bind(&(&size * angle.sin()));
        self.gain.bind(&(1.0 - size.square()).sqrt());
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        let (last, tape) = (x.shape().rank() - 1, x.tape());
        let gain = tape.operand(&self.gain);
        Var::concat(&[x.matmul(&self.b) * Var::concat(&[gain.clone(), gain], 0), x.matmul(&self.d)], last)
    }
    fn step<'t>(&self, x: &Var<'t, E>, [re, im]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let k = self.nu.shape()[0];
        let next_re = re * &self.re - im * &self.im + x.narrow(1, 0, k);
        let next_im = im * &self.re + re * &self.im + x.narrow(1, k, k);
        [next_re, next_im]
    }
    fn output<'t>(&self, x: &Var<'t, E>, h: &[Var<'t, E>; 2]) -> Var<'t, E> {
        let ([k, h_size], h) = ([self.nu.shape()[0], self.d.shape()[1]], Var::concat(h, 1));
        h.matmul(&self.c) + x.narrow(1, 2 * k, h_size)
    }
}

impl<E: Float> Lru<E> {
    /// A cell of `k` eigenvalues of size 0.9 to 0.99, all around the circle, for an output of `h`.
    pub(crate) fn new(d: usize, k: usize, h: usize, rng: &mut impl Rng) -> Self {
        let spread = |name, f: fn(f64) -> f64| {
            let at = |i: usize| f((i as f64 + 0.5) / k as f64);
            Param::new(name, Tensor::from_fn([k], |index| E::from_f64(at(index[0]))))
        };
        let nu = spread("nu", |u| (-(0.9 + 0.09 * u).ln()).ln());
        let theta = spread("theta", |u| (std::f64::consts::PI * u).ln());
        let (b, c) = (weight("B", [d, 2 * k], rng), weight("C", [2 * k, h], rng));
        let [re, im, gain] = ["re", "im", "gain"].map(Placeholder::new);
        Lru { nu, theta, b, c, d: weight("D", [d, h], rng), re, im, gain }
    }
}
