//! The samples of one series as columns.
//!
//! Floats and histograms are separate columns: a window function works on contiguous floats. A series has at most one
//! sample at an instant, whichever kind it is.

use std::sync::Arc;

use narthex_model::{FloatHistogram, SampleValue, Timestamp};

/// Float samples in time order; all vectors that are not empty have the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FloatColumn {
    /// Rising, no instant twice.
    pub timestamps: Vec<Timestamp>,
    /// Values; a stale marker is the stale NaN.
    pub values: Vec<f64>,
    /// When each sample's counter started, 0 for unknown; empty when none is known.
    pub start_timestamps: Vec<Timestamp>,
}

/// Histogram samples in time order; all vectors that are not empty have the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramColumn {
    /// Rising, no instant twice.
    pub timestamps: Vec<Timestamp>,
    /// Values; a stale marker has the stale NaN as its sum.
    pub values: Vec<Arc<FloatHistogram>>,
    /// When each sample's counter started, 0 for unknown; empty when none is known.
    pub start_timestamps: Vec<Timestamp>,
}

/// The samples of one series. Owned by whoever reads, reused from series to series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleBuffer {
    /// Float samples.
    pub floats: FloatColumn,
    /// Histogram samples.
    pub histograms: HistogramColumn,
}

impl FloatColumn {
    /// Adds a sample behind the last.
    pub fn push(&mut self, at_ms: Timestamp, value: f64, start_ms: Timestamp) {
        push_start(&mut self.start_timestamps, self.timestamps.len(), start_ms);
        self.timestamps.push(at_ms);
        self.values.push(value);
    }

    fn clear(&mut self) {
        self.timestamps.clear();
        self.values.clear();
        self.start_timestamps.clear();
    }
}

impl HistogramColumn {
    /// Adds a sample behind the last.
    pub fn push(&mut self, at_ms: Timestamp, value: Arc<FloatHistogram>, start_ms: Timestamp) {
        push_start(&mut self.start_timestamps, self.timestamps.len(), start_ms);
        self.timestamps.push(at_ms);
        self.values.push(value);
    }

    fn clear(&mut self) {
        self.timestamps.clear();
        self.values.clear();
        self.start_timestamps.clear();
    }
}

/// Keeps the start column empty until the first known start, then as long as the others.
fn push_start(starts: &mut Vec<Timestamp>, samples: usize, start_ms: Timestamp) {
    if start_ms != 0 || !starts.is_empty() {
        starts.resize(samples, 0);
        starts.push(start_ms);
    }
}

impl SampleBuffer {
    /// An empty buffer.
    pub fn new() -> SampleBuffer {
        SampleBuffer::default()
    }

    /// Forgets the samples, keeps the memory.
    pub fn clear(&mut self) {
        self.floats.clear();
        self.histograms.clear();
    }

    /// Adds a sample behind the last of its kind. `start_ms` is 0 for unknown.
    pub fn push(&mut self, at_ms: Timestamp, value: SampleValue, start_ms: Timestamp) {
        match value {
            SampleValue::Float(value) => self.floats.push(at_ms, value, start_ms),
            SampleValue::Histogram(value) => self.histograms.push(at_ms, value, start_ms),
        }
    }

    /// Time of the last sample of either kind.
    pub fn last_ms(&self) -> Option<Timestamp> {
        self.floats.timestamps.last().max(self.histograms.timestamps.last()).copied()
    }

    /// Number of samples of both kinds.
    pub fn len(&self) -> usize {
        self.floats.timestamps.len() + self.histograms.timestamps.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_column_exists_only_when_a_start_is_known() {
        let mut samples = SampleBuffer::new();
        samples.push(1, 1.0.into(), 0);
        assert!(samples.floats.start_timestamps.is_empty());
        samples.push(2, 2.0.into(), 1);
        samples.push(3, 3.0.into(), 0);
        samples.push(4, FloatHistogram::default().into(), 0);
        assert_eq!(samples.floats.start_timestamps, [0, 1, 0]);
        assert_eq!((samples.len(), samples.last_ms()), (4, Some(4)));
        samples.clear();
        assert!(samples.is_empty() && samples.floats.start_timestamps.is_empty());
    }
}
