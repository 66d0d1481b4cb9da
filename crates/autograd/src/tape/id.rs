//! The number of a node, and of a place in a list.

use std::fmt;
use std::num::NonZeroU32;

/// A place in a list of fewer than 2³² - 1 entries. It is never zero inside, so an `Option` of it is no larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    pub(crate) fn new(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Place(number.expect("a tape holds fewer than 2³² - 1 nodes"))
    }

    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The number of a node of a tape, in the order of recording. Displays as `v3`, as nodes without a name do everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Place);

impl NodeId {
    /// The node of a number, from 0.
    ///
    /// # Panics
    /// From 2³² - 2 on.
    #[must_use]
    pub fn new(index: usize) -> Self {
        NodeId(Place::new(index))
    }

    /// The number, from 0: the place in [`Tape::nodes`](crate::Tape::nodes).
    #[must_use]
    pub fn index(self) -> usize {
        self.0.index()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.index())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.index())
    }
}
