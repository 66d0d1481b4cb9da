//! `f32` and `f64`, which compute with the kernels of [`gemm`] and [`simd`](crate::simd).

use std::cell::RefCell;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::simd::slices;
use crate::storage::pool::BufferPool;
use crate::{Element, Float, Isa, Matrix, MatrixMut, Scalar, gemm};

macro_rules! float {
    ($float:ident, $dtype:literal) => {
        impl Element for $float {
            fn unset() -> Self {
                $float::NAN
            }
            fn pool<R>(f: impl FnOnce(&mut BufferPool<Self>) -> R) -> Option<R> {
                thread_local! {
                    static POOL: RefCell<BufferPool<$float>> = RefCell::new(BufferPool::new());
                }
                // Nothing is kept by a thread that is ending.
                POOL.try_with(|pool| f(&mut pool.borrow_mut())).ok()
            }
        }

        impl Scalar for $float {
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn tanh(self) -> Self {
                $float::tanh(self)
            }
            fn exp(self) -> Self {
                $float::exp(self)
            }
            fn ln(self) -> Self {
                $float::ln(self)
            }
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }
            fn sin(self) -> Self {
                $float::sin(self)
            }
            fn cos(self) -> Self {
                $float::cos(self)
            }
            fn abs(self) -> Self {
                $float::abs(self)
            }
            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }
            fn gemm(
                alpha: Self,
                a: Matrix<'_, Self>,
                b: Matrix<'_, Self>,
                beta: Self,
                c: MatrixMut<'_, Self>,
            ) {
                gemm::gemm(Isa::current(), alpha, a, b, beta, c);
            }
            fn gemm_sum(terms: &[[Matrix<'_, Self>; 2]], c: MatrixMut<'_, Self>) {
                gemm::gemm_sum(Isa::current(), terms, c);
            }
            fn vectorized<R>(f: impl FnOnce() -> R) -> R {
                slices::vectorized::<Self, R>(Isa::current(), f)
            }
            fn tanh_slice(x: &mut [Self]) {
                slices::tanh(Isa::current(), x);
            }
            fn sigmoid_slice(x: &mut [Self]) {
                slices::sigmoid(Isa::current(), x);
            }
            fn exp_slice(x: &mut [Self]) {
                slices::exp(Isa::current(), x);
            }
            fn ln_slice(x: &mut [Self]) {
                slices::ln(Isa::current(), x);
            }
            fn ln_1p_exp_slice(x: &mut [Self]) {
                slices::ln_1p_exp(Isa::current(), x);
            }
            fn sin_slice(x: &mut [Self]) {
                slices::sin(Isa::current(), x);
            }
            fn cos_slice(x: &mut [Self]) {
                slices::cos(Isa::current(), x);
            }
        }

        impl Float for $float {
            const EPSILON: Self = $float::EPSILON;
            const DTYPE: &'static str = $dtype;

            fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> Self {
                StandardNormal.sample(rng)
            }
            fn uniform(low: Self, high: Self) -> Option<impl Distribution<Self>> {
                Uniform::new(low, high).ok()
            }
        }
    };
}

float!(f32, "f32");
float!(f64, "f64");
