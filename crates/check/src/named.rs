//! Values by name, in order.

use std::ops::Index;

use crate::Error;

/// Values by name, in the order in which they were given: what forward and backward passes under test take and return.
///
/// # Example
/// ```
/// use retrograde_check::Named;
///
/// let shapes = Named::from([("xs", [2, 3]), ("h", [2, 4])]);
/// assert_eq!(shapes["h"], [2, 4]);
/// assert_eq!(shapes.get("hs").unwrap_err().to_string(), "check: expected one of xs, h, found hs");
/// ```
#[derive(Clone, Debug)]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
    /// The value of a name. Indexing, `x["h"]`, panics instead.
    ///
    /// # Errors
    /// If nothing has the name.
    pub fn get(&self, name: &str) -> Result<&T, Error> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).ok_or_else(|| Error::UnknownName {
            known: self.0.iter().map(|(known, _)| known.clone()).collect(),
            found: name.to_owned(),
        })
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses a name that is there twice.
    pub(crate) fn require_distinct(&self, among: &'static str) -> Result<(), Error> {
        for (i, (name, _)) in self.0.iter().enumerate() {
            if self.0[..i].iter().any(|(known, _)| known == name) {
                return Err(Error::NameTwice { among, name: name.clone() });
            }
        }
        Ok(())
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

/// # Panics
/// If nothing has the name; [`Named::get`] returns that as an error.
impl<T> Index<&str> for Named<T> {
    type Output = T;

    #[track_caller]
    fn index(&self, name: &str) -> &T {
        match self.get(name) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<S: Into<String>, T> FromIterator<(S, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (S, T)>>(pairs: I) -> Self {
        Named(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<S: Into<String>, T, const N: usize> From<[(S, T); N]> for Named<T> {
    fn from(pairs: [(S, T); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<S: Into<String>, T> From<Vec<(S, T)>> for Named<T> {
    fn from(pairs: Vec<(S, T)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<T> IntoIterator for Named<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
