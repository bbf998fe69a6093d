//! Which series make a group.

use std::collections::HashMap;

use narthex_model::Labels;
use narthex_model::labels::METRIC_NAME;
use narthex_plan::logical::Grouping;

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
        let mut places: HashMap<Labels, usize> = HashMap::new();
        // All series of one group share its empty label set, which is made once.
        let all_in_one = matches!(grouping, Grouping::By(names) if names.is_empty()).then(Labels::empty);
        for one in series {
            context.check()?;
            let labels = all_in_one.clone().unwrap_or_else(|| group_labels(&one.labels, grouping));
            let text = if labels.shares_text(&one.labels) { 0 } else { label_bytes(&labels) };
            let known = groups.len();
            let group = *places.entry(labels).or_insert_with_key(|labels| {
                groups.metadata.push(SeriesMetadata { labels: labels.clone(), drops_name: false });
                groups.metadata.len() - 1
            });
            if groups.len() > known {
                groups.held.grow(text + GROUP_BYTES)?;
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

/// The labels that the series of a group share.
pub(crate) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    match grouping {
        Grouping::By(names) if names.is_empty() => Labels::empty(),
        Grouping::By(names) => labels.filtered(|name, _| is_listed(names, name)),
        Grouping::Without(names) => labels.filtered(|name, _| name != METRIC_NAME && !is_listed(names, name)),
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
