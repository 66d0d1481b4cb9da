//! Transcendental functions of a register: argument reduction, a series, and what happens at the ends.
//!
//! Largest errors, in units in the last place (ulp) of the exact result:
//!
//! | | `f32`, portable | `f32`, the others | `f64`, portable | `f64`, the others |
//! |---|---|---|---|---|
//! | `exp` | 0.864 | 0.844 | 0.841 | 0.839 |
//! | `tanh` | 1.805 | 1.787 | 1.808 | 1.709 |
//! | `sigmoid` | 1.967 | 1.967 | 1.813 | 1.813 |
//! | `ln` | 0.835 | 0.829 | 0.820 | 0.812 |
//! | `ln_1p_exp` | 1.626 | 1.626 | 1.626 | 1.626 |
//!
//! `f32` was measured over all numbers (`ln_1p_exp` over every seventh), `f64` over four million of them, of every exponent
//! and more where the functions bend, against double-double arithmetic.

use super::Vector;

/// Constants of a number format.
pub(crate) trait Format: Copy {
    /// `ln 2` in two parts, the first with enough trailing zeros that its products with exponents are exact.
    const LN_2: [f64; 2];
    /// Beyond these, `exp` is infinite or zero.
    const EXP_RANGE: [f64; 2];
    /// The smallest normal number, and `2ᵏ` and `k` that bring any subnormal number above it.
    const SMALLEST_NORMAL: f64;
    const LIFT: [f64; 2];
    /// Terms of the series of `exp` after `1 + r`, and of `ln` in `s²`.
    const EXP_TERMS: usize;
    const LN_TERMS: usize;
}

impl Format for f32 {
    const LN_2: [f64; 2] = [0.693_359_375, -2.121_944_400_546_905_8e-4];
    const EXP_RANGE: [f64; 2] = [-105.0, 89.0];
    const SMALLEST_NORMAL: f64 = f32::MIN_POSITIVE as f64;
    const LIFT: [f64; 2] = [16_777_216.0, 24.0];
    const EXP_TERMS: usize = 7;
    const LN_TERMS: usize = 5;
}

impl Format for f64 {
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    const EXP_RANGE: [f64; 2] = [-746.0, 710.0];
    const SMALLEST_NORMAL: f64 = f64::MIN_POSITIVE;
    const LIFT: [f64; 2] = [18_014_398_509_481_984.0, 54.0];
    const EXP_TERMS: usize = 13;
    const LN_TERMS: usize = 11;
}

/// `1/k!`, in a table: a compiler that does not unroll a series would divide in each turn.
pub(super) const INVERSE_FACTORIALS: [f64; 19] = {
    let (mut table, mut factorial, mut k) = ([1.0; 19], 1.0, 1);
    while k < table.len() {
        // Exact: 18! < 2⁵³.
        factorial *= k as f64;
        table[k] = 1.0 / factorial;
        k += 1;
    }
    table
};

/// `n` and `eʳ - 1`, where `x = n ln 2 + r` and `|r| <= ln 2 / 2`.
#[inline(always)]
unsafe fn reduced<V: Vector<Lane: Format>>(x: V) -> (V, V) {
    // SAFETY: the caller has the level of `V`; likewise below.
    unsafe {
        let n = x.mul(V::from_f64(std::f64::consts::LOG2_E)).round();
        let exact = n.mul_add(V::from_f64(-V::Lane::LN_2[0]), x);
        let r = n.mul_add(V::from_f64(-V::Lane::LN_2[1]), exact);
        // What r lost to rounding, by which eʳ - 1 grows as r does, nearly.
        let lost = n.mul_add(V::from_f64(-V::Lane::LN_2[1]), exact.sub(r));
        // r + r² (1/2! + r/3! + r²/4! + ..), the series of eʳ - 1
        let mut series = V::from_f64(INVERSE_FACTORIALS[V::Lane::EXP_TERMS + 1]);
        for k in (2..V::Lane::EXP_TERMS + 1).rev() {
            series = series.mul_add(r, V::from_f64(INVERSE_FACTORIALS[k]));
        }
        (n, r.mul(r).mul_add(series, lost).add(r))
    }
}

/// `(x + x₁) / (whole + part + part₁)` for a divisor from 1 to 2, as if the divisor had not been rounded. `x₁` and
/// `part₁` are what `x` and `part` lost to rounding.
#[inline(always)]
unsafe fn quotient<V: Vector<Lane: Format>>(x: [V; 2], whole: V, part: [V; 2]) -> V {
    unsafe {
        let divisor = part[0].add(whole);
        let lost = part[0].sub(divisor.sub(whole)).add(part[1]);
        let q = x[0].div(divisor);
        // 3/2 - d/2 is near enough to 1/d for so small a correction.
        let inverse = divisor.mul_add(V::from_f64(-0.5), V::from_f64(1.5));
        q.sub(q.mul(lost).sub(x[1]).mul(inverse))
    }
}

/// `eˣ`.
#[inline(always)]
pub(super) unsafe fn exp<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let high = V::from_f64(V::Lane::EXP_RANGE[1]);
        exp_below(high.min(x))
    }
}

/// `eˣ` where it is finite.
#[inline(always)]
unsafe fn exp_below<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let low = V::from_f64(V::Lane::EXP_RANGE[0]);
        let (n, y) = reduced(low.max(x));
        y.add(V::from_f64(1.0)).scale(n)
    }
}

/// `tanh |x| = -t / (2 + t)` with `t = exp(-2 |x|) - 1`, which keeps its digits near 0.
#[inline(always)]
pub(super) unsafe fn tanh<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let one = V::from_f64(1.0);
        // From 20 on, the result is 1 in either format.
        let limit = V::from_f64(20.0);
        let (n, y) = reduced(limit.min(x.abs()).mul(V::from_f64(-2.0)));
        let power = V::power_of_two(n);
        // Scaling by a power of 2 is exact, and so is 2ⁿ - 1.
        let (most, rest) = (power.sub(one), y.mul(power));
        let t = rest.add(most);
        let t = [t, rest.sub(t.sub(most))];
        quotient(t, V::from_f64(2.0), t).abs().copy_sign(x)
    }
}

/// `1 / (1 + e)` or `e / (1 + e)` with `e = exp(-|x|)`, whichever is small when the result is.
#[inline(always)]
pub(super) unsafe fn sigmoid<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let zero = V::from_f64(0.0);
        let one = V::from_f64(1.0);
        let e = exp_below(x.abs().neg());
        quotient([V::select(x.less(zero), e, one), zero], one, [e, zero])
    }
}

/// `ln(2ᵉ (1 + f)) = e ln 2 + 2 artanh s` with `s = f / (2 + f)`, for `1 + f` from `√½` to `√2`.
///
/// # Source
/// The order of summation that keeps the digits is that of K. Ng's `log` in FDLIBM (1993).
#[inline(always)]
unsafe fn ln_near<V: Vector<Lane: Format>>(e: V, f: V) -> V {
    unsafe {
        let s = f.div(f.add(V::from_f64(2.0)));
        let z = s.mul(s);
        // 2 z (1/3 + z/5 + z²/7 + ..)
        let mut series = V::from_f64(2.0 / (2 * V::Lane::LN_TERMS + 1) as f64);
        for k in (1..V::Lane::LN_TERMS).rev() {
            series = series.mul_add(z, V::from_f64(2.0 / (2 * k + 1) as f64));
        }
        let half_square = f.mul(f).mul(V::from_f64(0.5));
        let small = s.mul(series.mul_add(z, half_square));
        let small = e.mul_add(V::from_f64(V::Lane::LN_2[1]), small);
        e.mul_add(V::from_f64(V::Lane::LN_2[0]), f.sub(half_square.sub(small)))
    }
}

/// `ln x = ln(2ᵉ (1 + f))` with `x = m · 2ᵉ` and `f = m - 1`.
#[inline(always)]
pub(super) unsafe fn ln<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let zero = V::from_f64(0.0);
        let subnormal = x.less(V::from_f64(V::Lane::SMALLEST_NORMAL));
        let lifted = V::select(subnormal, x.mul(V::from_f64(V::Lane::LIFT[0])), x);
        let (m, e) = lifted.split();
        let e = V::select(subnormal, e.sub(V::from_f64(V::Lane::LIFT[1])), e);
        let y = ln_near(e, m.sub(V::from_f64(1.0)));
        // ln of 0 is -∞, of less NaN, of ∞ and NaN itself.
        let infinite = V::from_f64(f64::INFINITY);
        let y = V::select(x.less(infinite), y, x);
        let at_zero = V::from_f64(f64::NEG_INFINITY);
        let below = V::select(x.less(zero), V::from_f64(f64::NAN), at_zero);
        V::select(zero.less(x), y, V::select(x.less(infinite), below, x))
    }
}

/// `max(x, 0) + ln(1 + e)` with `e = exp(-|x|)`, which keeps its digits where it is small.
#[inline(always)]
pub(super) unsafe fn ln_1p_exp<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let (zero, one) = (V::from_f64(0.0), V::from_f64(1.0));
        let e = exp_below(x.abs().neg());
        // 1 + e = 2ᵏ (1 + f)
        let above = V::from_f64(std::f64::consts::SQRT_2 - 1.0).less(e);
        let k = V::select(above, one, zero);
        let f = V::select(above, e.sub(one).mul(V::from_f64(0.5)), e);
        V::select(zero.less(x), x, zero).add(ln_near(k, f))
    }
}
