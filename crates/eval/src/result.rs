//! What a query yields.

use std::sync::Arc;

use narthex_model::{FloatHistogram, Labels, SampleValue, Text, Timestamp};

use crate::Annotation;

/// A finished query.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// The value.
    pub value: QueryValue,
    /// Warnings and infos, by place.
    pub annotations: Vec<Annotation>,
    /// What the store knows to be missing from the data that the query looked at. An answer with such a warning is
    /// right for the samples that are left.
    pub storage_warnings: Vec<String>,
}

/// The value of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    /// A number at the evaluation time.
    Scalar {
        /// The evaluation time.
        at_ms: Timestamp,
        /// The number.
        value: f64,
    },
    /// A string at the evaluation time.
    Text {
        /// The evaluation time.
        at_ms: Timestamp,
        /// The string.
        value: Text,
    },
    /// A sample per series. In an order that means something only after sorting functions, `topk` and `bottomk`.
    Vector(Vec<InstantSample>),
    /// Samples per series, sorted by labels.
    Matrix(Vec<RangeSeries>),
}

/// One series at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantSample {
    /// Its labels.
    pub labels: Labels,
    /// The evaluation time.
    pub at_ms: Timestamp,
    /// Its value.
    pub value: SampleValue,
}

/// One series over time; at least one sample.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RangeSeries {
    /// Its labels.
    pub labels: Labels,
    /// Floats in time order.
    pub floats: Vec<(Timestamp, f64)>,
    /// Native histograms in time order.
    pub histograms: Vec<(Timestamp, Arc<FloatHistogram>)>,
}

impl RangeSeries {
    /// Samples of both kinds in time order.
    pub fn samples(&self) -> Vec<(Timestamp, SampleValue)> {
        let floats = self.floats.iter().map(|&(at_ms, value)| (at_ms, SampleValue::Float(value)));
        let histograms =
            self.histograms.iter().map(|(at_ms, value)| (*at_ms, SampleValue::Histogram(Arc::clone(value))));
        let mut samples: Vec<_> = floats.chain(histograms).collect();
        samples.sort_by_key(|sample| sample.0);
        samples
    }
}
