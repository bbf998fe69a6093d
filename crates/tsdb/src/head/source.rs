//! The head as chunks, for the block that is cut from it.

use std::sync::Arc;

use narthex_model::{Labels, TimeRange};
use narthex_storage::{SampleBuffer, StorageError};

use super::Head;
use super::merge::{Ranked, ranked_of};
use super::open_chunk::{ChunkBuilder, FullChunk};
use super::read::{corrupt_series, merged, rare_of};
use super::readers::OpenView;
use super::series::{Series, intersection};
use crate::block::{ChunkSource, EncodedChunk};
use crate::chunk::CorruptChunk;
use crate::columns::clip;

/// Up to which commit something looked at the head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen(pub(super) u64);

/// Series of a head in the order of labels, with their chunks. Sees the commits that were there when it was made, and
/// keeps what it sees.
#[derive(Debug)]
pub struct HeadSource<'a> {
    view: OpenView<'a>,
    range: TimeRange,
    chunk_range_ms: i64,
    series: std::vec::IntoIter<Arc<Series>>,
}

impl Head {
    /// The samples within `range`, those that came out of order included. Chunks that lie within `range` and whose
    /// samples are all there come as they are; others are made anew.
    pub fn source(&self, range: TimeRange) -> HeadSource<'_> {
        let view = self.readers.open(range.min_ms);
        let seen = view.view;
        let series = self.index.select(&[], |series| series.lock().may_have(seen, range));
        let chunk_range_ms = self.options.chunk_range_ms;
        HeadSource { view, range, chunk_range_ms, series: series.into_iter() }
    }
}

impl HeadSource<'_> {
    /// Up to which commit it looks; [`Head::truncate`] wants to know.
    pub fn seen(&self) -> Seen {
        Seen(self.view.view.version)
    }

    /// Number of series that are still to come, or a few more.
    pub fn remaining(&self) -> usize {
        self.series.len()
    }

    fn chunks_of(&self, series: &Series) -> Result<Vec<FullChunk>, CorruptChunk> {
        let data = series.lock();
        let in_order = intersection(self.range, data.visible(self.view.view));
        let mut chunks = data.full_within(in_order).to_vec();
        let open = data.open.as_ref().filter(|chunk| chunk.range.overlaps(in_order));
        chunks.extend(open.map(|chunk| chunk.snapshot()));
        let rare = data.rare.as_ref().map(|rare| rare_of(rare, self.view.view, self.range)).transpose()?;
        drop(data);
        match rare {
            Some((late, deleted)) if !(late.is_empty() && deleted.is_empty()) => {
                let mut samples = SampleBuffer::new();
                chunks.iter().try_for_each(|chunk| chunk.encoding.decode_into(&chunk.bytes, &mut samples))?;
                clip(in_order, &mut samples);
                Ok(self.rebuilt(&merged(&samples, late, &deleted)))
            }
            _ => {
                let parts = chunks.into_iter().map(|chunk| self.within(chunk, in_order));
                Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
        }
    }

    /// The part of a chunk that lies within `range`.
    fn within(&self, chunk: FullChunk, range: TimeRange) -> Result<Vec<FullChunk>, CorruptChunk> {
        if range.contains(chunk.range.min_ms) && range.contains(chunk.range.max_ms) {
            return Ok(vec![chunk]);
        }
        let mut samples = SampleBuffer::new();
        chunk.encoding.decode_into(&chunk.bytes, &mut samples)?;
        clip(range, &mut samples);
        Ok(self.rebuilt(&ranked_of(&samples).collect::<Vec<_>>()))
    }

    fn rebuilt(&self, samples: &[Ranked]) -> Vec<FullChunk> {
        let mut builder = ChunkBuilder::new(self.chunk_range_ms);
        samples.iter().for_each(|(at_ms, value, start_ms)| builder.push(*at_ms, value, *start_ms));
        builder.finish()
    }
}

impl ChunkSource for HeadSource<'_> {
    fn next_series(
        &mut self,
        labels: &mut Labels,
        chunks: &mut Vec<EncodedChunk>,
    ) -> Result<bool, StorageError> {
        while let Some(series) = self.series.next() {
            let found = self.chunks_of(&series).map_err(|corrupt| corrupt_series(&series, corrupt))?;
            if !found.is_empty() {
                *labels = series.labels().clone();
                chunks.clear();
                chunks.extend(found.into_iter().map(encoded));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn encoded(chunk: FullChunk) -> EncodedChunk {
    let FullChunk { bytes, range, samples, encoding } = chunk;
    EncodedChunk { encoding, min_ms: range.min_ms, max_ms: range.max_ms, samples, bytes: bytes.into() }
}
