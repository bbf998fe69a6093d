//! Deleted stretches of series, in a file beside the chunks until a compaction leaves the samples out.

use std::collections::BTreeMap;

use narthex_model::TimeRange;

use crate::index::cursor::{Cursor, Malformed};
use crate::integers::{push_uvarint, push_varint};

/// Mark and version in front.
const HEADER: [u8; 5] = [0x01, 0x30, 0xba, 0x30, 1];
const CHECKSUM_BYTES: usize = 4;

/// Deleted stretches by number of the series, those of one sorted and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tombstones(BTreeMap<u64, Vec<TimeRange>>);

impl Tombstones {
    /// Nothing deleted.
    pub fn new() -> Tombstones {
        Tombstones::default()
    }

    /// Adds a stretch; it unites with those it touches.
    pub fn add(&mut self, series: u64, range: TimeRange) {
        if range.is_empty() {
            return;
        }
        let ranges = self.0.entry(series).or_default();
        // Neighbours without an instant between them are one stretch.
        let from = ranges.partition_point(|one| one.max_ms.saturating_add(1) < range.min_ms);
        let to = ranges.partition_point(|one| one.min_ms <= range.max_ms.saturating_add(1));
        let united = ranges[from..to].iter().fold(range, |united, one| united.union(*one));
        ranges.splice(from..to, [united]);
    }

    /// The stretches of a series, in order.
    pub fn of(&self, series: u64) -> &[TimeRange] {
        self.0.get(&series).map_or(&[], Vec::as_slice)
    }

    /// Number of stretches.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether nothing is deleted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file.
    pub fn render(&self) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for (series, ranges) in &self.0 {
            for range in ranges {
                push_uvarint(&mut bytes, *series);
                push_varint(&mut bytes, range.min_ms);
                push_varint(&mut bytes, range.max_ms);
            }
        }
        let checksum = crc32c::crc32c(&bytes[HEADER.len()..]);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Reads the file.
    pub(crate) fn parse(file: &[u8]) -> Result<Tombstones, Malformed> {
        let Some(stones) = file.strip_prefix(&HEADER) else {
            return Err(Malformed { at: 0, expected: "0130ba3001, the front of tombstones" });
        };
        let stones = stones.split_last_chunk::<CHECKSUM_BYTES>();
        let (stones, checksum) = stones.ok_or(Malformed { at: file.len(), expected: "a checksum" })?;
        if u32::from_be_bytes(*checksum) != crc32c::crc32c(stones) {
            return Err(Malformed { at: HEADER.len(), expected: "tombstones with their checksum" });
        }
        let mut cursor = Cursor::new(&file[..HEADER.len() + stones.len()], HEADER.len())?;
        let mut tombstones = Tombstones::new();
        while !cursor.is_at_end() {
            let series = cursor.uvarint()?;
            tombstones.add(series, TimeRange::new(cursor.varint()?, cursor.varint()?));
        }
        Ok(tombstones)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_those_of_prometheus() {
        assert_eq!(Tombstones::new().render(), [0x01, 0x30, 0xba, 0x30, 1, 0, 0, 0, 0]);
        let mut one = Tombstones::new();
        one.add(2, TimeRange::new(100, 200));
        let bytes = [0x01, 0x30, 0xba, 0x30, 1, 2, 0xc8, 1, 0x90, 3, 0x48, 0x05, 0x36, 0xa1];
        assert_eq!(one.render(), bytes);
        assert_eq!(Tombstones::parse(&bytes), Ok(one));
    }

    proptest! {
        #[test]
        fn stretches_cover_what_was_added(added in prop::collection::vec((0..3u64, -20..20i64, -1..6i64), 0..20)) {
            let mut tombstones = Tombstones::new();
            for &(series, min_ms, length_ms) in &added {
                tombstones.add(series, TimeRange::new(min_ms, min_ms + length_ms));
            }
            for series in 0..3 {
                for at_ms in -25..30 {
                    let expected = added.iter().any(|&(one, min_ms, length_ms)| {
                        one == series && (min_ms..=min_ms + length_ms).contains(&at_ms)
                    });
                    let covered = tombstones.of(series).iter().any(|range| range.contains(at_ms));
                    prop_assert_eq!(covered, expected);
                }
                let apart = |a: &TimeRange, b: &TimeRange| a.max_ms + 1 < b.min_ms;
                prop_assert!(tombstones.of(series).is_sorted_by(apart));
            }
            let bytes = tombstones.render();
            prop_assert_eq!(Tombstones::parse(&bytes), Ok(tombstones));
        }
    }

    #[test]
    fn the_ends_of_time_can_be_deleted() {
        let mut tombstones = Tombstones::new();
        tombstones.add(1, TimeRange::new(5, i64::MAX));
        tombstones.add(1, TimeRange::ALL);
        assert_eq!(tombstones.of(1), [TimeRange::ALL]);
    }
}
