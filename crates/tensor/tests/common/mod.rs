//! What the tests compare with: arrays without strides, computed with loops over indices alone.
#![allow(dead_code)]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use retrograde_tensor::{Element, Float, Scalar, Tensor};

/// An array as a list of sizes and of elements in row-major order.
#[derive(Debug, Clone)]
pub(crate) struct Naive<E> {
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Vec<E>,
}

impl<E: Copy> Naive<E> {
    pub(crate) fn from_fn(dims: &[usize], mut f: impl FnMut(&[usize]) -> E) -> Self {
        Self { dims: dims.to_vec(), data: indices(dims).iter().map(|index| f(index)).collect() }
    }

    pub(crate) fn at(&self, index: &[usize]) -> E {
        assert_eq!(index.len(), self.dims.len());
        self.data[index.iter().zip(&self.dims).fold(0, |flat, (i, dim)| flat * dim + i)]
    }

    /// The element at the index that broadcasting maps `index` to.
    pub(crate) fn broadcast_at(&self, index: &[usize]) -> E {
        let tail = &index[index.len() - self.dims.len()..];
        self.at(&tail
            .iter()
            .zip(&self.dims)
            .map(|(&i, &dim)| if dim == 1 { 0 } else { i })
            .collect::<Vec<_>>())
    }

    pub(crate) fn map<F: Copy>(&self, f: impl Fn(E) -> F) -> Naive<F> {
        Naive { dims: self.dims.clone(), data: self.data.iter().map(|&x| f(x)).collect() }
    }

    pub(crate) fn zip<B: Copy, C: Copy>(&self, other: &Naive<B>, f: impl Fn(E, B) -> C) -> Naive<C> {
        let dims = broadcast(&self.dims, &other.dims);
        Naive::from_fn(&dims, |index| f(self.broadcast_at(index), other.broadcast_at(index)))
    }

    pub(crate) fn tensor(&self) -> Tensor<E>
    where
        E: Element,
    {
        shaped(self.data.clone(), &self.dims)
    }
}

pub(crate) fn shaped<E: Element>(data: Vec<E>, dims: &[usize]) -> Tensor<E> {
    Tensor::from_vec(data, retrograde_tensor::Shape::new(dims).unwrap()).unwrap()
}

/// All indices of a shape, in row-major order.
pub(crate) fn indices(dims: &[usize]) -> Vec<Vec<usize>> {
    dims.iter().fold(vec![vec![]], |fronts, &dim| {
        fronts.iter().flat_map(|front| (0..dim).map(move |i| [&front[..], &[i]].concat())).collect()
    })
}

pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let size =
        |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    (0..rank).map(|axis| if size(a, axis) == 1 { size(b, axis) } else { size(a, axis) }).collect()
}

/// An index without one of its axes.
pub(crate) fn without(index: &[usize], axis: usize) -> Vec<usize> {
    [&index[..axis], &index[axis + 1..]].concat()
}

/// An index with one more axis.
pub(crate) fn with(index: &[usize], axis: usize, i: usize) -> Vec<usize> {
    [&index[..axis], &[i], &index[axis..]].concat()
}

/// Exactly the same sizes and elements, by each way to read them.
#[track_caller]
pub(crate) fn check<E: Element>(found: &Tensor<E>, expected: &Naive<E>) {
    assert_eq!(found.dims(), expected.dims, "sizes");
    assert_eq!(found.to_vec(), expected.data, "to_vec");
    assert_eq!(found.iter().collect::<Vec<_>>(), expected.data, "iter");
    for index in indices(&expected.dims) {
        assert_eq!(found.at(&index), expected.at(&index), "at {index:?}");
    }
}

/// The same sizes, and elements within `ulps` units in the last place.
#[track_caller]
pub(crate) fn check_near<E: Float>(found: &Tensor<E>, expected: &Naive<f64>, ulps: f64) {
    assert_eq!(found.dims(), expected.dims, "sizes");
    for (index, x) in indices(&expected.dims).iter().zip(found.iter()) {
        let (x, y) = (x.to_f64(), expected.at(index));
        let close = (x - y).abs() <= ulps * E::EPSILON.to_f64() * y.abs().max(E::EPSILON.to_f64());
        assert!(close || x == y || x.is_nan() && y.is_nan(), "at {index:?}: expected {y}, found {x}");
    }
}

/// A small generator: the tests must not depend on the one that the crate uses.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// SplitMix64 (Steele, Lea and Flood 2014).
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    pub(crate) fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        (1..n).rev().for_each(|i| order.swap(i, self.roll(i + 1)));
        order
    }
}

/// Multiples of 1/2 from -4 to 4: sums and products of a few are exact in `f32` too.
pub(crate) fn build<E: Float>(dims: &[usize], seed: u64) -> (Tensor<E>, Naive<E>) {
    build_with(dims, seed, |dice| E::from_f64(dice.roll(17) as f64 * 0.5 - 4.0))
}

/// An array twice: naively, and as a tensor that lies in its storage in some odd way (permuted, flipped, as a
/// part of a larger one, broadcast), which the seed decides.
pub(crate) fn build_with<E: Element>(
    dims: &[usize],
    seed: u64,
    mut draw: impl FnMut(&mut Dice) -> E,
) -> (Tensor<E>, Naive<E>) {
    let mut dice = Dice(seed);
    let rank = dims.len();
    // Repeated along some axes.
    let base: Vec<usize> =
        dims.iter().map(|&dim| if dim > 0 && dice.roll(6) == 0 { 1 } else { dim }).collect();
    let values = Naive::from_fn(&base, |_| draw(&mut dice));
    let naive = Naive::from_fn(dims, |index| values.broadcast_at(index));
    if dice.roll(3) == 0 {
        return (naive.tensor(), naive);
    }
    // Storage axis k is axis order[k] of the array.
    let order = dice.shuffled(rank);
    let (mut flips, mut fronts, mut backs) = (vec![false; rank], vec![0; rank], vec![0; rank]);
    for axis in 0..rank {
        flips[axis] = dice.roll(3) == 0;
        (fronts[axis], backs[axis]) = (dice.roll(4).saturating_sub(2), dice.roll(4).saturating_sub(2));
    }
    let stored: Vec<usize> = order.iter().map(|&axis| fronts[axis] + base[axis] + backs[axis]).collect();
    let padding = draw(&mut dice);
    let storage = Naive::from_fn(&stored, |place| {
        let mut index = vec![0; rank];
        for (&axis, &at) in order.iter().zip(place) {
            let Some(i) = at.checked_sub(fronts[axis]).filter(|&i| i < base[axis]) else { return padding };
            index[axis] = if flips[axis] { base[axis] - 1 - i } else { i };
        }
        values.at(&index)
    });
    let mut inverse = vec![0; rank];
    order.iter().enumerate().for_each(|(at, &axis)| inverse[axis] = at);
    let mut tensor = storage.tensor().permute(&inverse);
    for axis in 0..rank {
        tensor = tensor.narrow(axis, fronts[axis], base[axis]);
        if flips[axis] {
            tensor = tensor.flip(axis);
        }
    }
    (tensor.broadcast_to(retrograde_tensor::Shape::new(dims).unwrap()), naive)
}

/// Up to `rank` sizes from 0 to 5, 0 being rare.
pub(crate) fn dims(rank: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![1 => Just(0_usize), 4 => Just(1), 20 => 2_usize..=5], rank)
}

/// Two shapes that broadcast together, with up to `rank` axes.
pub(crate) fn pair(rank: usize) -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    (dims(0..=rank), any::<u64>()).prop_map(|(dims, seed)| {
        let mut dice = Dice(seed);
        let mut operand = |shorter: bool| {
            let lead = if shorter { dice.roll(dims.len() + 1) } else { 0 };
            dims[lead..].iter().map(|&dim| if dice.roll(4) == 0 { 1 } else { dim }).collect::<Vec<_>>()
        };
        let (a, b) = (operand(seed % 3 == 1), operand(seed % 3 == 2));
        (a, b)
    })
}

/// The text that a call panics with.
pub(crate) fn panic_text<T>(f: impl FnOnce() -> T) -> String {
    let payload = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
        Ok(_) => return "no panic".into(),
        Err(payload) => payload,
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().map_or("no text".into(), |text| (*text).into()),
    }
}

/// The same cases in every run.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(20_240_229),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Runs a property for `f32` and for `f64`, which `E` stands for in its body.
#[macro_export]
macro_rules! for_floats {
    ($(fn $name:ident($($arg:pat in $strategy:expr),* $(,)?) $body:block)*) => {
        for_floats!(f32, floats32, $(fn $name($($arg in $strategy),*) $body)*);
        for_floats!(f64, floats64, $(fn $name($($arg in $strategy),*) $body)*);
    };
    ($float:ty, $module:ident, $(fn $name:ident($($arg:pat in $strategy:expr),*) $body:block)*) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            #[allow(dead_code)]
            type E = $float;

            proptest! {
                #![proptest_config(common::config())]
                $(
                    #[test]
                    fn $name($($arg in $strategy),*) $body
                )*
            }
        }
    };
}

/// Whether two scalars are the same number, or both NaN.
pub(crate) fn same<E: Scalar>(a: E, b: E) -> bool {
    a == b || a.is_nan() && b.is_nan()
}
