//! What differs between an expected and an actual result, series by series.

use std::collections::BTreeMap;

use narthex_eval::QueryValue;
use narthex_eval::result::RangeSeries;
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_promql::series::SequenceValue;

use super::close::{Hint, samples_close};
use super::text::series_line;
use crate::script::{EvalTimes, ExpectedSeries, ExpectedValue, Times};

/// Most lines shown.
const LINES_MAX: usize = 20;

/// A sample of a series; an expected one also says which hint will do.
type Point = (Timestamp, SampleValue, Hint);

/// Lines `- series` for what was expected and is not there, `+ series` for what is there instead; empty when the
/// values are not series.
pub(crate) fn difference(expected: &ExpectedValue, times: EvalTimes, actual: &QueryValue) -> Vec<String> {
    let ExpectedValue::Series { series, range_vector } = expected else { return Vec::new() };
    let times = range_vector.unwrap_or(times.times());
    let mut wanted: BTreeMap<&Labels, Vec<Point>> =
        series.iter().map(|one| (&one.labels, expected_points(one, times))).collect();
    let mut lines = Vec::new();
    for (labels, points) in actual_points(actual) {
        match wanted.remove(labels) {
            Some(same) if are_close(&same, &points) => continue,
            Some(other) => lines.push(format!("- {}", line(labels, &other))),
            None => {}
        }
        lines.push(format!("+ {}", line(labels, &points)));
    }
    lines.extend(wanted.iter().map(|(labels, points)| format!("- {}", line(labels, points))));
    shortened(lines)
}

fn shortened(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES_MAX {
        let hidden = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… {hidden} lines more"));
    }
    lines
}

fn line(labels: &Labels, points: &[Point]) -> String {
    series_line(labels, points.iter().map(|point| (point.0, &point.1)))
}

/// Times count only where a series has several: a vector is stamped with the time of its evaluation.
fn are_close(expected: &[Point], actual: &[Point]) -> bool {
    let is_lone = expected.len() == 1;
    let close = |(expected, actual): (&Point, &Point)| {
        (is_lone || expected.0 == actual.0) && samples_close(&expected.1, &actual.1, expected.2)
    };
    expected.len() == actual.len() && expected.iter().zip(actual).all(close)
}

fn expected_points(series: &ExpectedSeries, times: Times) -> Vec<Point> {
    let point = |(index, value): (usize, &SequenceValue)| match value {
        SequenceValue::Omitted => None,
        SequenceValue::Value { sample, states_hint } => {
            Some((times.instant(index), sample.clone(), Hint::of(*states_hint)))
        }
    };
    series.values.iter().enumerate().filter_map(point).collect()
}

fn actual_points(actual: &QueryValue) -> Vec<(&Labels, Vec<Point>)> {
    match actual {
        QueryValue::Vector(samples) => {
            samples.iter().map(|one| (&one.labels, vec![(one.at_ms, one.value.clone(), Hint::Any)])).collect()
        }
        QueryValue::Matrix(series) => {
            let points = |one: &RangeSeries| {
                one.samples().into_iter().map(|(at_ms, value)| (at_ms, value, Hint::Any)).collect()
            };
            series.iter().map(|one| (&one.labels, points(one))).collect()
        }
        QueryValue::Scalar { .. } | QueryValue::Text { .. } => Vec::new(),
    }
}
