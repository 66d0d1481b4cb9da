//! Numbers of one element type as numbers of another.

use crate::storage::buffer;
use crate::{Element, Error, Float, Tensor};

/// An element type whose values are numbers of every float type, rounded where need be; `true` is 1.
pub trait Cast: Element {
    /// Returns the value as a float.
    fn cast<F: Float>(self) -> F;
}

macro_rules! cast {
    ($($element:ty: |$x:ident| $number:expr),+) => {
        $(impl Cast for $element {
            fn cast<F: Float>(self) -> F {
                let $x = self;
                F::from_f64($number)
            }
        })+
    };
}
cast!(f32: |x| x.into(), f64: |x| x, usize: |x| x as f64, bool: |x| u8::from(x).into());

impl<E: Cast> Tensor<E> {
    /// Returns the same numbers as `f32` or `f64`, rounded where need be.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let single = Tensor::from([0.5_f64, 0.1]).cast::<f32>();
    /// assert_eq!(single, Tensor::from([0.5_f32, 0.1]));
    /// assert_eq!(Tensor::from([3_usize, 4]).cast::<f64>(), Tensor::from([3.0, 4.0]));
    /// assert_eq!(Tensor::from([true, false]).cast::<f64>(), Tensor::from([1.0, 0.0]));
    /// ```
    #[must_use]
    pub fn cast<F: Float>(&self) -> Tensor<F> {
        self.map(Cast::cast)
    }
}

impl<E: Float> Tensor<E> {
    /// Returns the same numbers as indices.
    ///
    /// # Errors
    /// If one is not a whole number of at least 0 that fits in `usize`.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::from([2.0, 0.0]).to_indices()?, Tensor::from([2, 0]));
    /// assert_eq!(
    ///     Tensor::from([2.0, 0.5]).to_indices().unwrap_err().to_string(),
    ///     "to_indices: expected whole numbers of at least 0 that fit in usize, found 0.5"
    /// );
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    pub fn to_indices(&self) -> Result<Tensor<usize>, Error> {
        let op = "to_indices";
        let mut indices = buffer::with_capacity(op, &self.shape())?;
        for x in self {
            let found = x.to_f64();
            // 2⁶⁴ is the first that does not fit.
            if found < 0.0 || found.fract() != 0.0 || found >= usize::MAX as f64 {
                return Err(Error::NotAnIndex { op, found });
            }
            indices.push(found as usize);
        }
        Ok(Tensor::filled(indices, self.shape()))
    }
}
