//! What a series has at one instant.

use std::sync::Arc;

use crate::FloatHistogram;

/// The bits of the NaN that marks a series as gone. Compared by bits: every other NaN is data.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The bits of the NaN that PromQL itself produces and parsers read from `NaN`.
pub const NORMAL_NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// The stale marker as a float.
pub fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Whether a float is the stale marker.
pub fn is_stale_nan(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// A float or a native histogram. Integer histograms are read as float histograms.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleValue {
    /// A float, possibly the stale marker.
    Float(f64),
    /// A native histogram; its stale marker has the stale NaN as its sum.
    Histogram(Arc<FloatHistogram>),
}

impl SampleValue {
    /// Whether this says that the series is gone.
    pub fn is_stale(&self) -> bool {
        match self {
            SampleValue::Float(value) => is_stale_nan(*value),
            SampleValue::Histogram(histogram) => is_stale_nan(histogram.sum),
        }
    }
}

impl From<f64> for SampleValue {
    fn from(value: f64) -> SampleValue {
        SampleValue::Float(value)
    }
}

impl From<FloatHistogram> for SampleValue {
    fn from(histogram: FloatHistogram) -> SampleValue {
        SampleValue::Histogram(Arc::new(histogram))
    }
}
