//! Samples that came late: a few as they are, the others in chunks that may overlap.
//!
//! Of samples of one instant the one in order counts, else the one that came first.

use narthex_model::{SampleValue, TimeRange, Timestamp};
use narthex_storage::SampleBuffer;

use super::merge::{Ranked, in_time_order, ranked_of};
use super::open_chunk::{ChunkBuilder, FullChunk};
use super::readers::View;
use super::series::{CommitNumbers, NOTHING};
use crate::chunk::CorruptChunk;

/// So many samples are put into a chunk.
const SAMPLES_MAX: usize = 32;

/// Late samples of one series.
#[derive(Debug, Default)]
pub(super) struct OutOfOrder {
    /// As they came.
    loose: Vec<Late>,
    /// As they were made; each holds only commits that every view sees.
    chunks: Vec<LateChunk>,
}

#[derive(Debug)]
struct Late {
    at_ms: Timestamp,
    start_ms: Timestamp,
    value: SampleValue,
    commit: u64,
}

#[derive(Debug)]
struct LateChunk {
    chunk: FullChunk,
    /// The last commit with a sample in it.
    commit: u64,
}

impl Late {
    fn is_seen(&self, view: View) -> bool {
        self.commit <= view.version && !view.late_floor.covers(self.at_ms, self.commit)
    }
}

impl OutOfOrder {
    /// Takes a sample; one of the same instant that is there already stays.
    pub(super) fn push(
        &mut self,
        sample: (Timestamp, SampleValue, Timestamp),
        chunk_range_ms: i64,
        numbers: CommitNumbers,
    ) -> bool {
        let (at_ms, value, start_ms) = sample;
        if self.loose.iter().any(|late| late.at_ms == at_ms) {
            return false;
        }
        if self.loose.len() >= SAMPLES_MAX {
            self.pack(chunk_range_ms, numbers.seen_by_all);
        }
        self.loose.push(Late { at_ms, start_ms, value, commit: numbers.commit });
        true
    }

    /// Puts the samples that every view sees into chunks.
    fn pack(&mut self, chunk_range_ms: i64, seen_by_all: u64) {
        // Commits are applied one after the other, so that those seen stand in front.
        let seen = self.loose.partition_point(|late| late.commit <= seen_by_all);
        let mut samples: Vec<Late> = self.loose.drain(..seen).collect();
        let Some(commit) = samples.last().map(|late| late.commit) else { return };
        samples.sort_by_key(|late| late.at_ms);
        let mut builder = ChunkBuilder::new(chunk_range_ms);
        samples.iter().for_each(|late| builder.push(late.at_ms, &late.value, late.start_ms));
        self.chunks.extend(builder.finish().into_iter().map(|chunk| LateChunk { chunk, commit }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.loose.is_empty() && self.chunks.is_empty()
    }

    pub(super) fn range(&self) -> TimeRange {
        let loose = self.loose.iter().map(|late| TimeRange::new(late.at_ms, late.at_ms));
        let all = self.chunks.iter().map(|late| late.chunk.range).chain(loose);
        all.reduce(TimeRange::union).unwrap_or(NOTHING)
    }

    /// As [`super::series::SeriesData::first_from`].
    pub(super) fn first_from(&self, from_ms: Timestamp) -> Option<Timestamp> {
        let loose = self.loose.iter().map(|late| late.at_ms).filter(|&at_ms| at_ms >= from_ms);
        let chunks = self.chunks.iter().map(|late| late.chunk.range).filter(|range| range.max_ms >= from_ms);
        loose.chain(chunks.map(|range| range.min_ms.max(from_ms))).min()
    }

    /// Whether there may be a sample within `range` that a view sees.
    pub(super) fn may_have(&self, view: View, range: TimeRange) -> bool {
        let seen = |late: &Late| late.is_seen(view) && range.contains(late.at_ms);
        self.loose.iter().any(seen) || self.chunks.iter().any(|late| late.chunk.range.overlaps(range))
    }

    pub(super) fn sample_count(&self) -> usize {
        self.loose.len() + self.chunks.iter().map(|late| usize::from(late.chunk.samples)).sum::<usize>()
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        self.chunks.iter().map(|late| late.chunk.bytes.len()).sum()
    }

    /// The samples within `range` that a view sees, those that came first in front.
    pub(super) fn samples(&self, view: View, range: TimeRange) -> Result<Vec<Ranked>, CorruptChunk> {
        let mut samples = Vec::new();
        for late in self.chunks.iter().filter(|late| late.chunk.range.overlaps(range)) {
            let mut buffer = SampleBuffer::new();
            late.chunk.encoding.decode_into(&late.chunk.bytes, &mut buffer)?;
            let is_seen = |sample: &Ranked| !view.late_floor.covers(sample.0, late.commit);
            samples.extend(ranked_of(&buffer).filter(is_seen));
        }
        let seen = self.loose.iter().filter(|late| late.is_seen(view));
        samples.extend(seen.map(|late| (late.at_ms, late.value.clone(), late.start_ms)));
        samples.retain(|sample| range.contains(sample.0));
        Ok(samples)
    }

    /// Drops the samples within `range`. Another one may come at the same instant later and stays.
    pub(super) fn delete(&mut self, range: TimeRange, chunk_range_ms: i64) {
        self.loose.retain(|late| !range.contains(late.at_ms));
        for LateChunk { chunk, commit } in std::mem::take(&mut self.chunks) {
            if chunk.range.overlaps(range) {
                let kept = part_of(&chunk, chunk_range_ms, |at_ms| !range.contains(at_ms));
                self.chunks.extend(kept.into_iter().map(|chunk| LateChunk { chunk, commit }));
            } else {
                self.chunks.push(LateChunk { chunk, commit });
            }
        }
    }

    /// Drops the samples before `before_ms` of commits up to `version`; says how many.
    pub(super) fn drop_before(&mut self, before_ms: Timestamp, version: u64, chunk_range_ms: i64) -> usize {
        let held = self.sample_count();
        self.loose.retain(|late| late.commit > version || late.at_ms >= before_ms);
        for LateChunk { chunk, commit } in std::mem::take(&mut self.chunks) {
            if commit > version || chunk.range.min_ms >= before_ms {
                self.chunks.push(LateChunk { chunk, commit });
            } else if chunk.range.max_ms >= before_ms {
                let kept = part_of(&chunk, chunk_range_ms, |at_ms| at_ms >= before_ms);
                self.chunks.extend(kept.into_iter().map(|chunk| LateChunk { chunk, commit }));
            }
        }
        held - self.sample_count()
    }
}

/// The samples of a chunk at certain times; all of them if they cannot be read.
fn part_of(chunk: &FullChunk, chunk_range_ms: i64, is_kept: impl Fn(Timestamp) -> bool) -> Vec<FullChunk> {
    let mut buffer = SampleBuffer::new();
    if chunk.encoding.decode_into(&chunk.bytes, &mut buffer).is_err() {
        return vec![chunk.clone()];
    }
    let mut builder = ChunkBuilder::new(chunk_range_ms);
    for (at_ms, value, start_ms) in in_time_order(ranked_of(&buffer).collect()) {
        if is_kept(at_ms) {
            builder.push(at_ms, &value, start_ms);
        }
    }
    builder.finish()
}
