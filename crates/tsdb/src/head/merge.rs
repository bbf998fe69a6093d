//! Samples of several origins as one run in time order.

use narthex_model::{SampleValue, Timestamp};
use narthex_storage::SampleBuffer;

/// A sample: time, value, start timestamp. In a list, of equal times the one in front counts.
pub(super) type Ranked = (Timestamp, SampleValue, Timestamp);

/// The samples of a buffer, floats before histograms.
pub(super) fn ranked_of(buffer: &SampleBuffer) -> impl Iterator<Item = Ranked> + '_ {
    let SampleBuffer { floats, histograms } = buffer;
    let start = |starts: &[Timestamp], number: usize| starts.get(number).copied().unwrap_or(0);
    let of_floats = floats.timestamps.iter().zip(&floats.values).enumerate();
    let of_floats = of_floats.map(move |(number, (&at_ms, &value))| {
        (at_ms, value.into(), start(&floats.start_timestamps, number))
    });
    let of_histograms = histograms.timestamps.iter().zip(&histograms.values).enumerate();
    let of_histograms = of_histograms.map(move |(number, (&at_ms, value))| {
        let value = SampleValue::Histogram(value.clone());
        (at_ms, value, start(&histograms.start_timestamps, number))
    });
    of_floats.chain(of_histograms)
}

/// Sorted by time, of each instant the first.
pub(super) fn in_time_order(mut samples: Vec<Ranked>) -> Vec<Ranked> {
    samples.sort_by_key(|sample| sample.0);
    samples.dedup_by_key(|sample| sample.0);
    samples
}
