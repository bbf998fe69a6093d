//! The values of the side that must be unique: one column per match group.

use narthex_diag::Span;

use super::table::{MatchTable, Side};
use crate::column::Presence;
use crate::physical::SeriesMetadata;
use crate::{EvalError, StepColumn};

/// What the series of one match group have, at most one of them at each step.
#[derive(Clone, Debug, Default)]
pub(crate) struct OneColumn {
    /// The values.
    pub column: StepColumn,
    first: usize,
    /// The series each value is from; empty while all are from the first.
    owners: Vec<usize>,
}

impl OneColumn {
    /// The series that the value at `step` is from.
    pub(crate) fn owner(&self, step: usize) -> usize {
        self.owners.get(step).copied().unwrap_or(self.first)
    }
}

/// The "one" side, read completely.
#[derive(Debug)]
pub(crate) struct OneSide {
    groups: Vec<Option<OneColumn>>,
    /// Steps at which a group has several series, and the first two found.
    duplicates: Vec<(usize, [usize; 2])>,
    duplicate_steps: Presence,
}

impl OneSide {
    /// Nothing read yet of `groups` groups over `steps` steps.
    pub(crate) fn new(groups: usize, steps: usize) -> OneSide {
        let mut duplicate_steps = Presence::default();
        duplicate_steps.reset(steps);
        OneSide { groups: vec![None; groups], duplicates: Vec::new(), duplicate_steps }
    }

    /// What another series of `group` takes besides its column.
    pub(crate) fn room_bytes(&self, group: usize, steps: usize) -> usize {
        let is_second = self.groups[group].as_ref().is_some_and(|known| known.owners.is_empty());
        if is_second { steps * size_of::<usize>() } else { 0 }
    }

    /// Takes over the column of a series of `group`.
    pub(crate) fn add(&mut self, series: usize, group: usize, column: StepColumn) {
        let Some(known) = &mut self.groups[group] else {
            self.groups[group] = Some(OneColumn { column, first: series, owners: Vec::new() });
            return;
        };
        if known.owners.is_empty() {
            known.owners = vec![known.first; column.len()];
        }
        for (step, value) in column.iter() {
            if !known.column.is_present(step) {
                known.column.set_ref(step, value);
                known.owners[step] = series;
            } else if !self.duplicate_steps.get(step) {
                self.duplicate_steps.set(step);
                self.duplicates.push((step, [known.owners[step], series]));
            }
        }
    }

    /// What a group has.
    pub(crate) fn group(&self, group: usize) -> Option<&OneColumn> {
        self.groups[group].as_ref()
    }

    /// Checks that every group has at most one element at each of `steps`.
    pub(crate) fn check_unique(
        &self,
        steps: &Presence,
        ones: &[SeriesMetadata],
        table: &MatchTable,
        side: Side,
        span: Span,
    ) -> Result<(), EvalError> {
        if !self.duplicate_steps.intersects(steps) {
            return Ok(());
        }
        let concerned = self.duplicates.iter().filter(|(step, _)| steps.get(*step));
        let Some((_, series)) = concerned.min_by_key(|(step, _)| *step) else { return Ok(()) };
        let mut labels = series.map(|series| &ones[series].labels);
        labels.sort();
        let group = &table.match_groups.labels()[table.ones[series[0]].0];
        let side = if side == Side::Left { "left" } else { "right" };
        let message = format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
            labels[0], labels[1]
        );
        Err(EvalError::execution(message, span))
    }
}
