use std::sync::Arc;

use crate::error::or_panic;
use crate::layout::Layout;
use crate::storage::Storage;
use crate::walk::{Walk, row};
use crate::{Element, Error, Float, MAX_RANK, Scalar, Shape};

/// An n-dimensional array: a strided view on shared storage.
///
/// Cloning and taking views cost O(1) and share the storage; writing copies it first if it is shared.
#[derive(Clone)]
pub struct Tensor<E> {
    storage: Arc<Storage<E>>,
    layout: Layout,
}

impl<E: Element> Tensor<E> {
    /// The tensor of these elements in row-major order.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape.
    pub fn from_vec(data: Vec<E>, shape: impl Into<Shape>) -> Result<Self, Error> {
        let shape = shape.into();
        if data.len() != shape.numel() {
            return Err(Error::Elements { op: "from_vec", shape: Box::new(shape), found: data.len() });
        }
        Ok(Self::filled(data, shape))
    }

    /// A tensor without axes.
    pub fn scalar(x: E) -> Self {
        Self::filled(vec![x], Shape::from([]))
    }

    /// A tensor of zeros.
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, E::default())
    }

    /// A tensor with the same value everywhere.
    pub fn full(shape: impl Into<Shape>, value: E) -> Self {
        let shape = shape.into();
        Self::filled(vec![value; shape.numel()], shape)
    }

    /// The tensor whose element at each index is `f(index)`, called in row-major order.
    pub fn from_fn(shape: impl Into<Shape>, mut f: impl FnMut(&[usize]) -> E) -> Self {
        let shape = shape.into();
        let mut index = [0; MAX_RANK];
        let index = &mut index[..shape.rank()];
        let data = (0..shape.numel()).map(|_| {
            let x = f(index);
            for (i, &dim) in index.iter_mut().zip(shape.iter()).rev() {
                *i += 1;
                if *i < dim {
                    break;
                }
                *i = 0;
            }
            x
        });
        Self::filled(data.collect(), shape)
    }

    /// The sizes of the axes, by value.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// The sizes of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.layout.shape
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.layout.shape.rank()
    }

    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.layout.shape.numel()
    }

    /// The distance in storage, in elements, between neighbours along each axis.
    pub fn strides(&self) -> &[isize] {
        self.layout.strides()
    }

    /// Whether the elements lie next to each other in row-major order.
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// Whether two tensors are views on the same storage.
    pub fn shares_storage_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
    }

    /// The element at an index. [`at`](Self::at) panics instead.
    ///
    /// # Errors
    /// If the index is not within the shape.
    pub fn get(&self, index: &[usize]) -> Result<E, Error> {
        self.layout.check_index("get", index)?;
        Ok(self.storage[self.layout.place(index)])
    }

    /// The element at an index.
    ///
    /// # Panics
    /// If the index is not within the shape; [`get`](Self::get) returns the error.
    #[track_caller]
    pub fn at(&self, index: &[usize]) -> E {
        or_panic(self.layout.check_index("at", index));
        self.storage[self.layout.place(index)]
    }

    /// The only element.
    ///
    /// # Errors
    /// If there is not exactly one element.
    pub fn item(&self) -> Result<E, Error> {
        if self.numel() != 1 {
            return Err(Error::OneElement { op: "item", shape: Box::new(self.shape()) });
        }
        Ok(self.storage[self.layout.offset])
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<E> {
        let mut data = Vec::with_capacity(self.numel());
        append(&self.storage, &self.layout, &mut data);
        data
    }

    /// The elements as a slice, if they are contiguous.
    pub fn as_slice(&self) -> Option<&[E]> {
        if self.numel() == 0 {
            return Some(&[]);
        }
        let start = self.layout.offset;
        self.is_contiguous().then(|| &self.storage[start..start + self.numel()])
    }

    /// The elements as a slice to write to, after a copy if they are shared or not contiguous.
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        if self.numel() == 0 {
            return &mut [];
        }
        if Arc::get_mut(&mut self.storage).is_none() || !self.is_contiguous() {
            *self = Self::filled(self.to_vec(), self.shape());
        }
        let (start, len) = (self.layout.offset, self.numel());
        let storage = Arc::get_mut(&mut self.storage).expect("the storage was just made unique");
        &mut storage.data_mut()[start..start + len]
    }

    /// Writes one element.
    ///
    /// # Errors
    /// If the index is not within the shape.
    pub fn set(&mut self, index: &[usize], value: E) -> Result<(), Error> {
        self.layout.check_index("set", index)?;
        self.as_mut_slice();
        let place = self.layout.place(index);
        Arc::get_mut(&mut self.storage).expect("the storage was just made unique").data_mut()[place] = value;
        Ok(())
    }

    /// The elements in row-major order, one by one.
    pub fn iter(&self) -> Iter<'_, E> {
        let walk = Walk::new(&self.shape(), [&self.layout]);
        Iter { storage: &self.storage, walk, place: 0, row: 0, left: self.numel() }
    }

    /// A tensor over elements whose number is that of the shape.
    pub(crate) fn filled(data: Vec<E>, shape: Shape) -> Self {
        debug_assert_eq!(data.len(), shape.numel());
        Self { storage: Arc::new(Storage::new(data)), layout: Layout::contiguous(shape) }
    }

    /// Another view on the same storage.
    pub(crate) fn view(&self, layout: Layout) -> Self {
        Self { storage: Arc::clone(&self.storage), layout }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The whole storage, to be read at places of the layout.
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

impl<E: Scalar> Tensor<E> {
    /// A tensor of ones.
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::full(shape, E::from_f64(1.0))
    }

    /// The identity matrix of size `n`.
    pub fn eye(n: usize) -> Self {
        Self::from_fn([n, n], |index| E::from_f64(if index[0] == index[1] { 1.0 } else { 0.0 }))
    }
}

impl<E: Float> Tensor<E> {
    /// The values `start, start + step, ..`, up to but without `end`.
    ///
    /// # Errors
    /// If a bound or the step is not finite, if the step is 0, or if there would be too many values.
    pub fn arange(start: E, end: E, step: E) -> Result<Self, Error> {
        let (first, last, by) = (start.to_f64(), end.to_f64(), step.to_f64());
        if ![first, last, by].iter().all(|x| x.is_finite()) || by == 0.0 {
            return Err(Error::Step { op: "arange", start: first, end: last, step: by });
        }
        let count = ((last - first) / by).ceil().max(0.0);
        if count >= isize::MAX as f64 {
            return Err(Error::TooManySteps { op: "arange", start: first, end: last, step: by });
        }
        let data: Vec<E> = (0..count as usize).map(|i| E::from_f64(first + i as f64 * by)).collect();
        let shape = Shape::from([data.len()]);
        Ok(Self::filled(data, shape))
    }

    /// `n` values at equal distances from `start` to `end`, both included.
    pub fn linspace(start: E, end: E, n: usize) -> Self {
        let (first, last) = (start.to_f64(), end.to_f64());
        let step = (last - first) / n.saturating_sub(1).max(1) as f64;
        Self::from_fn([n], |index| match index[0] {
            i if i > 0 && i == n - 1 => end,
            i => E::from_f64(first + i as f64 * step),
        })
    }
}

/// Appends the elements at the places of a layout, in row-major order.
pub(crate) fn append<E: Element>(storage: &[E], layout: &Layout, data: &mut Vec<E>) {
    if layout.is_contiguous() && layout.shape.numel() > 0 {
        return data.extend_from_slice(&storage[layout.offset..][..layout.shape.numel()]);
    }
    let walk = Walk::new(&layout.shape, [layout]);
    let (len, [stride]) = (walk.len, walk.strides);
    for [start] in walk {
        match stride {
            0 => data.resize(data.len() + len, storage[start]),
            1 => data.extend_from_slice(&storage[start..start + len]),
            _ => data.extend(row(storage, start, stride, len)),
        }
    }
}

/// Iterates over the elements of a tensor in row-major order.
pub struct Iter<'a, E> {
    storage: &'a [E],
    walk: Walk<1>,
    place: usize,
    /// The number of elements left in the current row.
    row: usize,
    left: usize,
}

impl<E: Copy> Iterator for Iter<'_, E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        if self.row == 0 {
            [self.place] = self.walk.next()?;
            self.row = self.walk.len;
        }
        let x = self.storage[self.place];
        self.place = self.place.wrapping_add_signed(self.walk.strides[0]);
        self.row -= 1;
        self.left -= 1;
        Some(x)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<E: Copy> ExactSizeIterator for Iter<'_, E> {}

impl<'a, E: Element> IntoIterator for &'a Tensor<E> {
    type Item = E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

impl<E: Element> From<E> for Tensor<E> {
    fn from(x: E) -> Self {
        Self::scalar(x)
    }
}

impl<E: Element, const A: usize> From<[E; A]> for Tensor<E> {
    fn from(data: [E; A]) -> Self {
        Self::filled(data.into(), Shape::from([A]))
    }
}

impl<E: Element, const A: usize, const B: usize> From<[[E; B]; A]> for Tensor<E> {
    fn from(data: [[E; B]; A]) -> Self {
        Self::filled(data.as_flattened().into(), Shape::from([A, B]))
    }
}

impl<E: Element, const A: usize, const B: usize, const C: usize> From<[[[E; C]; B]; A]> for Tensor<E> {
    fn from(data: [[[E; C]; B]; A]) -> Self {
        Self::filled(data.as_flattened().as_flattened().into(), Shape::from([A, B, C]))
    }
}

impl<E: Element, const A: usize, const B: usize, const C: usize, const D: usize> From<[[[[E; D]; C]; B]; A]>
    for Tensor<E>
{
    fn from(data: [[[[E; D]; C]; B]; A]) -> Self {
        Self::filled(data.as_flattened().as_flattened().as_flattened().into(), Shape::from([A, B, C, D]))
    }
}
