//! Matrices with strides, inside slices.

use super::packed::PackCache;

/// A matrix with strides, inside a slice: element `(i, j)` is `data[offset + i·row_stride + j·col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, E> {
    data: &'a [E],
    place: Place,
    cache: Option<&'a PackCache<E>>,
}

/// A writable matrix with strides, inside a slice.
#[derive(Debug)]
pub struct MatrixMut<'a, E> {
    data: &'a mut [E],
    place: Place,
}

/// Where a matrix lies in its slice. Every element is within bounds: checked when made.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: usize,
    dims: [usize; 2],
    strides: [isize; 2],
}

impl<'a, E> Matrix<'a, E> {
    /// Makes the matrix of `dims` (rows, columns) whose element `(0, 0)` is at `offset`.
    ///
    /// # Panics
    /// If an element would lie outside of the slice.
    #[track_caller]
    pub fn new(data: &'a [E], offset: usize, dims: [usize; 2], strides: [isize; 2]) -> Self {
        Self { data, place: Place::checked(data.len(), offset, dims, strides), cache: None }
    }

    /// Returns the numbers of rows and of columns.
    #[inline]
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        self.place.dims
    }

    /// Returns the distances, in elements, between rows and between columns.
    #[inline]
    #[must_use]
    pub fn strides(&self) -> [isize; 2] {
        self.place.strides
    }

    /// Returns the element in row `i` and column `j`.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[track_caller]
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> E
    where
        E: Copy,
    {
        self.data[self.place.of(i, j)]
    }

    /// Returns the part of `dims` from `(i, j)` on, which has elements.
    #[inline]
    pub(crate) fn part(&self, [i, j]: [usize; 2], dims: [usize; 2]) -> Self {
        let [rows, columns] = self.place.dims;
        debug_assert!(i + dims[0] <= rows && j + dims[1] <= columns);
        Matrix { place: Place { offset: self.place.of(i, j), dims, ..self.place }, cache: None, ..*self }
    }

    /// Returns the transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Matrix { place: self.place.t(), ..self }
    }

    /// Returns this matrix with the packed forms of the storage that it lies in.
    pub(crate) fn with_cache(self, cache: &'a PackCache<E>) -> Self {
        Matrix { cache: Some(cache), ..self }
    }

    /// Returns the packed forms of the storage that it lies in.
    pub(crate) fn cache(&self) -> Option<&'a PackCache<E>> {
        self.cache
    }

    /// Returns the length of the slice.
    pub(crate) fn storage_len(&self) -> usize {
        self.data.len()
    }

    /// Returns the place of element `(0, 0)` in the slice.
    pub(crate) fn offset(&self) -> usize {
        self.place.offset
    }

    /// Returns `length` elements of a row whose elements are contiguous, from `(i, j)` on.
    #[inline]
    pub(crate) fn run(&self, [i, j]: [usize; 2], length: usize) -> &'a [E] {
        debug_assert_eq!(self.place.strides[1], 1);
        &self.data[self.place.of(i, j)..][..length]
    }

    /// Returns `length` elements of a column whose elements are contiguous, from `(i, j)` on.
    #[inline]
    pub(crate) fn run_down(&self, [i, j]: [usize; 2], length: usize) -> &'a [E] {
        debug_assert_eq!(self.place.strides[0], 1);
        &self.data[self.place.of(i, j)..][..length]
    }

    /// Returns the slice, and where the matrix starts in it.
    #[inline]
    pub(crate) fn parts(&self) -> (&'a [E], usize) {
        (self.data, self.place.offset)
    }

    /// Returns a pointer to element `(0, 0)`, derived from the whole slice: with negative strides, other elements lie in
    /// front of it.
    #[inline]
    pub(crate) fn start(&self) -> *const E {
        self.data.as_ptr().wrapping_add(self.place.offset)
    }
}

impl<'a, E> MatrixMut<'a, E> {
    /// Makes the writable matrix of `dims` (rows, columns) whose element `(0, 0)` is at `offset`.
    ///
    /// # Panics
    /// If an element would lie outside of the slice, or if two of them would be the same: each row must end
    /// before the next one starts, or each column before the next.
    #[track_caller]
    pub fn new(data: &'a mut [E], offset: usize, dims: [usize; 2], strides: [isize; 2]) -> Self {
        let place = Place::checked(data.len(), offset, dims, strides);
        assert!(
            place.is_injective(),
            "matrix: expected distinct places for all elements, found strides {strides:?} of {dims:?}"
        );
        Self { data, place }
    }

    /// Returns the numbers of rows and of columns.
    #[inline]
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        self.place.dims
    }

    /// Returns the distances, in elements, between rows and between columns.
    #[inline]
    #[must_use]
    pub fn strides(&self) -> [isize; 2] {
        self.place.strides
    }

    /// Returns the element in row `i` and column `j`.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[track_caller]
    pub fn at_mut(&mut self, i: usize, j: usize) -> &mut E {
        &mut self.data[self.place.of(i, j)]
    }

    /// Returns the slice, and where the matrix starts in it.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut [E], usize) {
        (self.data, self.place.offset)
    }

    /// Returns a pointer to element `(0, 0)`, derived from the whole slice.
    #[inline]
    pub(crate) fn start(&mut self) -> *mut E {
        self.data.as_mut_ptr().wrapping_add(self.place.offset)
    }

    /// Whether rows are contiguous, and one after the other.
    pub(crate) fn has_rows(&self) -> bool {
        self.place.strides[1] == 1 && self.place.strides[0] >= self.place.dims[1] as isize
    }

    /// Returns the transposed matrix.
    pub(crate) fn t(self) -> Self {
        MatrixMut { data: self.data, place: self.place.t() }
    }

    /// Borrows the same matrix again.
    pub(crate) fn reborrow(&mut self) -> MatrixMut<'_, E> {
        MatrixMut { data: self.data, place: self.place }
    }
}

impl Place {
    #[track_caller]
    fn checked(len: usize, offset: usize, dims: [usize; 2], strides: [isize; 2]) -> Self {
        let inside = dims.contains(&0) || {
            // The least and the greatest place are at corners.
            let reach = |axis: usize| isize::try_from(dims[axis] - 1).ok()?.checked_mul(strides[axis]);
            let corners = || {
                let (down, right) = (reach(0)?, reach(1)?);
                let least = offset.checked_add_signed(down.min(0))?.checked_add_signed(right.min(0))?;
                let greatest = offset.checked_add_signed(down.max(0))?.checked_add_signed(right.max(0))?;
                Some(least <= greatest && greatest < len)
            };
            corners() == Some(true)
        };
        assert!(
            inside,
            "matrix: expected all elements within {len}, found offset {offset}, strides {strides:?} of {dims:?}"
        );
        Self { offset, dims, strides }
    }

    fn t(self) -> Self {
        let ([rows, columns], [row, column]) = (self.dims, self.strides);
        Place { dims: [columns, rows], strides: [column, row], ..self }
    }

    /// Whether no two elements share a place (a sufficient condition, met by every slice of an array).
    fn is_injective(&self) -> bool {
        let [(rows, row), (cols, col)] =
            [0, 1].map(|axis| (self.dims[axis], self.strides[axis].unsigned_abs()));
        if rows <= 1 || cols <= 1 {
            return (rows <= 1 || row > 0) && (cols <= 1 || col > 0) || rows == 0 || cols == 0;
        }
        col > 0 && row > 0 && ((cols - 1) * col < row || (rows - 1) * row < col)
    }

    #[inline]
    #[track_caller]
    fn of(&self, i: usize, j: usize) -> usize {
        let [rows, cols] = self.dims;
        assert!(i < rows && j < cols, "matrix: expected an index within [{rows}, {cols}], found [{i}, {j}]");
        self.offset.wrapping_add_signed(i as isize * self.strides[0] + j as isize * self.strides[1])
    }
}
