//! The elements of a tensor as blocks of neighbours, however they lie in memory.
//!
//! A loop over long rows is fast, one over short rows is not: it starts too often. So short rows are brought together, copied
//! one after the other into a block, and so are elements that do not lie side by side. An operand gives its blocks without
//! regard to the others, so that any number of them, each broadcast in its own way, are looped over as slices.

use crate::loops::strided::{StridedIter, steps};
use crate::storage::lent::Lent;
use crate::{Element, Shape, Tensor};

/// Neighbouring elements.
#[derive(Clone, Copy)]
pub(crate) enum Run<'a, E> {
    /// Side by side.
    Slice(&'a [E]),
    /// All the same.
    Repeated(E),
}

/// Rows shorter than this are gathered.
const SHORT: usize = 64;
/// The number of elements gathered at a time, which fit in the nearest cache.
const BLOCK: usize = 1024;
/// The number of elements copied at once, a constant so that the compiler unrolls the copy.
const TILE: usize = 16;

/// The elements of a tensor broadcast to a shape, in row-major order.
pub(crate) struct Blocks<'a, E> {
    data: &'a [E],
    /// The length of a row, and the distance between its elements.
    len: usize,
    stride: isize,
    /// The place of the next element, and the number of elements before the end of its row.
    place: usize,
    left: usize,
    /// The place of the next row, and the number of rows that are a step apart from there on.
    row: usize,
    rows: usize,
    step: isize,
    /// The places of the groups of rows to come, and the number of rows in each.
    groups: StridedIter<1>,
    group: usize,
    /// Gathered elements, with room for one more tile.
    near: Option<Lent<E>>,
    /// The row that these repeat, and how often, if they do.
    repeated: Option<(usize, usize)>,
}

impl<'a, E: Element> Blocks<'a, E> {
    /// Starts at the first element. The tensor is known to broadcast to the shape.
    #[inline]
    pub(crate) fn new(tensor: &'a Tensor<E>, shape: &Shape) -> Self {
        let layout = tensor.layout().broadcast("broadcast_to", shape);
        let layout = layout.expect("the shape is the result of broadcasting");
        let mut groups = StridedIter::new(shape, [&layout]);
        let (len, [stride]) = (groups.len, groups.strides);
        let (group, [step]) = if groups.is_row() { (1, [0]) } else { groups.take_outer() };
        let (place, left, row, rows) = (0, 0, 0, 0);
        let (near, repeated, data) = (None, None, &**tensor.storage());
        Blocks { data, len, stride, place, left, row, rows, step, groups, group, near, repeated }
    }

    /// Returns the number of elements to ask for at a time: those of a row if it is long and can be used in place.
    pub(crate) fn suggested(&self) -> usize {
        let only = self.group == 1 && self.groups.is_row();
        match self.stride {
            0 | 1 if self.len >= SHORT || only => self.len,
            _ => (BLOCK / self.len).max(1) * self.len.min(BLOCK),
        }
    }

    /// Returns the number of elements to ask for at a time as slices: one value that repeats is written out.
    pub(crate) fn suggested_slice(&self) -> usize {
        if self.stride == 0 { self.suggested().min(BLOCK) } else { self.suggested() }
    }

    /// Returns the next `count` elements, at least one, of which there must be as many.
    #[inline]
    pub(crate) fn next(&mut self, count: usize) -> Run<'_, E> {
        if self.left == 0 && count <= self.len {
            self.next_row();
        }
        match self.stride {
            0 if count <= self.left => Run::Repeated(self.data[self.pass(count)]),
            1 if count <= self.left => Run::Slice(&self.data[self.pass(count)..][..count]),
            _ => Run::Slice(self.gather(count)),
        }
    }

    /// Returns the next `count` elements as [`next`](Self::next) does, always as a slice.
    #[inline]
    pub(crate) fn next_slice(&mut self, count: usize) -> &[E] {
        if self.stride == 0 {
            return self.gather(count);
        }
        match self.next(count) {
            Run::Slice(x) => x,
            Run::Repeated(_) => unreachable!("only what has stride 0 repeats"),
        }
    }

    /// Goes on to the next row.
    #[inline]
    fn next_row(&mut self) {
        self.next_group();
        (self.place, self.left) = (self.pass_rows(1), self.len);
    }

    /// Goes on to the next group of rows if there are no more rows in this one.
    #[inline]
    fn next_group(&mut self) {
        if self.rows == 0 {
            let [row] = self.groups.next().expect("there are elements left");
            (self.row, self.rows) = (row, self.group);
        }
    }

    /// Skips elements of the current row; returns the place of the first.
    #[inline]
    fn pass(&mut self, count: usize) -> usize {
        self.left -= count;
        let next = self.place.wrapping_add_signed(count as isize * self.stride);
        std::mem::replace(&mut self.place, next)
    }

    /// Skips rows of the current group; returns the place of the first.
    #[inline]
    fn pass_rows(&mut self, count: usize) -> usize {
        self.rows -= count;
        let next = self.row.wrapping_add_signed(count as isize * self.step);
        std::mem::replace(&mut self.row, next)
    }

    /// Gathers the next elements: the rest of a row, whole rows, and the beginning of another one.
    #[inline(never)]
    fn gather(&mut self, count: usize) -> &[E] {
        let mut near = match self.near.take() {
            Some(near) if near.len() >= count + TILE => near,
            _ => {
                self.repeated = None;
                Lent::stale(count.max(BLOCK) + TILE)
            }
        };
        let (data, len, stride) = (self.data, self.len, self.stride);
        let mut filled = 0;
        while filled < count {
            if self.left == 0 {
                self.next_group();
                let whole = ((count - filled) / len).min(self.rows);
                let row = self.pass_rows(whole);
                let repeated = (self.step == 0 && whole * len == count).then_some((row, whole));
                if repeated.is_none() || repeated != self.repeated {
                    let to = &mut near[filled..];
                    if self.step == 0 {
                        put_rows(to, data, [row].into_iter().take(whole), stride, len);
                        repeat(to, len, whole * len);
                    } else {
                        put_rows(to, data, steps(row, self.step, whole), stride, len);
                    }
                }
                self.repeated = repeated;
                filled += whole * len;
                if whole > 0 {
                    continue;
                }
                self.next_row();
            }
            let some = self.left.min(count - filled);
            let place = self.pass(some);
            put_rows(&mut near[filled..], data, [place].into_iter(), stride, some);
            self.repeated = None;
            filled += some;
        }
        &self.near.insert(near)[..count]
    }
}

/// Writes rows of `len` elements one after the other, and perhaps something after the last one.
#[inline]
fn put_rows<E: Element>(
    to: &mut [E],
    data: &[E],
    places: impl Iterator<Item = usize>,
    stride: isize,
    len: usize,
) {
    let starts = (0..).step_by(len);
    match stride {
        0 => {
            for (at, place) in starts.zip(places) {
                let tile = [data[place]; TILE];
                for i in (at..at + len).step_by(TILE) {
                    *to[i..].first_chunk_mut().expect("there is room for a tile more") = tile;
                }
            }
        }
        1 => {
            for (at, place) in starts.zip(places) {
                copy(&mut to[at..at + len], &data[place..place + len]);
            }
        }
        _ => {
            for (at, place) in starts.zip(places) {
                let row = to[at..at + len].iter_mut().zip(steps(place, stride, len));
                row.for_each(|(to, place)| *to = data[place]);
            }
        }
    }
}

/// Repeats the first `len` elements over `total`, twice as many at a time.
fn repeat<E: Element>(to: &mut [E], len: usize, total: usize) {
    let mut done = len;
    while done < total {
        let some = done.min(total - done);
        to.copy_within(..some, done);
        done += some;
    }
}

/// Copies a row that may be short, for which a call would take longer.
#[inline]
fn copy<E: Element>(to: &mut [E], from: &[E]) {
    if from.len() > SHORT {
        to.copy_from_slice(from);
    } else if !(copy_tiles::<E, TILE>(to, from) || copy_tiles::<E, 4>(to, from)) {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    }
}

/// Copies tiles, the last one of which overlaps the one before it, unless there is not even one.
#[inline]
fn copy_tiles<E: Element, const TILE: usize>(to: &mut [E], from: &[E]) -> bool {
    if from.len() < TILE {
        return false;
    }
    let ((tiles, rest), from_tiles) = (to.as_chunks_mut::<TILE>(), from.as_chunks().0);
    tiles.iter_mut().zip(from_tiles).for_each(|(to, from)| *to = *from);
    if !rest.is_empty()
        && let (Some(to), Some(from)) = (to.last_chunk_mut::<TILE>(), from.last_chunk())
    {
        *to = *from;
    }
    true
}
