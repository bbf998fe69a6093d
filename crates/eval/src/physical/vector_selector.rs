//! The newest sample of each series at each step.

use std::sync::Arc;

use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, StepGrid, TimeRange, Timestamp};
use narthex_plan::logical::{SelectedPart, Selector};
use narthex_promql::ast::RangeExtension;
use narthex_storage::{FloatColumn, Querier, SampleBuffer, SelectHints, SeriesSet, WindowGrid};

use super::exchange::Workers;
use super::histogram_stats::HistogramDetail;
use super::window_source::{has_stale, remove_stale};
use super::{Description, Operator, SeriesMetadata, selected, selector_text, series_per_batch, smoothed};
use crate::column::{Places, SeriesBatch};
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// Looks up each step's newest sample within the lookback.
pub(super) struct VectorSelector<'a> {
    lookup: Lookup<'a>,
    querier: &'a dyn Querier,
    set: Option<Box<dyn SeriesSet + 'a>>,
    series: Reservation,
    next: usize,
    workers: Workers,
}

/// What is looked up: the same for every series.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) selector: &'a Selector,
    pub(super) part: SelectedPart,
    pub(super) grid: StepGrid,
    pub(super) lookback_ms: i64,
    pub(super) histograms: HistogramDetail,
}

impl<'a> VectorSelector<'a> {
    pub(super) fn new(lookup: Lookup<'a>, querier: &'a dyn Querier) -> VectorSelector<'a> {
        let (series, workers) = (Reservation::default(), Workers::default());
        VectorSelector { lookup, querier, set: None, series, next: 0, workers }
    }
}

impl Operator for VectorSelector<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let (step_ms, windows) = (self.lookup.grid.step_ms, self.lookup.windows());
        let hints = SelectHints { step_ms, windows, ..SelectHints::default() };
        let selector = self.lookup.selector;
        let set = self.querier.select(&selector.matchers, self.lookup.range(), &hints)?;
        let (series, held) = selected(&*set, context, self.lookup.grid.len, selector.span)?;
        self.series = held;
        self.set = Some(set);
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        context.check()?;
        let Some(set) = &self.set else { return Ok(false) };
        let (lookup, range) = (self.lookup, self.lookup.range());
        let end = set.len().min(self.next + series_per_batch(lookup.grid.len));
        self.workers.fill(context, batch, self.next..end, lookup.grid.len, |series, buffer, column| {
            set.read(series, range, &mut buffer.samples)?;
            lookup.histograms.reduce(&mut buffer.samples);
            buffer.count(context, 0)?;
            lookup.evaluate(context, &mut buffer.samples, set.labels(series), column);
            Ok(())
        })?;
        self.next = end;
        Ok(!batch.columns.is_empty())
    }

    fn describe(&self) -> Description<'_> {
        let line = format!("select {}", selector_text(self.lookup.selector));
        Description { line, inputs: Vec::new() }
    }
}

impl Lookup<'_> {
    /// Every instant that some step looks at.
    pub(super) fn range(&self) -> TimeRange {
        let first_ms = self.selector.shift.reference(self.grid.start_ms);
        let last_ms = self.selector.shift.reference(self.grid.end_ms());
        let after_ms = if self.is_smoothed() { self.lookback_ms } else { 0 };
        TimeRange::left_open(first_ms.saturating_sub(self.lookback_ms), last_ms.saturating_add(after_ms))
    }

    /// What the steps look at, where they leave something out between them.
    fn windows(&self) -> Option<WindowGrid> {
        let Lookup { grid, lookback_ms: range_ms, .. } = *self;
        let (first_ms, last_ms) = (grid.start_ms, grid.end_ms());
        let [end_ms, last_end_ms] = [first_ms, last_ms].map(|step_ms| self.selector.shift.reference(step_ms));
        let is_regular = last_ms.checked_sub(first_ms)? == last_end_ms.checked_sub(end_ms)?;
        let has_gaps = grid.len > 1 && grid.step_ms > range_ms;
        (is_regular && has_gaps && !self.is_smoothed()).then_some(WindowGrid {
            end_ms,
            step_ms: grid.step_ms,
            windows: grid.len,
            range_ms,
        })
    }

    fn is_smoothed(&self) -> bool {
        self.selector.extension == Some(RangeExtension::Smoothed) && self.part == SelectedPart::Value
    }

    pub(super) fn evaluate(
        &self,
        context: &QueryContext,
        samples: &mut SampleBuffer,
        labels: &Labels,
        column: &mut StepColumn,
    ) {
        if self.is_smoothed() {
            remove_stale(samples);
            smoothed::evaluate(self, samples, column, |kind| {
                context.annotate(kind(labels.metric_name().to_owned()), self.selector.span);
            });
            return;
        }
        if self.part == SelectedPart::Value && samples.histograms.timestamps.is_empty() {
            self.evaluate_floats(&samples.floats, column);
            return;
        }
        let mut cursor = Cursor::new(samples, self.lookback_ms);
        for (step, step_ms) in self.grid.timestamps().enumerate() {
            let found = cursor.newest(self.selector.shift.reference(step_ms));
            put(column, step, found, samples, self.part);
        }
    }
}

/// The common case: the values of a series without histograms.
impl Lookup<'_> {
    fn evaluate_floats(&self, samples: &FloatColumn, column: &mut StepColumn) {
        let mut places = Places::new(&samples.timestamps);
        let at_ms = |step| self.selector.shift.reference(self.grid.timestamp(step));
        column.fill_words(|first, values| {
            if let Some(found) = self.one_each(samples, places.up_to(at_ms(first)), first, values.len()) {
                values.copy_from_slice(found);
                return u64::MAX;
            }
            values.iter_mut().enumerate().fold(0, |word, (bit, place)| {
                let at_ms = at_ms(first + bit);
                let at = places.up_to(at_ms).checked_sub(1);
                let value = at.and_then(|at| self.unless_old(samples, at, at_ms));
                *place = value.unwrap_or(0.0);
                word | u64::from(value.is_some()) << bit
            })
        });
    }

    fn unless_old(&self, samples: &FloatColumn, at: usize, at_ms: Timestamp) -> Option<f64> {
        let (&found_ms, &value) = (samples.timestamps.get(at)?, samples.values.get(at)?);
        (found_ms > at_ms.saturating_sub(self.lookback_ms) && !is_stale_nan(value)).then_some(value)
    }

    /// The values at some steps from number `first` on, if each finds the sample behind that of the step before it, as
    /// where steps are as far apart as samples. `up_to` samples lie up to the first of the steps.
    ///
    /// Looks at all of them in loops without branches, which is faster than finding them one by one.
    fn one_each<'s>(
        &self,
        samples: &'s FloatColumn,
        up_to: usize,
        first: usize,
        steps: usize,
    ) -> Option<&'s [f64]> {
        let at_ms = |step| self.selector.shift.reference(self.grid.timestamp(step));
        let (first_ms, step_ms, from) = (at_ms(first), self.grid.step_ms, up_to.checked_sub(1)?);
        let length_ms = i64::try_from(steps - 1).ok()?.checked_mul(step_ms)?;
        let after_ms = first_ms.checked_sub(self.lookback_ms)?;
        // Not where `@` holds time still, nor at the end of time.
        if steps < 2 || first_ms.checked_add(length_ms)? != at_ms(first + steps - 1) {
            return None;
        }
        let timestamps = samples.timestamps.get(from..from + steps)?;
        let values = samples.values.get(from..from + steps)?;
        // What wraps around is no sample that is looked for: it seems to lie behind the first step.
        let (mut is_found, mut back_ms) = (true, 0i64);
        for &sample_ms in timestamps {
            let sample_ms = sample_ms.wrapping_sub(back_ms);
            is_found &= (sample_ms <= first_ms) & (sample_ms > after_ms);
            back_ms = back_ms.wrapping_add(step_ms);
        }
        back_ms = 0;
        for &later_ms in samples.timestamps[from + 1..].iter().take(steps) {
            is_found &= later_ms.wrapping_sub(back_ms) > first_ms;
            back_ms = back_ms.wrapping_add(step_ms);
        }
        (is_found && !has_stale(values)).then_some(values)
    }
}

/// Puts what was found into the column, or a time of it.
fn put(
    column: &mut StepColumn,
    step: usize,
    found: Option<Found>,
    samples: &SampleBuffer,
    part: SelectedPart,
) {
    let Some(found) = found else { return };
    let (timestamps, starts, at) = match found {
        Found::Float(at) => (&samples.floats.timestamps, &samples.floats.start_timestamps, at),
        Found::Histogram(at) => (&samples.histograms.timestamps, &samples.histograms.start_timestamps, at),
    };
    match (part, found) {
        (SelectedPart::Timestamp, _) => column.set_float(step, timestamps[at] as f64 / 1000.0),
        (SelectedPart::StartTimestamp, _) => {
            column.set_float(step, starts.get(at).map_or(0.0, |&start_ms| start_ms as f64 / 1000.0));
        }
        (SelectedPart::Value, Found::Float(at)) => column.set_float(step, samples.floats.values[at]),
        (SelectedPart::Value, Found::Histogram(at)) => {
            column.set_histogram(step, Arc::clone(&samples.histograms.values[at]));
        }
    }
}

/// Place of a sample in its column.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Float(usize),
    Histogram(usize),
}

/// Finds newest samples at rising instants: two cursors, each moving forward only.
pub(super) struct Cursor<'a> {
    samples: &'a SampleBuffer,
    lookback_ms: i64,
    floats: Places<'a>,
    histograms: Places<'a>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(samples: &'a SampleBuffer, lookback_ms: i64) -> Cursor<'a> {
        let (floats, histograms) = (&samples.floats.timestamps, &samples.histograms.timestamps);
        Cursor { samples, lookback_ms, floats: Places::new(floats), histograms: Places::new(histograms) }
    }

    /// The newest sample in `(at − lookback, at]`, unless it is a stale marker.
    pub(super) fn newest(&mut self, at_ms: Timestamp) -> Option<Found> {
        let (floats, histograms) = (&self.samples.floats, &self.samples.histograms);
        let float = self.floats.up_to(at_ms).checked_sub(1);
        let float = float.map(|at| (floats.timestamps[at], Found::Float(at)));
        let histogram = self.histograms.up_to(at_ms).checked_sub(1);
        let histogram = histogram.map(|at| (histograms.timestamps[at], Found::Histogram(at)));
        let (found_ms, found) = match (float, histogram) {
            (Some(float), Some(histogram)) if histogram.0 > float.0 => histogram,
            (Some(float), _) => float,
            (None, histogram) => histogram?,
        };
        let is_stale = match found {
            Found::Float(at) => is_stale_nan(floats.values[at]),
            Found::Histogram(at) => is_stale_nan(histograms.values[at].sum),
        };
        (found_ms > at_ms.saturating_sub(self.lookback_ms) && !is_stale).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use narthex_model::sample::stale_nan;
    use narthex_model::{FloatHistogram, SampleValue};
    use proptest::prelude::*;

    use super::*;

    fn sample() -> impl Strategy<Value = SampleValue> {
        let histogram = |sum| SampleValue::from(FloatHistogram { sum, ..FloatHistogram::default() });
        prop_oneof![
            4 => Just(SampleValue::Float(1.0)),
            1 => Just(SampleValue::Float(f64::NAN)),
            1 => Just(SampleValue::Float(stale_nan())),
            2 => Just(histogram(1.0)),
            1 => Just(histogram(stale_nan())),
        ]
    }

    proptest! {
        #[test]
        fn regular_floats_are_found_as_single_ones_are(
            gaps in prop::collection::vec(prop_oneof![6 => Just(10_i64), 1 => 1..25_i64], 1..220),
            stale in prop::option::weighted(0.3, 0..220_usize),
            start_ms in -30..60_i64,
            step_ms in prop_oneof![4 => Just(10_i64), 1 => 1..30_i64],
            lookback_ms in 1..40_i64,
            steps in 1..200_usize,
            at_ms in prop::option::weighted(0.1, 0..500_i64),
        ) {
            let mut samples = SampleBuffer::new();
            let mut sample_ms = 0;
            for (number, gap_ms) in gaps.into_iter().enumerate() {
                sample_ms += gap_ms;
                let value = if stale == Some(number) { stale_nan() } else { number as f64 };
                samples.push(sample_ms, value.into(), 0);
            }
            let selector = Selector {
                span: narthex_diag::Span::default(),
                matchers: Arc::new([]),
                shift: narthex_plan::logical::TimeShift { at_ms, offset_ms: 3 },
                extension: None,
                scan: None,
            };
            let grid = StepGrid { start_ms, step_ms, len: steps };
            let (part, histograms) = (SelectedPart::Value, HistogramDetail::Full);
            let lookup = Lookup { selector: &selector, part, grid, lookback_ms, histograms };
            let mut column = StepColumn::new(steps);
            lookup.evaluate_floats(&samples.floats, &mut column);
            let mut cursor = Cursor::new(&samples, lookback_ms);
            for (step, step_ms) in grid.timestamps().enumerate() {
                let expected = match cursor.newest(selector.shift.reference(step_ms)) {
                    Some(Found::Float(at)) => Some(samples.floats.values[at]),
                    _ => None,
                };
                prop_assert_eq!(column.float(step), expected, "step {}", step);
            }
        }

        #[test]
        fn the_cursor_finds_what_a_scan_finds(
            series in prop::collection::btree_map(0..400_i64, sample(), 0..80),
            start_ms in -50..450_i64,
            step_ms in 1..90_i64,
            lookback_ms in 1..120_i64,
        ) {
            let series: BTreeMap<Timestamp, SampleValue> = series;
            let mut samples = SampleBuffer::new();
            series.iter().for_each(|(&at_ms, value)| samples.push(at_ms, value.clone(), 0));
            let mut cursor = Cursor::new(&samples, lookback_ms);
            for at_ms in (0..20).map(|step| start_ms + step * step_ms) {
                let newest = series.range(at_ms - lookback_ms + 1..=at_ms).next_back();
                let expected = newest.filter(|(_, value)| !value.is_stale()).map(|(&at_ms, _)| at_ms);
                let found = cursor.newest(at_ms).map(|found| match found {
                    Found::Float(at) => samples.floats.timestamps[at],
                    Found::Histogram(at) => samples.histograms.timestamps[at],
                });
                prop_assert_eq!(found, expected, "at {}", at_ms);
            }
        }
    }
}
