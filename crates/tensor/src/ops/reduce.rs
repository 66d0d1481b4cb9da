//! Sums, means and extrema over axes.

use std::borrow::Cow;

use super::infer::chosen;
use crate::error::or_panic;
use crate::loops::fold::{Fold, Greatest, Least};
use crate::loops::reduce::{Reduced, reduce, reduce_slice};
use crate::{Error, IntoShape, MAX_RANK, Scalar, Tensor};

impl<E: Scalar> Tensor<E> {
    /// The sum of all elements, as a tensor without axes.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).sum(), Tensor::scalar(10.0));
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Self {
        or_panic(reduce("sum", self, [true; MAX_RANK], false, E::default(), E::add))
    }

    /// The mean of all elements, as a tensor without axes. NaN if there are none.
    #[must_use]
    pub fn mean(&self) -> Self {
        self.sum() / E::from_f64(self.numel() as f64)
    }

    /// Sums over the axes of size 1 in `shape`, and those missing in front: the transpose of
    /// [`broadcast_to`](Self::broadcast_to). [`sum_to`](Self::sum_to) panics instead.
    ///
    /// # Errors
    /// If `shape` does not broadcast to the shape of this tensor.
    pub fn try_sum_to(&self, shape: impl IntoShape) -> Result<Self, Error> {
        let (shape, from) = (shape.into_shape("sum_to")?, self.shape());
        if shape == from {
            return Ok(self.clone());
        }
        let error = || Error::BroadcastTo { op: "sum_to", target: Box::new(from), found: Box::new(shape) };
        let lead = from.rank().checked_sub(shape.rank()).ok_or_else(error)?;
        let mut reduced = [false; MAX_RANK];
        for (axis, &dim) in from.iter().enumerate() {
            reduced[axis] = axis < lead || shape[axis - lead] != dim;
            if axis >= lead && reduced[axis] && shape[axis - lead] != 1 {
                return Err(error());
            }
        }
        let sum = reduce("sum_to", self, reduced, true, E::default(), E::add)?;
        Ok(sum.reshape(shape))
    }

    /// Sums over the axes of size 1 in `shape`, and those missing in front: the transpose of
    /// [`broadcast_to`](Self::broadcast_to).
    ///
    /// # Panics
    /// Where [`try_sum_to`](Self::try_sum_to) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_to([2]), Tensor::from([4.0, 6.0]));
    /// assert_eq!(x.sum_to([2, 1]), Tensor::from([[3.0], [7.0]]));
    /// ```
    #[track_caller]
    pub fn sum_to(&self, shape: impl IntoShape) -> Self {
        or_panic(self.try_sum_to(shape))
    }

    /// The index of the first greatest element along an axis, which disappears. NaN counts as greatest.
    /// [`argmax`](Self::argmax) panics instead.
    ///
    /// # Errors
    /// If there is no such axis, or if it is empty.
    pub fn try_argmax(&self, axis: usize) -> Result<Tensor<usize>, Error> {
        let op = "argmax";
        let shape = self.shape();
        shape.check_axis(op, axis)?;
        if shape[axis] == 0 {
            return Err(Error::EmptyReduction { op, shape: Box::new(shape) });
        }
        // [.., axis, ..] -> [.., .., axis]
        let mut last = [0; MAX_RANK];
        let order = (0..shape.rank()).filter(|&other| other != axis).chain([axis]);
        last.iter_mut().zip(order).for_each(|(to, from)| *to = from);
        let rows = self.permute(&last[..shape.rank()]);
        let rows = match rows.as_slice() {
            Some(rows) => Cow::Borrowed(rows),
            None => Cow::Owned(rows.copied(op)?),
        };
        Tensor::collected(op, shape.removed(axis), rows.chunks_exact(shape[axis]).map(first_greatest))
    }

    /// The index of the first greatest element along an axis, which disappears. NaN counts as greatest.
    ///
    /// # Panics
    /// Where [`try_argmax`](Self::try_argmax) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 3.0, 2.0], [5.0, 4.0, 5.0]]);
    /// assert_eq!(x.argmax(1), Tensor::from([1_usize, 0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn argmax(&self, axis: usize) -> Tensor<usize> {
        or_panic(self.try_argmax(axis))
    }
}

macro_rules! reduction {
    ($what:literal, $example:literal, $axes:ident $try_axes:ident $axis:ident $try_axis:ident, $errors:literal, $f:expr) => {
        impl<E: Scalar> Tensor<E> {
            #[doc = concat!("The ", $what, " along some axes, which disappear or, with `keep`, become 1.")]
            #[doc = concat!("[`", stringify!($axes), "`](Self::", stringify!($axes), ") panics instead.")]
            ///
            /// # Errors
            #[doc = concat!("If there is no such axis, or if one is named twice", $errors, ".")]
            pub fn $try_axes(&self, axes: &[usize], keep: bool) -> Result<Self, Error> {
                $f(stringify!($axes), self, axes, keep)
            }

            #[doc = concat!("The ", $what, " along some axes, which disappear or, with `keep`, become 1.")]
            ///
            /// # Panics
            #[doc = concat!("Where [`", stringify!($try_axes), "`](Self::", stringify!($try_axes), ") returns an error.")]
            ///
            /// # Example
            /// ```
            /// use retrograde_tensor::Tensor;
            ///
            /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
            #[doc = concat!("assert_eq!(x.", stringify!($axes), "(&[0], false), Tensor::from(", $example, "));")]
            #[doc = concat!("assert_eq!(x.", stringify!($axes), "(&[0], true).dims(), [1, 2]);")]
            /// ```
            #[track_caller]
            #[must_use]
            pub fn $axes(&self, axes: &[usize], keep: bool) -> Self {
                or_panic(self.$try_axes(axes, keep))
            }

            #[doc = concat!("The ", $what, " along one axis, which disappears or, with `keep`, becomes 1.")]
            #[doc = concat!("[`", stringify!($axis), "`](Self::", stringify!($axis), ") panics instead.")]
            ///
            /// # Errors
            #[doc = concat!("If there is no such axis", $errors, ".")]
            pub fn $try_axis(&self, axis: usize, keep: bool) -> Result<Self, Error> {
                $f(stringify!($axis), self, &[axis], keep)
            }

            #[doc = concat!("The ", $what, " along one axis, which disappears or, with `keep`, becomes 1.")]
            ///
            /// # Panics
            #[doc = concat!("Where [`", stringify!($try_axis), "`](Self::", stringify!($try_axis), ") returns an error.")]
            #[track_caller]
            #[must_use]
            pub fn $axis(&self, axis: usize, keep: bool) -> Self {
                or_panic(self.$try_axis(axis, keep))
            }
        }
    };
}

macro_rules! extremum {
    ($name:ident $try_name:ident $what:literal $pick:expr) => {
        impl<E: Scalar> Tensor<E> {
            #[doc = concat!("The ", $what, " element, as a tensor without axes. NaN if one is.")]
            #[doc = concat!("[`", stringify!($name), "`](Self::", stringify!($name), ") panics instead.")]
            ///
            /// # Errors
            /// If there are no elements.
            pub fn $try_name(&self) -> Result<Self, Error> {
                extremum(stringify!($name), self, [true; MAX_RANK], false, $pick)
            }

            #[doc = concat!("The ", $what, " element, as a tensor without axes. NaN if one is.")]
            ///
            /// # Panics
            #[doc = concat!("Where [`", stringify!($try_name), "`](Self::", stringify!($try_name), ") returns an error.")]
            #[track_caller]
            #[must_use]
            pub fn $name(&self) -> Self {
                or_panic(self.$try_name())
            }
        }
    };
}

reduction!("sum", "[4.0, 6.0]", sum_axes try_sum_axes sum_axis try_sum_axis, "", |op, x: &Tensor<E>, axes: &[usize], keep| {
    reduce(op, x, chosen(op, &x.shape(), axes)?, keep, E::default(), E::add)
});
reduction!("mean", "[2.0, 3.0]", mean_axes try_mean_axes mean_axis try_mean_axis, "", |op, x: &Tensor<E>, axes: &[usize], keep| {
    let sum = reduce(op, x, chosen(op, &x.shape(), axes)?, keep, E::default(), E::add)?;
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    Ok(sum / E::from_f64(count as f64))
});
reduction!("greatest element", "[3.0, 4.0]", max_axes try_max_axes max_axis try_max_axis, ", or if an axis is empty",
    |op, x: &Tensor<E>, axes: &[usize], keep| extremum(op, x, chosen(op, &x.shape(), axes)?, keep, Greatest));
reduction!("least element", "[1.0, 2.0]", min_axes try_min_axes min_axis try_min_axis, ", or if an axis is empty",
    |op, x: &Tensor<E>, axes: &[usize], keep| extremum(op, x, chosen(op, &x.shape(), axes)?, keep, Least));
extremum!(max try_max "greatest" Greatest);
extremum!(min try_min "least" Least);

fn extremum<E: Scalar>(
    op: &'static str,
    x: &Tensor<E>,
    reduced: Reduced,
    keep: bool,
    pick: impl Fold<E>,
) -> Result<Tensor<E>, Error> {
    let shape = x.shape();
    if shape.iter().zip(reduced).any(|(&dim, reduced)| reduced && dim == 0) {
        return Err(Error::EmptyReduction { op, shape: Box::new(shape) });
    }
    // Only read where there is nothing to reduce, which was excluded.
    let unused = E::default();
    reduce(op, x, reduced, keep, unused, pick)
}

/// The index of the first element that none exceeds, NaN being greatest, in a slice that is not empty.
fn first_greatest<E: Scalar>(x: &[E]) -> usize {
    let max = reduce_slice(x, Greatest);
    x.iter().position(|&x| x == max || x.is_nan()).expect("the greatest is one of the elements")
}
