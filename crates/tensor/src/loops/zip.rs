//! Elementwise loops over operands of any strides.

use std::borrow::Cow;

use crate::loops::blocks::{Blocks, Run};
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

/// `x` where `m` is not 0, else `y`, of each three elements in a new tensor, broadcasting.
pub(crate) fn select<E: Element>(
    op: &'static str,
    [mask, a, b]: [&Tensor<E>; 3],
) -> Result<Tensor<E>, Error> {
    let branches = Shape::broadcast(op, &a.shape(), &b.shape())?;
    let shape = Shape::broadcast(op, &mask.shape(), &branches)?;
    let mut out = buffer::with_capacity(op, &shape)?;
    let [mask, a, b] = [mask, a, b].map(in_order);
    let mut m = Blocks::new(&mask, &shape);
    let mut x = Blocks::new(&a, &shape);
    let mut y = Blocks::new(&b, &shape);
    let most = m.suggested().min(x.suggested()).min(y.suggested());
    // Both branches are read, whichever is taken: a branch on a mask cannot be predicted.
    let choose = |m: E, x: E, y: E| if m != E::default() { x } else { y };
    for count in counts(shape.numel(), most) {
        match (m.next(count), x.next(count), y.next(count)) {
            (Run::Repeated(m), x, y) => match if m != E::default() { x } else { y } {
                Run::Slice(taken) => out.extend_from_slice(taken),
                Run::Repeated(taken) => out.resize(out.len() + count, taken),
            },
            (Run::Slice(m), Run::Slice(x), Run::Slice(y)) => {
                out.extend(m.iter().zip(x).zip(y).map(|((&m, &x), &y)| choose(m, x, y)));
            }
            (Run::Slice(m), Run::Slice(x), Run::Repeated(y)) => {
                out.extend(m.iter().zip(x).map(|(&m, &x)| choose(m, x, y)));
            }
            (Run::Slice(m), Run::Repeated(x), Run::Slice(y)) => {
                out.extend(m.iter().zip(y).map(|(&m, &y)| choose(m, x, y)));
            }
            (Run::Slice(m), Run::Repeated(x), Run::Repeated(y)) => {
                out.extend(m.iter().map(|&m| choose(m, x, y)));
            }
        }
    }
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

// There is a visitor for each operation, and it holds the innermost loops alone: little is compiled for each. They own what they compute with, so that it stays in registers.

impl<E: Element> Tensor<E> {
    /// Visits all elements in order, slice by slice.
    pub(crate) fn for_each_slice(&self, visit: &mut dyn FnMut(&[E])) {
        if let Some(x) = self.as_slice() {
            return visit(x);
        }
        if self.layout().is_transposed() {
            return self.contiguous().for_each_slice(visit);
        }
        let mut x = Blocks::new(self, &self.shape());
        for count in counts(self.numel(), x.suggested_slice()) {
            visit(x.next_slice(count));
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
    let count = shape.numel();
    // Of as many elements as the result, both are in its order.
    if a.numel() == count
        && b.numel() == count
        && let (Some(x), Some(y)) = (a.as_slice(), b.as_slice())
    {
        return visit(count, Run::Slice(x), Run::Slice(y));
    }
    let (a, b) = (in_order(a), in_order(b));
    let mut x = Blocks::new(&a, shape);
    let mut y = Blocks::new(&b, shape);
    for count in counts(count, x.suggested().min(y.suggested())) {
        visit(count, x.next(count), y.next(count));
    }
}

/// Visits places of `x` that are to be written, with the elements of a tensor broadcast to their layout.
fn for_each_place<A: Element, B: Element>(
    x: &mut [A],
    layout: &Layout,
    b: &Tensor<B>,
    visit: &mut dyn FnMut(&mut [A], Run<'_, B>),
) {
    let whole = b.as_slice().filter(|y| y.len() == layout.shape.numel());
    if let Some(y) = whole
        && layout.is_contiguous()
    {
        return visit(&mut x[layout.offset..][..y.len()], Run::Slice(y));
    }
    for_each_strided_place(x, layout, b, whole, visit);
}

/// As [`for_each_place`], of places that are apart, or of a tensor whose elements may be: its `whole` slice if they are not.
#[inline(never)]
fn for_each_strided_place<A: Element, B: Element>(
    x: &mut [A],
    layout: &Layout,
    b: &Tensor<B>,
    whole: Option<&[B]>,
    visit: &mut dyn FnMut(&mut [A], Run<'_, B>),
) {
    let rows = StridedIter::new(&layout.shape, [layout]);
    let (len, [stride]) = (rows.len, rows.strides);
    if let Some(y) = whole
        && stride == 1
    {
        let pairs = rows.zip(y.chunks_exact(len));
        return pairs.for_each(|([place], y)| visit(&mut x[place..][..len], Run::Slice(y)));
    }
    let b = in_order(b);
    let mut y = Blocks::new(&b, &layout.shape);
    let (most, mut near) = (y.suggested(), Vec::new());
    for [place] in rows {
        let mut place = place;
        for count in counts(len, most) {
            if stride == 1 {
                visit(&mut x[place..][..count], y.next(count));
            } else {
                near.clear();
                near.extend(row(x, place, stride, count));
                visit(&mut near, y.next(count));
                near.iter().zip(steps(place, stride, count)).for_each(|(&from, to)| x[to] = from);
            }
            place = place.wrapping_add_signed(count as isize * stride);
        }
    }
}

/// `total` in parts of `most`, and what is left.
fn counts(total: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..total).step_by(most).map(move |start| most.min(total - start))
}

/// The tensor itself, or a copy if the neighbours in its rows lie far apart.
fn in_order<E: Element>(x: &Tensor<E>) -> Cow<'_, Tensor<E>> {
    if x.layout().is_transposed() { Cow::Owned(x.contiguous()) } else { Cow::Borrowed(x) }
}
