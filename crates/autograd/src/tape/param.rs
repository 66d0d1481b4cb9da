//! Trainable parameters.

use std::sync::{Arc, RwLock};

use retrograde_tensor::{Shape, Tensor};

use crate::{Error, Result};

/// A named tensor that outlives any tape and is trained: its clones are the same parameter, not copies.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([[1.0, 2.0]]));
/// let shared = w.clone();
/// let tape = Tape::new();
/// let y = (tape.param(&w) + tape.param(&shared)).sum();
/// assert_eq!(y.backward()?.get(&w), Some(&Tensor::from([[2.0, 2.0]])));
/// # Ok::<(), retrograde_autograd::Error>(())
/// ```
pub struct Param<E> {
    inner: Arc<Inner<E>>,
}

struct Inner<E> {
    name: String,
    value: RwLock<Tensor<E>>,
}

impl<E: retrograde_tensor::Element> Param<E> {
    /// A parameter with a name and an initial value.
    pub fn new(name: impl Into<String>, value: Tensor<E>) -> Self {
        Param { inner: Arc::new(Inner { name: name.into(), value: RwLock::new(value) }) }
    }

    /// The name, such as `Wx`.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The present value; sharing, not copying.
    pub fn value(&self) -> Tensor<E> {
        self.inner.value.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// The shape of the value.
    pub fn shape(&self) -> Shape {
        self.inner.value.read().unwrap_or_else(|poisoned| poisoned.into_inner()).shape()
    }

    /// Replaces the value, here and in every clone. Tapes that the parameter is on keep the value that they recorded.
    ///
    /// # Errors
    /// If the shape is another one than before.
    pub fn set(&self, value: Tensor<E>) -> Result<()> {
        if value.shape() != self.shape() {
            let name = self.name().to_owned();
            let (expected, found) = (Box::new(self.shape()), Box::new(value.shape()));
            return Err(Error::ParamShape { name, expected, found });
        }
        *self.inner.value.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = value;
        Ok(())
    }

    /// Changes the value where it is, here and in every clone; without a copy if no tape holds it.
    pub fn update(&self, change: impl FnOnce(&mut Tensor<E>)) {
        let shape = self.shape();
        let mut value = self.inner.value.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        change(&mut value);
        assert_eq!(value.shape(), shape, "update of parameter {}: the shape has changed", self.name());
    }

    /// Whether two handles are the same parameter.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl<E> Clone for Param<E> {
    fn clone(&self) -> Self {
        Param { inner: Arc::clone(&self.inner) }
    }
}

impl<E: retrograde_tensor::Element> std::fmt::Debug for Param<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Param").field("name", &self.name()).field("shape", &self.shape()).finish()
    }
}
