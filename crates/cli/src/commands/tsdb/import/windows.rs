//! The samples of an import by the blocks that they go into, as many of them as there is memory for.

use std::collections::BTreeMap;

use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_storage::{Appender, StorageError, StorageErrorKind};
use narthex_tsdb::head::{BLOCK_RANGE_MS, Head, HeadLimits, HeadOptions};

/// Bytes that a series takes besides its samples, and a sample, about.
const SERIES_BYTES: usize = 1024;
const SAMPLE_BYTES: usize = 4;
/// The bytes are counted whenever so many samples have come.
const SAMPLES_PER_COUNT: usize = 1 << 14;

/// The samples of one block.
pub(super) struct Window {
    pub(super) head: Head,
    /// From the first to the last of them.
    pub(super) range: TimeRange,
    samples: usize,
}

/// Windows of time, of which there is one head each.
pub(super) struct Windows {
    bytes_max: usize,
    heads: BTreeMap<i64, Window>,
    /// Only windows of these numbers are wanted at the moment; the end is not among them.
    wanted: (i64, i64),
    /// Samples since the bytes were counted.
    uncounted: usize,
}

impl Windows {
    /// None yet; their heads are to take about so many bytes, but for the first one, which takes what it needs.
    pub(super) fn new(bytes_max: usize) -> Windows {
        Windows { bytes_max, heads: BTreeMap::new(), wanted: (i64::MIN, i64::MAX), uncounted: 0 }
    }

    /// Puts a sample where it belongs. Of two values of one series at one instant the first counts.
    ///
    /// # Errors
    /// When it is one that no store takes.
    pub(super) fn put(&mut self, at_ms: Timestamp, labels: &Labels, value: f64) -> Result<(), StorageError> {
        let number = at_ms.div_euclid(BLOCK_RANGE_MS);
        if !(self.wanted.0..self.wanted.1).contains(&number) {
            return Ok(());
        }
        let window = self.heads.entry(number).or_insert_with(|| Window::new(at_ms));
        match window.head.append(labels, at_ms, value.into(), 0) {
            Err(error) if error.kind() != StorageErrorKind::Duplicate => return Err(error),
            _ => {}
        }
        window.range = window.range.union(TimeRange::new(at_ms, at_ms));
        window.samples += 1;
        self.uncounted += 1;
        if self.uncounted >= SAMPLES_PER_COUNT {
            self.uncounted = 0;
            self.make_room();
        }
        Ok(())
    }

    /// Lets go of the latest windows.
    fn make_room(&mut self) {
        let mut bytes: usize = self.heads.values().map(Window::bytes).sum();
        while bytes > self.bytes_max && self.heads.len() > 1 {
            let Some((number, window)) = self.heads.pop_last() else { return };
            bytes -= window.bytes();
            self.wanted.1 = number;
        }
    }

    /// The windows that are complete when the file has been read, by time.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Window> + use<> {
        std::mem::take(&mut self.heads).into_values()
    }

    /// Turns to the windows that were let go of; says whether there are any.
    pub(super) fn advance(&mut self) -> bool {
        let has_more = self.wanted.1 < i64::MAX;
        self.wanted = (self.wanted.1, i64::MAX);
        self.uncounted = 0;
        has_more
    }
}

impl Window {
    fn new(at_ms: Timestamp) -> Window {
        // Samples of a series may stand in any order.
        let options = HeadOptions {
            limits: HeadLimits { series_max: u32::MAX, ..HeadLimits::EMBEDDED },
            out_of_order_window_ms: i64::MAX,
            ..HeadOptions::EMBEDDED
        };
        Window { head: Head::new(options), range: TimeRange::new(at_ms, at_ms), samples: 0 }
    }

    fn bytes(&self) -> usize {
        self.head.series_count() * SERIES_BYTES + self.samples * SAMPLE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_memory_for_comes_later() {
        let labels = |number: i64| Labels::from_pairs([("n", number.to_string().as_str())]);
        let samples =
            (0..SAMPLES_PER_COUNT as i64 * 4).map(|number| (number % 7 * BLOCK_RANGE_MS + number, number));
        let mut windows = Windows::new(SAMPLES_PER_COUNT * SERIES_BYTES);
        let (mut seen, mut rounds) = (Vec::new(), 0);
        loop {
            for (at_ms, number) in samples.clone() {
                windows.put(at_ms, &labels(number), 1.0).expect("it is taken");
            }
            seen.extend(
                windows
                    .take()
                    .map(|window| (window.range.min_ms / BLOCK_RANGE_MS, window.head.series_count())),
            );
            rounds += 1;
            if !windows.advance() {
                break;
            }
        }
        assert!(rounds > 2, "{rounds} rounds");
        assert_eq!(seen.iter().map(|one| one.0).collect::<Vec<_>>(), (0..7).collect::<Vec<_>>());
        assert_eq!(seen.iter().map(|one| one.1).sum::<usize>(), SAMPLES_PER_COUNT * 4);
    }
}
