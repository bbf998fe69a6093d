//! Matrices against expected series.

use std::sync::Arc;

use narthex_eval::result::RangeSeries;
use narthex_model::number::format_g;
use narthex_model::{FloatHistogram, SampleValue, Timestamp};
use narthex_promql::series::SequenceValue;

use super::close::{Hint, floats_close, histograms_close};
use super::text::{histogram_text, points_text};
use crate::script::{ExpectedSeries, Times};

/// The first difference in the order of `actual`, then the first expected series that is missing.
pub(super) fn check(expected: &[ExpectedSeries], times: Times, actual: &[RangeSeries]) -> Result<(), String> {
    if let Some(pair) = actual.windows(2).find(|pair| pair[0].labels >= pair[1].labels) {
        let (first, second) = (&pair[0].labels, &pair[1].labels);
        return Err(format!(
            "matrix results should always be sorted by labels, but {first} stands before {second}"
        ));
    }
    for series in actual {
        match expected.iter().find(|wanted| wanted.labels == series.labels) {
            Some(wanted) => check_series(wanted, times, series)?,
            None => {
                let points = points_text(series);
                return Err(format!("unexpected metric {} in result, has {points}", series.labels));
            }
        }
    }
    let is_missing = |wanted: &&ExpectedSeries| actual.iter().all(|series| series.labels != wanted.labels);
    let missing = expected.iter().find(is_missing);
    missing.map_or(Ok(()), |wanted| Err(format!("expected metric {} not found", wanted.labels)))
}

/// The expected values by kind, each with its time.
#[derive(Default)]
struct Wanted {
    floats: Vec<(Timestamp, f64)>,
    histograms: Vec<(Timestamp, Arc<FloatHistogram>, Hint)>,
}

fn wanted(expected: &ExpectedSeries, times: Times) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    for (index, value) in expected.values.iter().enumerate() {
        let Some(at_ms) = times.at(index) else {
            let (count, labels) = (expected.values.len(), &expected.labels);
            return Err(format!(
                "expected {count} points for {labels}, but query time range cannot return this many points"
            ));
        };
        match value {
            SequenceValue::Omitted => {}
            SequenceValue::Value { sample: SampleValue::Float(value), .. } => {
                wanted.floats.push((at_ms, *value));
            }
            SequenceValue::Value { sample: SampleValue::Histogram(value), states_hint } => {
                let hint = Hint::of(*states_hint);
                wanted.histograms.push((at_ms, Arc::clone(value), hint));
            }
        }
    }
    Ok(wanted)
}

fn check_series(expected: &ExpectedSeries, times: Times, actual: &RangeSeries) -> Result<(), String> {
    let labels = &actual.labels;
    let wanted = wanted(expected, times)?;
    let counts = (wanted.floats.len(), wanted.histograms.len());
    if counts != (actual.floats.len(), actual.histograms.len()) {
        let points = points_text(actual);
        return Err(format!(
            "expected {} float points and {} histogram points for {labels}, but got {points}",
            counts.0, counts.1
        ));
    }
    for (index, (wanted, got)) in wanted.floats.iter().zip(&actual.floats).enumerate() {
        let texts = || (format_g(wanted.1), format_g(got.1));
        let place = Place { kind: "float", index, wanted_ms: wanted.0, got_ms: got.0 };
        place.check(actual, floats_close(wanted.1, got.1), texts)?;
    }
    for (index, (wanted, got)) in wanted.histograms.iter().zip(&actual.histograms).enumerate() {
        let texts = || (histogram_text(&wanted.1), histogram_text(&got.1));
        let place = Place { kind: "histogram", index, wanted_ms: wanted.0, got_ms: got.0 };
        place.check(actual, histograms_close(&wanted.1, &got.1, wanted.2), texts)?;
    }
    Ok(())
}

/// Which point of a series is compared.
struct Place {
    kind: &'static str,
    index: usize,
    wanted_ms: Timestamp,
    got_ms: Timestamp,
}

impl Place {
    fn check(
        &self,
        series: &RangeSeries,
        is_close: bool,
        texts: impl Fn() -> (String, String),
    ) -> Result<(), String> {
        let Place { kind, index, wanted_ms, got_ms } = self;
        let labels = &series.labels;
        if wanted_ms != got_ms {
            return Err(format!(
                "expected {kind} value at index {index} for {labels} to have timestamp {wanted_ms}, but it had timestamp {got_ms} (result has {})",
                points_text(series)
            ));
        }
        if is_close {
            return Ok(());
        }
        let (wanted, got) = texts();
        Err(format!(
            "expected {kind} value at index {index} (t={got_ms}) for {labels} to be {wanted}, but got {got} (result has {})",
            points_text(series)
        ))
    }
}
