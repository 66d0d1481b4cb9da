//! Oracles of the tests: arrays without strides, computed with loops over indices alone.

use std::ops::{Range, RangeInclusive};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use retrograde_tensor::{Element, Float, Tensor};

/// An array as a list of sizes and of elements in row-major order.
#[derive(Debug, Clone)]
pub(crate) struct Naive<E> {
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Vec<E>,
}

impl<E: Copy> Naive<E> {
    pub(crate) fn from_fn(dims: &[usize], mut f: impl FnMut(&[usize]) -> E) -> Self {
        // One loop for all functions: each of its own would be compiled.
        fn with<E>(dims: &[usize], f: &mut dyn FnMut(&[usize]) -> E) -> Naive<E> {
            Naive { dims: dims.to_vec(), data: indices(dims).iter().map(|index| f(index)).collect() }
        }
        with(dims, &mut f)
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
        Naive::from_fn(&self.dims, |index| f(self.at(index)))
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

/// A copy with storage of its own, which operators may reuse.
pub(crate) fn own<E: Element>(x: &Tensor<E>) -> Tensor<E> {
    x.map(|x| x)
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
    draw: impl Fn(&mut Dice) -> E,
) -> (Tensor<E>, Naive<E>) {
    build_as_drawn(dims, seed, &draw)
}

fn build_as_drawn<E: Element>(
    dims: &[usize],
    seed: u64,
    draw: &dyn Fn(&mut Dice) -> E,
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

/// Sizes from 0 to 5, of which 0 is rare, for a rank.
pub(crate) fn dims(rank: RangeInclusive<usize>) -> BoxedStrategy<Vec<usize>> {
    lists(rank, 0..25, |roll| match roll {
        0 => 0,
        1..=4 => 1,
        _ => 2 + roll % 4,
    })
}

/// Numbers of a range, `count` of them.
pub(crate) fn numbers(count: usize, range: Range<usize>) -> BoxedStrategy<Vec<usize>> {
    lists(count..=count, range, |roll| roll)
}

fn lists(
    count: RangeInclusive<usize>,
    rolls: Range<usize>,
    number: fn(usize) -> usize,
) -> BoxedStrategy<Vec<usize>> {
    proptest::collection::vec(rolls.prop_map(number), count).boxed()
}

/// Two shapes that broadcast together to at most these sizes.
pub(crate) fn pair(dims: &[usize], seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut dice = Dice(seed.rotate_left(32));
    let shorter = dice.roll(3);
    let mut operand = |which: usize| {
        let lead = if shorter == which { dice.roll(dims.len() + 1) } else { 0 };
        dims[lead..].iter().map(|&dim| if dice.roll(4) == 0 { 1 } else { dim }).collect::<Vec<_>>()
    };
    (operand(1), operand(2))
}

/// The text that a call panics with.
pub(crate) fn panic_text<T>(f: impl FnOnce() -> T) -> String {
    fn caught(call: &mut dyn FnMut()) -> String {
        let payload = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
            Ok(()) => return "no panic".into(),
            Err(payload) => payload,
        };
        match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => payload.downcast::<&str>().map_or("no text".into(), |text| (*text).into()),
        }
    }
    let mut f = Some(f);
    caught(&mut || {
        f.take().map(|f| f());
    })
}

/// Tries a property with many lists and seeds, the same ones in every run.
///
/// Whatever else a property needs is drawn from the seed: then there is one type of case, and the search for the
/// smallest failing one is compiled once.
#[track_caller]
pub(crate) fn for_all(lists: BoxedStrategy<Vec<usize>>, property: &dyn Fn(Vec<usize>, u64)) {
    let config = ProptestConfig {
        rng_seed: RngSeed::Fixed(20_240_229),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&(lists, any::<u64>()), |(list, seed)| {
        property(list, seed);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Tests for `f32` and for `f64`, which `E` stands for in their bodies: properties, as
/// `fn name(list in strategy, seed) { .. }`, and plain ones.
macro_rules! for_floats {
    ($($tests:tt)*) => {
        mod on_f32 {
            #[allow(unused_imports)]
            use super::*;
            #[allow(dead_code)]
            type E = f32;
            tests!($($tests)*);
        }
        mod on_f64 {
            #[allow(unused_imports)]
            use super::*;
            #[allow(dead_code)]
            type E = f64;
            tests!($($tests)*);
        }
    };
}

/// The tests in the body of [`for_floats!`].
macro_rules! tests {
    () => {};
    (fn $name:ident() $body:block $($rest:tt)*) => {
        #[test]
        fn $name() $body
        tests!($($rest)*);
    };
    (fn $name:ident($list:ident in $lists:expr, $seed:ident) $body:block $($rest:tt)*) => {
        #[test]
        fn $name() {
            $crate::common::for_all($lists, &|$list, $seed| $body);
        }
        tests!($($rest)*);
    };
}
