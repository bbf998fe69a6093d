//! The newest sample of each series at each step.

use std::sync::Arc;

use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, StepGrid, TimeRange, Timestamp};
use narthex_plan::logical::{SelectedPart, Selector};
use narthex_promql::ast::RangeExtension;
use narthex_storage::{FloatColumn, Querier, SampleBuffer, SelectHints, SeriesSet, WindowGrid};

use super::exchange::Workers;
use super::histogram_stats::HistogramDetail;
use super::window_source::remove_stale;
use super::{Description, Operator, SeriesMetadata, selected, selector_text, series_per_batch, smoothed};
use crate::column::{BLOCK, Places, SeriesBatch};
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
        let timestamps = samples.timestamps.as_slice();
        let ([oldest_ms, ..], [.., newest_ms]) = (timestamps, timestamps) else { return };
        let mut places = Places::new(timestamps);
        let (mut instants, mut found) = ([0; BLOCK], [0; BLOCK]);
        column.fill_words(|first, values| {
            let instants = &mut instants[..values.len().min(BLOCK)];
            let is_regular = self.write_instants(first, instants);
            // Of series that live for a while only, most steps find nothing.
            if instants.last() < Some(oldest_ms) || *newest_ms <= instants[0].saturating_sub(self.lookback_ms)
            {
                return 0;
            }
            if let ([first_ms, second_ms, ..], true) = (&*instants, is_regular) {
                let up_to = places.up_to(*first_ms);
                let stride = Places::clone(&places).up_to(*second_ms) - up_to;
                if self.regular_values(samples, up_to, stride, *first_ms, values) {
                    return u64::MAX;
                }
            }
            places.fill(instants.iter(), |&at_ms| at_ms, &mut found);
            self.single_values(samples, instants, &found, values)
        });
    }

    /// Writes the instants looked from at the steps from number `first` on; whether they are as far apart as steps are:
    /// not where `@` holds time still, nor at the end of time.
    fn write_instants(&self, first: usize, instants: &mut [Timestamp]) -> bool {
        let at_ms = |step| self.selector.shift.reference(self.grid.timestamp(step));
        let (first_ms, step_ms) = (at_ms(first), self.grid.step_ms);
        let length_ms = i64::try_from(instants.len() - 1).ok().and_then(|steps| steps.checked_mul(step_ms));
        let last_ms = length_ms.and_then(|length_ms| first_ms.checked_add(length_ms));
        let is_regular = last_ms == Some(at_ms(first + instants.len() - 1));
        if is_regular {
            let mut next_ms = first_ms;
            for at_ms in instants {
                *at_ms = next_ms;
                next_ms = next_ms.wrapping_add(step_ms);
            }
        } else {
            instants.iter_mut().enumerate().for_each(|(step, place)| *place = at_ms(first + step));
        }
        is_regular
    }

    /// Writes the values at some steps if each step finds the sample `stride` places behind that of the step before it, as
    /// where steps are some samples apart. `up_to` samples lie up to the first of the steps, which is at `first_ms`.
    ///
    /// Looks at all of them in a loop without branches, which is faster than finding them one by one.
    #[inline(always)]
    fn regular_values(
        &self,
        samples: &FloatColumn,
        up_to: usize,
        stride: usize,
        first_ms: Timestamp,
        values: &mut [f64],
    ) -> bool {
        let Some(place) = up_to.checked_sub(1).filter(|_| stride > 0) else { return false };
        let (Some(found_ms), Some(found)) = (samples.timestamps.get(place..), samples.values.get(place..))
        else {
            return false;
        };
        let Some(behind_ms) = found_ms.get(1..) else { return false };
        let (Some(found_ms), Some(found)) = (found_ms.get(..behind_ms.len()), found.get(..behind_ms.len()))
        else {
            return false;
        };
        let last = (values.len() - 1) * stride;
        if last >= behind_ms.len() {
            return false;
        }
        let (mut at_ms, mut at) = (first_ms, 0);
        // The age of the oldest sample found; whether each was followed by one that is too young; whether one is stale.
        let (mut age_max_ms, mut is_next_younger, mut is_stale) = (0, -1, false);
        for value in values {
            let (sample_ms, next_ms) = (found_ms[at], behind_ms[at]);
            *value = found[at];
            age_max_ms = at_ms.wrapping_sub(sample_ms).cast_unsigned().max(age_max_ms);
            is_next_younger &= at_ms.wrapping_sub(next_ms);
            is_stale |= is_stale_nan(*value);
            at += stride;
            at_ms = at_ms.wrapping_add(self.grid.step_ms);
        }
        // An age below 0 is a very great one.
        age_max_ms < self.lookback_ms.max(0).cast_unsigned() && is_next_younger < 0 && !is_stale
    }

    /// Writes the values at some instants, up to which `found` samples lie; returns which there are.
    #[inline(always)]
    fn single_values(
        &self,
        samples: &FloatColumn,
        instants: &[Timestamp],
        found: &[usize; BLOCK],
        values: &mut [f64],
    ) -> u64 {
        let timestamps = samples.timestamps.as_slice();
        let sample_values = samples.values.get(..timestamps.len()).unwrap_or(&[]);
        let is_current = |at_ms: Timestamp, found: usize| {
            let place = found.wrapping_sub(1);
            let (&sample_ms, &value) = timestamps.get(place).zip(sample_values.get(place))?;
            let is_young = sample_ms > at_ms.saturating_sub(self.lookback_ms);
            Some((value, is_young & !is_stale_nan(value)))
        };
        let mut present = 0;
        for (bit, ((&at_ms, &found), place)) in instants.iter().zip(found).zip(values).enumerate() {
            let (value, is_present) = is_current(at_ms, found).unwrap_or_default();
            *place = if is_present { value } else { 0.0 };
            present |= u64::from(is_present) << bit;
        }
        present
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
