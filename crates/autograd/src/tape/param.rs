//! Trainable parameters.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use retrograde_tensor::{Element, Shape, Tensor};

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
    /// The kind of layer that it belongs to, which tells parameters of one name apart.
    owner: &'static str,
    /// Locked to be read or replaced, never while a user's code runs.
    value: RwLock<Tensor<E>>,
    /// The number of times that the value was replaced.
    version: AtomicU64,
    /// The thread whose update runs.
    updating: Mutex<Option<ThreadId>>,
    updated: Condvar,
}

thread_local! {
    /// Set while an update runs on this thread: waiting for another one could then last for ever.
    static UPDATES: Cell<bool> = const { Cell::new(false) };
}

/// The longest wait for the update of another thread.
const PATIENCE: Duration = Duration::from_secs(10);

impl<E: Element> Param<E> {
    /// A parameter with a name and an initial value.
    pub fn new(name: impl Into<String>, value: Tensor<E>) -> Self {
        Self::of("", name, value)
    }

    /// As [`new`](Self::new), for a layer whose kind is named with the parameter where another one has its name:
    /// `linear.b`.
    pub fn of(owner: &'static str, name: impl Into<String>, value: Tensor<E>) -> Self {
        Param {
            inner: Arc::new(Inner {
                name: name.into(),
                owner,
                value: RwLock::new(value),
                version: AtomicU64::new(0),
                updating: Mutex::new(None),
                updated: Condvar::new(),
            }),
        }
    }

    /// The name, such as `Wx`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The name with the kind of layer, `linear.b`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        match self.inner.owner {
            "" => self.name().to_owned(),
            owner => format!("{owner}.{}", self.name()),
        }
    }

    /// The present value; sharing, not copying.
    #[must_use]
    pub fn value(&self) -> Tensor<E> {
        self.inner.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The shape of the value.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.inner.value.read().unwrap_or_else(PoisonError::into_inner).shape()
    }

    /// Replaces the value, here and in every clone. Tapes that the parameter is on keep the value that they recorded,
    /// and refuse to record it again.
    ///
    /// # Errors
    /// If the shape changes, or within an update of the same parameter.
    pub fn set(&self, value: Tensor<E>) -> Result<()> {
        if *self.turn() == Some(thread::current().id()) {
            return Err(Error::ParamUpdating { name: self.name().to_owned() });
        }
        self.replace(value, None)
    }

    /// Changes the value, here and in every clone.
    ///
    /// The closure changes a copy, which then replaces the value. Until it returns, everybody reads the value as it was,
    /// the closure too. A value that another thread sets meanwhile stands, as if it had been set after the update.
    ///
    /// # Panics
    /// If the shape has changed, or within an update of the same parameter; the value is then as before.
    /// [`try_update`](Self::try_update) returns that as an error.
    #[track_caller]
    pub fn update(&self, change: impl FnOnce(&mut Tensor<E>)) {
        if let Err(error) = self.try_update(change) {
            panic!("{error}");
        }
    }

    /// As [`update`](Self::update).
    ///
    /// # Errors
    /// If the shape has changed, or within an update of the same parameter. If another thread's update of it runs, this
    /// one waits; but not from within an update, and not longer than ten seconds.
    pub fn try_update(&self, change: impl FnOnce(&mut Tensor<E>)) -> Result<()> {
        let _turn = self.take_turn()?;
        let version = self.version();
        let mut value = self.value();
        change(&mut value);
        self.replace(value, Some(version))
    }

    /// Whether two handles are the same parameter.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The number of times that the value was replaced.
    pub(crate) fn version(&self) -> u64 {
        self.inner.version.load(Ordering::Acquire)
    }

    /// The same for all handles to the parameter, as long as there is one.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    /// Stores a value, unless there is a newer one than the version that it was made from.
    fn replace(&self, value: Tensor<E>, version: Option<u64>) -> Result<()> {
        let mut present = self.inner.value.write().unwrap_or_else(PoisonError::into_inner);
        if value.shape() != present.shape() {
            let name = self.name().to_owned();
            let (expected, found) = (Box::new(present.shape()), Box::new(value.shape()));
            return Err(Error::ParamShape { name, expected, found });
        }
        if version.is_none_or(|version| version == self.version()) {
            *present = value;
            self.inner.version.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    fn turn(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.inner.updating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_turn(&self) -> Result<Turn<'_, E>> {
        let (this, nested) = (thread::current().id(), UPDATES.get());
        let busy = |updating: &mut Option<ThreadId>| updating.is_some_and(|by| !nested && by != this);
        let mut updating = self.turn();
        // A platform without threads has no clock either: it is read only where there is another thread to wait for.
        if busy(&mut updating) {
            let waited = self.inner.updated.wait_timeout_while(updating, PATIENCE, busy);
            updating = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if updating.is_some() {
            return Err(Error::ParamUpdating { name: self.name().to_owned() });
        }
        *updating = Some(this);
        Ok(Turn { param: self, nested: UPDATES.replace(true) })
    }
}

/// The right to update a parameter, given up when this is dropped, also where the update panics.
struct Turn<'p, E: Element> {
    param: &'p Param<E>,
    /// Whether it was taken within another update.
    nested: bool,
}

impl<E: Element> Drop for Turn<'_, E> {
    fn drop(&mut self) {
        *self.param.turn() = None;
        self.param.inner.updated.notify_one();
        UPDATES.set(self.nested);
    }
}

impl<E> Clone for Param<E> {
    fn clone(&self) -> Self {
        Param { inner: Arc::clone(&self.inner) }
    }
}

impl<E: Element> std::fmt::Debug for Param<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Param").field("name", &self.name()).field("shape", &self.shape()).finish()
    }
}
