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

use crate::memory::{Reservation, label_bytes};
use crate::physical::SeriesMetadata;
use crate::{EvalError, QueryContext};

/// What a group takes besides its text, the list and the table both having up to as much room again.
const GROUP_BYTES: usize = 2 * (size_of::<Labels>() + size_of::<(Labels, usize)>() + 1);

/// The match groups that occur on either side: series with equal matching labels.
#[derive(Debug)]
pub(crate) struct MatchGroups {
    places: HashMap<Labels, usize>,
    /// The matching labels of each group.
    pub labels: Vec<Labels>,
    /// What the groups take.
    pub held: Reservation,
}

impl MatchGroups {
    /// No groups yet.
    ///
    /// # Errors
    /// When the query holds too much already.
    pub(crate) fn new(context: &QueryContext) -> Result<MatchGroups, EvalError> {
        Ok(MatchGroups { places: HashMap::new(), labels: Vec::new(), held: context.reserve(0)? })
    }

    /// The group of every series; unknown ones are added.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may, or was told to stop.
    pub(crate) fn assign(
        &mut self,
        series: &[SeriesMetadata],
        on: &MatchingLabels,
        context: &QueryContext,
    ) -> Result<Vec<usize>, EvalError> {
        self.held.grow(series.len() * size_of::<usize>())?;
        let mut assigned = Vec::with_capacity(series.len());
        for one in series {
            context.check()?;
            let known = self.labels.len();
            let group = self.group(matching_labels(&one.labels, on));
            if self.labels.len() > known {
                let key = &self.labels[group];
                let text = if key.shares_text(&one.labels) { 0 } else { label_bytes(key) };
                self.held.grow(text + GROUP_BYTES)?;
            }
            assigned.push(group);
        }
        Ok(assigned)
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
