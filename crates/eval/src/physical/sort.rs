//! The order of an instant query's result: `sort`, `sort_desc`, `sort_by_label`, `sort_by_label_desc`.

use std::cmp::Ordering;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::QueryKind;
use narthex_promql::functions::SortFunction;

use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::limits::column_samples;
use crate::memory::{Reservation, list_bytes};
use crate::ordered::{ordered, rearranged};
use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// Reorders the series of an instant query. In a range query, where order has no meaning, the input passes through.
/// Sorting by value drops histograms in both.
pub(super) struct Sort<'a> {
    function: SortFunction,
    /// What `sort_by_label` looks at, most important first.
    labels: Vec<String>,
    input: BoxedOperator<'a>,
    span: Span,
    /// All columns in their new order, once they are computed.
    sorted: Option<Vec<StepColumn>>,
    held_samples: usize,
    bytes: Reservation,
}

impl<'a> Sort<'a> {
    pub(super) fn new(
        function: SortFunction,
        labels: Vec<String>,
        input: BoxedOperator<'a>,
        span: Span,
    ) -> Sort<'a> {
        Sort { function, labels, input, span, sorted: None, held_samples: 0, bytes: Reservation::default() }
    }

    fn sorts_by_value(&self) -> bool {
        matches!(self.function, SortFunction::Sort | SortFunction::SortDesc)
    }

    fn order(&self, a: (&SeriesMetadata, &StepColumn), b: (&SeriesMetadata, &StepColumn)) -> Ordering {
        let value = |column: &StepColumn| column.float(0).unwrap_or(f64::NAN);
        match self.function {
            SortFunction::Sort => by_value(value(a.1), value(b.1)),
            SortFunction::SortDesc => by_value_descending(value(a.1), value(b.1)),
            SortFunction::SortByLabel => self.by_labels(a.0, b.0),
            SortFunction::SortByLabelDesc => self.by_labels(b.0, a.0),
        }
    }

    /// By the labels asked for, then by the whole set.
    fn by_labels(&self, a: &SeriesMetadata, b: &SeriesMetadata) -> Ordering {
        let one = |label: &String| natural_order(a.labels.value(label), b.labels.value(label));
        let by_label = self.labels.iter().map(one).find(|order| order.is_ne());
        by_label.unwrap_or_else(|| a.labels.cmp(&b.labels))
    }
}

/// Rising, NaN last.
fn by_value(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Falling, NaN last.
fn by_value_descending(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Runs of digits by their number, other runs by bytes; what ends first comes first.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let (run_a, rest_a) = first_run(a);
        let (run_b, rest_b) = first_run(b);
        let order = match (significant_digits(run_a), significant_digits(run_b)) {
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            _ => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.len().cmp(&b.len())
}

/// A number of any size without its leading zeros; `None` for a run without digits.
fn significant_digits(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit()).then(|| run.trim_start_matches('0'))
}

/// Splits off the digits, or the characters that are none, at the start.
fn first_run(text: &str) -> (&str, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let starts_with_digit = text.starts_with(is_digit);
    text.split_at(text.find(|c| is_digit(c) != starts_with_digit).unwrap_or(text.len()))
}

fn remove_histograms(column: &mut StepColumn) {
    if !column.has_histograms() {
        return;
    }
    for step in 0..column.len() {
        if column.histogram(step).is_some() {
            column.remove(step);
        }
    }
}

impl Operator for Sort<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        if context.parameters.kind == QueryKind::Range {
            context.annotate(AnnotationKind::SortInRangeQuery, self.span);
            return Ok(input);
        }
        let mut batch = SeriesBatch::new();
        let mut columns: Vec<StepColumn> = Vec::with_capacity(input.len());
        let mut bytes = context.reserve(list_bytes(input.len()))?;
        while self.input.next_batch(context, &mut batch)? {
            let samples = batch.columns.iter().map(column_samples).sum();
            context.hold_samples(samples)?;
            self.held_samples += samples;
            batch.take_columns(&mut columns, &mut bytes)?;
        }
        if self.sorts_by_value() {
            columns.iter_mut().for_each(remove_histograms);
        }
        let places = ordered(columns.len(), context, |a, b| {
            self.order((&input[a], &columns[a]), (&input[b], &columns[b]))
        })?;
        self.sorted = Some(rearranged(columns, &places));
        self.bytes = bytes;
        Ok(places.iter().map(|&place| input[place].clone()).collect())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let Some(sorted) = &mut self.sorted else {
            let has_more = self.input.next_batch(context, batch)?;
            if self.sorts_by_value() {
                batch.columns.iter_mut().for_each(remove_histograms);
            }
            return Ok(has_more);
        };
        batch.start(0);
        batch.columns = std::mem::take(sorted);
        drop(std::mem::take(&mut self.bytes));
        context.release_samples(std::mem::take(&mut self.held_samples));
        Ok(!batch.columns.is_empty())
    }

    fn describe(&self) -> Description<'_> {
        let by =
            if self.labels.is_empty() { String::new() } else { format!(" ({})", self.labels.join(", ")) };
        let line = format!("{}{by}", narthex_promql::functions::FunctionId::Sort(self.function).as_str());
        Description { line, inputs: vec![&*self.input] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_digits_compare_as_numbers() {
        let sorted =
            ["", "1", "2", "4.15.0-58", "4.15.0-163", "10", "111111111111111111111", "a", "a2b", "a10", "b"];
        assert!(sorted.is_sorted_by(|a, b| natural_order(a, b).is_lt()), "{sorted:?}");
        assert_eq!(natural_order("01", "1"), Ordering::Equal);
        assert_eq!(natural_order("99999999999999999999", "3"), Ordering::Greater);
    }

    #[test]
    fn nan_stands_last_both_ways() {
        let mut values = [f64::NAN, 1.0, 3.0, f64::NAN, 2.0];
        values.sort_by(|a, b| by_value(*a, *b));
        assert_eq!((values[0], values[2], values[4].is_nan()), (1.0, 3.0, true));
        values.sort_by(|a, b| by_value_descending(*a, *b));
        assert_eq!((values[0], values[2], values[4].is_nan()), (3.0, 1.0, true));
    }
}
