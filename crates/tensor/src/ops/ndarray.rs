//! Arrays of the crate `ndarray`, there and back.

use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

use crate::{Element, Error, Shape, Tensor};

/// A copy of an array of any layout, in row-major order.
///
/// # Errors
/// If it has more axes than a tensor can have.
///
/// # Example
/// ```
/// use ndarray::{ArrayD, array};
/// use retrograde_tensor::Tensor;
///
/// let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// let x = Tensor::try_from(&a.t())?;
/// assert_eq!(x, Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]));
/// let back = ArrayD::from(x);
/// assert_eq!(back, a.t().into_dyn());
/// # Ok::<(), retrograde_tensor::Error>(())
/// ```
impl<E: Element, S: Data<Elem = E>, D: Dimension> TryFrom<&ArrayBase<S, D>> for Tensor<E> {
    type Error = Error;

    fn try_from(array: &ArrayBase<S, D>) -> Result<Self, Error> {
        Self::from_vec(array.iter().copied().collect(), Shape::new(array.shape())?)
    }
}

/// The same elements, without a copy where [`Tensor::into_vec`] needs none.
impl<E: Element> From<Tensor<E>> for ArrayD<E> {
    fn from(x: Tensor<E>) -> Self {
        let shape = IxDyn(x.dims());
        ArrayD::from_shape_vec(shape, x.into_vec()).expect("as many elements as the shape has")
    }
}
