//! Sets of series numbers.

use roaring::{MultiOps, RoaringBitmap};

/// A set of series numbers, compressed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Postings(RoaringBitmap);

impl Postings {
    /// No series.
    pub fn new() -> Postings {
        Postings::default()
    }

    /// Adds a series.
    pub fn insert(&mut self, series: u32) {
        // Series are numbered in the order in which they come, so that nearly every insertion is at the end.
        if self.0.try_push(series).is_err() {
            self.0.insert(series);
        }
    }

    /// Number of series.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the series is among them.
    pub fn contains(&self, series: u32) -> bool {
        self.0.contains(series)
    }

    /// The numbers, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter()
    }

    /// All series of any of `sets`.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Postings>) -> Postings {
        Postings(sets.into_iter().map(|set| &set.0).union())
    }

    /// Keeps only the series that are also in `other`.
    pub fn intersect_with(&mut self, other: &Postings) {
        self.0 &= &other.0;
    }

    /// Takes away the series of `other`.
    pub fn subtract(&mut self, other: &Postings) {
        self.0 -= &other.0;
    }

    /// Whether a series is in both.
    pub fn overlaps(&self, other: &Postings) -> bool {
        !self.0.is_disjoint(&other.0)
    }
}

impl FromIterator<u32> for Postings {
    fn from_iter<T: IntoIterator<Item = u32>>(series: T) -> Postings {
        Postings(series.into_iter().collect())
    }
}
