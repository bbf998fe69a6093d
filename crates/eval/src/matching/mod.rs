//! Which elements of two vectors belong together: a join over labels, done once per query.
//!
//! Reading order: this file (groups), [`table`] (partners and result series of an operator on elements), [`one_side`]
//! (values of the side that must be unique).

pub(crate) mod one_side;
pub(crate) mod table;

use std::collections::HashMap;

use narthex_model::Labels;
use narthex_model::labels::METRIC_NAME;
use narthex_plan::logical::MatchingLabels;

use crate::physical::SeriesMetadata;

/// The match groups that occur on either side: series with equal matching labels.
#[derive(Debug, Default)]
pub(crate) struct MatchGroups {
    places: HashMap<Labels, usize>,
    /// The matching labels of each group.
    pub labels: Vec<Labels>,
}

impl MatchGroups {
    /// The group of every series; unknown ones are added.
    pub(crate) fn assign(&mut self, series: &[SeriesMetadata], on: &MatchingLabels) -> Vec<usize> {
        series.iter().map(|series| self.group(matching_labels(&series.labels, on))).collect()
    }

    fn group(&mut self, key: Labels) -> usize {
        let next = self.labels.len();
        match self.places.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => *known.get(),
            std::collections::hash_map::Entry::Vacant(place) => {
                self.labels.push(place.key().clone());
                *place.insert(next)
            }
        }
    }

    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }
}

/// What two series must have in common: the labels listed, or all but the listed ones and the metric name.
fn matching_labels(labels: &Labels, on: &MatchingLabels) -> Labels {
    match on {
        MatchingLabels::On(names) => labels.filtered(|name, _| is_listed(names, name)),
        MatchingLabels::Ignoring(names) => {
            labels.filtered(|name, _| name != METRIC_NAME && !is_listed(names, name))
        }
    }
}

/// Whether sorted `names` have `name`.
pub(crate) fn is_listed(names: &[Box<str>], name: &str) -> bool {
    names.binary_search_by(|listed| (**listed).cmp(name)).is_ok()
}
