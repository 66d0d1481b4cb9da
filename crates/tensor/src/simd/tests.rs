//! The errors of the transcendental functions at every isa, and the ends of lanes.

mod reference;

use super::pair::Paired;
use super::{Isa, Kernel, Lane, Vector, slices};
use reference::{Dd, Scaled};

/// `2ⁿ`, for a normal result.
fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// The exponent of a normal number.
fn exponent(x: f64) -> i32 {
    (x.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

/// The distance of `found` from `truth`, in units in the last place of single precision at the truth.
fn ulp_f32(found: f32, truth: f64) -> f64 {
    let rounded = truth as f32;
    if found.to_bits() == rounded.to_bits() || (found.is_nan() && rounded.is_nan()) {
        return 0.0;
    }
    // The wrong zero, or an infinity or NaN instead of a number.
    if !found.is_finite() || !rounded.is_finite() || (found == 0.0 && truth == 0.0) {
        return f64::INFINITY;
    }
    (f64::from(found) - truth).abs() / power_of_two(exponent(truth).max(-126) - 23)
}

/// The distance of `found` from a `truth` other than 0, in units in the last place of double precision at the truth.
fn ulp_f64(found: f64, truth: Scaled) -> f64 {
    let Scaled { value: Dd(high, low), exponent: scale } = truth;
    let place = exponent(high) + scale;
    if !found.is_finite() {
        let overflows = place > 1023
            || (place == 1023 && high.abs() * 2_f64.powi(-exponent(high)) >= 2.0 - f64::EPSILON / 2.0);
        return if overflows && found == high.signum() * f64::INFINITY { 0.0 } else { f64::INFINITY };
    }
    if found == 0.0 && found.is_sign_negative() != high.is_sign_negative() {
        return f64::INFINITY;
    }
    // Exact, in two steps, since 2^-scale itself may be out of range.
    let half = scale / 2;
    let unscaled = found * power_of_two(-half) * power_of_two(half - scale);
    ((unscaled - high) - low).abs() / 2_f64.powi(place.max(-1022) - 52 - scale)
}

struct Function {
    name: &'static str,
    single: fn(Isa, &mut [f32]),
    double: fn(Isa, &mut [f64]),
    /// For `f32`, from the standard library's `f64`.
    near: fn(f64) -> f64,
    /// For `f64`.
    truth: fn(f64) -> Scaled,
    /// Where a result is a normal or subnormal number, beyond that of the special values.
    domain: [f64; 2],
    /// The largest error, in single and in double precision.
    within: [f64; 2],
}

const FUNCTIONS: [Function; 7] = [
    Function {
        name: "exp",
        single: slices::exp,
        double: slices::exp,
        near: f64::exp,
        truth: reference::exp,
        domain: [-745.0, 709.7],
        within: [0.80, 0.80],
    },
    Function {
        name: "tanh",
        single: slices::tanh,
        double: slices::tanh,
        near: f64::tanh,
        truth: reference::tanh,
        domain: [-f64::MAX, f64::MAX],
        within: [1.40, 1.40],
    },
    Function {
        name: "sigmoid",
        single: slices::sigmoid,
        double: slices::sigmoid,
        near: |x| {
            let e = (-x.abs()).exp();
            if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
        },
        truth: reference::sigmoid,
        domain: [-745.0, 745.0],
        within: [1.97, 1.97],
    },
    Function {
        name: "ln",
        single: slices::ln,
        double: slices::ln,
        near: f64::ln,
        truth: reference::ln,
        domain: [f64::from_bits(1), f64::MAX],
        within: [0.85, 0.85],
    },
    Function {
        name: "ln_1p_exp",
        single: slices::ln_1p_exp,
        double: slices::ln_1p_exp,
        near: |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
        truth: reference::ln_1p_exp,
        domain: [-745.0, f64::MAX],
        within: [1.72, 1.72],
    },
    Function {
        name: "sin",
        single: slices::sin,
        double: slices::sin,
        near: f64::sin,
        truth: reference::sin,
        domain: [-1_048_576.0, 1_048_576.0],
        within: [0.51, 1.0],
    },
    Function {
        name: "cos",
        single: slices::cos,
        double: slices::cos,
        near: f64::cos,
        truth: reference::cos,
        domain: [-1_048_576.0, 1_048_576.0],
        within: [0.51, 1.0],
    },
];

/// The worst error at each level over every `step`th bit pattern from `first` on, and where it is.
fn worst_f32(function: &Function, first: u32, step: usize) -> Vec<(Isa, f64, f32)> {
    let mut worst: Vec<_> = Isa::available().map(|isa| (isa, 0.0, 0.0)).collect();
    let mut bits = (first..=u32::MAX).step_by(step);
    loop {
        let x: Vec<f32> = bits.by_ref().take(4096).map(f32::from_bits).collect();
        if x.is_empty() {
            return worst;
        }
        let truth: Vec<f64> = x.iter().map(|&x| (function.near)(f64::from(x))).collect();
        for (isa, most, place) in &mut worst {
            let mut y = x.clone();
            (function.single)(*isa, &mut y);
            for ((&x, &y), &truth) in x.iter().zip(&y).zip(&truth) {
                let error = ulp_f32(y, truth);
                if error > *most {
                    (*most, *place) = (error, x);
                }
            }
        }
    }
}

/// A generator of bits: SplitMix64 (Steele, Lea and Flood 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Double-precision arguments: `count` of each exponent, and four thousand times as many where the functions bend.
fn doubles(count: usize) -> Vec<f64> {
    let state = &mut 1;
    let mut x = vec![];
    for exponent in 0..0x7ff_u64 {
        for _ in 0..count {
            let random = random(state);
            x.push(f64::from_bits(random & !(0x7ff << 52) | exponent << 52));
        }
    }
    let mut between = |low: f64, high: f64| {
        let fraction = (random(state) >> 11) as f64 / 2_f64.powi(53);
        low + (high - low) * fraction
    };
    for _ in 0..800 * count {
        x.extend([between(-1.0, 1.0), between(-20.0, 20.0), between(-746.0, 711.0), between(0.5, 2.0)]);
        // Near 1, at every distance.
        x.push(1.0 + between(-1.0, 1.0) * between(-60.0, 0.0).exp2());
        // Near multiples of π/4.
        let turn = between(0.0, 21.0).exp2().round() * std::f64::consts::FRAC_PI_4;
        x.extend([turn, -turn, turn.next_up(), turn.next_down()]);
    }
    // Neighbours of where a range is reduced otherwise, or ends.
    let half_log = std::f64::consts::LN_2 / 2.0;
    let edges = (1..60).step_by(2).map(|k| f64::from(k) * half_log);
    let edges = edges.clone().chain(edges.map(|x| x / 2.0));
    let powers = [-1022, -1021, -100, -54, -53, -27, -2, -1, 0, 1, 5, 52, 53, 1023].map(power_of_two);
    let others = [0.0, 20.0, 36.7, 37.4, 708.39, 709.78, 710.0, 745.13, 746.0, f64::MAX];
    let roots = [std::f64::consts::SQRT_2, std::f64::consts::FRAC_1_SQRT_2];
    for x0 in edges.chain(powers).chain(others).chain(roots) {
        for ulps in -20..=20 {
            let near = f64::from_bits(x0.to_bits().saturating_add_signed(ulps));
            x.extend([near, -near]);
        }
    }
    x
}

/// The worst error at each isa, and where it is.
fn worst_f64(function: &Function, count: usize) -> Vec<(Isa, f64, f64)> {
    let [low, high] = function.domain;
    let mut x = doubles(count);
    x.retain(|&x| low <= x && x <= high && x != 0.0);
    let truth: Vec<Scaled> = x.iter().map(|&x| (function.truth)(x)).collect();
    let found = Isa::available().map(|isa| {
        let mut y = x.clone();
        (function.double)(isa, &mut y);
        let errors = y.iter().zip(&truth).map(|(&y, &truth)| ulp_f64(y, truth));
        let (error, at) = errors
            .zip(&x)
            .fold((0.0, 0.0), |most, (error, &x)| if error > most.0 { (error, x) } else { most });
        (isa, error, at)
    });
    found.collect()
}

#[test]
fn single_precision_is_within_the_documented_errors() {
    for function in &FUNCTIONS {
        for (isa, error, x) in worst_f32(function, 0, 16_381) {
            assert!(error <= function.within[0], "{} at {isa}: {error:.3} ulp at {x:e}", function.name);
        }
    }
}

#[test]
fn double_precision_is_within_the_documented_errors() {
    for function in &FUNCTIONS {
        for (isa, error, x) in worst_f64(function, 4) {
            assert!(error <= function.within[1], "{} at {isa}: {error:.3} ulp at {x:e}", function.name);
        }
    }
}

/// The largest errors are rare. What a network meets are those of everyday, between -1 and 1.
#[test]
fn errors_between_minus_one_and_one_are_half_an_ulp_in_the_root_mean_square() {
    let root_mean_square = |errors: Vec<f64>| {
        (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt()
    };
    let state = &mut 2;
    for function in &FUNCTIONS {
        let mut x: Vec<f64> = (0..20_000).map(|_| random(state) as i64 as f64 * 0.5_f64.powi(63)).collect();
        x.retain(|&x| function.domain[0] <= x && x != 0.0);
        let single: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        for isa in Isa::available() {
            let (mut y, mut y_single) = (x.clone(), single.clone());
            (function.double)(isa, &mut y);
            (function.single)(isa, &mut y_single);
            let double = x.iter().zip(y).map(|(&x, y)| ulp_f64(y, (function.truth)(x))).collect();
            let single = single
                .iter()
                .zip(y_single)
                .map(|(&x, y)| ulp_f32(y, (function.near)(f64::from(x))))
                .collect();
            for error in [single, double].map(root_mean_square) {
                assert!(error < 0.48, "{} at {isa}: {error:.3} ulp", function.name);
            }
        }
    }
}

#[test]
#[ignore = "all 2³² numbers, for every function and level: minutes; run with --release -- --ignored --nocapture"]
fn single_precision_exhaustively() {
    for function in &FUNCTIONS {
        for (isa, error, x) in worst_f32(function, 0, 1) {
            println!("{:8} {isa}: {error:.4} ulp at {x:e}", function.name);
            assert!(error <= function.within[0]);
        }
    }
}

#[test]
#[ignore = "four million numbers, for every function: a minute; run with --release -- --ignored --nocapture"]
fn double_precision_densely() {
    for function in &FUNCTIONS {
        for (isa, error, x) in worst_f64(function, 700) {
            println!("{:8} {isa}: {error:.4} ulp at {x:e}", function.name);
            assert!(error <= function.within[1]);
        }
    }
}

/// The values of a function at special points, bit for bit except for NaN: exact in either precision.
#[test]
fn special_values() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let table: [&[(f64, f64)]; 7] = [
        &[
            (0.0, 1.0),
            (-0.0, 1.0),
            (inf, inf),
            (-inf, 0.0),
            (nan, nan),
            (1e30, inf),
            (-1e30, 0.0),
            (711.0, inf),
            (-747.0, 0.0),
        ],
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (inf, 1.0),
            (-inf, -1.0),
            (nan, nan),
            (1e30, 1.0),
            (-1e30, -1.0),
            (20.5, 1.0),
            (-20.5, -1.0),
        ],
        &[
            (0.0, 0.5),
            (-0.0, 0.5),
            (inf, 1.0),
            (-inf, 0.0),
            (nan, nan),
            (1e30, 1.0),
            (-1e30, 0.0),
            (800.0, 1.0),
            (-800.0, 0.0),
        ],
        &[
            (0.0, -inf),
            (-0.0, -inf),
            (inf, inf),
            (-inf, nan),
            (nan, nan),
            (1.0, 0.0),
            (-1e30, nan),
            (-1.0, nan),
            (-1e-30, nan),
        ],
        &[(inf, inf), (-inf, 0.0), (nan, nan), (1024.0, 1024.0), (-747.0, 0.0), (-1e30, 0.0)],
        &[(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan), (nan, nan)],
        &[(0.0, 1.0), (-0.0, 1.0), (inf, nan), (-inf, nan), (nan, nan)],
    ];
    let same = |found: f64, expected: f64| {
        found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan()
    };
    for (function, cases) in FUNCTIONS.iter().zip(table) {
        for isa in Isa::available() {
            let mut double: Vec<f64> = cases.iter().map(|&(x, _)| x).collect();
            let mut single: Vec<f32> = double.iter().map(|&x| x as f32).collect();
            (function.double)(isa, &mut double);
            (function.single)(isa, &mut single);
            for (&(x, expected), (y, z)) in cases.iter().zip(double.into_iter().zip(single)) {
                assert!(
                    same(y, expected),
                    "{} of {x} at {isa}: expected {expected}, found {y}",
                    function.name
                );
                assert!(
                    same(f64::from(z), expected),
                    "{} of {x} at {isa}: expected {expected}, found {z} (f32)",
                    function.name
                );
            }
        }
    }
    // What is odd keeps the least numbers as they are.
    for (isa, odd) in Isa::available().flat_map(|isa| [1, 5].map(|odd| (isa, &FUNCTIONS[odd]))) {
        let mut double = [f64::from_bits(1), -f64::from_bits(1), f64::MIN_POSITIVE / 2.0, 1e-300];
        let mut single = [f32::from_bits(1), -f32::from_bits(1), f32::MIN_POSITIVE / 2.0, 1e-30];
        let (x, y) = (double, single);
        (odd.double)(isa, &mut double);
        (odd.single)(isa, &mut single);
        assert_eq!((double, single), (x, y), "{} at {isa}", odd.name);
    }
}

macro_rules! tails {
    ($test:ident, $float:ident, $field:ident) => {
        /// Slices of every length up to three of the longest registers and one, at every offset: each element is what
        /// it is in a whole register, and nothing beside the slice is written.
        #[test]
        fn $test() {
            const LONGEST: usize = 3 * 16 + 1;
            let argument = |i: usize| ((i * 37 % 101) as $float - 50.0) * 0.37;
            for function in &FUNCTIONS {
                for isa in Isa::available() {
                    let whole = |x: $float| {
                        let mut register = [x; 16];
                        (function.$field)(isa, &mut register);
                        register[0].to_bits()
                    };
                    let x: Vec<$float> = (0..LONGEST + 4).map(argument).collect();
                    let expected: Vec<_> = x.iter().map(|&x| whole(x)).collect();
                    for start in 0..4 {
                        for length in 0..=LONGEST {
                            let mut y = x.clone();
                            (function.$field)(isa, &mut y[start..start + length]);
                            for (i, y) in y.iter().enumerate() {
                                let inside = (start..start + length).contains(&i);
                                let expected = if inside { expected[i] } else { x[i].to_bits() };
                                assert!(
                                    y.to_bits() == expected
                                        || y.is_nan() && <$float>::from_bits(expected).is_nan(),
                                    "{} at {isa}: element {i} of {start}..{start} + {length}",
                                    function.name
                                );
                            }
                        }
                    }
                }
            }
        }
    };
}

tails!(single_precision_tails, f32, single);
tails!(double_precision_tails, f64, double);

/// The bits of numbers, folded into one (FNV-1a; Fowler, Noll and Vo 1991).
fn fingerprint(bits: impl Iterator<Item = u64>) -> u64 {
    bits.flat_map(u64::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The same bits on every processor: of portable code, and of all levels that round a product and a sum once.
#[test]
fn results_are_the_same_bits_everywhere() {
    // From -60 to 60; for `ln`, their magnitudes.
    let arguments = |i: u32| f64::from(i * 7919 % 10_007) * (120.0 / 10_007.0) - 60.0;
    let expected: [[u64; 7]; 2] = [
        [
            0xb28b_5fa2_3ba1_509a,
            0x2837_1a03_7c6e_201d,
            0xc4f1_3645_6435_e7a0,
            0xa0ab_5cfb_44b5_3605,
            0x33ce_5c17_30b5_8ac2,
            0xd72d_cd21_d229_4c52,
            0x8fa4_96c2_256c_45c7,
        ],
        [
            0x4410_f9ef_3796_19fe,
            0x4129_958e_ccfa_a6d5,
            0x61b2_2304_ca29_7125,
            0x2e0f_ad60_aa46_aac1,
            0x3cf4_21bb_b613_ff94,
            0x5ae3_b626_7cc9_a30e,
            0xe809_6a69_8c2a_b006,
        ],
    ];
    for isa in Isa::available() {
        let found = FUNCTIONS.each_ref().map(|function| {
            let mut double: Vec<f64> = (0..10_007).map(arguments).collect();
            if function.name == "ln" {
                double.iter_mut().for_each(|x| *x = x.abs() + 0.001);
            }
            let mut single: Vec<f32> = double.iter().map(|&x| x as f32).collect();
            (function.double)(isa, &mut double);
            (function.single)(isa, &mut single);
            let single = single.iter().map(|x| u64::from(x.to_bits()));
            fingerprint(double.iter().map(|x| x.to_bits()).chain(single))
        });
        assert_eq!(found, expected[usize::from(isa != Isa::Portable)], "{isa}: {found:#x?}");
    }
}

/// A loop has the same bits at every level: products and sums are not fused, nor divisions replaced.
#[test]
fn loops_have_the_same_bits_at_every_level() {
    let x: Vec<f32> = (0..1003).map(|i| (i * 7919 % 1013) as f32 / 101.0 + 0.1).collect();
    let step = |x: f32, y: f32| (0.9 * x + 0.3 * y * y) / (y.sqrt() + 1e-8) - x / 3.0;
    let expected: Vec<u32> = x.iter().zip(&x[1..]).map(|(&x, &y)| step(x, y).to_bits()).collect();
    for isa in Isa::available() {
        let found: Vec<u32> = slices::vectorized::<f32, _>(
            isa,
            #[inline(always)]
            || x.iter().zip(&x[1..]).map(|(&x, &y)| step(x, y).to_bits()).collect(),
        );
        assert_eq!(found, expected, "{isa}");
    }
}

/// The nearest integer of each number, and the lesser and the greater of it and the next one.
struct Chosen<'f, E> {
    x: &'f [E],
    found: &'f mut Vec<[E; 3]>,
}

impl<E: Copy + Default + PartialEq> Kernel<E> for Chosen<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        for pair in self.x.windows(2) {
            let mut found = [E::default(); 3];
            // SAFETY: a number is within either; the processor has the level.
            unsafe {
                let (x, y) = (V::splat(pair[0]), V::splat(pair[1]));
                for (to, from) in found.iter_mut().zip([x.round(), x.min(y), x.max(y)]) {
                    from.store_first(to, 1);
                }
            }
            self.found.push(found);
        }
    }
}

macro_rules! choices {
    ($test:ident, $float:ident) => {
        #[test]
        fn $test() {
            let some = [0.0, -0.0, 0.3, 0.5, 1.5, 2.5, 1e-40, 8_388_607.5, 4_503_599_627_370_495.5, 1e30];
            let mut x: Vec<$float> = some.iter().flat_map(|&x| [x as $float, -x as $float]).collect();
            x.extend([
                $float::INFINITY,
                $float::NAN,
                1.0,
                $float::NAN,
                $float::NAN,
                $float::NEG_INFINITY,
                2.0,
            ]);
            let same = |x: $float, y: $float| x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan();
            for isa in Isa::available() {
                let mut found = vec![];
                // SAFETY: the processor has the level.
                unsafe { $float::dispatch(isa, Chosen { x: &x, found: &mut found }) };
                for (pair, found) in x.windows(2).zip(found) {
                    let [x, y] = [pair[0], pair[1]];
                    let expected =
                        [x.round_ties_even(), if x < y { x } else { y }, if x > y { x } else { y }];
                    let same = found.iter().zip(expected).all(|(&found, expected)| same(found, expected));
                    assert!(same, "{isa}, {x:e} and {y:e}: expected {expected:?}, found {found:?}");
                }
            }
        }
    };
}

choices!(nearest_lesser_and_greater_in_single_precision, f32);
choices!(nearest_lesser_and_greater_in_double_precision, f64);

/// Two registers by turns: as many lanes as they have, and what comes out.
struct ByTurns<'f, E> {
    found: &'f mut Vec<E>,
}

impl<E: Copy + From<u8>> Kernel<E> for ByTurns<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        let counted: Vec<E> = (0..2 * V::LANES as u8).map(E::from).collect();
        *self.found = counted.clone();
        // SAFETY: two registers are within either; the processor has the level.
        unsafe {
            let (first, second) = V::load(counted.as_ptr()).interleave(V::load(counted[V::LANES..].as_ptr()));
            first.store(self.found.as_mut_ptr());
            second.store(self.found[V::LANES..].as_mut_ptr());
        }
    }
}

#[test]
fn lanes_by_turns() {
    for isa in Isa::available() {
        let (mut single, mut double, mut pair) = (vec![], vec![], vec![]);
        // SAFETY: the processor has the level.
        unsafe {
            f32::dispatch(isa, ByTurns { found: &mut single });
            f64::dispatch(isa, ByTurns { found: &mut double });
            f64::dispatch(isa, Paired(ByTurns { found: &mut pair }));
        }
        let single: Vec<f64> = single.into_iter().map(f64::from).collect();
        for found in [single, double, pair] {
            let lanes = found.len() / 2;
            let expected: Vec<f64> = (0..2 * lanes).map(|i| (i / 2 + i % 2 * lanes) as f64).collect();
            assert_eq!(found, expected, "{isa}");
        }
    }
}

/// The first numbers of a register, stored over others: of each count, what is there afterwards.
struct FirstOf<'f, E> {
    x: &'f [E],
    found: &'f mut Vec<(usize, Vec<E>)>,
}

impl<E: Copy + PartialEq + From<i8>> Kernel<E> for FirstOf<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        for count in 0..=V::LANES {
            let mut to = vec![E::from(-1); V::LANES + 1];
            // SAFETY: a register is within either; the processor has the level.
            unsafe { V::load(self.x.as_ptr()).store_first(to.as_mut_ptr(), count) };
            self.found.push((count, to));
        }
    }
}

#[test]
fn the_first_numbers_are_stored_and_no_others() {
    fn check<E: Lane + From<i8> + std::fmt::Debug>() {
        let x: Vec<E> = (1..=32).map(E::from).collect();
        for isa in Isa::available() {
            let mut found = Vec::new();
            // SAFETY: the levels are those of the processor.
            unsafe {
                E::dispatch(isa, FirstOf { x: &x, found: &mut found });
                E::dispatch(isa, Paired(FirstOf { x: &x, found: &mut found }));
            }
            for (count, found) in found {
                assert_eq!(found[..count], x[..count], "{isa}, {count}");
                assert!(found[count..].iter().all(|&left| left == E::from(-1)), "{isa}, {count}: {found:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
