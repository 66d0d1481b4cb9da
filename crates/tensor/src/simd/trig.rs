//! Sine and cosine of a register of `f64`, for elements of either precision.
//!
//! `f32` is computed in `f64` as well, with fewer terms: that takes no longer than to make up for what `f32` loses, and all
//! but a few results are the nearest numbers. Largest errors, in units in the last place of the exact result:
//!
//! | | `f32` | `f64`, portable | `f64`, the others |
//! |---|---|---|---|
//! | `sin` | < 0.51 | 0.781 | 0.781 |
//! | `cos` | < 0.51 | 0.785 | 0.785 |

use super::math::polynomial;
use super::{Format, Vector};

/// From here on, the number of quarter turns takes more digits than `QUARTER_TURN` leaves room for.
pub(super) const LIMIT: f64 = (1 << 20) as f64;

/// `π/2` in four parts, of which all but the last have 33 digits, so that their products with numbers of quarter turns are exact.
///
/// # Source
/// W. Cody and W. Waite, *Software manual for the elementary functions* (1980); the parts are those that FDLIBM has (1993).
const QUARTER_TURN: [f64; 4] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
    8.478_427_660_368_9e-32,
];

/// `1/k!`, in a table: a compiler that does not unroll a series would divide in each turn.
const INVERSE_FACTORIALS: [f64; 19] = {
    let (mut table, mut factorial, mut k) = ([1.0; 19], 1.0, 1);
    while k < table.len() {
        // Exact: 18! < 2⁵³.
        factorial *= k as f64;
        table[k] = 1.0 / factorial;
        k += 1;
    }
    table
};

/// `(sin(r) / r - 1) / r²` in `r²`, for `|r| <= π/2`, within 2⁻³⁵ of the sine; computed as the coefficients of [`Format`].
const SINE: [f64; 5] = [
    -0.166_666_666_261_165_52,
    0.008_333_331_107_183_67,
    -0.000_198_408_680_207_434_56,
    2.752_537_452_901_86e-6,
    -2.388_873_164_470_941e-8,
];

/// `sin(x + quarters · π/2)` for `0 <= x < LIMIT` and `quarters` 0 or 1, to the precision of `E`.
#[inline(always)]
pub(super) unsafe fn sine<V: Vector<Lane = f64>, E: Format>(x: V, quarters: f64) -> V {
    // SAFETY: the caller has the level of `V`; likewise below.
    unsafe {
        if size_of::<E>() == size_of::<f64>() { sine_double(x, quarters) } else { sine_single(x, quarters) }
    }
}

/// As [`sine`], to single precision.
#[inline(always)]
unsafe fn sine_single<V: Vector<Lane = f64>>(x: V, quarters: f64) -> V {
    unsafe {
        // x + quarters · π/2 = r + halves · π
        let halves = x.mul_add(V::from_f64(std::f64::consts::FRAC_1_PI), V::from_f64(0.5 * quarters)).round();
        let n = halves.mul_add(V::from_f64(2.0), V::from_f64(-quarters));
        let first = n.mul_add(V::from_f64(-QUARTER_TURN[0]), x);
        let r = n.mul_add(V::from_f64(-QUARTER_TURN[1]), first);
        let z = r.mul(r);
        let y = polynomial(&SINE, z, z.mul(z)).mul(z).mul_add(r, r);
        // Odd numbers of half turns change the sign: 1 - 2 |odd|.
        let odd = halves.mul(V::from_f64(0.5)).round().mul_add(V::from_f64(-2.0), halves).abs();
        y.mul(odd.mul_add(V::from_f64(-2.0), V::from_f64(1.0)))
    }
}

/// As [`sine`], to double precision.
#[inline(always)]
unsafe fn sine_double<V: Vector<Lane = f64>>(x: V, quarters: f64) -> V {
    unsafe {
        let n = x.mul(V::from_f64(std::f64::consts::FRAC_2_PI)).round();
        // r + lost = x - n π/2
        let first = n.mul_add(V::from_f64(-QUARTER_TURN[0]), x);
        let second = n.mul(V::from_f64(QUARTER_TURN[1]));
        let r = first.sub(second);
        let third = n.mul(V::from_f64(QUARTER_TURN[2]));
        let next = r.sub(third);
        let lost = first.sub(r).sub(second).add(r.sub(next).sub(third));
        let lost = n.mul(V::from_f64(QUARTER_TURN[3])).neg().add(lost);
        let r = next.add(lost);
        let lost = next.sub(r).add(lost);
        let z = r.mul(r);
        // 1 - z/2, and what it lost
        let half = z.mul(V::from_f64(0.5));
        let near = V::from_f64(1.0).sub(half);
        // With w = -z: (sin r - r) / (w r) = 1/3! + w/5! + .., (cos r - 1 + z/2) / z² = 1/4! + w/6! + ..
        let (mut odd, mut even) = (V::from_f64(0.0), V::from_f64(0.0));
        let w = z.neg();
        for k in (1..9).rev() {
            even = even.mul_add(w, V::from_f64(INVERSE_FACTORIALS[2 * k + 2]));
            odd = odd.mul_add(w, V::from_f64(INVERSE_FACTORIALS[2 * k + 1]));
        }
        let sin = lost.mul_add(near, w.mul(r).mul(odd));
        let cos = V::from_f64(1.0).sub(near).sub(half).add(r.mul(lost).neg().add(z.mul(z).mul(even)));
        let (sin, cos) = (r.add(sin), near.add(cos));
        // The quarter: 0, ±1 or ±2.
        let turns = n.add(V::from_f64(quarters));
        let quarter = turns.mul(V::from_f64(0.25)).round().mul_add(V::from_f64(-4.0), turns);
        let one = V::from_f64(1.0);
        let from_one = quarter.abs().sub(one).abs();
        let y = V::select(from_one.less(V::from_f64(0.5)), cos, sin);
        // Half a turn is in quarters 2, -1 and -2.
        let turned = one.less(quarter.sub(V::from_f64(0.5)).abs());
        V::select(turned, y.neg(), y)
    }
}
