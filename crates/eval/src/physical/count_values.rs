//! `count_values`.

use std::collections::HashMap;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::labels::{METRIC_NAME, quote};
use narthex_model::number::format_plain;
use narthex_model::{Labels, Text};
use narthex_plan::logical::Grouping;

use super::computed::Computed;
use super::relabel::SeriesList;
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::aggregations::groups::{grouping_text, is_kept};
use crate::column::SeriesBatch;
use crate::label_table::{ENTRY_BYTES, LabelTable};
use crate::matching::is_listed;
use crate::memory::{Reservation, block_bytes, column_bytes, label_bytes};
use crate::{EvalError, QueryContext, SampleRef, StepColumn};

/// Counts how often each value occurs in a group. Its series are values, so all input is read before they are named.
pub(super) struct CountValues<'a> {
    label: &'a Text,
    grouping: &'a Grouping,
    input: BoxedOperator<'a>,
    span: Span,
    computed: Computed,
}

impl<'a> CountValues<'a> {
    /// Counts the values of `input`; the parameter that names the label stands at `span`.
    pub(super) fn new(
        label: &'a Text,
        grouping: &'a Grouping,
        input: BoxedOperator<'a>,
        span: Span,
    ) -> CountValues<'a> {
        CountValues { label, grouping, input, span, computed: Computed::default() }
    }

    fn label(&self) -> Result<&'a str, EvalError> {
        self.label.as_str().filter(|label| !label.is_empty()).ok_or_else(|| {
            let mut message = "invalid label name ".to_owned();
            quote(&mut message, self.label.as_bytes());
            EvalError::execution(message, self.span)
        })
    }
}

/// What a value that occurs in a group takes, likewise.
const KNOWN_BYTES: usize = 2 * (size_of::<((usize, ValueKey), usize)>() + 1);
/// What a result takes besides its column and name, likewise.
const SLOT_BYTES: usize = size_of::<StepColumn>() + 2 * (size_of::<(Labels, usize)>() + 1);

/// The result series found so far.
struct Values<'a> {
    label: &'a str,
    grouping: &'a Grouping,
    groups: LabelTable,
    /// Slots by group and value.
    known: HashMap<(usize, ValueKey), usize>,
    slots: HashMap<Labels, usize>,
    output: SeriesList,
    columns: Vec<StepColumn>,
    /// What groups, tables and columns take.
    held: Reservation,
    context: &'a QueryContext,
}

/// A value before it is formatted, where that saves work.
#[derive(PartialEq, Eq, Hash)]
enum ValueKey {
    Float(u64),
    Text(String),
}

impl<'a> Values<'a> {
    fn new(
        label: &'a str,
        grouping: &'a Grouping,
        context: &'a QueryContext,
    ) -> Result<Values<'a>, EvalError> {
        Ok(Values {
            label,
            grouping,
            groups: LabelTable::default(),
            known: HashMap::new(),
            slots: HashMap::new(),
            output: SeriesList::new(context)?,
            columns: Vec::new(),
            held: context.reserve(0)?,
            context,
        })
    }

    /// Counts the values of one series.
    fn add(&mut self, series: &SeriesMetadata, column: &StepColumn) -> Result<(), EvalError> {
        let group = self.group(&series.labels)?;
        // Most values stay what they are for a while.
        let mut last = None;
        for (step, value) in column.iter() {
            let bits = match value {
                SampleRef::Float(value) => Some(value.to_bits()),
                SampleRef::Histogram(_) => None,
            };
            let slot = match last {
                Some((known, slot)) if bits == Some(known) => slot,
                _ => self.slot(group, value, column.len())?,
            };
            last = bits.map(|bits| (bits, slot));
            let counts = &mut self.columns[slot];
            counts.set_float(step, counts.float(step).unwrap_or(0.0) + 1.0);
            self.output.get_mut(slot).drops_name |= series.drops_name;
        }
        Ok(())
    }

    /// The group of a series; of its labels that of the value is left out.
    fn group(&mut self, labels: &Labels) -> Result<usize, EvalError> {
        let known = self.groups.len();
        let group = self.groups.number(labels, |name, _| is_kept(self.grouping, name) && name != self.label);
        if group == known {
            self.held.grow(label_bytes(&self.groups.sets()[group]) + ENTRY_BYTES)?;
        }
        Ok(group)
    }

    fn slot(&mut self, group: usize, value: SampleRef<'_>, steps: usize) -> Result<usize, EvalError> {
        let key = match value {
            SampleRef::Float(value) => ValueKey::Float(value.to_bits()),
            SampleRef::Histogram(value) => ValueKey::Text(value.to_string()),
        };
        let key = (group, key);
        if let Some(&slot) = self.known.get(&key) {
            return Ok(slot);
        }
        let labels = self.labels(&self.groups.sets()[group], &key.1);
        let text = match &key.1 {
            ValueKey::Float(_) => 0,
            ValueKey::Text(text) => block_bytes(text.len()),
        };
        self.held.grow(text + KNOWN_BYTES)?;
        let slot = match self.slots.get(&labels) {
            Some(&slot) => slot,
            None => self.add_slot(labels, steps)?,
        };
        self.known.insert(key, slot);
        Ok(slot)
    }

    fn add_slot(&mut self, labels: Labels, steps: usize) -> Result<usize, EvalError> {
        self.held.grow(SLOT_BYTES + column_bytes(steps))?;
        let series = SeriesMetadata { labels: labels.clone(), drops_name: false };
        self.output.push(self.context, series, None)?;
        self.columns.push(StepColumn::new(steps));
        let slot = self.output.len() - 1;
        self.slots.insert(labels, slot);
        Ok(slot)
    }

    /// The group with the value. `without` may take the value's label away again.
    fn labels(&self, group: &Labels, value: &ValueKey) -> Labels {
        let is_taken_away = match self.grouping {
            Grouping::By(_) => false,
            Grouping::Without(names) => self.label == METRIC_NAME || is_listed(names, self.label),
        };
        if is_taken_away {
            return group.clone();
        }
        match value {
            ValueKey::Float(bits) => group.with(self.label, &format_plain(f64::from_bits(*bits))),
            ValueKey::Text(text) => group.with(self.label, text),
        }
    }
}

impl Operator for CountValues<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let label = self.label()?;
        let input = self.input.series(context)?;
        let mut values = Values::new(label, self.grouping, context)?;
        let mut batch = SeriesBatch::new();
        while self.input.next_batch(context, &mut batch)? {
            context.check()?;
            for (series, column) in batch.iter() {
                values.add(&input[series], column)?;
            }
        }
        let Values { output, columns, held, .. } = values;
        let (series, series_held) = output.finish()?;
        self.computed = Computed::new(columns, held, series_held, context)?;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        Ok(self.computed.hand_out(context, batch))
    }

    fn describe(&self) -> Description<'_> {
        let line = format!("count_values {:?}{}", self.label.to_str_lossy(), grouping_text(self.grouping));
        Description { line, inputs: vec![&*self.input] }
    }
}
