//! Reductions over axes, summed pairwise.

use crate::loops::strided::{StridedIter, row, steps};
use crate::shape::layout::Layout;
use crate::storage::buffer;
use crate::{Element, Error, MAX_RANK, Tensor};

/// The axes that a reduction removes.
pub(crate) type Reduced = [bool; MAX_RANK];

/// Partial results kept side by side: independent of one another, they fill vector registers.
const LANES: usize = 16;
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
    f: impl Fn(E, E) -> E + Copy,
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
pub(crate) fn reduce_slice<E: Element>(x: &[E], f: impl Fn(E, E) -> E + Copy) -> E {
    if x.len() <= BLOCK {
        return reduce_block(x, f);
    }
    tree(x.chunks(BLOCK).map(|block| reduce_block(block, f)), f)
}

fn reduce_layouts<E: Element>(
    data: &[E],
    kept: &Layout,
    folded: &Layout,
    out: &mut Vec<E>,
    f: impl Fn(E, E) -> E + Copy,
) {
    let (outer, inner) = (StridedIter::new(&kept.shape, [kept]), StridedIter::new(&folded.shape, [folded]));
    let (len, [stride]) = (outer.len, outer.strides);
    // Whichever of the two moves through storage in smaller steps makes the innermost loop.
    if len > 1 && stride.unsigned_abs() < inner.strides[0].unsigned_abs() {
        for [start] in outer {
            reduce_rows(data, (start, stride, len), folded, out, f);
        }
        return;
    }
    for [start] in outer {
        out.extend(steps(start, stride, len).map(|start| reduce_one(data, start, &inner, f)));
    }
}

/// Reduces the elements at `start` plus the places of `walk`, whose offset is 0.
fn reduce_one<E: Element>(
    data: &[E],
    start: usize,
    walk: &StridedIter<1>,
    f: impl Fn(E, E) -> E + Copy,
) -> E {
    let (len, [stride]) = (walk.len, walk.strides);
    let fold_row = |start: usize| match stride {
        1 => reduce_slice(&data[start..start + len], f),
        _ => {
            let block = |at: usize| {
                let start = start.wrapping_add_signed(at as isize * stride);
                let elements = row(data, start, stride, BLOCK.min(len - at));
                elements.reduce(f).expect("a block is not empty")
            };
            tree((0..len).step_by(BLOCK).map(block), f)
        }
    };
    if walk.is_row() {
        return fold_row(start);
    }
    tree(walk.clone().map(|[place]| fold_row(start.wrapping_add(place))), f)
}

/// Reduces rows of `len` elements, the first one at `start`, element by element; appends the resulting row.
fn reduce_rows<E: Element>(
    data: &[E],
    (start, stride, len): (usize, isize, usize),
    folded: &Layout,
    out: &mut Vec<E>,
    f: impl Fn(E, E) -> E + Copy,
) {
    let walk = StridedIter::new(&folded.shape, [folded]);
    let (count, [step]) = (walk.len, walk.strides);
    let mut places = walk.flat_map(|[place]| steps(start.wrapping_add(place), step, count));
    // Appends the reduction of the next block of rows.
    let mut block = |out: &mut Vec<E>| {
        let at = out.len();
        for (i, place) in places.by_ref().take(BLOCK).enumerate() {
            match (i, stride) {
                (0, 1) => out.extend_from_slice(&data[place..place + len]),
                (0, _) => out.extend(row(data, place, stride, len)),
                (_, 1) => merge(&mut out[at..], data[place..place + len].iter().copied(), f),
                (_, _) => merge(&mut out[at..], row(data, place, stride, len), f),
            }
        }
    };
    let blocks = folded.shape.numel().div_ceil(BLOCK);
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

fn merge<E: Element>(y: &mut [E], x: impl Iterator<Item = E>, f: impl Fn(E, E) -> E) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*y, x);
    }
}

fn reduce_block<E: Element>(x: &[E], f: impl Fn(E, E) -> E + Copy) -> E {
    let fold = |x: &[E]| x.iter().copied().reduce(f).expect("a block is not empty");
    let Some((lanes, rest)) = x.split_first_chunk::<LANES>() else {
        return fold(x);
    };
    let mut lanes = *lanes;
    let (chunks, rest) = rest.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = f(*lane, x);
        }
    }
    let folded = fold(&lanes);
    rest.iter().fold(folded, |y, &x| f(y, x))
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
