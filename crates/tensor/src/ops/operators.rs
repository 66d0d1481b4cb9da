//! Arithmetic: the operators, their fallible twins, and their forms in place.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::error::or_panic;
use crate::loops::zip::{assign, zip, zip_assign};
use crate::shape::layout::Layout;
use crate::{Element, Error, Scalar, Shape, Tensor};

/// `f` of each pair, in the storage of `a` if it can hold the result.
fn zip_into<E: Scalar>(
    op: &'static str,
    mut a: Tensor<E>,
    b: &Tensor<E>,
    f: impl Fn(E, E) -> E,
) -> Result<Tensor<E>, Error> {
    let shape = Shape::broadcast(op, &a.shape(), &b.shape())?;
    if a.shape() == shape
        && let Some(x) = a.as_unique_slice()
    {
        zip_assign(x, &Layout::contiguous(shape), b, f);
        return Ok(a);
    }
    zip(op, &a, b, f)
}

/// `f` of each element, in place if the storage is unique.
#[track_caller]
fn map_into<E: Scalar>(op: &'static str, mut a: Tensor<E>, f: impl Fn(E) -> E) -> Tensor<E> {
    match a.as_unique_slice() {
        Some(x) => {
            x.iter_mut().for_each(|x| *x = f(*x));
            a
        }
        None => a.mapped(op, f),
    }
}

macro_rules! operator {
    ($trait:ident $name:ident $try_name:ident $symbol:tt $doc:literal) => {
        impl<E: Scalar> Tensor<E> {
            #[doc = $doc]
            /// broadcasting. The operator panics instead.
            ///
            /// # Errors
            /// If the shapes do not broadcast together.
            pub fn $try_name(&self, other: &Self) -> Result<Self, Error> {
                zip(stringify!($name), self, other, E::$name)
            }
        }

        impl<E: Scalar> $trait<&Tensor<E>> for &Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $name(self, other: &Tensor<E>) -> Tensor<E> {
                or_panic(self.$try_name(other))
            }
        }

        impl<E: Scalar> $trait<&Tensor<E>> for Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $name(self, other: &Tensor<E>) -> Tensor<E> {
                or_panic(zip_into(stringify!($name), self, other, E::$name))
            }
        }

        impl<E: Scalar> $trait<Tensor<E>> for &Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $name(self, mut other: Tensor<E>) -> Tensor<E> {
                let shape = or_panic(Shape::broadcast(stringify!($name), &self.shape(), &other.shape()));
                if other.shape() == shape
                    && let Some(y) = other.as_unique_slice()
                {
                    zip_assign(y, &Layout::contiguous(shape), self, |y, x| x $symbol y);
                    return other;
                }
                or_panic(self.$try_name(&other))
            }
        }

        impl<E: Scalar> $trait<Tensor<E>> for Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $name(mut self, other: Tensor<E>) -> Tensor<E> {
                if self.numel() >= other.numel() && self.as_unique_slice().is_some() {
                    self $symbol &other
                } else {
                    &self $symbol other
                }
            }
        }

        impl<E: Scalar> $trait<E> for &Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $name(self, y: E) -> Tensor<E> {
                self.mapped(stringify!($name), |x| x $symbol y)
            }
        }

        impl<E: Scalar> $trait<E> for Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $name(self, y: E) -> Tensor<E> {
                map_into(stringify!($name), self, |x| x $symbol y)
            }
        }

        operator!(left f32, $trait $name $symbol);
        operator!(left f64, $trait $name $symbol);
    };
    (left $float:ident, $trait:ident $name:ident $symbol:tt) => {
        impl $trait<&Tensor<$float>> for $float {
            type Output = Tensor<$float>;
            #[track_caller]
            fn $name(self, y: &Tensor<$float>) -> Tensor<$float> {
                y.mapped(stringify!($name), |y| self $symbol y)
            }
        }

        impl $trait<Tensor<$float>> for $float {
            type Output = Tensor<$float>;
            #[track_caller]
            fn $name(self, y: Tensor<$float>) -> Tensor<$float> {
                map_into(stringify!($name), y, |y| self $symbol y)
            }
        }
    };
}

operator!(Add add try_add + "`self + other`,");
operator!(Sub sub try_sub - "`self - other`,");
operator!(Mul mul try_mul * "`self · other`, element by element,");
operator!(Div div try_div / "`self / other`, element by element,");

impl<E: Scalar> Neg for Tensor<E> {
    type Output = Tensor<E>;

    #[track_caller]
    fn neg(self) -> Tensor<E> {
        map_into("neg", self, |x| -x)
    }
}

impl<E: Scalar> Neg for &Tensor<E> {
    type Output = Tensor<E>;

    #[track_caller]
    fn neg(self) -> Tensor<E> {
        self.mapped("neg", |x| -x)
    }
}

impl<E: Scalar> Tensor<E> {
    /// Adds `other`, broadcast to this shape, in place. [`add_assign`](Self::add_assign) panics instead.
    ///
    /// # Errors
    /// If `other` does not broadcast to the shape of this tensor.
    pub fn try_add_assign(&mut self, other: &Self) -> Result<(), Error> {
        let shape = self.shape();
        other.layout().broadcast("add_assign", &shape)?;
        zip_assign(self.written("add_assign")?, &Layout::contiguous(shape), other, |x, y| x + y);
        Ok(())
    }

    /// Adds `other`, broadcast to this shape, in place.
    ///
    /// # Panics
    /// Where [`try_add_assign`](Self::try_add_assign) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// x += &Tensor::from([10.0, 20.0]);
    /// assert_eq!(x, Tensor::from([[11.0, 22.0], [13.0, 24.0]]));
    /// ```
    #[track_caller]
    pub fn add_assign(&mut self, other: &Self) {
        or_panic(self.try_add_assign(other));
    }

    /// Adds `other` to the part of this tensor that starts at `start` along an axis, in place.
    /// [`add_at`](Self::add_at) panics instead.
    ///
    /// # Shapes
    /// `other` has the shape of the part, or of one entry, without the axis.
    ///
    /// # Errors
    /// If there is no such axis, if the part leaves it, or if `other` has not the shape of the part.
    pub fn try_add_at(&mut self, axis: usize, start: usize, other: &Self) -> Result<(), Error> {
        let part = self.part("add_at", axis, start, other)?;
        zip_assign(self.written("add_at")?, &part, other, |x, y| x + y);
        Ok(())
    }

    /// Adds `other` to the part of this tensor that starts at `start` along an axis, in place.
    ///
    /// # Shapes
    /// `other` has the shape of the part, or of one entry, without the axis.
    ///
    /// # Panics
    /// Where [`try_add_at`](Self::try_add_at) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut x = Tensor::from([1.0, 2.0, 3.0]);
    /// x.add_at(0, 1, &Tensor::from([10.0, 20.0]));
    /// assert_eq!(x, Tensor::from([1.0, 12.0, 23.0]));
    /// ```
    #[track_caller]
    pub fn add_at(&mut self, axis: usize, start: usize, other: &Self) {
        or_panic(self.try_add_at(axis, start, other));
    }
}

impl<E: Element> Tensor<E> {
    /// Writes `other` over the part of this tensor that starts at `start` along an axis.
    /// [`set_at`](Self::set_at) panics instead.
    ///
    /// # Shapes
    /// `other` has the shape of the part, or of one entry, without the axis.
    ///
    /// # Errors
    /// If there is no such axis, if the part leaves it, or if `other` has not the shape of the part.
    pub fn try_set_at(&mut self, axis: usize, start: usize, other: &Self) -> Result<(), Error> {
        let part = self.part("set_at", axis, start, other)?;
        assign(self.written("set_at")?, &part, other);
        Ok(())
    }

    /// Writes `other` over the part of this tensor that starts at `start` along an axis.
    ///
    /// # Shapes
    /// `other` has the shape of the part, or of one entry, without the axis.
    ///
    /// # Panics
    /// Where [`try_set_at`](Self::try_set_at) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut x = Tensor::from([1.0, 2.0, 3.0]);
    /// x.set_at(0, 1, &Tensor::from([10.0, 20.0]));
    /// assert_eq!(x, Tensor::from([1.0, 10.0, 20.0]));
    /// x.set_at(0, 2, &Tensor::scalar(5.0)); // x[2] = 5
    /// assert_eq!(x, Tensor::from([1.0, 10.0, 5.0]));
    /// ```
    #[track_caller]
    pub fn set_at(&mut self, axis: usize, start: usize, other: &Self) {
        or_panic(self.try_set_at(axis, start, other));
    }

    /// The part of this tensor, as if it were contiguous, that starts at `start` along an axis and has the shape of `other`:
    /// one entry, if that lacks the axis.
    fn part(&self, op: &'static str, axis: usize, start: usize, other: &Self) -> Result<Layout, Error> {
        let whole = Layout::contiguous(self.shape());
        whole.shape.check_axis(op, axis)?;
        let part = match other.rank() {
            rank if rank == self.rank() => whole.narrowed(op, axis, start, other.dims()[axis])?,
            rank if rank + 1 == self.rank() => whole.selected(op, axis, start)?,
            _ => return Err(Error::Axes { op, expected: self.rank(), shape: Box::new(other.shape()) }),
        };
        if part.shape != other.shape() {
            let (expected, found) = (Box::new(part.shape), Box::new(other.shape()));
            return Err(Error::Expected { op, expected, found });
        }
        Ok(part)
    }
}

impl<E: Scalar> AddAssign<&Tensor<E>> for Tensor<E> {
    #[track_caller]
    fn add_assign(&mut self, other: &Tensor<E>) {
        or_panic(self.try_add_assign(other));
    }
}
