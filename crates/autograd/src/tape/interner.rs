//! Values of which a sequence has the same few at each step.

/// A list of values. One that is among the last few is not put there again.
#[derive(Clone, Debug)]
pub(crate) struct Recurring<T> {
    values: Vec<T>,
}

/// More than a cell has names, or shapes, in a step.
const RECENT: usize = 16;

impl<T> Recurring<T> {
    pub(crate) fn new() -> Self {
        Recurring { values: Vec::new() }
    }

    /// The place of a value: one that it is the `same` as, or a new one.
    pub(crate) fn place(&mut self, value: T, same: impl Fn(&T, &T) -> bool) -> u32 {
        let recent = self.values.len().saturating_sub(RECENT);
        let place = match self.values[recent..].iter().position(|known| same(known, &value)) {
            Some(place) => recent + place,
            None => {
                self.values.push(value);
                self.values.len() - 1
            }
        };
        place as u32
    }

    /// The value at a place, if there is one.
    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        self.values.get(place as usize)
    }
}
