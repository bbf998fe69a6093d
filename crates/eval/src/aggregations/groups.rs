//! Which series make a group.

use narthex_model::Labels;
use narthex_model::labels::METRIC_NAME;
use narthex_plan::logical::Grouping;

use crate::label_table::LabelTable;
use crate::matching::is_listed;
use crate::memory::{Reservation, label_bytes};
use crate::physical::SeriesMetadata;
use crate::{EvalError, QueryContext};

/// What a group takes besides its text: twice in lists, once in a table that may have up to as much room again.
const GROUP_BYTES: usize = 3 * size_of::<SeriesMetadata>() + 2 * (size_of::<(Labels, usize)>() + 1);

/// The groups of some series, in the order of their first series.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// The group of each series.
    pub of_series: Vec<usize>,
    /// What each group is called. The name goes at the end of the query if that of any of its series does.
    pub metadata: Vec<SeriesMetadata>,
    /// What the groups take.
    held: Reservation,
}

impl Groups {
    /// Groups `series`.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may, or was told to stop.
    pub(crate) fn new(
        series: &[SeriesMetadata],
        grouping: &Grouping,
        context: &QueryContext,
    ) -> Result<Groups, EvalError> {
        let held = context.reserve(series.len() * size_of::<usize>())?;
        let mut groups = Groups { held, of_series: Vec::with_capacity(series.len()), metadata: Vec::new() };
        let mut table = LabelTable::default();
        for one in series {
            context.check()?;
            let group = group_number(&mut table, &one.labels, grouping);
            if group == groups.len() {
                let labels = table.sets()[group].clone();
                let text = if labels.shares_text(&one.labels) { 0 } else { label_bytes(&labels) };
                groups.held.grow(text + GROUP_BYTES)?;
                groups.metadata.push(SeriesMetadata { labels, drops_name: false });
            }
            groups.metadata[group].drops_name |= one.drops_name;
            groups.of_series.push(group);
        }
        Ok(groups)
    }

    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        self.metadata.len()
    }
}

/// The number of the group that a series of these labels is in: `table` has the labels that the series of a group share.
fn group_number(table: &mut LabelTable, labels: &Labels, grouping: &Grouping) -> usize {
    match grouping {
        Grouping::By(names) if names.is_empty() && table.len() > 0 => 0,
        _ => table.number(labels, |name, _| is_kept(grouping, name)),
    }
}

/// Whether the series of a group have this label in common.
pub(crate) fn is_kept(grouping: &Grouping, name: &str) -> bool {
    match grouping {
        Grouping::By(names) => is_listed(names, name),
        Grouping::Without(names) => name != METRIC_NAME && !is_listed(names, name),
    }
}

/// As written in a query, for `explain`.
pub(crate) fn grouping_text(grouping: &Grouping) -> String {
    match grouping {
        Grouping::By(names) if names.is_empty() => String::new(),
        Grouping::By(names) => format!(" by ({})", names.join(", ")),
        Grouping::Without(names) => format!(" without ({})", names.join(", ")),
    }
}
