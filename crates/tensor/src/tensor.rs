//! The tensor: a layout over shared storage.

use std::sync::Arc;

use crate::error::or_panic;
use crate::loops::strided::{StridedIter, row, steps};
use crate::shape::layout::Layout;
use crate::storage::Storage;
use crate::storage::buffer;
use crate::{Element, Error, Shape};

/// An n-dimensional array: a strided view on shared storage.
///
/// Cloning and taking views cost O(1) and share the storage; writing copies it first if it is shared.
/// Strides may be negative ([`flip`](Tensor::flip)) or zero ([`broadcast_to`](Tensor::broadcast_to)).
///
/// Operations on shapes that may not fit come as twins: `try_matmul` returns a `Result`, `matmul` panics with
/// the same text at the line of the caller. The operators `+ - * /` broadcast; they take tensors, references to
/// tensors and numbers. An owned operand that shares its storage with nobody lends it to the result.
///
/// Whatever makes new elements panics if memory does not hold them, or returns an error if it can fail anyway.
///
/// `Display` aligns columns, takes a precision (`{:.3}`) and leaves out the middle of large tensors.
///
/// # Example
/// ```
/// use retrograde_tensor::Tensor;
///
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// let b = Tensor::from([10.0, 20.0]);
///
/// let y = (x.matmul(&x.t()) + &b) / 5.0;
/// assert_eq!(format!("{y:.1}"), "[[3.0, 6.2],\n [4.2, 9.0]]");
/// ```
#[derive(Clone)]
pub struct Tensor<E> {
    storage: Arc<Storage<E>>,
    /// Where the elements lie in the storage, unless they are all of it, as it was made.
    view: Option<Arc<Layout>>,
}

impl<E: Element> Tensor<E> {
    /// The sizes of the axes, by value.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.layout().shape
    }

    /// The sizes of the axes.
    #[inline]
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.layout().shape
    }

    /// The number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.layout().shape.rank()
    }

    /// The number of elements.
    #[inline]
    #[must_use]
    pub fn numel(&self) -> usize {
        self.view.as_ref().map_or(self.storage.len(), |view| view.shape.numel())
    }

    /// The distance in storage, in elements, between neighbours along each axis.
    #[must_use]
    pub fn strides(&self) -> &[isize] {
        self.layout().strides()
    }

    /// Whether the elements lie next to each other in row-major order.
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        self.view.as_ref().is_none_or(|view| view.is_contiguous())
    }

    /// The memory of the storage that the elements lie in, which views share.
    #[must_use]
    pub fn storage_range(&self) -> std::ops::Range<*const E> {
        self.storage().as_ptr_range()
    }

    /// Whether two tensors are views on the same storage.
    #[must_use]
    pub fn shares_storage_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
    }

    /// The element at an index. [`at`](Self::at) panics instead.
    ///
    /// # Errors
    /// If the index is not within the shape.
    pub fn get(&self, index: &[usize]) -> Result<E, Error> {
        self.layout().check_index("get", index)?;
        Ok(self.storage[self.layout().place(index)])
    }

    /// The element at an index.
    ///
    /// # Panics
    /// If the index is not within the shape; [`get`](Self::get) returns the error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.at(&[1, 0]), 3.0);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn at(&self, index: &[usize]) -> E {
        or_panic(self.layout().check_index("at", index));
        self.storage[self.layout().place(index)]
    }

    /// The only element.
    ///
    /// # Errors
    /// If there is not exactly one element.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::from([1.0, 2.0]).sum().item()?, 3.0);
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    pub fn item(&self) -> Result<E, Error> {
        if self.numel() != 1 {
            return Err(Error::OneElement { op: "item", shape: Box::new(self.shape()) });
        }
        Ok(self.storage[self.layout().offset])
    }

    /// The elements in row-major order.
    #[track_caller]
    #[must_use]
    pub fn to_vec(&self) -> Vec<E> {
        let mut data = or_panic(buffer::reserve("to_vec", &self.shape()));
        append(&self.storage, self.layout(), &mut data);
        data
    }

    /// The elements in row-major order: without a copy if they are contiguous, the whole storage, and shared with nobody.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from(vec![1.0, 2.0, 3.0]);
    /// let place = x.storage_range().start;
    /// let data = x.into_vec();
    /// assert_eq!((data.as_ptr(), &data[..]), (place, &[1.0, 2.0, 3.0][..]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn into_vec(self) -> Vec<E> {
        if self.storage.len() != self.numel() || !self.is_contiguous() {
            return self.to_vec();
        }
        match Arc::try_unwrap(self.storage) {
            Ok(storage) => storage.into_vec(),
            Err(shared) => shared.to_vec(),
        }
    }

    /// The elements in row-major order, in a buffer that may have been used before.
    pub(crate) fn copied(&self, op: &'static str) -> Result<Vec<E>, Error> {
        let mut data = buffer::with_capacity(op, &self.shape())?;
        append(&self.storage, self.layout(), &mut data);
        Ok(data)
    }

    /// The elements as a slice, if they are contiguous.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> Option<&[E]> {
        match &self.view {
            None => Some(&self.storage),
            Some(view) => view.is_contiguous().then(|| &self.storage[view.offset..][..view.shape.numel()]),
        }
    }

    /// The elements as a slice to write to, after a copy if they are shared or not contiguous.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut x = Tensor::from([1.0, 2.0]);
    /// let y = x.clone();
    /// x.as_mut_slice()[0] = 5.0;
    /// assert_eq!((x.at(&[0]), y.at(&[0])), (5.0, 1.0));
    /// ```
    #[track_caller]
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        or_panic(self.written("as_mut_slice"))
    }

    /// The elements as a slice to write to, after a copy if they are shared or not contiguous.
    pub(crate) fn written(&mut self, op: &'static str) -> Result<&mut [E], Error> {
        if self.numel() == 0 {
            return Ok(&mut []);
        }
        if Arc::strong_count(&self.storage) > 1 || !self.is_contiguous() {
            *self = Self::filled(self.copied(op)?, self.shape());
        }
        let data = Arc::get_mut(&mut self.storage).expect("nobody else has the storage").data_mut();
        Ok(match &self.view {
            None => data,
            Some(view) => &mut data[view.offset..][..view.shape.numel()],
        })
    }

    /// Writes one element.
    ///
    /// # Errors
    /// If the index is not within the shape, or if a copy that is needed does not fit in memory.
    pub fn set(&mut self, index: &[usize], value: E) -> Result<(), Error> {
        self.layout().check_index("set", index)?;
        self.written("set")?;
        let place = self.layout().place(index);
        Arc::get_mut(&mut self.storage).expect("the storage was just made unique").data_mut()[place] = value;
        Ok(())
    }

    /// A tensor over elements whose number is that of the shape.
    #[inline]
    pub(crate) fn filled(data: Vec<E>, shape: Shape) -> Self {
        debug_assert_eq!(data.len(), shape.numel());
        Self { storage: Arc::new(Storage::new(data, shape)), view: None }
    }

    /// Another view on the same storage.
    pub(crate) fn view(&self, layout: Layout) -> Self {
        Self { storage: Arc::clone(&self.storage), view: Some(Arc::new(layout)) }
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        self.view.as_deref().unwrap_or(self.storage.layout())
    }

    /// The whole storage, to be read at places of the layout.
    #[inline]
    pub(crate) fn storage(&self) -> &Storage<E> {
        &self.storage
    }

    /// The elements, if they are the whole storage, in order, and nobody else's.
    pub(crate) fn as_unique_slice(&mut self) -> Option<&mut [E]> {
        if self.storage.len() != self.numel() || !self.is_contiguous() {
            return None;
        }
        Arc::get_mut(&mut self.storage).map(Storage::data_mut)
    }
}

/// Appends the elements at the places of a layout, in row-major order.
pub(crate) fn append<E: Element>(storage: &[E], layout: &Layout, data: &mut Vec<E>) {
    let numel = layout.shape.numel();
    if numel == 0 {
        return;
    }
    if layout.is_contiguous() {
        return data.extend_from_slice(&storage[layout.offset..][..numel]);
    }
    let mut walk = StridedIter::new(&layout.shape, [layout]);
    let (len, [stride]) = (walk.len, walk.strides);
    if layout.is_transposed() {
        let (rows, [step]) = walk.take_outer();
        return walk.for_each(|[start]| append_squares(storage, start, [rows, len], [step, stride], data));
    }
    for [start] in walk {
        match stride {
            0 => data.resize(data.len() + len, storage[start]),
            1 => data.extend_from_slice(&storage[start..start + len]),
            _ => data.extend(row(storage, start, stride, len)),
        }
    }
}

/// Appends the rows of a matrix in storage, a square at a time, so that what is read and what is written both stay near.
fn append_squares<E: Element>(
    storage: &[E],
    start: usize,
    [rows, columns]: [usize; 2],
    [row, column]: [isize; 2],
    data: &mut Vec<E>,
) {
    const SIDE: usize = 16;
    let first = data.len();
    data.resize(first + rows * columns, E::default());
    for left in (0..columns).step_by(SIDE) {
        let width = SIDE.min(columns - left);
        for top in (0..rows).step_by(SIDE) {
            let height = SIDE.min(rows - top);
            let place = start.wrapping_add_signed(top as isize * row + left as isize * column);
            if height == SIDE && width == SIDE && row == 1 {
                // Of a size that the compiler knows.
                let mut square = [[E::default(); SIDE]; SIDE];
                for (line, place) in square.iter_mut().zip(steps(place, column, SIDE)) {
                    line.copy_from_slice(&storage[place..place + SIDE]);
                }
                for i in 0..SIDE {
                    let to = &mut data[first + (top + i) * columns + left..][..SIDE];
                    to.iter_mut().zip(&square).for_each(|(to, line)| *to = line[i]);
                }
                continue;
            }
            for i in 0..height {
                let to = &mut data[first + (top + i) * columns + left..][..width];
                let place = place.wrapping_add_signed(i as isize * row);
                to.iter_mut().zip(steps(place, column, width)).for_each(|(to, place)| *to = storage[place]);
            }
        }
    }
}
