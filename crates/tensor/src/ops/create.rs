//! Constructors.

use crate::error::or_panic;
use crate::storage::buffer;
use crate::{Element, Error, Float, IntoShape, MAX_RANK, Scalar, Shape, Tensor};

impl<E: Element> Tensor<E> {
    /// The tensor of these elements in row-major order.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape, or if the sizes are no shape.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    pub fn from_vec(data: Vec<E>, shape: impl IntoShape) -> Result<Self, Error> {
        let shape = shape.into_shape("from_vec")?;
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
    #[track_caller]
    pub fn zeros(shape: impl IntoShape) -> Self {
        or_panic(Self::constant("zeros", shape, E::default()))
    }

    /// A tensor with the same value everywhere.
    #[track_caller]
    pub fn full(shape: impl IntoShape, value: E) -> Self {
        or_panic(Self::constant("full", shape, value))
    }

    /// A tensor of arbitrary contents, to be overwritten: those of a dropped tensor, or zeros.
    #[track_caller]
    pub fn empty(shape: impl IntoShape) -> Self {
        let shape = or_panic(shape.into_shape("empty"));
        Self::filled(or_panic(buffer::empty("empty", &shape)), shape)
    }

    /// The tensor whose element at each index is `f(index)`, called in row-major order.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from_fn([2, 3], |index| index[0] * 10 + index[1]);
    /// assert_eq!(x, Tensor::from([[0_usize, 1, 2], [10, 11, 12]]));
    /// ```
    #[track_caller]
    pub fn from_fn(shape: impl IntoShape, f: impl FnMut(&[usize]) -> E) -> Self {
        or_panic(Self::indexed("from_fn", shape, f))
    }

    fn indexed(
        op: &'static str,
        shape: impl IntoShape,
        mut f: impl FnMut(&[usize]) -> E,
    ) -> Result<Self, Error> {
        let shape = shape.into_shape(op)?;
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
        Self::collected(op, shape, data)
    }

    fn constant(op: &'static str, shape: impl IntoShape, value: E) -> Result<Self, Error> {
        let shape = shape.into_shape(op)?;
        Ok(Self::filled(buffer::full(op, &shape, value)?, shape))
    }

    /// The tensor of these elements in row-major order, whose number is that of the shape.
    pub(crate) fn collected(
        op: &'static str,
        shape: Shape,
        elements: impl Iterator<Item = E>,
    ) -> Result<Self, Error> {
        let mut data = buffer::with_capacity(op, &shape)?;
        data.extend(elements);
        Ok(Self::filled(data, shape))
    }
}

impl<E: Scalar> Tensor<E> {
    /// A tensor of ones.
    #[track_caller]
    pub fn ones(shape: impl IntoShape) -> Self {
        or_panic(Self::constant("ones", shape, E::from_f64(1.0)))
    }

    /// The identity matrix of size `n`.
    #[track_caller]
    #[must_use]
    pub fn eye(n: usize) -> Self {
        let mut eye = or_panic(Self::constant("eye", [n, n], E::default()));
        let one = E::from_f64(1.0);
        eye.as_mut_slice().iter_mut().step_by(n.saturating_add(1)).for_each(|x| *x = one);
        eye
    }
}

impl<E: Float> Tensor<E> {
    /// The values `start, start + step, ..` up to `end`, which is excluded.
    ///
    /// # Errors
    /// If a bound or the step is not finite, if the step is 0, or if there would be too many values.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::arange(1.0, 2.0, 0.25)?, Tensor::from([1.0, 1.25, 1.5, 1.75]));
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    pub fn arange(start: E, end: E, step: E) -> Result<Self, Error> {
        let (first, last, by) = (start.to_f64(), end.to_f64(), step.to_f64());
        if ![first, last, by].iter().all(|x| x.is_finite()) || by == 0.0 {
            return Err(Error::Step { op: "arange", start: first, end: last, step: by });
        }
        let count = ((last - first) / by).ceil().max(0.0);
        if count >= isize::MAX as f64 {
            return Err(Error::TooManySteps { op: "arange", start: first, end: last, step: by });
        }
        let count = count as usize;
        let data = (0..count).map(|i| E::from_f64(first + i as f64 * by));
        Self::collected("arange", [count].into_shape("arange")?, data)
    }

    /// `n` evenly spaced values from `start` to `end`, both included.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 3), Tensor::from([0.0, 0.5, 1.0]));
    /// ```
    #[track_caller]
    pub fn linspace(start: E, end: E, n: usize) -> Self {
        let (first, last) = (start.to_f64(), end.to_f64());
        let step = (last - first) / n.saturating_sub(1).max(1) as f64;
        or_panic(Self::indexed("linspace", [n], |index| match index[0] {
            i if i > 0 && i == n - 1 => end,
            i => E::from_f64(first + i as f64 * step),
        }))
    }
}

impl<E: Element> From<E> for Tensor<E> {
    fn from(x: E) -> Self {
        Self::scalar(x)
    }
}

/// A vector, without a copy.
impl<E: Element> From<Vec<E>> for Tensor<E> {
    fn from(data: Vec<E>) -> Self {
        let shape = Shape::from([data.len()]);
        Self::filled(data, shape)
    }
}

/// A vector of these elements.
impl<E: Element> From<&[E]> for Tensor<E> {
    fn from(data: &[E]) -> Self {
        Self::from(data.to_vec())
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
