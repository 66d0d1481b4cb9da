//! Values that repeat from step to step, such as names and shapes.

use crate::tape::id::Place;

/// A list of values. One that is among the last few is not put there again.
#[derive(Clone, Debug)]
pub(crate) struct Interner<T> {
    values: Vec<T>,
}

/// More than a cell has names, or shapes, in a step.
const RECENT: usize = 16;

impl<T> Interner<T> {
    pub(crate) fn new() -> Self {
        Interner { values: Vec::new() }
    }

    /// The place of a value: one that it is the `same` as, or a new one.
    pub(crate) fn intern(&mut self, value: T, same: impl Fn(&T, &T) -> bool) -> Place {
        let recent = self.values.len().saturating_sub(RECENT);
        let known = self.values[recent..].iter().rposition(|known| same(known, &value));
        let index = known.map_or(self.values.len(), |place| recent + place);
        if known.is_none() {
            self.values.push(value);
        }
        Place::new(index)
    }

    /// The value at a place.
    pub(crate) fn get(&self, place: Place) -> &T {
        &self.values[place.index()]
    }
}
