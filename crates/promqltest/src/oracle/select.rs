//! Selectors and subqueries, by looking at everything.

use std::collections::BTreeMap;

use narthex_model::{CounterResetHint, FloatHistogram, Labels, Matcher, SampleValue, TimeRange, Timestamp};
use narthex_promql::ast::{
    AtValue, DurationExpr, MatrixSelector, Modifiers, RangeExtension, Subquery, VectorSelector,
};
use narthex_storage::{Queryable, SampleBuffer, SelectHints};

use super::detail::Detail;
use super::{Element, Oracle, OracleError, Sample, Window, extended, failed};

/// A series and all its samples.
pub(super) struct Stored {
    pub(super) labels: Labels,
    /// In time order, stale markers included.
    pub(super) samples: Vec<Sample>,
}

/// The whole store.
pub(super) fn read_all(store: &dyn Queryable) -> Result<Vec<Stored>, OracleError> {
    let failure = |error| OracleError::Failed(format!("expanding series: {error}"));
    let querier = store.querier(TimeRange::ALL).map_err(failure)?;
    let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).map_err(failure)?;
    let mut buffer = SampleBuffer::new();
    let mut stored = Vec::new();
    for number in 0..set.len() {
        set.read(number, TimeRange::ALL, &mut buffer).map_err(failure)?;
        stored.push(Stored { labels: set.labels(number).clone(), samples: samples(&buffer) });
    }
    Ok(stored)
}

fn samples(buffer: &SampleBuffer) -> Vec<Sample> {
    let (floats, histograms) = (&buffer.floats, &buffer.histograms);
    let sample = |at_ms, starts: &[Timestamp], number, value| {
        let started_ms = starts.get(number).copied().unwrap_or(0);
        Sample { at_ms, started_ms, value }
    };
    let values = floats.timestamps.iter().zip(&floats.values).enumerate();
    let mut samples: Vec<Sample> = values
        .map(|(at, (&at_ms, &value))| sample(at_ms, &floats.start_timestamps, at, value.into()))
        .collect();
    let values = histograms.timestamps.iter().zip(&histograms.values).enumerate();
    samples.extend(values.map(|(at, (&at_ms, value))| {
        sample(at_ms, &histograms.start_timestamps, at, SampleValue::Histogram(value.clone()))
    }));
    samples.sort_by_key(|sample| sample.at_ms);
    samples
}

impl Stored {
    /// The newest sample that is not older than the lookback, unless it says that the series is gone.
    pub(super) fn newest(&self, reference_ms: Timestamp, lookback_ms: i64) -> Option<&Sample> {
        let lookback = TimeRange::left_open(reference_ms - lookback_ms, reference_ms);
        let newest = self.samples.iter().rev().find(|sample| lookback.contains(sample.at_ms))?;
        (!newest.value.is_stale()).then_some(newest)
    }

    /// The samples within a window, stale markers left out.
    fn within(&self, start_ms: Timestamp, end_ms: Timestamp) -> Vec<Sample> {
        let inside = TimeRange::left_open(start_ms, end_ms);
        let is_inside = |sample: &&Sample| inside.contains(sample.at_ms) && !sample.value.is_stale();
        self.samples.iter().filter(is_inside).cloned().collect()
    }
}

impl Oracle<'_> {
    pub(super) fn selected(&self, matchers: &[Matcher]) -> Vec<&Stored> {
        let is_wanted =
            |series: &&Stored| matchers.iter().all(|one| one.matches(series.labels.value(one.name())));
        self.stored.iter().filter(is_wanted).collect()
    }

    /// The series of a selector, with what is looked at when it looks back so far.
    fn read(
        &self,
        node: &VectorSelector,
        times: &[Timestamp],
        back_ms: i64,
    ) -> Result<Vec<Stored>, OracleError> {
        let matchers: Vec<Matcher> = node.all_matchers().collect();
        let first_ms = self.reference_ms(&node.modifiers, times.first().copied().unwrap_or(0))?;
        let series = self.selected(&matchers).into_iter();
        Ok(series.map(|series| series.reduced(self.detail, first_ms - back_ms)).collect())
    }

    /// Where a selector or subquery looks from.
    pub(super) fn reference_ms(
        &self,
        modifiers: &Modifiers,
        at_ms: Timestamp,
    ) -> Result<Timestamp, OracleError> {
        let at_ms = match modifiers.at.map(|at| at.value) {
            None => at_ms,
            Some(AtValue::Timestamp(fixed_ms)) => fixed_ms,
            Some(AtValue::Start) => self.parameters.grid.start_ms,
            Some(AtValue::End) => self.parameters.end_ms,
        };
        let offset_ms = match &modifiers.offset {
            None => 0,
            Some(offset) => {
                offset.value.evaluate_ms(self.scope()).or_else(|error| failed(error.to_string()))?
            }
        };
        Ok(at_ms.saturating_sub(offset_ms))
    }

    pub(super) fn instant_selector(
        &self,
        node: &VectorSelector,
        times: &[Timestamp],
    ) -> Result<Vec<Vec<Element>>, OracleError> {
        let selected = self.read(node, times, self.parameters.lookback_ms)?;
        let is_smoothed =
            node.modifiers.extension.is_some_and(|extension| extension.value == RangeExtension::Smoothed);
        let step = |&at_ms: &Timestamp| {
            let reference_ms = self.reference_ms(&node.modifiers, at_ms)?;
            let sample = |series: &Stored| -> Option<Element> {
                let lookback_ms = self.parameters.lookback_ms;
                let sample = if is_smoothed {
                    let near = series.within(reference_ms - lookback_ms, reference_ms + lookback_ms);
                    extended::smoothed_value(&near, reference_ms)?
                } else {
                    series.newest(reference_ms, lookback_ms)?.clone()
                };
                let Sample { at_ms: taken_ms, started_ms, value } = sample;
                Some(Element {
                    labels: series.labels.clone(),
                    drops_name: false,
                    value,
                    taken_ms,
                    started_ms,
                })
            };
            Ok(selected.iter().filter_map(sample).collect())
        };
        times.iter().map(step).collect()
    }

    pub(super) fn range_selector(
        &self,
        node: &MatrixSelector,
        times: &[Timestamp],
    ) -> Result<Vec<Vec<Window>>, OracleError> {
        let range_ms = self.positive_ms(&node.range)?;
        let extension = node.selector.modifiers.extension.map(|extension| extension.value);
        let before_ms = if extension.is_some() { self.parameters.lookback_ms } else { 0 };
        let behind_ms = if extension == Some(RangeExtension::Smoothed) { before_ms } else { 0 };
        let selected = self.read(&node.selector, times, range_ms + before_ms)?;
        let step = |&at_ms: &Timestamp| {
            let end_ms = self.reference_ms(&node.selector.modifiers, at_ms)?;
            let start_ms = end_ms - range_ms;
            let window = |series: &Stored| Window {
                labels: series.labels.clone(),
                drops_name: false,
                samples: series.within(start_ms - before_ms, end_ms + behind_ms),
                extension,
                start_ms,
                end_ms,
            };
            Ok(selected.iter().map(window).collect())
        };
        times.iter().map(step).collect()
    }

    fn positive_ms(&self, duration: &DurationExpr) -> Result<i64, OracleError> {
        duration.evaluate_positive_ms(self.scope()).or_else(|error| failed(error.to_string()))
    }

    /// The inner expression is evaluated at all multiples of its step from the first window to the last, those between
    /// two windows included.
    pub(super) fn subquery(
        &self,
        node: &Subquery,
        times: &[Timestamp],
    ) -> Result<Vec<Vec<Window>>, OracleError> {
        let range_ms = self.positive_ms(&node.range)?;
        let step_ms =
            node.step.as_ref().map_or(Ok(self.parameters.subquery_step_ms), |step| self.positive_ms(step))?;
        let ends = times.iter().map(|&at_ms| self.reference_ms(&node.modifiers, at_ms));
        let ends: Vec<Timestamp> = ends.collect::<Result<_, _>>()?;
        let (Some(&first_ms), Some(&last_ms)) = (ends.first(), ends.last()) else { return Ok(Vec::new()) };
        let multiples = (first_ms - range_ms).div_euclid(step_ms) + 1..=last_ms.div_euclid(step_ms);
        let inner: Vec<Timestamp> = multiples.map(|multiple| multiple * step_ms).collect();
        if inner.is_empty() {
            // What is never evaluated has no mistakes.
            return Ok(vec![Vec::new(); times.len()]);
        }
        let mut series: BTreeMap<Labels, (bool, Vec<Sample>)> = BTreeMap::new();
        let inside = Oracle { detail: Detail::AlwaysFull, ..*self };
        for (&at_ms, elements) in inner.iter().zip(inside.vectors(&node.expr, &inner)?) {
            for element in elements {
                let (drops_name, samples) = series.entry(element.labels).or_default();
                *drops_name |= element.drops_name;
                samples.push(Sample { at_ms, started_ms: 0, value: without_verdict(element.value) });
            }
        }
        let window = |end_ms: Timestamp, labels: &Labels, drops_name: bool, samples: &[Sample]| {
            let inside = TimeRange::left_open(end_ms - range_ms, end_ms);
            let samples = samples.iter().filter(|sample| inside.contains(sample.at_ms)).cloned().collect();
            let (labels, start_ms) = (labels.clone(), end_ms - range_ms);
            Window { labels, drops_name, samples, extension: None, start_ms, end_ms }
        };
        let step = |end_ms: Timestamp| {
            series.iter().map(|(labels, (drops, samples))| window(end_ms, labels, *drops, samples)).collect()
        };
        Ok(ends.into_iter().map(step).collect())
    }
}

/// What comes out of a subquery no longer says whether a counter was reset.
fn without_verdict(value: SampleValue) -> SampleValue {
    match value {
        SampleValue::Histogram(histogram) if histogram.counter_reset_hint != CounterResetHint::Gauge => {
            let counter_reset_hint = CounterResetHint::Unknown;
            FloatHistogram { counter_reset_hint, ..FloatHistogram::clone(&histogram) }.into()
        }
        other => other,
    }
}
