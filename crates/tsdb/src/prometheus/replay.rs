//! Putting what Prometheus's files hold into a head, record by record.

use std::collections::HashMap;

use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};
use narthex_storage::{SampleBuffer, StorageError, StorageErrorKind};

use super::files::{LiveFiles, Source, Visitor};
use super::head::ForeignReport;
use super::head_chunks::{HeadChunk, HeadChunks};
use super::record::{
    ExemplarEntry, MarkerEntry, MetadataEntry, Record, SampleEntry, SeriesEntry, TombstoneEntry,
};
use super::snapshot::SnapshotSeries;
use crate::chunk::Encoding;
use crate::fs::Fs;
use crate::head::{Head, HeadAppender};
use crate::wal::{Exemplar, Metadata, SeriesId};

/// So many samples become visible at once.
const BATCH_SAMPLES: usize = 32 << 10;

/// Samples that are deleted.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    /// Parts of series.
    ranges: HashMap<Labels, Vec<TimeRange>>,
    /// Numbers whose series were taken out of the head.
    removed: Vec<u64>,
}

impl Deleted {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.removed.is_empty()
    }
}

/// A series.
#[derive(Debug)]
struct Slot {
    labels: Labels,
    /// Its number in the head, from its first sample on.
    id: Option<SeriesId>,
    /// Its newest in-order sample.
    last_ms: Option<Timestamp>,
    deleted: Vec<TimeRange>,
    /// Out-of-order samples of head chunks.
    late: Vec<Late>,
    /// Those of the log since its last marker.
    late_in_log: Vec<Late>,
}

/// Time, value, start of the counter.
type Late = (Timestamp, SampleValue, Timestamp);

/// Where a sample is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    InOrder,
    LateChunk,
    LateLog,
}

impl Slot {
    fn new(labels: Labels, deleted: Vec<TimeRange>) -> Slot {
        Slot { labels, id: None, last_ms: None, deleted, late: Vec::new(), late_in_log: Vec::new() }
    }
}

#[derive(Debug)]
pub(super) struct Replay<'h> {
    appender: HeadAppender<'h>,
    min_valid_ms: Timestamp,
    pub(super) report: ForeignReport,
    slots: Vec<Slot>,
    by_labels: HashMap<Labels, usize>,
    by_reference: HashMap<u64, usize>,
    chunks: HashMap<u64, Vec<HeadChunk>>,
    /// Where the last head chunk is: a marker beyond it speaks of a chunk that was written since.
    last_chunk: u64,
    deleted: Deleted,
    pub(super) found: Deleted,
    buffer: SampleBuffer,
}

impl<'h> Replay<'h> {
    pub(super) fn new(head: &'h Head, min_valid_ms: Timestamp, deleted: Deleted) -> Replay<'h> {
        Replay {
            appender: head.appender(),
            min_valid_ms,
            report: ForeignReport::default(),
            slots: Vec::new(),
            by_labels: HashMap::new(),
            by_reference: HashMap::new(),
            chunks: HashMap::new(),
            last_chunk: 0,
            deleted,
            found: Deleted::default(),
            buffer: SampleBuffer::new(),
        }
    }

    pub(super) fn run(&mut self, fs: &dyn Fs, files: &LiveFiles) -> Result<(), StorageError> {
        let mut chunks = HeadChunks::open(fs, &files.head_chunks_dir())?;
        // Chunks are found by one and loaded by the other, when it is known whose they are.
        let mut loader = HeadChunks::open(fs, &files.head_chunks_dir())?;
        let mut loading = Loading { replay: self, loader: &mut loader };
        let damages = files.read(fs, &mut chunks, &mut loading)?;
        self.report.damages = damages;
        self.report.without_series += self.chunks.values().map(|chunks| chunks.len() as u64).sum::<u64>();
        self.appender.commit();
        self.take_late()?;
        self.appender.commit();
        Ok(())
    }

    /// The series with these labels, now also known by `reference`.
    fn slot(&mut self, reference: u64, labels: Labels) -> usize {
        let slots = &mut self.slots;
        let deleted = &mut self.deleted.ranges;
        let slot = *self.by_labels.entry(labels).or_insert_with_key(|labels| {
            let deleted = deleted.remove(labels).unwrap_or_default();
            slots.push(Slot::new(labels.clone(), deleted));
            slots.len() - 1
        });
        self.by_reference.insert(reference, slot);
        slot
    }

    fn series(&mut self, entry: SeriesEntry, loader: &mut HeadChunks) -> Result<(), StorageError> {
        let slot = self.slot(entry.reference, entry.labels);
        for chunk in self.chunks.remove(&entry.reference).unwrap_or_default() {
            let Some(encoding) = chunk.encoding else { continue };
            if self.deleted.removed.contains(&entry.reference) {
                continue;
            }
            let bytes = loader.load(&chunk)?;
            let place = if chunk.is_out_of_order { Place::LateChunk } else { Place::InOrder };
            self.chunk(slot, encoding, &bytes, place)?;
        }
        Ok(())
    }

    /// All samples of a chunk.
    fn chunk(
        &mut self,
        slot: usize,
        encoding: Encoding,
        bytes: &[u8],
        place: Place,
    ) -> Result<(), StorageError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        if let Err(reason) = encoding.decode_into(bytes, &mut buffer) {
            self.refuse(|labels| format!("chunk of series {labels}: {reason}"), slot);
        } else {
            for (at_ms, value, start_ms) in samples(&buffer) {
                self.sample(slot, (at_ms, value, start_ms), place)?;
            }
        }
        self.buffer = buffer;
        Ok(())
    }

    fn sample_entry(&mut self, entry: SampleEntry, place: Place) -> Result<(), StorageError> {
        self.report.samples += 1;
        match self.by_reference.get(&entry.reference) {
            None => self.report.without_series += 1,
            Some(_) if self.deleted.removed.contains(&entry.reference) => {}
            Some(&slot) => {
                self.sample(slot, (entry.at_ms, entry.value, entry.start_ms), place)?;
            }
        }
        Ok(())
    }

    /// A sample that is not newer than the newest of its series is in a head chunk, or came out of order and is in the
    /// other log as well.
    fn sample(
        &mut self,
        slot: usize,
        (at_ms, value, start_ms): Late,
        place: Place,
    ) -> Result<(), StorageError> {
        let series = &mut self.slots[slot];
        if series.deleted.iter().any(|range| range.contains(at_ms)) {
            return Ok(());
        }
        let late = match place {
            Place::InOrder => None,
            Place::LateChunk => Some(&mut series.late),
            Place::LateLog => Some(&mut series.late_in_log),
        };
        if let Some(late) = late {
            late.push((at_ms, value, start_ms));
            return Ok(());
        }
        if at_ms < self.min_valid_ms || series.last_ms.is_some_and(|last_ms| at_ms <= last_ms) {
            return Ok(());
        }
        if self.append(slot, (at_ms, value, start_ms))? {
            self.slots[slot].last_ms = Some(at_ms);
        }
        Ok(())
    }

    /// Whether the head takes a sample.
    fn append(&mut self, slot: usize, (at_ms, value, start_ms): Late) -> Result<bool, StorageError> {
        let series = &mut self.slots[slot];
        let appended = match series.id {
            Some(id) => self.appender.append_to(id, at_ms, value, start_ms),
            None => {
                let appended = self.appender.append(&series.labels, at_ms, value, start_ms);
                appended.map(|id| series.id = Some(id))
            }
        };
        if self.appender.len() >= BATCH_SAMPLES {
            self.appender.commit();
        }
        match appended.map_err(|error| (error.kind(), error)) {
            Ok(()) => Ok(true),
            // Of several at one instant the one that came first counts.
            Err((StorageErrorKind::Duplicate | StorageErrorKind::OutOfOrder, _)) => Ok(false),
            Err((StorageErrorKind::InvalidSample, error)) => {
                self.refuse(|_| error.to_string(), slot);
                Ok(false)
            }
            Err((_, error)) => Err(error),
        }
    }

    fn refuse(&mut self, reason: impl FnOnce(&Labels) -> String, slot: usize) {
        self.report.refused += 1;
        let labels = &self.slots[slot].labels;
        self.report.first_refusal.get_or_insert_with(|| reason(labels));
    }

    fn tombstone(&mut self, entry: TombstoneEntry) {
        if entry.range == TimeRange::new(Timestamp::MIN, Timestamp::MAX) {
            self.found.removed.push(entry.reference);
        } else if let Some(&slot) = self.by_reference.get(&entry.reference) {
            let ranges = self.found.ranges.entry(self.slots[slot].labels.clone()).or_default();
            ranges.push(entry.range);
        }
    }

    /// What the log has of a series is in head chunks, unless these were written after they were read.
    fn marker(&mut self, entry: MarkerEntry) {
        if entry.chunk > self.last_chunk {
            return;
        }
        if let Some(&slot) = self.by_reference.get(&entry.reference) {
            self.slots[slot].late_in_log.clear();
        }
    }

    /// Late samples behind those in order. Of several at one instant the one that came first counts.
    fn take_late(&mut self) -> Result<(), StorageError> {
        for slot in 0..self.slots.len() {
            let mut samples = std::mem::take(&mut self.slots[slot].late);
            samples.append(&mut self.slots[slot].late_in_log);
            samples.sort_by_key(|sample| sample.0);
            samples.dedup_by_key(|sample| sample.0);
            self.report.late += samples.len() as u64;
            for sample in samples {
                self.append(slot, sample)?;
            }
        }
        Ok(())
    }

    /// An exemplar of a series without samples has nothing to stand beside.
    fn exemplar(&mut self, entry: ExemplarEntry) {
        self.report.exemplars += 1;
        let ExemplarEntry { reference, at_ms, value, labels } = entry;
        let slot = self.by_reference.get(&reference).map(|&slot| &self.slots[slot]);
        let Some(id) = slot.and_then(|slot| slot.id) else { return };
        // One that is too long is refused, as when it is scraped.
        let _ = self.appender.append_exemplar(id, Exemplar { labels, value, at_ms });
    }

    fn metadata(&mut self, entry: MetadataEntry) {
        let MetadataEntry { reference, kind, unit, help } = entry;
        let Some(&slot) = self.by_reference.get(&reference) else { return };
        let metadata = Metadata { metric_type: kind, unit, help };
        // A text that is too long is refused, as when it is scraped.
        let _ = self.appender.set_metadata(self.slots[slot].labels.metric_name(), metadata);
    }
}

/// What is in a buffer, sample by sample. A chunk is of one kind.
fn samples(buffer: &SampleBuffer) -> impl Iterator<Item = Late> + '_ {
    let SampleBuffer { floats, histograms } = buffer;
    let start = |starts: &[Timestamp], at: usize| starts.get(at).copied().unwrap_or(0);
    let floats =
        floats.timestamps.iter().zip(&floats.values).enumerate().map(move |(at, (&at_ms, &value))| {
            (at_ms, SampleValue::Float(value), start(&floats.start_timestamps, at))
        });
    let histograms =
        histograms.timestamps.iter().zip(&histograms.values).enumerate().map(move |(at, (&at_ms, value))| {
            (at_ms, SampleValue::Histogram(value.clone()), start(&histograms.start_timestamps, at))
        });
    floats.chain(histograms)
}

/// A replay with the files that it loads head chunks from.
struct Loading<'a, 'h> {
    replay: &'a mut Replay<'h>,
    loader: &'a mut HeadChunks,
}

impl Visitor for Loading<'_, '_> {
    fn head_chunk(&mut self, chunk: &HeadChunk, _: &[u8]) -> Result<(), StorageError> {
        let Replay { min_valid_ms, report, chunks, last_chunk, .. } = &mut *self.replay;
        report.head_chunks += 1;
        *last_chunk = chunk.place;
        if chunk.is_out_of_order || chunk.range.max_ms >= *min_valid_ms {
            chunks.entry(chunk.reference).or_default().push(*chunk);
        }
        Ok(())
    }

    fn snapshot_series(&mut self, series: SnapshotSeries) -> Result<(), StorageError> {
        let SnapshotSeries { reference, labels, chunk } = series;
        self.replay.report.records += 1;
        self.replay.series(SeriesEntry { reference, labels }, self.loader)?;
        let is_removed = self.replay.deleted.removed.contains(&reference);
        let chunk = chunk.filter(|_| !is_removed).and_then(|chunk| Some((chunk.encoding?, chunk.bytes)));
        match (chunk, self.replay.by_reference.get(&reference)) {
            (Some((encoding, bytes)), Some(&slot)) => {
                self.replay.chunk(slot, encoding, &bytes, Place::InOrder)
            }
            _ => Ok(()),
        }
    }

    fn record(&mut self, source: Source, record: Record) -> Result<(), StorageError> {
        let replay = &mut *self.replay;
        replay.report.records += 1;
        let place = if source == Source::Wbl { Place::LateLog } else { Place::InOrder };
        match record {
            Record::Series(entries) => {
                entries.into_iter().try_for_each(|entry| replay.series(entry, self.loader))?;
            }
            Record::Samples(entries) => {
                entries.into_iter().try_for_each(|entry| replay.sample_entry(entry, place))?;
            }
            Record::Tombstones(entries) => entries.into_iter().for_each(|entry| replay.tombstone(entry)),
            Record::Markers(entries) => entries.into_iter().for_each(|entry| replay.marker(entry)),
            Record::Exemplars(entries) => entries.into_iter().for_each(|entry| replay.exemplar(entry)),
            Record::Metadata(entries) => entries.into_iter().for_each(|entry| replay.metadata(entry)),
            Record::Unknown(_) => replay.report.records_unknown += 1,
        }
        Ok(())
    }
}
