use crate::{Element, Error, Float, MAX_RANK, Scalar, Shape, Tensor, buffer};

impl<E: Element> Tensor<E> {
    /// The tensor of these elements in row-major order.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
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
        Self::filled(buffer::full(shape.numel(), value), shape)
    }

    /// A tensor of any numbers, to be overwritten: what a tensor held that was dropped before, or zeros.
    pub fn empty(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        Self::filled(buffer::stale(shape.numel()), shape)
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
        let data: Vec<E> = (0..count as usize).map(|i| E::from_f64(first + i as f64 * by)).collect();
        let shape = Shape::from([data.len()]);
        Ok(Self::filled(data, shape))
    }

    /// `n` values at equal distances from `start` to `end`, both included.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 3), Tensor::from([0.0, 0.5, 1.0]));
    /// ```
    pub fn linspace(start: E, end: E, n: usize) -> Self {
        let (first, last) = (start.to_f64(), end.to_f64());
        let step = (last - first) / n.saturating_sub(1).max(1) as f64;
        Self::from_fn([n], |index| match index[0] {
            i if i > 0 && i == n - 1 => end,
            i => E::from_f64(first + i as f64 * step),
        })
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
