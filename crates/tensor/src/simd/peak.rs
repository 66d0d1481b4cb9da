//! How many multiply-adds a processor can do at best, for benchmarks to be measured against.

use std::hint::black_box;
use std::time::Instant;

use super::{Level, Vector, at_level};

/// As many independent sums as hide the latency of a multiply-add, and fit into 16 registers with two operands.
const CHAINS: usize = 12;
/// Multiply-adds of each chain between two looks at the clock: some tens of microseconds.
const LENGTH: usize = 20_000;

/// The single-precision peak of one core, in GFLOP/s: multiply-adds in registers at the highest level that the
/// processor has, the fastest of the stretches that fit into `seconds` (at least one).
#[doc(hidden)]
pub fn peak_gflops(seconds: f64) -> f64 {
    let lanes = match Level::highest() {
        Level::Avx512 => 16,
        Level::Avx2 | Level::Portable => 8,
    };
    let flops = (2 * lanes * CHAINS * LENGTH) as f64;
    let clock = Instant::now();
    let mut best = f64::INFINITY;
    loop {
        let start = Instant::now();
        let mut sum = 0.0;
        let (level, out) = (Level::highest(), &mut sum);
        // SAFETY: the level is one that the processor has.
        unsafe { at_level!(level, f32, chains::<V>(out: &mut f32)) };
        black_box(sum);
        best = best.min(start.elapsed().as_secs_f64());
        if clock.elapsed().as_secs_f64() >= seconds {
            return flops / best / 1e9;
        }
    }
}

/// Chains of `x = x · a + b`, each waiting for itself only.
#[inline(always)]
unsafe fn chains<V: Vector<Lane = f32>>(out: &mut f32) {
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
            *out += sum.sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_runs_to_its_fixed_point() {
        // x = x / 2 + 1 ends at 2, in every lane of every chain.
        let mut sum = 0.0;
        // SAFETY: the portable level needs nothing.
        unsafe { chains::<super::super::F32x8>(&mut sum) };
        assert_eq!(sum, (2 * 8 * CHAINS) as f32);
        assert!(peak_gflops(0.0) > 0.0);
    }
}
