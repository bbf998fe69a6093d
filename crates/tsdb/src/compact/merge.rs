//! Several sources as one: series of equal labels become one, chunks that overlap are written anew.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use narthex_model::{Labels, Timestamp};
use narthex_storage::{SampleBuffer, StorageError, StorageErrorKind};

use crate::block::recode::{Recoder, Recoding};
use crate::block::{ChunkSource, EncodedChunk};

/// Several sources as one. Chunks that overlap no other are handed on as they are; of samples at the same instant the
/// one of the earlier source stays.
pub struct MergedSource<'s> {
    sources: Vec<Ahead<'s>>,
    /// Labels and number of each source that is not at its end.
    order: BinaryHeap<Reverse<(Labels, usize)>>,
    is_begun: bool,
    series: Vec<(usize, EncodedChunk)>,
    decoded: Vec<SampleBuffer>,
}

/// A source whose next series is read already.
struct Ahead<'s> {
    source: Box<dyn ChunkSource + 's>,
    labels: Labels,
    chunks: Vec<EncodedChunk>,
}

impl<'s> MergedSource<'s> {
    /// Merges these.
    pub fn new(sources: Vec<Box<dyn ChunkSource + 's>>) -> MergedSource<'s> {
        let ahead = |source| Ahead { source, labels: Labels::empty(), chunks: Vec::new() };
        MergedSource {
            sources: sources.into_iter().map(ahead).collect(),
            order: BinaryHeap::new(),
            is_begun: false,
            series: Vec::new(),
            decoded: Vec::new(),
        }
    }

    fn advance(&mut self, number: usize) -> Result<(), StorageError> {
        let Some(ahead) = self.sources.get_mut(number) else { return Ok(()) };
        if ahead.source.next_series(&mut ahead.labels, &mut ahead.chunks)? {
            self.order.push(Reverse((ahead.labels.clone(), number)));
        }
        Ok(())
    }

    /// Appends the chunks of the series, which are sorted by time, then by source.
    fn hand_on(&mut self, labels: &Labels, chunks: &mut Vec<EncodedChunk>) -> Result<(), StorageError> {
        let series = std::mem::take(&mut self.series);
        let mut rest = &series[..];
        while let [first, ..] = rest {
            let linked = linked_by_overlaps(rest);
            let (group, behind) = rest.split_at(linked);
            if group.iter().all(|(_, chunk)| is_same(chunk, &first.1)) {
                chunks.push(first.1.clone());
            } else {
                self.merge(labels, group, chunks)?;
            }
            rest = behind;
        }
        self.series = series;
        Ok(())
    }

    fn merge(
        &mut self,
        labels: &Labels,
        group: &[(usize, EncodedChunk)],
        chunks: &mut Vec<EncodedChunk>,
    ) -> Result<(), StorageError> {
        // One buffer per source: within one, chunks follow each other.
        self.decoded.resize_with(self.sources.len(), SampleBuffer::new);
        self.decoded.iter_mut().for_each(SampleBuffer::clear);
        for (source, chunk) in group {
            let Some(buffer) = self.decoded.get_mut(*source) else { continue };
            chunk.encoding.decode_into(&chunk.bytes, buffer).map_err(|damage| {
                let message = format!("series {labels}, chunk at {}: {damage}", chunk.min_ms);
                StorageError::new(StorageErrorKind::Corrupt, message)
            })?;
        }
        let merged = merge_samples(&self.decoded);
        let encodings = group.iter().map(|(_, chunk)| chunk.encoding);
        Recoder::new(Recoding::of(encodings)).encode(&merged, chunks);
        Ok(())
    }
}

impl ChunkSource for MergedSource<'_> {
    fn next_series(
        &mut self,
        labels: &mut Labels,
        chunks: &mut Vec<EncodedChunk>,
    ) -> Result<bool, StorageError> {
        chunks.clear();
        if !std::mem::replace(&mut self.is_begun, true) {
            (0..self.sources.len()).try_for_each(|number| self.advance(number))?;
        }
        let Some(Reverse((first, number))) = self.order.pop() else { return Ok(false) };
        self.series.clear();
        let mut next = Some(number);
        while let Some(number) = next {
            if let Some(ahead) = self.sources.get_mut(number) {
                self.series.extend(ahead.chunks.drain(..).map(|chunk| (number, chunk)));
            }
            self.advance(number)?;
            let is_same = self.order.peek().is_some_and(|Reverse((labels, _))| *labels == first);
            next = if is_same { self.order.pop().map(|Reverse((_, number))| number) } else { None };
        }
        self.series.sort_by_key(|(source, chunk)| (chunk.min_ms, *source));
        self.hand_on(&first, chunks)?;
        *labels = first;
        Ok(true)
    }
}

/// How many chunks from the first on are linked by overlaps.
fn linked_by_overlaps(chunks: &[(usize, EncodedChunk)]) -> usize {
    let mut end_ms = Timestamp::MIN;
    let is_linked = |(place, (_, chunk)): &(usize, &(usize, EncodedChunk))| {
        let is_linked = *place == 0 || chunk.min_ms <= end_ms;
        end_ms = end_ms.max(chunk.max_ms);
        is_linked
    };
    chunks.iter().enumerate().take_while(is_linked).count()
}

fn is_same(left: &EncodedChunk, right: &EncodedChunk) -> bool {
    left.encoding == right.encoding && left.range() == right.range() && *left.bytes == *right.bytes
}

/// Where a sample stands: time, number of the buffer, whether it is a histogram, number in its column.
type Place = (Timestamp, usize, bool, usize);

/// The samples of all buffers in time order; of those at the same instant the one of the first buffer.
fn merge_samples(buffers: &[SampleBuffer]) -> SampleBuffer {
    let mut places: Vec<Place> = Vec::new();
    for (number, buffer) in buffers.iter().enumerate() {
        let of_column = |timestamps: &[Timestamp], is_histogram: bool| -> Vec<Place> {
            timestamps
                .iter()
                .enumerate()
                .map(|(place, &at_ms)| (at_ms, number, is_histogram, place))
                .collect()
        };
        places.extend(of_column(&buffer.floats.timestamps, false));
        places.extend(of_column(&buffer.histograms.timestamps, true));
    }
    places.sort_unstable();
    places.dedup_by_key(|place| place.0);
    let mut merged = SampleBuffer::new();
    for (at_ms, number, is_histogram, place) in places {
        let SampleBuffer { floats, histograms } = &buffers[number];
        let start = |starts: &[Timestamp]| starts.get(place).copied().unwrap_or(0);
        if is_histogram {
            let value = histograms.values[place].clone();
            merged.histograms.push(at_ms, value, start(&histograms.start_timestamps));
        } else {
            merged.floats.push(at_ms, floats.values[place], start(&floats.start_timestamps));
        }
    }
    merged
}
