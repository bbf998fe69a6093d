//! Which files of a data directory are read, and in which order.

use std::path::{Path, PathBuf};

use narthex_storage::StorageError;

use super::damage::{Damage, DamageKind};
use super::head_chunks::{HeadChunk, HeadChunks};
use super::log::{self, Checkpoint, Segment};
use super::record::Record;
use super::snapshot::{self, Snapshot, SnapshotRecord, SnapshotSeries};
use crate::fs::Fs;

/// The parts of a data directory that Prometheus itself is still writing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveFiles {
    data_dir: PathBuf,
    /// The newest snapshot, if the log goes on behind it.
    pub snapshot: Option<Snapshot>,
    /// The checkpoint of the log, unless the snapshot is newer.
    pub checkpoint: Option<Checkpoint>,
    /// The segments of the log behind both.
    pub wal: Vec<Segment>,
    /// The log of out-of-order samples.
    pub wbl: Vec<Segment>,
}

/// Where a record comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Tombstones and exemplars of a snapshot.
    Snapshot,
    /// What a checkpoint has kept of old segments.
    Checkpoint,
    /// The log.
    Wal,
    /// The log of out-of-order samples.
    Wbl,
}

/// Receives what is in [`LiveFiles`]: first all head chunks, then the snapshot, then records in the order of logs.
pub trait Visitor {
    /// A full chunk; `bytes` are its checked bytes. Of what series, a later record tells.
    ///
    /// # Errors
    /// What ends the reading.
    fn head_chunk(&mut self, chunk: &HeadChunk, bytes: &[u8]) -> Result<(), StorageError>;

    /// A series of a snapshot with its open chunk.
    ///
    /// # Errors
    /// What ends the reading.
    fn snapshot_series(&mut self, series: SnapshotSeries) -> Result<(), StorageError>;

    /// A record.
    ///
    /// # Errors
    /// What ends the reading.
    fn record(&mut self, source: Source, record: Record) -> Result<(), StorageError>;
}

impl LiveFiles {
    /// Looks for them; none in a directory without.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn find(fs: &dyn Fs, data_dir: &Path) -> Result<LiveFiles, StorageError> {
        let wal_dir = data_dir.join("wal");
        // The checkpoint first: a newer one only makes segments vanish that the older one does not stand for.
        let checkpoint = log::newest_checkpoint(fs, &wal_dir)?;
        let mut wal = log::segments(fs, &wal_dir)?;
        let last = wal.last().map_or(0, |segment| segment.number);
        let snapshot = snapshot::newest_snapshot(fs, data_dir)?;
        let snapshot = snapshot.filter(|snapshot| snapshot.segment <= last && is_sound(fs, snapshot));
        let from = snapshot.as_ref().map_or(0, |snapshot| snapshot.segment);
        let checkpoint = checkpoint.filter(|checkpoint| checkpoint.number >= from);
        let from = checkpoint.as_ref().map_or(from, |checkpoint| checkpoint.number + 1);
        wal.retain(|segment| segment.number >= from);
        let wbl = log::segments(fs, &data_dir.join("wbl"))?;
        Ok(LiveFiles { data_dir: data_dir.to_owned(), snapshot, checkpoint, wal, wbl })
    }

    /// The directory of full chunks.
    pub fn head_chunks_dir(&self) -> PathBuf {
        self.data_dir.join("chunks_head")
    }

    /// Reads all of it. Head chunks, the log and the log of out-of-order samples are each read up to their first
    /// damage, which is told. Nothing is changed.
    ///
    /// # Errors
    /// When a file cannot be read, or whatever `visitor` fails with.
    pub fn read(
        &self,
        fs: &dyn Fs,
        chunks: &mut HeadChunks,
        visitor: &mut dyn Visitor,
    ) -> Result<Vec<Damage>, StorageError> {
        let mut damages = Vec::new();
        damages.extend(chunks.read(&mut |chunk, bytes| visitor.head_chunk(chunk, bytes))?);
        if let Some(snapshot) = &self.snapshot {
            damages.extend(snapshot.read(fs, &mut |record| match record {
                SnapshotRecord::Series(series) => visitor.snapshot_series(series),
                SnapshotRecord::Other(record) => visitor.record(Source::Snapshot, record),
            })?);
        }
        damages.extend(self.read_wal(fs, visitor)?);
        let mut visit = |record| visitor.record(Source::Wbl, record);
        damages.extend(log::read_segments(fs, &self.wbl, 0, &mut visit)?);
        Ok(damages)
    }

    fn read_wal(&self, fs: &dyn Fs, visitor: &mut dyn Visitor) -> Result<Option<Damage>, StorageError> {
        let mut damage = None;
        if let Some(checkpoint) = &self.checkpoint {
            let segments = log::segments(fs, &checkpoint.path)?;
            let mut visit = |record| visitor.record(Source::Checkpoint, record);
            damage = log::read_segments(fs, &segments, 0, &mut visit)?;
        }
        // What the log itself says of series that the checkpoint had is lost with it; the rest is not.
        let first = self.wal.first();
        let offset = match &self.snapshot {
            Some(snapshot) if first.is_some_and(|first| first.number == snapshot.segment) => snapshot.offset,
            _ => 0,
        };
        let mut visit = |record| visitor.record(Source::Wal, record);
        let in_wal = log::read_segments(fs, &self.wal, offset, &mut visit)?;
        // A checkpoint is complete when it has its name: nothing in it can be torn.
        let damage = damage.map(|damage| Damage { kind: DamageKind::Corrupt, ..damage });
        Ok(damage.or(in_wal))
    }
}

/// Whether all of a snapshot can be read; one that cannot is as good as none.
fn is_sound(fs: &dyn Fs, snapshot: &Snapshot) -> bool {
    matches!(snapshot.read(fs, &mut |_| Ok(())), Ok(None))
}
