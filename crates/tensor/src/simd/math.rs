//! Transcendental functions of a register: argument reduction, a series, and what happens at the ends.
//!
//! Largest errors, in units in the last place (ulp) of the exact result:
//!
//! | | `f32`, portable | `f32`, the others | `f64`, portable | `f64`, the others |
//! |---|---|---|---|---|
//! | `exp` | 0.780 | 0.777 | 0.746 | 0.746 |
//! | `tanh` | 1.353 | 1.334 | 1.290 | 1.290 |
//! | `sigmoid` | 1.967 | 1.967 | 1.813 | 1.813 |
//! | `ln` | 0.840 | 0.829 | 0.821 | 0.784 |
//! | `ln_1p_exp` | 1.707 | 1.707 | 1.678 | 1.690 |
//!
//! `f32` was measured over all numbers, `f64` over four million, of every exponent and more where the functions bend, against
//! double-double arithmetic.

use super::{Format, Vector};

/// `n`, `r`, and `r` before what `n` takes of its last digits, which is exact; where `x = n ln 2 + r` and `|r| <= ln 2 / 2`.
#[inline(always)]
unsafe fn reduced<V: Vector<Lane: Format>>(x: V) -> (V, V, V) {
    // SAFETY: the caller has the level of `V`; likewise below.
    unsafe {
        let n = x.mul(V::from_f64(std::f64::consts::LOG2_E)).round();
        let exact = n.mul_add(V::from_f64(-V::Lane::LN_2[0]), x);
        (n, n.mul_add(V::from_f64(-V::Lane::LN_2[1]), exact), exact)
    }
}

/// `eʳ - 1 - r`, and something small added to it.
#[inline(always)]
unsafe fn exp_series<V: Vector<Lane: Format>>(r: V, small: V) -> V {
    unsafe {
        let square = r.mul(r);
        square.mul_add(polynomial(V::Lane::EXP, r, square), small)
    }
}

/// `c₀ + c₁ x + c₂ x² + ..` for at least three coefficients. The odd and the even powers are summed side by side, which
/// halves the time that one step waits for another.
#[inline(always)]
pub(super) unsafe fn polynomial<V: Vector>(c: &[f64], x: V, square: V) -> V {
    unsafe {
        let (mut odd, mut even) = (V::from_f64(0.0), V::from_f64(0.0));
        for k in (1..c.len()).rev() {
            let sum = if k % 2 == 1 { &mut odd } else { &mut even };
            let term = V::from_f64(c[k]);
            *sum = if k + 2 < c.len() { sum.mul_add(square, term) } else { term };
        }
        even.mul_add(x, odd).mul_add(x, V::from_f64(c[0]))
    }
}

/// `eˣ`.
#[inline(always)]
pub(super) unsafe fn exp<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let [low, high] = V::Lane::EXP_RANGE;
        let (n, y) = exp_parts(V::from_f64(low).max(V::from_f64(high).min(x)));
        y.scale(n)
    }
}

/// `e⁻ˣ` for `x >= 0`.
#[inline(always)]
unsafe fn exp_minus<V: Vector<Lane: Format>>(x: V) -> V {
    /// `2ᵏ` and `k`, by which the least powers are normal numbers.
    const LIFT: [f64; 2] = [(1_u128 << 64) as f64, 64.0];
    unsafe {
        let (n, y) = exp_parts(V::from_f64(V::Lane::EXP_RANGE[0]).max(x.neg()));
        y.mul(V::power_of_two(n.add(V::from_f64(LIFT[1])))).mul(V::from_f64(1.0 / LIFT[0]))
    }
}

/// `n` and `y` with `eˣ = 2ⁿ y`, and `y` from `√½` to `√2`.
#[inline(always)]
unsafe fn exp_parts<V: Vector<Lane: Format>>(x: V) -> (V, V) {
    unsafe {
        let one = V::from_f64(1.0);
        let (n, r, exact) = reduced(x);
        // 1 + r, and what it lost to rounding
        let high = one.add(exact);
        let low = n.mul_add(V::from_f64(-V::Lane::LN_2[1]), exact.sub(high.sub(one)));
        (n, exp_series(r, low).add(high))
    }
}

/// `tanh |x| = 1 - 2 / (e^2|x| + 1)`; a polynomial where it is less than 1/2, which keeps the digits near 0.
///
/// # Source
/// W. Cody and W. Waite, *Software manual for the elementary functions* (1980).
#[inline(always)]
pub(super) unsafe fn tanh<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let (one, two) = (V::from_f64(1.0), V::from_f64(2.0));
        // From 20 on, the result is 1 in either format.
        let size = V::from_f64(20.0).min(x.abs());
        let (n, r, _) = reduced(size.add(size));
        let power = V::power_of_two(n);
        let divisor = exp_series(r, r).mul_add(power, power.add(one));
        let far = one.sub(two.div(divisor));
        let square = x.mul(x);
        let series = polynomial(V::Lane::TANH, square, square.mul(square));
        let near = series.mul(square).mul_add(x.abs(), x.abs());
        let half = V::from_f64(0.549_306_144_334_054_9); // artanh(1/2)
        V::select(size.less(half), near, far).copy_sign(x)
    }
}

/// `1 / (1 + e)` or `e / (1 + e)` with `e = exp(-|x|)`, whichever is small when the result is.
#[inline(always)]
pub(super) unsafe fn sigmoid<V: Vector<Lane: Format>>(x: V) -> V {
    unsafe {
        let (zero, one) = (V::from_f64(0.0), V::from_f64(1.0));
        let e = exp_minus(x.abs());
        let divisor = one.add(e);
        // What the divisor lost to rounding, by which the quotient shrinks: by that times itself and 1 / (1 + e).
        let lost = e.sub(divisor.sub(one));
        let negative = x.less(zero);
        let q = V::select(negative, e, one).div(divisor);
        let reciprocal = V::select(negative, one.sub(q), q);
        q.mul(lost).neg().mul_add(reciprocal, q)
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
        let series = polynomial(V::Lane::LN, z, z.mul(z));
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
        let e = exp_minus(x.abs());
        // 1 + e = 2ᵏ (1 + f)
        let above = V::from_f64(std::f64::consts::SQRT_2 - 1.0).less(e);
        let k = V::select(above, one, zero);
        let f = V::select(above, e.sub(one).mul(V::from_f64(0.5)), e);
        V::select(zero.less(x), x, zero).add(ln_near(k, f))
    }
}
