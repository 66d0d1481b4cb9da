//! Reductions over axes, summed pairwise.

use crate::loops::fold::{Fold, LANES, zip};
use crate::loops::strided::{StridedIter, row, steps};
use crate::shape::layout::Layout;
use crate::storage::buffer;
use crate::{Element, Error, MAX_RANK, Tensor};

/// The axes that a reduction removes.
pub(crate) type Reduced = [bool; MAX_RANK];

/// Rows shorter than this are reduced several at a time.
const SHORT: usize = 64;
/// Elements (or rows) reduced one after the other; blocks are reduced pairwise.
const BLOCK: usize = 256;

/// Reduces axes by an associative `f`. They disappear or, with `keep`, become 1. `empty` is the result of reducing
/// nothing.
///
/// Blocks are combined as a balanced tree, so that the rounding error of a sum grows with the logarithm of the
/// number of blocks.
///
/// # Source
/// N. Higham, *The accuracy of floating point summation* (1993).
pub(crate) fn reduce<E: Element>(
    op: &'static str,
    x: &Tensor<E>,
    reduced: Reduced,
    keep: bool,
    empty: E,
    f: impl Fold<E>,
) -> Result<Tensor<E>, Error> {
    let layout = x.layout();
    let (kept, folded) =
        (layout.only(layout.offset, reduced.map(|reduced| !reduced)), layout.only(0, reduced));
    if folded.shape.numel() == 1 {
        // Nothing to reduce. A broadcast view may be larger than memory, which those who compute with the result rely on.
        kept.shape.require_memory::<E>(op)?;
        return Ok(x.view(if keep { *layout } else { kept }));
    }
    let shape = if keep { layout.shape.with_ones(reduced) } else { kept.shape };
    let data = if kept.shape.numel() == 0 || folded.shape.numel() == 0 {
        buffer::full(op, &kept.shape, empty)?
    } else {
        let mut out = buffer::with_capacity(op, &kept.shape)?;
        reduce_layouts(x.storage(), &kept, &folded, &mut out, f);
        out
    };
    Ok(Tensor::filled(data, shape))
}

/// Reduces a slice, which must not be empty.
#[inline(always)]
pub(crate) fn reduce_slice<E: Element>(x: &[E], f: impl Fold<E>) -> E {
    if x.len() <= BLOCK { reduce_block(x, f) } else { reduce_blocks(x, f) }
}

fn reduce_blocks<E: Element>(x: &[E], f: impl Fold<E>) -> E {
    if x.len() <= BLOCK {
        return f.vectorized(
            #[inline(always)]
            || reduce_block(x, f),
        );
    }
    // As many blocks on the left as make the tree that `tree` makes: 2ᵏ, of which there are fewer than all.
    let (early, late) = x.split_at(x.len().div_ceil(BLOCK).next_power_of_two() / 2 * BLOCK);
    f.of(reduce_blocks(early, f), reduce_blocks(late, f))
}

fn reduce_layouts<E: Element>(data: &[E], kept: &Layout, folded: &Layout, out: &mut Vec<E>, f: impl Fold<E>) {
    let (outer, inner) = (StridedIter::new(&kept.shape, [kept]), StridedIter::new(&folded.shape, [folded]));
    let (len, [stride]) = (outer.len, outer.strides);
    let (count, [step]) = (inner.len, inner.strides);
    // Whichever of the two moves through storage in smaller steps makes the innermost loop.
    if len > 1 && stride.unsigned_abs() < step.unsigned_abs() {
        let several = SHORT.min(count * len) / len;
        let side_by_side = inner.is_row() && stride == 1 && step == len as isize;
        for [start] in outer {
            let row = (start, stride, len);
            if side_by_side && several > 1 {
                reduce_short_rows(&data[start..start + count * len], len, several, out, f);
            } else if inner.is_row() {
                reduce_rows(data, row, (steps(0, step, count), count), out, f);
            } else {
                let places = inner.clone().flat_map(|[place]| steps(place, step, count));
                reduce_rows(data, row, (places, folded.shape.numel()), out, f);
            }
        }
        return;
    }
    for [start] in outer {
        let starts = steps(start, stride, len);
        if inner.is_row() && step == 1 {
            f.vectorized(
                #[inline(always)]
                || out.extend(starts.map(|start| reduce_slice(&data[start..start + count], f))),
            );
        } else {
            out.extend(starts.map(|start| reduce_one(data, start, &inner, f)));
        }
    }
}

/// Reduces the elements at `start` plus the places of `walk`, whose offset is 0.
fn reduce_one<E: Element>(data: &[E], start: usize, walk: &StridedIter<1>, f: impl Fold<E>) -> E {
    let (len, [stride]) = (walk.len, walk.strides);
    let fold_row = |start: usize| match stride {
        1 => reduce_slice(&data[start..start + len], f),
        _ => {
            let block = |at: usize| {
                let start = start.wrapping_add_signed(at as isize * stride);
                let elements = row(data, start, stride, BLOCK.min(len - at));
                elements.reduce(|x, y| f.of(x, y)).expect("a block is not empty")
            };
            tree((0..len).step_by(BLOCK).map(block), |x, y| f.of(x, y))
        }
    };
    if walk.is_row() {
        return fold_row(start);
    }
    tree(walk.clone().map(|[place]| fold_row(start.wrapping_add(place))), |x, y| f.of(x, y))
}

/// Reduces rows of `len` elements that lie side by side: several as if they were one row, and the parts of the result.
fn reduce_short_rows<E: Element>(rows: &[E], len: usize, several: usize, out: &mut Vec<E>, f: impl Fold<E>) {
    let long = len * several;
    let (whole, rest) = rows.split_at(rows.len() / long * long);
    let mut parts = Vec::with_capacity(long);
    reduce_rows(whole, (0, 1, long), ((0..whole.len()).step_by(long), whole.len() / long), &mut parts, f);
    let at = out.len();
    out.extend_from_slice(&parts[..len]);
    for part in parts[len..].chunks_exact(len).chain(rest.chunks_exact(len)) {
        merge(&mut out[at..], part.iter().copied(), f);
    }
}

/// Reduces `count` rows of `len` elements, which lie at `start` plus `places`, element by element; appends the resulting row.
fn reduce_rows<E: Element>(
    data: &[E],
    (start, stride, len): (usize, isize, usize),
    (places, count): (impl Iterator<Item = usize>, usize),
    out: &mut Vec<E>,
    f: impl Fold<E>,
) {
    let mut places = places.map(|place| start.wrapping_add(place));
    // Appends the reduction of the next block of rows.
    let mut block = |out: &mut Vec<E>| {
        let (at, mut places) = (out.len(), places.by_ref().take(BLOCK));
        let first = places.next().expect("a block is not empty");
        if stride != 1 {
            out.extend(row(data, first, stride, len));
            places.for_each(|place| merge(&mut out[at..], row(data, place, stride, len), f));
            return;
        }
        out.extend_from_slice(&data[first..first + len]);
        let (out, at) = (&mut out[at..], |place: usize| &data[place..place + len]);
        // Four at a time: the result is read and written a quarter as often.
        f.vectorized(
            #[inline(always)]
            || loop {
                let four: [_; 4] = std::array::from_fn(|_| places.next());
                let [Some(a), Some(b), Some(c), Some(d)] = four.map(|place| place.map(at)) else {
                    let rest = four.into_iter().flatten();
                    return rest.for_each(|place| merge(out, at(place).iter().copied(), f));
                };
                for ((((y, &a), &b), &c), &d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *y = f.of(f.of(f.of(f.of(*y, a), b), c), d);
                }
            },
        );
    };
    let blocks = count.div_ceil(BLOCK);
    if blocks == 1 {
        return block(out);
    }
    let rows = (0..blocks).map(|_| {
        let mut row = Vec::with_capacity(len);
        block(&mut row);
        row
    });
    out.extend(tree(rows, |mut early, late| {
        merge(&mut early, late.iter().copied(), f);
        early
    }));
}

fn merge<E: Element>(y: &mut [E], x: impl Iterator<Item = E>, f: impl Fold<E>) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f.of(*y, x);
    }
}

/// Reduces at most a block, which must not be empty: lanes side by side, then their halves, and so on. Elements that are
/// left over join the half of their number.
#[inline(always)]
fn reduce_block<E: Element>(x: &[E], f: impl Fold<E>) -> E {
    if let Some((lanes, rest)) = x.split_first_chunk::<LANES>() {
        let (chunks, rest) = rest.as_chunks::<LANES>();
        let lanes = f.lanes(*lanes, chunks);
        let (eight, rest) = joined(halves::<_, LANES, 8>(lanes, f), rest, f);
        reduce_eight(eight, rest, f)
    } else if let Some((eight, rest)) = x.split_first_chunk() {
        reduce_eight(*eight, rest, f)
    } else if let Some((four, rest)) = x.split_first_chunk() {
        reduce_four(*four, rest, f)
    } else {
        x.iter().copied().reduce(|x, y| f.of(x, y)).expect("a block is not empty")
    }
}

#[inline(always)]
fn reduce_eight<E: Element>(eight: [E; 8], rest: &[E], f: impl Fold<E>) -> E {
    let (four, rest) = joined(halves(eight, f), rest, f);
    reduce_four(four, rest, f)
}

#[inline(always)]
fn reduce_four<E: Element>(four: [E; 4], rest: &[E], f: impl Fold<E>) -> E {
    let ([a, b], rest) = joined(halves(four, f), rest, f);
    rest.iter().fold(f.of(a, b), |y, &x| f.of(y, x))
}

/// `f` of the two halves of an array.
#[inline(always)]
fn halves<E: Element, const N: usize, const HALF: usize>(x: [E; N], f: impl Fold<E>) -> [E; HALF] {
    std::array::from_fn(|i| f.of(x[i], x[i + HALF]))
}

/// `f` of lanes and the first of the rest, if there are as many; and what is left then.
#[inline(always)]
fn joined<E: Element, const N: usize>(lanes: [E; N], rest: &[E], f: impl Fold<E>) -> ([E; N], &[E]) {
    match rest.split_first_chunk() {
        Some((first, rest)) => (zip(&lanes, first, f), rest),
        None => (lanes, rest),
    }
}

/// Reduces values as a balanced tree. There must be at least one.
fn tree<T>(values: impl Iterator<Item = T>, f: impl Fn(T, T) -> T) -> T {
    // A binary counter: digit `i`, if it is set, is the reduction of 2^i values.
    let mut digits: Vec<Option<T>> = Vec::new();
    for mut value in values {
        let mut level = 0;
        while let Some(early) = digits.get_mut(level).and_then(Option::take) {
            value = f(early, value);
            level += 1;
        }
        match digits.get_mut(level) {
            Some(digit) => *digit = Some(value),
            None => digits.push(Some(value)),
        }
    }
    digits.into_iter().flatten().reduce(|late, early| f(early, late)).expect("something was folded")
}
