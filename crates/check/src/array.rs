//! Plain arrays: what a black box takes and returns.

use std::ops::Deref;

use retrograde_tensor::{IntoShape, Shape, Tensor};

use crate::{Error, Named};

/// Numbers in row-major order, and their shape: an argument or a result of a [black box](crate::Check::black_box).
///
/// It is read as a slice. A vector, a slice or an iterator becomes an array of one axis, a number one of none. As a gradient,
/// an array of one axis takes the shape of the tensor that it belongs to.
///
/// # Example
/// ```
/// use retrograde_check::Array;
///
/// let w = Array::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3])?;
/// assert_eq!(w.shape(), [2, 3]);
/// let sums: Array = w.chunks(3).map(|row| row.iter().sum()).collect();
/// assert_eq!(sums[..], [6.0, 15.0]);
/// # Ok::<(), retrograde_check::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    data: Vec<f64>,
    shape: Vec<usize>,
}

impl Array {
    /// Returns the array of a shape, its numbers in row-major order.
    ///
    /// # Errors
    /// If the shape holds another number of elements.
    pub fn new(data: Vec<f64>, shape: &[usize]) -> Result<Self, Error> {
        let numel = shape.iter().try_fold(1, |numel: usize, &size| numel.checked_mul(size));
        if numel != Some(data.len()) {
            return Err(Error::ArraySize { shape: shape.to_vec(), found: data.len() });
        }
        Ok(Array { data, shape: shape.to_vec() })
    }

    /// Returns the size of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the numbers in row-major order.
    pub fn into_vec(self) -> Vec<f64> {
        self.data
    }
}

impl Deref for Array {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.data
    }
}

impl From<f64> for Array {
    fn from(number: f64) -> Self {
        Array { data: vec![number], shape: Vec::new() }
    }
}

impl From<Vec<f64>> for Array {
    fn from(data: Vec<f64>) -> Self {
        Array { shape: vec![data.len()], data }
    }
}

impl From<&[f64]> for Array {
    fn from(data: &[f64]) -> Self {
        data.to_vec().into()
    }
}

impl FromIterator<f64> for Array {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        Vec::from_iter(numbers).into()
    }
}

impl From<&Tensor<f64>> for Array {
    fn from(tensor: &Tensor<f64>) -> Self {
        Array { data: tensor.to_vec(), shape: tensor.shape().to_vec() }
    }
}

impl TryFrom<Array> for Tensor<f64> {
    type Error = Error;

    fn try_from(array: Array) -> Result<Self, Error> {
        Ok(Tensor::from_vec(array.data, &array.shape[..]).map_err(retrograde_autograd::Error::from)?)
    }
}

/// Arrays of tensors.
pub(crate) fn arrays(tensors: &Named<Tensor<f64>>) -> Named<Array> {
    tensors.iter().map(|(name, tensor)| (name, tensor.into())).collect()
}

/// Gradients as tensors: one without a shape of its own takes that of the tensor that it belongs to.
pub(crate) fn gradients(arrays: Named<Array>, of: &Named<Tensor<f64>>) -> Result<Named<Tensor<f64>>, Error> {
    let shaped = |(name, mut array): (String, Array)| {
        let shape = of.get(&name).map(Tensor::shape).ok();
        if let Some(shape) = shape.filter(|shape| array.shape == [shape.numel()]) {
            array.shape = shape.to_vec();
        }
        Ok((name, array.try_into()?))
    };
    arrays.into_iter().map(shaped).collect::<Result<Vec<_>, Error>>().map(Named::from)
}

/// The shape as the workspace has it.
pub(crate) fn shape(array: &Array) -> Result<Shape, Error> {
    Ok(array.shape().into_shape("check").map_err(retrograde_autograd::Error::from)?)
}
