//! The snapshot of a head that Prometheus may leave behind when it is shut down.

use std::path::{Path, PathBuf};

use narthex_model::{Labels, TimeRange};
use narthex_storage::StorageError;

use super::damage::{Damage, Stop};
use super::fields::{CorruptRecord, Fields};
use super::log;
use super::record::{Record, TombstoneEntry};
use crate::chunk::Encoding;
use crate::fs::{EntryKind, Fs};

/// A snapshot: everything that was in memory when the log had come to a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Where it is.
    pub path: PathBuf,
    /// The segment of the log that goes on behind it.
    pub segment: u64,
    /// Where in that segment.
    pub offset: u64,
}

/// A series of a snapshot.
#[derive(Clone, PartialEq, Debug)]
pub struct SnapshotSeries {
    /// Its number.
    pub reference: u64,
    /// Its labels.
    pub labels: Labels,
    /// The chunk that was open.
    pub chunk: Option<OpenChunk>,
}

/// A chunk that was open when the snapshot was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenChunk {
    /// From its first to its last sample.
    pub range: TimeRange,
    /// How its bytes are to be read; `None` for an encoding that came after this code.
    pub encoding: Option<Encoding>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A record of a snapshot.
#[derive(Clone, PartialEq, Debug)]
pub enum SnapshotRecord {
    /// A series with its open chunk.
    Series(SnapshotSeries),
    /// Tombstones or exemplars, as in a log; or a type that came after this code.
    Other(Record),
}

/// The newest snapshot in a data directory.
///
/// # Errors
/// When the directory cannot be read.
pub fn newest_snapshot(fs: &dyn Fs, data_dir: &Path) -> Result<Option<Snapshot>, StorageError> {
    let snapshot = |(name, _): (String, u64)| {
        let (segment, offset) = name.strip_prefix("chunk_snapshot.")?.split_once('.')?;
        let (segment, offset) = (log::number(segment)?, log::number(offset)?);
        Some(Snapshot { path: data_dir.join(&name), segment, offset })
    };
    let dirs = log::entries(fs, data_dir, EntryKind::Directory)?;
    Ok(dirs.into_iter().filter_map(snapshot).max_by_key(|snapshot| (snapshot.segment, snapshot.offset)))
}

impl Snapshot {
    /// Hands every record to `visit`. Stops at the first damage and tells it; a damaged snapshot is of no use.
    ///
    /// # Errors
    /// When a file cannot be read, or whatever `visit` fails with.
    pub fn read(
        &self,
        fs: &dyn Fs,
        visit: &mut dyn FnMut(SnapshotRecord) -> Result<(), StorageError>,
    ) -> Result<Option<Damage>, StorageError> {
        let mut decoded = |bytes: &[u8]| match SnapshotRecord::decode(bytes) {
            Ok(record) => visit(record).map(|()| None),
            Err(reason) => Ok(Some(reason.to_string())),
        };
        for segment in log::segments(fs, &self.path)? {
            match log::read_segment(fs, &segment, 0, &mut decoded) {
                Ok(()) => {}
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Damage(damage)) => return Ok(Some(damage)),
            }
        }
        Ok(None)
    }
}

impl SnapshotRecord {
    /// Decodes an unpacked record of a snapshot.
    ///
    /// # Errors
    /// When the bytes contradict the format.
    pub fn decode(bytes: &[u8]) -> Result<SnapshotRecord, CorruptRecord> {
        let mut fields = Fields::new(bytes);
        match fields.u8()? {
            1 => series(&mut fields).map(SnapshotRecord::Series),
            2 => tombstones(&mut fields).map(Record::Tombstones).map(SnapshotRecord::Other),
            3 => super::record::exemplars(&mut fields).map(Record::Exemplars).map(SnapshotRecord::Other),
            number => Ok(SnapshotRecord::Other(Record::Unknown(number))),
        }
    }
}

/// The last values behind the chunk are in the chunk as well: they are there for who appends to it.
fn series(fields: &mut Fields<'_>) -> Result<SnapshotSeries, CorruptRecord> {
    let (reference, labels) = (fields.u64()?, fields.labels()?);
    fields.i64()?;
    let chunk = if fields.uvarint()? == 0 { None } else { Some(open_chunk(fields)?) };
    Ok(SnapshotSeries { reference, labels, chunk })
}

fn open_chunk(fields: &mut Fields<'_>) -> Result<OpenChunk, CorruptRecord> {
    let range = TimeRange::new(fields.i64()?, fields.i64()?);
    let encoding = Encoding::from_number(fields.u8()?);
    let len = fields.count(1)?;
    Ok(OpenChunk { range, encoding, bytes: fields.bytes(len)?.to_vec() })
}

/// The body of a file of tombstones, with its length and version in front.
fn tombstones(fields: &mut Fields<'_>) -> Result<Vec<TombstoneEntry>, CorruptRecord> {
    let len = fields.count(1)?;
    let mut body = Fields::new(fields.bytes(len)?);
    if body.u8()? != 1 {
        return Err(CorruptRecord::Value);
    }
    let mut entries = Vec::new();
    while !body.is_empty() {
        let reference = body.uvarint()?;
        entries.push(TombstoneEntry { reference, range: TimeRange::new(body.varint()?, body.varint()?) });
    }
    Ok(entries)
}
