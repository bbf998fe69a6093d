//! The difference of native histograms over a window, before extrapolation.

use std::sync::Arc;

use narthex_model::{CounterResetHint, FloatHistogram, Timestamp};

use super::SeriesContext;
use super::rate::{Change, is_start_reset};
use crate::AnnotationKind;

/// The samples of a window and what is asked of them.
pub(super) struct HistogramChange<'a> {
    /// In time order, at least one.
    pub(super) values: &'a [Arc<FloatHistogram>],
    /// As many.
    pub(super) timestamps: &'a [Timestamp],
    /// As many, or empty.
    pub(super) start_timestamps: &'a [Timestamp],
    /// What is asked for.
    pub(super) change: Change,
    /// Whether the counter is known to have been zero within the window, before the first sample.
    pub(super) starts_at_zero: bool,
}

/// Last minus first, and for counters plus what was lost at each reset; a gauge, compacted. `None` with an annotation
/// where the layouts do not go together.
pub(super) fn histogram_change(
    input: &HistogramChange<'_>,
    series: &SeriesContext<'_>,
) -> Option<FloatHistogram> {
    hint_at_kind(input, series);
    let first = effective_first(input, series);
    let (last, is_custom) = (input.values.last()?, first.uses_custom_buckets());
    let relevant: &[Arc<FloatHistogram>] = if input.change.is_counter() {
        input.values.get(1..).unwrap_or(&[])
    } else {
        std::slice::from_ref(last)
    };
    if last.uses_custom_buckets() != is_custom
        || relevant.iter().any(|one| one.uses_custom_buckets() != is_custom)
    {
        series.annotate_metric(AnnotationKind::MixedExponentialCustom);
        return None;
    }
    let schema = relevant.iter().map(|one| one.schema).chain([last.schema, first.schema]).min()?;
    let mut result = if is_custom { FloatHistogram::clone(last) } else { last.copy_to_schema(schema)? };
    if !input.starts_at_zero {
        combine(&mut result, &first, Combination::Sub, series)?;
    }
    if input.change.is_counter() {
        add_resets(&mut result, input, first, series)?;
    }
    result.counter_reset_hint = CounterResetHint::Gauge;
    result.compact(0);
    Some(result)
}

fn hint_at_kind(input: &HistogramChange<'_>, series: &SeriesContext<'_>) {
    let is_gauge = |histogram: &Arc<FloatHistogram>| histogram.counter_reset_hint == CounterResetHint::Gauge;
    if input.change.is_counter() {
        if input.values.iter().any(is_gauge) {
            series.annotate_metric(AnnotationKind::NativeHistogramNotCounter);
        }
    } else if !input.values.first().is_some_and(is_gauge) || !input.values.last().is_some_and(is_gauge) {
        series.annotate_metric(AnnotationKind::NativeHistogramNotGauge);
    }
}

/// The first sample, or an empty one of the second's layout when the counter started anew between the two: then the
/// first does not matter, however incompatible it is.
fn effective_first(input: &HistogramChange<'_>, series: &SeriesContext<'_>) -> Arc<FloatHistogram> {
    let first = &input.values[0];
    match input.values.get(1) {
        Some(second) if ignores_first(input) && is_reset(input, 1, first, series) => {
            Arc::new(FloatHistogram {
                schema: second.schema,
                custom_values: second.custom_values.clone(),
                ..FloatHistogram::default()
            })
        }
        _ => Arc::clone(first),
    }
}

/// A counter that starts at zero within the window has gained its first sample too.
fn ignores_first(input: &HistogramChange<'_>) -> bool {
    input.change.is_counter() && !input.starts_at_zero
}

fn is_reset(
    input: &HistogramChange<'_>,
    at: usize,
    before: &FloatHistogram,
    series: &SeriesContext<'_>,
) -> bool {
    let starts: &[Timestamp] =
        if series.query.options.start_timestamps { input.start_timestamps } else { &[] };
    input.values[at].detect_reset(before) || is_start_reset(input.timestamps, starts, at)
}

fn add_resets(
    result: &mut FloatHistogram,
    input: &HistogramChange<'_>,
    first: Arc<FloatHistogram>,
    series: &SeriesContext<'_>,
) -> Option<()> {
    let mut before = first;
    for (at, current) in input.values.iter().enumerate().skip(1) {
        if is_reset(input, at, &before, series) {
            combine(result, &before, Combination::Add, series)?;
        }
        before = Arc::clone(current);
    }
    Some(())
}

#[derive(Clone, Copy)]
enum Combination {
    Add,
    Sub,
}

/// Adds or subtracts; colliding reset hints do not matter here, resets are handled one by one.
fn combine(
    result: &mut FloatHistogram,
    other: &FloatHistogram,
    combination: Combination,
    series: &SeriesContext<'_>,
) -> Option<()> {
    let (outcome, operation) = match combination {
        Combination::Add => (result.add(other), "addition"),
        Combination::Sub => (result.sub(other), "subtraction"),
    };
    match outcome {
        Ok(outcome) => {
            if outcome.custom_bounds_differ {
                series.annotate(AnnotationKind::CustomBucketsReconciled(operation));
            }
            Some(())
        }
        Err(_) => {
            series.annotate_metric(AnnotationKind::MixedExponentialCustom);
            None
        }
    }
}
