//! Which series have which labels.
//!
//! Per label name there is a dictionary of its values, sorted, with the set of the series that have it.
//! [`select()`] finds the series of matchers by set algebra over these sets.

mod dictionary;
mod select;
mod set;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Bound;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, Matcher};

pub use dictionary::{Dictionary, Held};
pub use select::select;
pub use set::{Postings, Union};

/// Labels to series numbers.
#[derive(Clone, Debug, Default)]
pub struct PostingsIndex {
    names: BTreeMap<Box<str>, LabelPostings>,
    all: Postings,
}

/// The series that have one label.
#[derive(Clone, Debug, Default)]
struct LabelPostings {
    values: BTreeMap<Box<str>, Postings>,
    /// Series with the label, whatever its value is.
    any: Postings,
}

impl PostingsIndex {
    /// An index without series.
    pub fn new() -> PostingsIndex {
        PostingsIndex::default()
    }

    /// The series that satisfy every matcher; all series without matchers.
    pub fn select(&self, matchers: &[Matcher]) -> Postings {
        let Ok(selected) = select(self, matchers);
        selected
    }

    /// Adds a series with its labels.
    pub fn insert(&mut self, series: u32, labels: &Labels) {
        self.all.insert(series);
        for (name, value) in labels {
            // Names and values are nearly always there already; look before allocating.
            if !self.names.contains_key(name) {
                self.names.insert(name.into(), LabelPostings::default());
            }
            if let Some(label) = self.names.get_mut(name) {
                label.insert(series, value);
            }
        }
    }

    /// Takes a series with these labels away, and names and values that no other series has.
    pub fn remove(&mut self, series: u32, labels: &Labels) {
        let one = Postings::from_rising([series]);
        self.all.subtract(&one);
        for (name, value) in labels {
            let Some(label) = self.names.get_mut(name) else { continue };
            label.remove(value, &one);
            if label.values.is_empty() {
                self.names.remove(name);
            }
        }
    }

    /// Whether a series has this metric name.
    pub fn has_metric(&self, metric: &str) -> bool {
        self.names.get(METRIC_NAME).is_some_and(|label| label.values.contains_key(metric))
    }

    /// Number of series.
    pub fn len(&self) -> u64 {
        self.all.len()
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All label names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// All values of a label, sorted.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.names.get(name).into_iter().flat_map(|label| label.values.keys()).map(|value| &**value)
    }

    /// Names of the labels that any of `series` has, sorted.
    pub fn names_of(&self, series: &Postings) -> impl Iterator<Item = &str> {
        self.names.iter().filter(|(_, label)| label.any.overlaps(series)).map(|(name, _)| &**name)
    }

    /// Values that any of `series` has for a label, sorted.
    pub fn values_of(&self, name: &str, series: &Postings) -> impl Iterator<Item = &str> {
        let values = self.names.get(name).into_iter().flat_map(|label| &label.values);
        values.filter(|(_, postings)| postings.overlaps(series)).map(|(value, _)| &**value)
    }
}

impl LabelPostings {
    fn insert(&mut self, series: u32, value: &str) {
        self.any.insert(series);
        match self.values.get_mut(value) {
            Some(postings) => postings.insert(series),
            None => {
                self.values.insert(value.into(), Postings::from_iter([series]));
            }
        }
    }

    fn remove(&mut self, value: &str, series: &Postings) {
        self.any.subtract(series);
        let Some(postings) = self.values.get_mut(value) else { return };
        postings.subtract(series);
        if postings.is_empty() {
            self.values.remove(value);
        }
    }
}

impl Dictionary for PostingsIndex {
    type Error = Infallible;

    fn all(&self) -> Result<Held<'_>, Infallible> {
        Ok(Held::Borrowed(&self.all))
    }

    fn has_name(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    fn of_name(&self, name: &str) -> Result<Held<'_>, Infallible> {
        Ok(borrowed(self.names.get(name).map(|label| &label.any)))
    }

    fn of_value(&self, name: &str, value: &str) -> Result<Held<'_>, Infallible> {
        Ok(borrowed(self.names.get(name).and_then(|label| label.values.get(value))))
    }

    fn of_values(
        &self,
        name: &str,
        prefix: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Held<'_>, Infallible> {
        let Some(label) = self.names.get(name) else { return Ok(borrowed(None)) };
        let from = label.values.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let candidates = from.take_while(|(value, _)| value.starts_with(prefix));
        let found = candidates.filter(|(value, _)| wanted(value)).map(|(_, postings)| postings);
        Ok(Held::Owned(Postings::union(found)))
    }
}

fn borrowed(postings: Option<&Postings>) -> Held<'_> {
    postings.map_or_else(|| Held::Owned(Postings::new()), Held::Borrowed)
}
