//! Values to write, and what each of their samples is to be read back as.

use std::collections::BTreeMap;
use std::sync::Arc;

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::number::{format_plain, format_sample};
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};
use proptest::prelude::*;

use super::column_name;
use super::csv::histogram_text;

/// One sample.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) at_ms: Timestamp,
    /// Digits, or the JSON of a histogram.
    pub(super) value: String,
    /// By column.
    pub(super) labels: BTreeMap<String, String>,
}

fn labels() -> impl Strategy<Value = Labels> {
    let name = prop_oneof![Just("__name__"), Just("job"), Just("le"), Just("a"), Just("value")];
    let value = prop_oneof!["[a-z]{1,3}", "[\"',\n\r{} é\\\\]{1,4}"];
    prop::collection::btree_map(name, value, 0..4)
        .prop_map(|pairs| Labels::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str()))))
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-1000_i32..1000).prop_map(f64::from),
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
    ]
}

fn histogram() -> impl Strategy<Value = FloatHistogram> {
    (number(), number()).prop_map(|(count, sum)| FloatHistogram { count, sum, ..FloatHistogram::default() })
}

fn sample() -> impl Strategy<Value = SampleValue> {
    prop_oneof![4 => number().prop_map(SampleValue::from), 1 => histogram().prop_map(SampleValue::from)]
}

fn series() -> impl Strategy<Value = RangeSeries> {
    let samples = prop::collection::btree_map(-5000_i64..5_000_000_000_000, sample(), 1..9);
    (labels(), samples).prop_map(|(labels, samples)| {
        let mut series = RangeSeries { labels, ..RangeSeries::default() };
        for (at_ms, value) in samples {
            match value {
                SampleValue::Float(value) => series.floats.push((at_ms, value)),
                SampleValue::Histogram(value) => series.histograms.push((at_ms, value)),
            }
        }
        series
    })
}

/// Values of all kinds, with labels and numbers that are hard to write.
pub(super) fn value() -> impl Strategy<Value = QueryValue> {
    let instant = (labels(), sample()).prop_map(|(labels, value)| InstantSample {
        labels,
        at_ms: 1_767_609_000_123,
        value,
    });
    prop_oneof![
        number().prop_map(|value| QueryValue::Scalar { at_ms: 1500, value }),
        ".{0,5}".prop_map(|text| QueryValue::Text { at_ms: 0, value: text.as_str().into() }),
        prop::collection::vec(instant, 0..5).prop_map(QueryValue::Vector),
        prop::collection::vec(series(), 0..5).prop_map(QueryValue::Matrix),
    ]
}

/// Every sample of a value, in order.
pub(super) fn rows_of(value: &QueryValue) -> Vec<Row> {
    let row = |at_ms, value, labels: &Labels| Row {
        at_ms,
        value,
        labels: labels
            .iter()
            .map(|(name, value)| (column_name(name, &[]).into(), value.to_owned()))
            .collect(),
    };
    let text = |value: &SampleValue| match value {
        SampleValue::Float(value) => format_sample(*value),
        SampleValue::Histogram(histogram) => histogram_text(&Arc::clone(histogram)),
    };
    match value {
        QueryValue::Scalar { at_ms, value } => vec![row(*at_ms, format_plain(*value), &Labels::empty())],
        QueryValue::Text { at_ms, value } => {
            vec![row(*at_ms, value.to_str_lossy().into_owned(), &Labels::empty())]
        }
        QueryValue::Vector(samples) => {
            samples.iter().map(|sample| row(sample.at_ms, text(&sample.value), &sample.labels)).collect()
        }
        QueryValue::Matrix(series) => series
            .iter()
            .flat_map(|one| {
                one.samples().into_iter().map(|(at_ms, value)| row(at_ms, text(&value), &one.labels))
            })
            .collect(),
    }
}
