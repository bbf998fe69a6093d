//! Taking samples out of columns, and whether they are what the index says.

use std::ops::Range;

use narthex_model::{TimeRange, Timestamp};
use narthex_storage::SampleBuffer;

/// Keeps only the samples within `range`.
pub(crate) fn clip(range: TimeRange, samples: &mut SampleBuffer) {
    if range.is_empty() {
        samples.clear();
        return;
    }
    if range.max_ms < Timestamp::MAX {
        remove(TimeRange::new(range.max_ms + 1, Timestamp::MAX), samples);
    }
    if range.min_ms > Timestamp::MIN {
        remove(TimeRange::new(Timestamp::MIN, range.min_ms - 1), samples);
    }
}

/// Takes away the samples within `range`.
pub(crate) fn remove(range: TimeRange, samples: &mut SampleBuffer) {
    let SampleBuffer { floats, histograms } = samples;
    let places = places_of(range, &floats.timestamps);
    if !places.is_empty() {
        drain(&mut floats.timestamps, &places);
        drain(&mut floats.values, &places);
        drain(&mut floats.start_timestamps, &places);
    }
    let places = places_of(range, &histograms.timestamps);
    if !places.is_empty() {
        drain(&mut histograms.timestamps, &places);
        drain(&mut histograms.values, &places);
        drain(&mut histograms.start_timestamps, &places);
    }
}

fn places_of(range: TimeRange, timestamps: &[Timestamp]) -> Range<usize> {
    // Nearly always everything or nothing of what is looked for lies at an end.
    if timestamps.last().is_none_or(|last| *last < range.min_ms) {
        return 0..0;
    }
    let from = timestamps.partition_point(|&at_ms| at_ms < range.min_ms);
    from..timestamps.partition_point(|&at_ms| at_ms <= range.max_ms).max(from)
}

/// A column without elements, which says nothing of any sample, stays so.
fn drain<T>(column: &mut Vec<T>, places: &Range<usize>) {
    if places.end <= column.len() {
        column.drain(places.clone());
    }
}

/// Number of samples of each kind.
pub(crate) fn counts(samples: &SampleBuffer) -> (usize, usize) {
    (samples.floats.timestamps.len(), samples.histograms.timestamps.len())
}

/// Takes away all samples behind `held`.
pub(crate) fn cut(held: (usize, usize), samples: &mut SampleBuffer) {
    let SampleBuffer { floats, histograms } = samples;
    floats.timestamps.truncate(held.0);
    floats.values.truncate(held.0);
    floats.start_timestamps.truncate(held.0);
    histograms.timestamps.truncate(held.1);
    histograms.values.truncate(held.1);
    histograms.start_timestamps.truncate(held.1);
}

/// Whether the samples behind `held` rise in time and lie within `range`.
pub(crate) fn are_within(samples: &SampleBuffer, held: (usize, usize), range: TimeRange) -> bool {
    let new = [
        samples.floats.timestamps.get(held.0..).unwrap_or(&[]),
        samples.histograms.timestamps.get(held.1..).unwrap_or(&[]),
    ];
    let is_within = |timestamps: &&[Timestamp]| match (timestamps.first(), timestamps.last()) {
        (Some(&first), Some(&last)) => range.contains(first) && range.contains(last) && is_rising(timestamps),
        _ => true,
    };
    new.iter().all(is_within)
}

/// Without a branch per element, so that it costs next to nothing.
fn is_rising(timestamps: &[Timestamp]) -> bool {
    let behind = timestamps.get(1..).unwrap_or(&[]);
    timestamps.iter().zip(behind).fold(true, |is_rising, (a, b)| is_rising & (a < b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn buffer(with_starts: bool) -> SampleBuffer {
        let mut samples = SampleBuffer::new();
        for at_ms in 0..20 {
            samples.floats.push(at_ms, at_ms as f64, i64::from(with_starts));
        }
        samples
    }

    proptest! {
        #[test]
        fn columns_keep_what_is_asked_for(min_ms in -3..23i64, max_ms in -3..23i64, with_starts: bool) {
            let range = TimeRange::new(min_ms, max_ms);
            let mut inside = buffer(with_starts);
            clip(range, &mut inside);
            let mut outside = buffer(with_starts);
            remove(range, &mut outside);
            for (read, is_inside) in [(&inside, true), (&outside, false)] {
                let expected: Vec<i64> = (0..20).filter(|&at_ms| range.contains(at_ms) == is_inside).collect();
                prop_assert_eq!(&read.floats.timestamps, &expected);
                prop_assert_eq!(read.floats.values.len(), expected.len());
                prop_assert!(!with_starts || read.floats.start_timestamps.len() == expected.len());
            }
        }
    }

    #[test]
    fn what_is_out_of_order_or_range_is_noticed() {
        let mut samples = buffer(false);
        assert!(are_within(&samples, (0, 0), TimeRange::new(0, 19)));
        assert!(!are_within(&samples, (0, 0), TimeRange::new(0, 18)));
        assert!(are_within(&samples, (10, 0), TimeRange::new(10, 19)));
        samples.floats.timestamps[4] = 3;
        assert!(!are_within(&samples, (0, 0), TimeRange::new(0, 19)));
    }
}
