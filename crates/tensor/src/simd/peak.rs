//! The peak rate of a processor's multiply-adds, which benchmarks are measured against.

use std::hint::black_box;
use std::time::Instant;

use super::{Isa, Kernel, Lane, Vector};

/// Independent sums, enough to hide the latency of a multiply-add, and fit into 16 registers with two operands.
const CHAINS: usize = 12;
/// Multiply-adds of each chain between two looks at the clock: some tens of microseconds.
const LENGTH: usize = 20_000;

/// Measures the single-precision peak of one core, in GFLOP/s: multiply-adds in registers at the highest level that the
/// processor has, the fastest of the stretches that fit into `seconds` (at least one).
#[doc(hidden)]
pub fn peak_gflops(seconds: f64) -> f64 {
    let clock = Instant::now();
    let mut best = f64::INFINITY;
    loop {
        let start = Instant::now();
        let (mut sum, mut lanes) = (0.0, 0);
        // SAFETY: the processor has the level.
        unsafe { f32::dispatch(Isa::highest(), Chains { sum: &mut sum, lanes: &mut lanes }) };
        black_box(sum);
        best = best.min(start.elapsed().as_secs_f64());
        if clock.elapsed().as_secs_f64() >= seconds {
            return (2 * lanes * CHAINS * LENGTH) as f64 / best / 1e9;
        }
    }
}

/// Chains of `x = x · a + b`, each waiting for itself only.
struct Chains<'o> {
    /// Of all lanes of all chains.
    sum: &'o mut f32,
    /// Numbers in a register.
    lanes: &'o mut usize,
}

impl Kernel<f32> for Chains<'_> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = f32>>(self) {
        *self.lanes = V::LANES;
        // SAFETY: the caller has the level of `V`.
        unsafe {
            let (a, b) = (V::splat(black_box(0.5)), V::splat(black_box(1.0)));
            // Different beginnings that the compiler does not know, or it would compute one chain only.
            let mut sums: [V; CHAINS] = std::array::from_fn(|i| V::splat(black_box(i as f32)));
            for _ in 0..LENGTH {
                for sum in &mut sums {
                    *sum = sum.mul_add(a, b);
                }
            }
            for sum in sums {
                *self.sum += sum.sum();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_runs_to_its_fixed_point() {
        for isa in Isa::available() {
            let (mut sum, mut lanes) = (0.0, 0);
            // SAFETY: the processor has the level.
            unsafe { f32::dispatch(isa, Chains { sum: &mut sum, lanes: &mut lanes }) };
            // x = x / 2 + 1 ends at 2, in every lane of every chain.
            assert_eq!(sum, (2 * lanes * CHAINS) as f32, "{isa}");
        }
        assert!(peak_gflops(0.0) > 0.0);
    }
}
