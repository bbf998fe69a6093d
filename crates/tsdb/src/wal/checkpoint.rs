//! Making a log short: of what is in blocks, only what later records refer to is kept.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::path::PathBuf;
use std::sync::PoisonError;

use narthex_model::Timestamp;
use narthex_storage::StorageError;

use super::batch::{Batch, Metadata, SeriesId};
use super::encoder::Encoder;
use super::files::{FileKind, Listing, LogFile, failed};
use super::log::Wal;
use super::replay::{Damage, DamageKind, replay_files};
use crate::fs::FsFile;

/// So many bytes are written at once.
const WRITTEN_BYTES: usize = 1 << 20;

/// What became of a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// Bytes of the files that it replaces.
    pub replaced_bytes: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// Series in it.
    pub series: usize,
    /// Samples in it.
    pub samples: u64,
    /// What could not be read of the files that it replaces. Such files are not removed but get a name that ends in
    /// `.damaged`.
    pub damages: Vec<Damage>,
    /// Files that could not be removed; the next checkpoint tries again.
    pub left: Vec<PathBuf>,
}

impl Wal {
    /// Replaces the closed files up to number `through` (see [`Wal::cut_segment`]) by one with what is still needed of
    /// them: the series that the caller wants to `keep`, with their samples, exemplars and deletions from `before_ms` on,
    /// and the last metadata of each metric. Batches are noted and committed meanwhile.
    ///
    /// # Errors
    /// `Io` when it cannot be written; the log is then as before.
    pub fn checkpoint(
        &self,
        through: u64,
        keep: &dyn Fn(SeriesId) -> bool,
        before_ms: Timestamp,
    ) -> Result<Checkpoint, StorageError> {
        let _one_at_a_time = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        let listing = Listing::read(&*self.fs, &self.dir)?;
        let current = self.stats().segment;
        let is_closed = |file: &LogFile| file.number <= through && (current == 0 || file.number < current);
        let files: Vec<LogFile> = listing.files.iter().copied().filter(is_closed).collect();
        let Some(last) = files.last().copied() else { return Ok(Checkpoint::default()) };
        let mut checkpoint = Checkpoint::default();
        if last.kind == FileKind::Segment {
            self.write_checkpoint(
                LogFile::checkpoint(last.number),
                &files,
                keep,
                before_ms,
                &mut checkpoint,
            )?;
        }
        self.remove_replaced(&mut checkpoint)?;
        self.recount()?;
        Ok(checkpoint)
    }

    fn write_checkpoint(
        &self,
        target: LogFile,
        files: &[LogFile],
        keep: &dyn Fn(SeriesId) -> bool,
        before_ms: Timestamp,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), StorageError> {
        let path = target.path(&self.dir);
        let temporary = self.dir.join(format!("{}.tmp", target.name()));
        let is_left = self.fs.exists(&temporary).map_err(|error| failed("look for", &temporary, &error))?;
        if is_left {
            self.fs.remove_file(&temporary).map_err(|error| failed("remove", &temporary, &error))?;
        }
        let file = self.fs.create(&temporary).map_err(|error| failed("make", &temporary, &error))?;
        let mut writer = Writer::new(target, file);
        let mut filter = Filter::new(keep, before_ms);
        let report = replay_files(&*self.fs, &self.dir, files, &mut |batch| {
            writer.put(&filter.wanted(batch));
        });
        writer.put(&filter.rest());
        checkpoint.series = filter.series.len();
        checkpoint.samples = filter.samples;
        checkpoint.replaced_bytes = report.bytes;
        checkpoint.damages = report.damages;
        let written = writer.finish().and_then(|bytes| {
            self.fs.rename(&temporary, &path)?;
            self.fs.sync_dir(&self.dir)?;
            Ok(bytes)
        });
        checkpoint.bytes = written.map_err(|error| failed("write", &temporary, &error))?;
        Ok(())
    }

    /// Removes the files that the newest checkpoint replaces; damaged ones are put aside.
    fn remove_replaced(&self, checkpoint: &mut Checkpoint) -> Result<(), StorageError> {
        for file in Listing::read(&*self.fs, &self.dir)?.replaced {
            let path = file.path(&self.dir);
            let is_damaged = |damage: &Damage| {
                damage.path == path && !matches!(damage.kind, DamageKind::Torn | DamageKind::Missing)
            };
            let outcome = if checkpoint.damages.iter().any(is_damaged) {
                self.fs.rename(&path, &self.dir.join(format!("{}.damaged", file.name())))
            } else {
                self.fs.remove_file(&path)
            };
            if outcome.is_err() {
                checkpoint.left.push(path);
            }
        }
        self.fs.sync_dir(&self.dir).map_err(|error| failed("sync", &self.dir, &error))
    }
}

/// What of a log goes into a checkpoint.
struct Filter<'a> {
    keep: &'a dyn Fn(SeriesId) -> bool,
    before_ms: Timestamp,
    series: HashSet<SeriesId>,
    metadata: BTreeMap<Box<str>, Metadata>,
    samples: u64,
}

impl<'a> Filter<'a> {
    fn new(keep: &'a dyn Fn(SeriesId) -> bool, before_ms: Timestamp) -> Filter<'a> {
        Filter { keep, before_ms, series: HashSet::new(), metadata: BTreeMap::new(), samples: 0 }
    }

    fn wanted(&mut self, batch: &Batch) -> Batch {
        let is_kept = |id: &SeriesId| (self.keep)(*id);
        self.metadata.extend(batch.metadata.iter().cloned());
        let mut series = batch.series.clone();
        series.retain(|(id, _)| is_kept(id) && self.series.insert(*id));
        let samples = batch.samples.iter().filter(|one| one.at_ms >= self.before_ms && is_kept(&one.series));
        let samples: Vec<_> = samples.cloned().collect();
        self.samples += samples.len() as u64;
        let exemplars = batch.exemplars.iter();
        let exemplars = exemplars.filter(|(id, one)| one.at_ms >= self.before_ms && is_kept(id));
        let deletions = batch.deletions.iter();
        let deletions = deletions.filter(|(id, range)| range.max_ms >= self.before_ms && is_kept(id));
        Batch {
            series,
            samples,
            exemplars: exemplars.cloned().collect(),
            deletions: deletions.copied().collect(),
            metadata: Vec::new(),
            has_repeats: batch.has_repeats,
        }
    }

    /// What is known only at the end.
    fn rest(&mut self) -> Batch {
        Batch { metadata: mem::take(&mut self.metadata).into_iter().collect(), ..Batch::default() }
    }
}

/// Writes a checkpoint; an error is told at the end.
struct Writer {
    target: LogFile,
    file: Box<dyn FsFile>,
    encoder: Encoder,
    records: Vec<u8>,
    /// Bytes written before `records`.
    offset: u64,
    outcome: std::io::Result<()>,
}

impl Writer {
    fn new(target: LogFile, file: Box<dyn FsFile>) -> Writer {
        Writer {
            target,
            file,
            // No key of a segment has such a number: these begin behind the number of their file.
            encoder: Encoder::new(1),
            records: target.header().to_vec(),
            offset: 0,
            outcome: Ok(()),
        }
    }

    fn put(&mut self, batch: &Batch) {
        let Writer { encoder, records, offset, target, .. } = self;
        let seed = target.seed();
        encoder.put(batch, &mut |payload| seed.put(records, *offset + records.len() as u64, payload));
        encoder.forget_retired();
        if self.records.len() >= WRITTEN_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.outcome.is_ok() {
            self.outcome = self.file.write_all(&self.records);
        }
        self.offset += self.records.len() as u64;
        self.records.clear();
    }

    fn finish(mut self) -> std::io::Result<u64> {
        let Writer { encoder, records, offset, target, .. } = &mut self;
        let seed = target.seed();
        encoder.put_copies(&mut |payload| {
            let at = *offset + records.len() as u64;
            seed.put(records, at, payload);
        });
        self.flush();
        self.outcome?;
        self.file.sync()?;
        Ok(self.offset)
    }
}
