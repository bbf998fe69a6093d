//! Queries on a block.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};
use narthex_storage::{
    Outline, Placement, Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError,
    StorageErrorKind, SummaryNeed, WindowGrid,
};
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use super::{Block, Tombstones};
use crate::columns;
use crate::index::{ChunkMeta, SeriesReader};
use crate::postings::{Postings, select};

/// So many series are read by one worker at a time; fewer are not worth a second worker.
const SERIES_PER_WORKER: usize = 1024;
/// To know which values a selection has, its series are looked at when there are at most so many per value.
const SERIES_PER_VALUE: u64 = 4;

impl Queryable for Block {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(BlockQuerier { block: self, warnings: Warnings::default() }))
    }
}

/// What a query met that cannot be read and is left out of its answer.
pub(crate) type Warnings = Mutex<BTreeSet<String>>;

impl Block {
    /// The series that satisfy every matcher and have chunks in `range`. What is deleted meanwhile is still seen. A chunk
    /// that is damaged is left out when it is read, and `warnings` gets a sentence about it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn select<'b>(
        &'b self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
        warnings: &'b Warnings,
    ) -> Result<BlockSeriesSet<'b>, StorageError> {
        let numbers: Vec<u32> = select(&self.dictionary(), matchers)?.iter().collect();
        let mut series = if range.is_empty() {
            Vec::new()
        } else if numbers.len() <= SERIES_PER_WORKER {
            self.read_series(&numbers, range)?
        } else {
            let pieces = numbers.par_chunks(SERIES_PER_WORKER).map(|piece| self.read_series(piece, range));
            pieces.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
        };
        if hints.series_max > 0 {
            series.truncate(hints.series_max);
        }
        let (tombstones, windows) = (self.tombstones(), hints.windows);
        Ok(BlockSeriesSet { block: self, tombstones, windows, series, warnings })
    }

    /// Reads the series that have chunks in `range`.
    fn read_series(&self, numbers: &[u32], range: TimeRange) -> Result<Vec<Selected>, StorageError> {
        let mut reader = SeriesReader::default();
        let mut selected = Vec::with_capacity(numbers.len());
        let mut scratch = String::new();
        for &number in numbers {
            self.index.entry(number, &mut reader)?;
            let from = reader.chunks.partition_point(|chunk| chunk.range.max_ms < range.min_ms);
            let to = reader.chunks.partition_point(|chunk| chunk.range.min_ms <= range.max_ms);
            if from < to {
                let labels = Labels::from_sorted(reader.labels(), &mut scratch);
                let (chunks, all) = (reader.chunks[from..to].into(), reader.chunks.len());
                selected.push(Selected { labels, number, chunks, first: from, all });
            }
        }
        Ok(selected)
    }
}

/// A block that is asked.
struct BlockQuerier<'b> {
    block: &'b Block,
    warnings: Warnings,
}

impl BlockQuerier<'_> {
    fn selected(&self, matchers: &[Matcher]) -> Result<Postings, StorageError> {
        select(&self.block.dictionary(), matchers)
    }

    fn values_of(&self, name: &str, selected: &Postings, is_many: bool) -> Result<Vec<String>, StorageError> {
        let index = &self.block.index;
        if is_many {
            let mut values = Vec::new();
            for entry in index.values_from(name, "")? {
                let entry = entry?;
                if index.list(entry.list)?.any(|number| selected.contains(number)) {
                    values.push(entry.value.to_owned());
                }
            }
            return Ok(values);
        }
        let mut values = BTreeSet::new();
        let mut reader = SeriesReader::default();
        for number in selected.iter() {
            index.entry(number, &mut reader)?;
            values.extend(reader.labels().find(|label| label.0 == name).map(|label| label.1));
        }
        Ok(values.into_iter().map(str::to_owned).collect())
    }
}

impl Querier for BlockQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        Ok(Box::new(self.block.select(matchers, range, hints, &self.warnings)?))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        let index = &self.block.index;
        if matchers.is_empty() {
            return Ok(index.names().map(str::to_owned).collect());
        }
        let mut names = HashSet::new();
        let mut reader = SeriesReader::default();
        for number in self.selected(matchers)?.iter() {
            index.entry(number, &mut reader)?;
            names.extend(reader.labels().map(|label| label.0));
        }
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        let index = &self.block.index;
        let count = index.entries_of(name).map_or(0, |entries| u64::from(entries.count));
        if name.is_empty() || count == 0 {
            return Ok(Vec::new());
        }
        if matchers.is_empty() {
            return index
                .values_from(name, "")?
                .map(|entry| entry.map(|entry| entry.value.to_owned()))
                .collect();
        }
        let selected = self.selected(matchers)?;
        self.values_of(name, &selected, selected.len() > count.saturating_mul(SERIES_PER_VALUE))
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Series of a block.
pub(crate) struct BlockSeriesSet<'b> {
    pub(super) block: &'b Block,
    pub(super) tombstones: Arc<Tombstones>,
    /// Samples outside of these are not looked at.
    pub(super) windows: Option<WindowGrid>,
    series: Vec<Selected>,
    warnings: &'b Warnings,
}

/// A series with its chunks within the selected range.
pub(super) struct Selected {
    labels: Labels,
    pub(super) number: u32,
    chunks: Box<[ChunkMeta]>,
    /// Number of chunks before these.
    first: usize,
    /// Number of all chunks of the series.
    pub(super) all: usize,
}

impl Selected {
    /// The chunks that may have samples in `range`, numbered among all of the series.
    pub(super) fn chunks_in(&self, range: TimeRange) -> impl ExactSizeIterator<Item = (usize, &ChunkMeta)> {
        let from = self.chunks.partition_point(|chunk| chunk.range.max_ms < range.min_ms);
        let to = self.chunks.partition_point(|chunk| chunk.range.min_ms <= range.max_ms).max(from);
        self.chunks[from..to].iter().enumerate().map(move |(at, chunk)| (self.first + from + at, chunk))
    }

    /// Whether all chunks lie behind an instant.
    fn is_behind(&self, last_ms: Option<Timestamp>) -> bool {
        self.chunks.first().is_none_or(|chunk| last_ms < Some(chunk.range.min_ms))
    }
}

impl BlockSeriesSet<'_> {
    /// Appends the samples of a series within `range` to a buffer, all of whose samples are earlier and within `range`.
    fn read_behind(
        &self,
        selected: &Selected,
        range: TimeRange,
        samples: &mut SampleBuffer,
    ) -> Result<(), StorageError> {
        let behind_ms = samples.last_ms().map_or(Timestamp::MIN, |last_ms| last_ms.saturating_add(1));
        for (_, chunk) in selected.chunks_in(range) {
            if !self.windows.is_some_and(|windows| windows.placement(chunk.range) == Placement::Outside) {
                self.decode(chunk, range.max_ms, samples)?;
            }
        }
        self.cut_out(selected.number, range, behind_ms, samples);
        Ok(())
    }

    /// Takes out what is outside of `range`, and what was deleted from `behind_ms` on.
    pub(super) fn cut_out(
        &self,
        number: u32,
        range: TimeRange,
        behind_ms: Timestamp,
        samples: &mut SampleBuffer,
    ) {
        columns::clip(range, samples);
        for deleted in self.tombstones.of(u64::from(number)) {
            columns::remove(TimeRange::new(deleted.min_ms.max(behind_ms), deleted.max_ms), samples);
        }
    }

    /// Appends the samples of a chunk up to `max_ms` and perhaps some more, or none of them and a warning when it is
    /// damaged.
    pub(super) fn decode(
        &self,
        chunk: &ChunkMeta,
        max_ms: Timestamp,
        samples: &mut SampleBuffer,
    ) -> Result<(), StorageError> {
        let held = columns::counts(samples);
        match self.block.decode(chunk, max_ms, samples) {
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                columns::cut(held, samples);
                let warning = format!("a chunk of block {} is left out: {error}", self.block.ulid());
                self.warnings.lock().unwrap_or_else(PoisonError::into_inner).insert(warning);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

impl SeriesSet for BlockSeriesSet<'_> {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        &self.series[series].labels
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        samples.clear();
        self.read_behind(&self.series[series], range, samples)
    }

    fn outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<(), StorageError> {
        outline.clear();
        self.outline_behind(&self.series[series], range, need, outline)
    }

    fn append_outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<bool, StorageError> {
        let selected = &self.series[series];
        let is_behind = selected.is_behind(outline.last_ms());
        if is_behind {
            self.outline_behind(selected, range, need, outline)?;
        }
        Ok(is_behind)
    }

    fn append(
        &self,
        series: usize,
        range: TimeRange,
        samples: &mut SampleBuffer,
    ) -> Result<bool, StorageError> {
        let selected = &self.series[series];
        let is_behind = selected.is_behind(samples.last_ms());
        if is_behind {
            self.read_behind(selected, range, samples)?;
        }
        Ok(is_behind)
    }
}
