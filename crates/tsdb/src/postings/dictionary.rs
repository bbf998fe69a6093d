//! Where a selection finds the series of labels: in memory, or in the index of a block.

use std::ops::Deref;
use std::sync::Arc;

use super::Postings;

/// A set of series, held by whoever has it.
#[derive(Clone, Debug)]
pub enum Held<'a> {
    /// Of the index itself.
    Borrowed(&'a Postings),
    /// Kept for others too.
    Shared(Arc<Postings>),
    /// Made for the asker.
    Owned(Postings),
}

impl Held<'_> {
    /// The set, copied if need be.
    pub fn into_owned(self) -> Postings {
        match self {
            Held::Borrowed(postings) => postings.clone(),
            Held::Shared(postings) => Arc::unwrap_or_clone(postings),
            Held::Owned(postings) => postings,
        }
    }
}

impl Deref for Held<'_> {
    type Target = Postings;

    fn deref(&self) -> &Postings {
        match self {
            Held::Borrowed(postings) => postings,
            Held::Shared(postings) => postings,
            Held::Owned(postings) => postings,
        }
    }
}

/// Sorted names of labels, each with its sorted values, each with its series.
pub trait Dictionary {
    /// Why it cannot be read.
    type Error;

    /// All series.
    ///
    /// # Errors
    /// When they cannot be read.
    fn all(&self) -> Result<Held<'_>, Self::Error>;

    /// Whether any series has the label.
    fn has_name(&self, name: &str) -> bool;

    /// The series that have the label, whatever its value is; none for a label that nobody has.
    ///
    /// # Errors
    /// When they cannot be read.
    fn of_name(&self, name: &str) -> Result<Held<'_>, Self::Error>;

    /// The series that have the label with this value.
    ///
    /// # Errors
    /// When they cannot be read.
    fn of_value(&self, name: &str, value: &str) -> Result<Held<'_>, Self::Error>;

    /// The series that have the label with a value that begins with `prefix` and is `wanted`. Values that do not begin
    /// so are not asked about.
    ///
    /// # Errors
    /// When they cannot be read.
    fn of_values(
        &self,
        name: &str,
        prefix: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Held<'_>, Self::Error>;
}
