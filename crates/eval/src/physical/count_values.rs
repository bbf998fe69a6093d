//! `count_values`.

use std::collections::HashMap;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::labels::{METRIC_NAME, quote};
use narthex_model::number::format_plain;
use narthex_model::{Labels, LabelsBuilder, Text};
use narthex_plan::logical::Grouping;

use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::aggregations::groups::{group_labels, grouping_text};
use crate::column::SeriesBatch;
use crate::matching::is_listed;
use crate::{EvalError, QueryContext, SampleRef, StepColumn};

/// Counts how often each value occurs in a group. Its series are values, so all input is read before they are named.
pub(super) struct CountValues<'a> {
    label: &'a Text,
    grouping: &'a Grouping,
    input: BoxedOperator<'a>,
    steps: usize,
    span: Span,
    columns: Vec<StepColumn>,
}

impl<'a> CountValues<'a> {
    /// Counts the values of `input`; the parameter that names the label stands at `span`.
    pub(super) fn new(
        label: &'a Text,
        grouping: &'a Grouping,
        input: BoxedOperator<'a>,
        steps: usize,
        span: Span,
    ) -> CountValues<'a> {
        CountValues { label, grouping, input, steps, span, columns: Vec::new() }
    }

    fn label(&self) -> Result<&'a str, EvalError> {
        self.label.as_str().filter(|label| !label.is_empty()).ok_or_else(|| {
            let mut message = "invalid label name ".to_owned();
            quote(&mut message, self.label.as_bytes());
            EvalError::execution(message, self.span)
        })
    }
}

/// The result series found so far.
struct Values<'a> {
    label: &'a str,
    grouping: &'a Grouping,
    /// Slots by group labels and value.
    known: HashMap<(Labels, ValueKey), usize>,
    slots: HashMap<Labels, usize>,
    output: Vec<SeriesMetadata>,
}

/// A value before it is formatted, where that saves work.
#[derive(PartialEq, Eq, Hash)]
enum ValueKey {
    Float(u64),
    Text(String),
}

impl Values<'_> {
    /// What the series of a group share, the label of the value left out.
    fn group(&self, labels: &Labels) -> Labels {
        group_labels(labels, self.grouping).filtered(|name, _| name != self.label)
    }

    fn slot(&mut self, group: &Labels, value: SampleRef<'_>) -> usize {
        let key = match value {
            SampleRef::Float(value) => ValueKey::Float(value.to_bits()),
            SampleRef::Histogram(value) => ValueKey::Text(value.to_string()),
        };
        let key = (group.clone(), key);
        if let Some(&slot) = self.known.get(&key) {
            return slot;
        }
        let labels = self.labels(group, &key.1);
        let slot = *self.slots.entry(labels).or_insert_with_key(|labels| {
            self.output.push(SeriesMetadata { labels: labels.clone(), drops_name: false });
            self.output.len() - 1
        });
        self.known.insert(key, slot);
        slot
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
        let mut builder = LabelsBuilder::from_labels(group);
        match value {
            ValueKey::Float(bits) => builder.set(self.label, &format_plain(f64::from_bits(*bits))),
            ValueKey::Text(text) => builder.set(self.label, text),
        };
        builder.build()
    }
}

impl Operator for CountValues<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let label = self.label()?;
        let input = self.input.series(context)?;
        let mut values = Values {
            label,
            grouping: self.grouping,
            known: HashMap::new(),
            slots: HashMap::new(),
            output: Vec::new(),
        };
        let mut batch = SeriesBatch::new();
        while self.input.next_batch(context, &mut batch)? {
            context.check()?;
            for (series, column) in batch.iter() {
                let group = values.group(&input[series].labels);
                for (step, value) in column.iter() {
                    let slot = values.slot(&group, value);
                    if slot == self.columns.len() {
                        self.columns.push(StepColumn::new(self.steps));
                    }
                    let count = self.columns[slot].float(step).unwrap_or(0.0);
                    self.columns[slot].set_float(step, count + 1.0);
                    values.output[slot].drops_name |= input[series].drops_name;
                }
            }
        }
        Ok(values.output.into())
    }

    fn next_batch(&mut self, _: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        batch.start(0);
        batch.columns = std::mem::take(&mut self.columns);
        Ok(!batch.columns.is_empty())
    }

    fn describe(&self) -> Description<'_> {
        let line = format!("count_values {:?}{}", self.label.to_str_lossy(), grouping_text(self.grouping));
        Description { line, inputs: vec![&*self.input] }
    }
}
