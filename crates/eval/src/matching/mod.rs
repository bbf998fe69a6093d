//! Which elements of two vectors belong together: a join over labels, done once per query.
//!
//! Reading order: this file (groups), [`table`] (partners and result series of an operator on elements), [`one_side`]
//! (values of the side that must be unique).

pub(crate) mod one_side;
pub(crate) mod table;

use narthex_model::Labels;
use narthex_model::labels::METRIC_NAME;
use narthex_plan::logical::MatchingLabels;

use crate::label_table::{ENTRY_BYTES, LabelTable};
use crate::memory::{Reservation, label_bytes};
use crate::physical::SeriesMetadata;
use crate::{EvalError, QueryContext};

/// The match groups that occur on either side: series with equal matching labels.
#[derive(Debug)]
pub(crate) struct MatchGroups {
    table: LabelTable,
    /// What the groups take.
    pub held: Reservation,
}

impl MatchGroups {
    /// No groups yet.
    ///
    /// # Errors
    /// When the query holds too much already.
    pub(crate) fn new(context: &QueryContext) -> Result<MatchGroups, EvalError> {
        Ok(MatchGroups { table: LabelTable::default(), held: context.reserve(0)? })
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
            let known = self.len();
            let group = self.table.number(&one.labels, |name, _| is_matched(on, name));
            if group == known {
                let labels = &self.labels()[group];
                let text = if labels.shares_text(&one.labels) { 0 } else { label_bytes(labels) };
                self.held.grow(text + ENTRY_BYTES)?;
            }
            assigned.push(group);
        }
        Ok(assigned)
    }

    /// The matching labels of each group.
    pub(crate) fn labels(&self) -> &[Labels] {
        self.table.sets()
    }

    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

/// Whether two series must have this label in common: one of those listed, or any but the listed ones and the metric
/// name.
fn is_matched(on: &MatchingLabels, name: &str) -> bool {
    match on {
        MatchingLabels::On(names) => is_listed(names, name),
        MatchingLabels::Ignoring(names) => name != METRIC_NAME && !is_listed(names, name),
    }
}

/// Whether sorted `names` have `name`.
pub(crate) fn is_listed(names: &[Box<str>], name: &str) -> bool {
    // Of a few names most differ in length already.
    const FEW: usize = 8;
    match names.len() {
        0..=FEW => names.iter().any(|listed| **listed == *name),
        _ => names.binary_search_by(|listed| (**listed).cmp(name)).is_ok(),
    }
}
