//! Elementwise loops over operands that lie in memory in any way.

use crate::loops::strided::{StridedIter, row, steps};
use crate::shape::layout::Layout;
use crate::storage::buffer;
use crate::{Element, Error, Shape, Tensor};

/// `f` of each pair in a new tensor, broadcasting.
pub(crate) fn zip<A: Element, B: Element, C: Element>(
    op: &'static str,
    a: &Tensor<A>,
    b: &Tensor<B>,
    f: impl Fn(A, B) -> C,
) -> Result<Tensor<C>, Error> {
    let shape = Shape::broadcast(op, &a.shape(), &b.shape())?;
    let mut out = buffer::with_capacity(op, &shape)?;
    let to = &mut out;
    for_each_pair(a, b, &shape, &mut move |count, x, y| match (x, y) {
        (Run::Slice(x), Run::Slice(y)) => to.extend(x.iter().zip(y).map(|(&x, &y)| f(x, y))),
        (Run::Slice(x), Run::Repeated(y)) => to.extend(x.iter().map(|&x| f(x, y))),
        (Run::Repeated(x), Run::Slice(y)) => to.extend(y.iter().map(|&y| f(x, y))),
        (Run::Repeated(x), Run::Repeated(y)) => to.resize(to.len() + count, f(x, y)),
    });
    Ok(Tensor::filled(out, shape))
}

/// `x = f(x, y)` at each place of a layout over `x`, to whose shape `b` broadcasts (checked before).
pub(crate) fn zip_assign<A: Element, B: Element>(
    x: &mut [A],
    layout: &Layout,
    b: &Tensor<B>,
    f: impl Fn(A, B) -> A,
) {
    for_each_place(x, layout, b, &mut move |x, y| match y {
        Run::Slice(y) => {
            for (x, &y) in x.iter_mut().zip(y) {
                *x = f(*x, y);
            }
        }
        Run::Repeated(y) => {
            for x in x {
                *x = f(*x, y);
            }
        }
    });
}

/// `x = y` at each place of a layout over `x`, to whose shape `b` broadcasts (checked before).
pub(crate) fn assign<E: Element>(x: &mut [E], layout: &Layout, b: &Tensor<E>) {
    for_each_place(x, layout, b, &mut |x, y| match y {
        Run::Slice(y) => x.copy_from_slice(y),
        Run::Repeated(y) => x.fill(y),
    });
}

/// Elements of a row.
#[derive(Clone, Copy)]
enum Run<'a, E> {
    /// Side by side.
    Slice(&'a [E]),
    /// All the same.
    Repeated(E),
}

/// Elements that do not lie side by side are brought together in pieces of this length.
const LONGEST: usize = 128;

/// The number of elements of a row to visit at a time, by the strides of the operands.
fn longest<const K: usize>(len: usize, strides: [isize; K]) -> usize {
    if strides.iter().all(|stride| [0, 1].contains(stride)) { len } else { LONGEST }
}

/// `count` elements from a place on, copied to `near` first if they do not lie side by side.
#[inline]
fn run<'a, E: Element>(
    data: &'a [E],
    start: usize,
    stride: isize,
    count: usize,
    near: &'a mut Vec<E>,
) -> Run<'a, E> {
    match stride {
        0 => Run::Repeated(data[start]),
        1 => Run::Slice(&data[start..start + count]),
        _ => {
            near.clear();
            near.extend(row(data, start, stride, count));
            Run::Slice(near)
        }
    }
}

// The visitors, of which there are as many as operations, hold nothing but the innermost loops: little is compiled for
// each. They own what they compute with, so that it stays in registers.

impl<E: Element> Tensor<E> {
    /// Visits all elements in order, slice by slice.
    pub(crate) fn for_each_slice(&self, visit: &mut dyn FnMut(&[E])) {
        if let Some(x) = self.as_slice() {
            return visit(x);
        }
        if self.layout().is_transposed() {
            return self.contiguous().for_each_slice(visit);
        }
        let walk = StridedIter::new(&self.shape(), [self.layout()]);
        let (len, [stride]) = (walk.len, walk.strides);
        let mut near = Vec::new();
        let longest = if stride == 1 { len } else { LONGEST };
        for [place] in walk {
            for start in (0..len).step_by(longest) {
                let count = longest.min(len - start);
                let place = place.wrapping_add_signed(start as isize * stride);
                match run(self.storage(), place, stride, count, &mut near) {
                    Run::Slice(x) => visit(x),
                    Run::Repeated(x) => visit(&[x; LONGEST][..count]),
                }
            }
        }
    }
}

type PairVisitor<'v, A, B> = dyn for<'r> FnMut(usize, Run<'r, A>, Run<'r, B>) + 'v;

/// Visits all pairs of elements of two tensors broadcast to a shape: a count, and as many elements of each.
fn for_each_pair<A: Element, B: Element>(
    a: &Tensor<A>,
    b: &Tensor<B>,
    shape: &Shape,
    visit: &mut PairVisitor<'_, A, B>,
) {
    if a.shape() == b.shape()
        && let (Some(x), Some(y)) = (a.as_slice(), b.as_slice())
    {
        return visit(x.len(), Run::Slice(x), Run::Slice(y));
    }
    if a.layout().is_transposed() {
        return for_each_pair(&a.contiguous(), b, shape, visit);
    }
    if b.layout().is_transposed() {
        return for_each_pair(a, &b.contiguous(), shape, visit);
    }
    let walk = StridedIter::new(shape, [&spread(a, shape), &spread(b, shape)]);
    let (len, [s, t]) = (walk.len, walk.strides);
    let (x, y) = (a.storage(), b.storage());
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let longest = longest(len, [s, t]);
    for [p, q] in walk {
        for start in (0..len).step_by(longest) {
            let count = longest.min(len - start);
            let x = run(x, p.wrapping_add_signed(start as isize * s), s, count, &mut left);
            let y = run(y, q.wrapping_add_signed(start as isize * t), t, count, &mut right);
            visit(count, x, y);
        }
    }
}

/// Visits places of `x` that are to be written, with the elements of a tensor broadcast to their layout.
fn for_each_place<A: Element, B: Element>(
    x: &mut [A],
    layout: &Layout,
    b: &Tensor<B>,
    visit: &mut dyn FnMut(&mut [A], Run<'_, B>),
) {
    if b.shape() == layout.shape
        && layout.is_contiguous()
        && let Some(y) = b.as_slice()
    {
        return visit(&mut x[layout.offset..][..y.len()], Run::Slice(y));
    }
    if b.layout().is_transposed() {
        return for_each_place(x, layout, &b.contiguous(), visit);
    }
    let walk = StridedIter::new(&layout.shape, [layout, &spread(b, &layout.shape)]);
    let (len, [s, t]) = (walk.len, walk.strides);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let longest = if s == 1 { longest(len, [t]) } else { LONGEST };
    for [p, q] in walk {
        for start in (0..len).step_by(longest) {
            let count = longest.min(len - start);
            let y = run(b.storage(), q.wrapping_add_signed(start as isize * t), t, count, &mut right);
            if s == 1 {
                visit(&mut x[p + start..][..count], y);
                continue;
            }
            let p = p.wrapping_add_signed(start as isize * s);
            left.clear();
            left.extend(row(x, p, s, count));
            visit(&mut left, y);
            for (from, place) in left.iter().zip(steps(p, s, count)) {
                x[place] = *from;
            }
        }
    }
}

/// The layout of a tensor broadcast to a shape that it is known to broadcast to.
pub(crate) fn spread<E: Element>(tensor: &Tensor<E>, shape: &Shape) -> Layout {
    tensor.layout().broadcast("broadcast_to", shape).expect("the shape is the result of broadcasting")
}
