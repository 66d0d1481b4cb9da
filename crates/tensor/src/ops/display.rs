//! Tensors as text.

use std::fmt;

use crate::{Element, Tensor};

/// Above this many elements, only the ends of each axis are printed.
const SUMMARISE: usize = 1000;
/// The number of elements printed at each end.
const ENDS: usize = 3;

impl<E: Element + fmt::Display> fmt::Display for Tensor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |x: E| match f.precision() {
            Some(precision) => format!("{x:.precision$}"),
            None => format!("{x}"),
        };
        let ends = if self.numel() > SUMMARISE { Some(ENDS) } else { None };
        let mut cells = Vec::new();
        visit(self, ends, &mut |x| cells.push(text(x)));
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let mut cells = cells.into_iter();
        print(self, ends, width, self.rank(), &mut cells, f)
    }
}

impl<E: Element> fmt::Debug for Tensor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = std::any::type_name::<E>().rsplit("::").next().unwrap_or_default();
        write!(f, "Tensor<{name}> {} ", self.shape())?;
        let mut cells = Vec::new();
        visit(self, Some(ENDS), &mut |x| cells.push(format!("{x:?}")));
        debug(self, &mut cells.into_iter(), f)
    }
}

/// The indices of an axis that are printed, `None` where some are left out.
fn shown(dim: usize, ends: Option<usize>) -> impl Iterator<Item = Option<usize>> {
    let (head, tail) = match ends {
        Some(ends) if dim > 2 * ends => (ends, dim - ends),
        _ => (dim, dim),
    };
    (0..head).map(Some).chain((head < tail).then_some(None)).chain((tail..dim).map(Some))
}

fn visit<E: Element>(x: &Tensor<E>, ends: Option<usize>, f: &mut impl FnMut(E)) {
    match x.dims() {
        [] => f(x.at(&[])),
        [dim, ..] => shown(*dim, ends).flatten().for_each(|i| visit(&x.select(0, i), ends, f)),
    }
}

fn print<E: Element>(
    x: &Tensor<E>,
    ends: Option<usize>,
    width: usize,
    whole: usize,
    cells: &mut impl Iterator<Item = String>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let [dim, ..] = x.dims() else {
        return write!(f, "{:>width$}", cells.next().unwrap_or_default());
    };
    f.write_str("[")?;
    for (place, index) in shown(*dim, ends).enumerate() {
        if place > 0 {
            match x.rank() {
                1 => f.write_str(", ")?,
                rank => write!(f, ",{}{:indent$}", "\n".repeat(rank - 1), "", indent = whole - rank + 1)?,
            }
        }
        match index {
            Some(i) => print(&x.select(0, i), ends, width, whole, cells, f)?,
            None => f.write_str("…")?,
        }
    }
    f.write_str("]")
}

fn debug<E: Element>(
    x: &Tensor<E>,
    cells: &mut impl Iterator<Item = String>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let [dim, ..] = x.dims() else {
        return f.write_str(&cells.next().unwrap_or_default());
    };
    f.write_str("[")?;
    for (place, index) in shown(*dim, Some(ENDS)).enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        match index {
            Some(i) => debug(&x.select(0, i), cells, f)?,
            None => f.write_str("…")?,
        }
    }
    f.write_str("]")
}
