//! Elementwise loops over operands that lie in memory in any way.

use crate::layout::Layout;
use crate::walk::{Walk, row, steps};
use crate::{Element, Error, Shape, Tensor, buffer};

/// `f` of each pair in a new tensor, broadcasting.
pub(crate) fn zip_with<A: Element, B: Element, C: Element>(
    op: &'static str,
    a: &Tensor<A>,
    b: &Tensor<B>,
    f: impl Fn(A, B) -> C,
) -> Result<Tensor<C>, Error> {
    let shape = Shape::broadcast(op, &a.shape(), &b.shape())?;
    let mut out = buffer::empty(shape.numel());
    let mut append = |x: &[A], y: &[B]| out.extend(x.iter().zip(y).map(|(&x, &y)| f(x, y)));
    match (a.as_slice(), b.as_slice()) {
        (Some(x), Some(y)) if a.shape() == b.shape() => append(x, y),
        _ => paired_runs(a, b, &shape, &mut append),
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
    let walk = Walk::new(&layout.shape, [layout, &spread(b, &layout.shape)]);
    let (len, [s, t]) = (walk.len, walk.strides);
    let (y, mut near) = (b.storage(), [B::default(); RUN]);
    for [p, q] in walk {
        if s != 1 {
            for (place, y) in steps(p, s, len).zip(row(y, q, t, len)) {
                x[place] = f(x[place], y);
            }
            continue;
        }
        let longest = if t == 1 { len } else { RUN };
        for start in (0..len).step_by(longest) {
            let count = longest.min(len - start);
            let y = run(y, q.wrapping_add_signed(start as isize * t), t, count, &mut near);
            for (x, &y) in x[p + start..][..count].iter_mut().zip(y) {
                *x = f(*x, y);
            }
        }
    }
}

/// Elements that do not lie side by side are brought together so many at a time.
const RUN: usize = 128;

/// `count` elements side by side: where they lie, if they do so there, else copied near.
fn run<'a, E: Element>(
    data: &'a [E],
    start: usize,
    stride: isize,
    count: usize,
    near: &'a mut [E; RUN],
) -> &'a [E] {
    match stride {
        1 => return &data[start..start + count],
        0 => near[..count].fill(data[start]),
        _ => {
            for (to, x) in near.iter_mut().zip(row(data, start, stride, count)) {
                *to = x;
            }
        }
    }
    &near[..count]
}

impl<E: Element> Tensor<E> {
    /// Visits all elements in order, some side by side at a time. The visitor, of which there are as many as
    /// operations, holds nothing but the innermost loop, so that little is compiled for each.
    pub(crate) fn runs(&self, visit: &mut dyn FnMut(&[E])) {
        let walk = Walk::new(&self.shape(), [self.layout()]);
        let (len, [stride]) = (walk.len, walk.strides);
        let (data, mut near) = (self.storage(), [E::default(); RUN]);
        let longest = if stride == 1 { len } else { RUN };
        for [place] in walk {
            for start in (0..len).step_by(longest) {
                let place = place.wrapping_add_signed(start as isize * stride);
                visit(run(data, place, stride, longest.min(len - start), &mut near));
            }
        }
    }
}

/// As [`Tensor::runs`], for two tensors broadcast to a shape.
fn paired_runs<A: Element, B: Element>(
    a: &Tensor<A>,
    b: &Tensor<B>,
    shape: &Shape,
    visit: &mut dyn FnMut(&[A], &[B]),
) {
    let walk = Walk::new(shape, [&spread(a, shape), &spread(b, shape)]);
    let (len, [s, t]) = (walk.len, walk.strides);
    let (x, y) = (a.storage(), b.storage());
    let (mut left, mut right) = ([A::default(); RUN], [B::default(); RUN]);
    let longest = if [s, t] == [1, 1] { len } else { RUN };
    for [p, q] in walk {
        for start in (0..len).step_by(longest) {
            let count = longest.min(len - start);
            let x = run(x, p.wrapping_add_signed(start as isize * s), s, count, &mut left);
            let y = run(y, q.wrapping_add_signed(start as isize * t), t, count, &mut right);
            visit(x, y);
        }
    }
}

/// The layout of a tensor broadcast to a shape that it is known to broadcast to.
pub(crate) fn spread<E: Element>(tensor: &Tensor<E>, shape: &Shape) -> Layout {
    tensor.layout().broadcast("broadcast_to", shape).expect("the shape is the result of broadcasting")
}
