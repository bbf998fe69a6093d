//! A block as a stream of series with their chunks, for compaction, copies and dumps.

use std::sync::Arc;

use narthex_model::{Labels, TimeRange};
use narthex_storage::{SampleBuffer, StorageError};

use super::recode::{Recoder, Recoding};
use super::{Block, ChunkSource, EncodedChunk, Tombstones};
use crate::columns;
use crate::index::{ChunkMeta, SeriesReader};

/// The series of a block, in order. Chunks that lie wholly within the range and have no deleted samples are handed on
/// as they are.
#[derive(Debug)]
pub struct BlockSource<'b> {
    block: &'b Block,
    range: TimeRange,
    tombstones: Arc<Tombstones>,
    /// Numbers of the series that are still to come, last one first; made at the first call.
    rest: Option<Vec<u32>>,
    reader: SeriesReader<'b>,
    samples: SampleBuffer,
}

impl<'b> BlockSource<'b> {
    pub(super) fn new(block: &'b Block, range: TimeRange) -> BlockSource<'b> {
        let (tombstones, samples) = (block.tombstones(), SampleBuffer::new());
        BlockSource { block, range, tombstones, rest: None, reader: SeriesReader::default(), samples }
    }

    fn next_number(&mut self) -> Result<Option<u32>, StorageError> {
        if self.rest.is_none() {
            let mut numbers = self.block.series_numbers()?;
            numbers.reverse();
            self.rest = Some(numbers);
        }
        Ok(self.rest.as_mut().and_then(Vec::pop))
    }

    fn read_chunk(
        &mut self,
        chunk: &ChunkMeta,
        deleted: &[TimeRange],
        chunks: &mut Vec<EncodedChunk>,
    ) -> Result<(), StorageError> {
        let TimeRange { min_ms, max_ms } = chunk.range;
        let is_whole = self.range.contains(min_ms) && self.range.contains(max_ms);
        if is_whole && !deleted.iter().any(|range| range.overlaps(chunk.range)) {
            let (encoding, bytes) = self.block.segments.share(chunk.place)?;
            let samples = encoding.sample_count(&bytes);
            chunks.push(EncodedChunk { encoding, min_ms, max_ms, samples, bytes });
            return Ok(());
        }
        self.samples.clear();
        self.block.decode(chunk, self.range.max_ms, &mut self.samples)?;
        columns::clip(self.range, &mut self.samples);
        deleted.iter().for_each(|range| columns::remove(*range, &mut self.samples));
        let (encoding, _) = self.block.segments.get(chunk.place)?;
        Recoder::new(Recoding::of([encoding])).encode(&self.samples, chunks);
        Ok(())
    }
}

impl ChunkSource for BlockSource<'_> {
    fn next_series(
        &mut self,
        labels: &mut Labels,
        chunks: &mut Vec<EncodedChunk>,
    ) -> Result<bool, StorageError> {
        chunks.clear();
        let tombstones = Arc::clone(&self.tombstones);
        while let Some(number) = self.next_number()? {
            self.block.index.entry(number, &mut self.reader)?;
            let metas = std::mem::take(&mut self.reader.chunks);
            let range = self.range;
            for chunk in metas.iter().filter(|chunk| chunk.range.overlaps(range)) {
                self.read_chunk(chunk, tombstones.of(u64::from(number)), chunks)?;
            }
            self.reader.chunks = metas;
            if !chunks.is_empty() {
                *labels = self.reader.labels().collect();
                return Ok(true);
            }
        }
        Ok(false)
    }
}
