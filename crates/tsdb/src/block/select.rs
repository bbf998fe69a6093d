//! Queries on a block.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};
use narthex_storage::{
    Outline, Placement, Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError,
    StorageErrorKind, SummaryNeed, WindowGrid,
};
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use super::labels_cache::{Kept, Walk};
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
        let known = self.labels.kept();
        let read = |numbers: &[u32]| self.read_series(numbers, range, &known);
        let mut selection = if range.is_empty() {
            Selection::default()
        } else if numbers.len() <= SERIES_PER_WORKER {
            read(&numbers)?
        } else {
            Selection::joined(numbers.par_chunks(SERIES_PER_WORKER).map(read).collect::<Result<_, _>>()?)
        };
        if selection.has_unknown {
            self.labels.keep(selection.series.iter().map(|series| (series.number, &series.labels)));
        }
        if hints.series_max > 0 {
            selection.series.truncate(hints.series_max);
        }
        let (tombstones, windows) = (self.tombstones(), hints.windows);
        Ok(BlockSeriesSet { block: self, tombstones, windows, selection, warnings })
    }

    /// Reads the series that have chunks in `range`, the labels of those only that are not `known`.
    fn read_series(
        &self,
        numbers: &[u32],
        range: TimeRange,
        known: &[Kept],
    ) -> Result<Selection, StorageError> {
        let mut reader = SeriesReader::default();
        let mut selection = Selection { series: Vec::with_capacity(numbers.len()), ..Selection::default() };
        let mut scratch = String::new();
        let mut known = Walk::new(known);
        for &number in numbers {
            let known = known.find(number);
            match known {
                Some(_) => self.index.chunks(number, &mut reader)?,
                None => self.index.entry(number, &mut reader)?,
            }
            let from = reader.chunks.partition_point(|chunk| chunk.range.max_ms < range.min_ms);
            let to = reader.chunks.partition_point(|chunk| chunk.range.min_ms <= range.max_ms);
            if from < to {
                selection.has_unknown |= known.is_none();
                let new = || Labels::from_sorted(reader.labels(), &mut scratch);
                let labels = known.cloned().unwrap_or_else(new);
                let chunks = selection.push_chunks(&reader.chunks[from..to]);
                let all = reader.chunks.len();
                selection.series.push(Selected { labels, number, chunks, first: from, all });
            }
        }
        Ok(selection)
    }
}

/// Series in the order of labels.
#[derive(Default)]
struct Selection {
    series: Vec<Selected>,
    /// Those of all series within the selected range, one series behind the other.
    chunks: Vec<ChunkMeta>,
    /// Whether there are labels that the block did not keep.
    has_unknown: bool,
}

impl Selection {
    /// Takes the chunks of a series; where they are.
    fn push_chunks(&mut self, chunks: &[ChunkMeta]) -> Range<usize> {
        let start = self.chunks.len();
        self.chunks.extend_from_slice(chunks);
        start..self.chunks.len()
    }

    /// All pieces, one behind the other.
    fn joined(pieces: Vec<Selection>) -> Selection {
        let mut joined = Selection::default();
        joined.series.reserve_exact(pieces.iter().map(|piece| piece.series.len()).sum());
        joined.chunks.reserve_exact(pieces.iter().map(|piece| piece.chunks.len()).sum());
        for piece in pieces {
            let start = joined.push_chunks(&piece.chunks).start;
            joined.has_unknown |= piece.has_unknown;
            joined.series.extend(piece.series.into_iter().map(|series| {
                let chunks = start + series.chunks.start..start + series.chunks.end;
                Selected { chunks, ..series }
            }));
        }
        joined
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
    selection: Selection,
    warnings: &'b Warnings,
}

/// A series with the places of its chunks within the selected range.
pub(super) struct Selected {
    labels: Labels,
    pub(super) number: u32,
    chunks: Range<usize>,
    /// Number of chunks before these.
    first: usize,
    /// Number of all chunks of the series.
    pub(super) all: usize,
}

impl BlockSeriesSet<'_> {
    fn chunks(&self, selected: &Selected) -> &[ChunkMeta] {
        &self.selection.chunks[selected.chunks.clone()]
    }

    /// The chunks of a series that may have samples in `range`, numbered among all of the series.
    pub(super) fn chunks_in(
        &self,
        selected: &Selected,
        range: TimeRange,
    ) -> impl ExactSizeIterator<Item = (usize, &ChunkMeta)> {
        let chunks = self.chunks(selected);
        let from = chunks.partition_point(|chunk| chunk.range.max_ms < range.min_ms);
        let to = chunks.partition_point(|chunk| chunk.range.min_ms <= range.max_ms).max(from);
        let first = selected.first + from;
        chunks[from..to].iter().enumerate().map(move |(at, chunk)| (first + at, chunk))
    }

    /// Whether all chunks of a series lie behind an instant.
    fn is_behind(&self, selected: &Selected, last_ms: Option<Timestamp>) -> bool {
        self.chunks(selected).first().is_none_or(|chunk| last_ms < Some(chunk.range.min_ms))
    }

    /// Appends the samples of a series within `range` to a buffer, all of whose samples are earlier and within `range`.
    fn read_behind(
        &self,
        selected: &Selected,
        range: TimeRange,
        samples: &mut SampleBuffer,
    ) -> Result<(), StorageError> {
        let behind_ms = samples.last_ms().map_or(Timestamp::MIN, |last_ms| last_ms.saturating_add(1));
        for (_, chunk) in self.chunks_in(selected, range) {
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
        // What is wanted whole is read without looking at the times in between.
        let max_ms = if chunk.range.max_ms <= max_ms { Timestamp::MAX } else { max_ms };
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
        self.selection.series.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        &self.selection.series[series].labels
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        samples.clear();
        self.read_behind(&self.selection.series[series], range, samples)
    }

    fn outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<(), StorageError> {
        outline.clear();
        self.outline_behind(&self.selection.series[series], range, need, outline)
    }

    fn append_outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<bool, StorageError> {
        let selected = &self.selection.series[series];
        let is_behind = self.is_behind(selected, outline.last_ms());
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
        let selected = &self.selection.series[series];
        let is_behind = self.is_behind(selected, samples.last_ms());
        if is_behind {
            self.read_behind(selected, range, samples)?;
        }
        Ok(is_behind)
    }
}
