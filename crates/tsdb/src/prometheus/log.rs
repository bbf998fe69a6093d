//! A log: numbered segments in a directory, and the checkpoint that stands for the oldest ones.

use std::path::{Path, PathBuf};

use narthex_storage::StorageError;

use super::damage::{Damage, DamageKind, Stop, io_error};
use super::record::Record;
use super::segment::SegmentReader;
use crate::fs::{EntryKind, Fs};

/// A numbered file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Its number, which is its name.
    pub number: u64,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes when it was listed.
    pub len: u64,
}

/// A directory that stands for all segments up to a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The last segment that it stands for.
    pub number: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// The files of `dir` whose names are numbers, by number; none where there is no such directory.
///
/// # Errors
/// When the directory cannot be read.
pub fn segments(fs: &dyn Fs, dir: &Path) -> Result<Vec<Segment>, StorageError> {
    let files = entries(fs, dir, EntryKind::File)?;
    let segment =
        |(name, len): (String, u64)| Some(Segment { number: number(&name)?, path: dir.join(&name), len });
    let mut segments: Vec<Segment> = files.into_iter().filter_map(segment).collect();
    segments.sort_by_key(|segment| segment.number);
    Ok(segments)
}

/// The checkpoint of a log that stands for most segments.
///
/// # Errors
/// When the directory cannot be read.
pub fn newest_checkpoint(fs: &dyn Fs, dir: &Path) -> Result<Option<Checkpoint>, StorageError> {
    let dirs = entries(fs, dir, EntryKind::Directory)?;
    let checkpoint = |(name, _): (String, u64)| {
        let number = number(name.strip_prefix("checkpoint.")?)?;
        Some(Checkpoint { number, path: dir.join(&name) })
    };
    Ok(dirs.into_iter().filter_map(checkpoint).max_by_key(|checkpoint| checkpoint.number))
}

/// Names and lengths of what is of one kind in a directory; none where there is no directory.
pub(super) fn entries(fs: &dyn Fs, dir: &Path, kind: EntryKind) -> Result<Vec<(String, u64)>, StorageError> {
    if !fs.exists(dir).map_err(|error| io_error(&error))? {
        return Ok(Vec::new());
    }
    let entries = fs.list(dir).map_err(|error| io_error(&error))?;
    Ok(entries.into_iter().filter(|entry| entry.kind == kind).map(|entry| (entry.name, entry.len)).collect())
}

/// The number that a name is, with any zeros in front.
pub(super) fn number(name: &str) -> Option<u64> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.parse().ok() } else { None }
}

/// Where the first segment that does not follow the one before it is missing something.
pub(super) fn gap(segments: &[Segment]) -> Option<Damage> {
    let pair = segments.windows(2).find(|pair| pair[1].number != pair[0].number + 1)?;
    let reason = format!("segment {} is missing before this one", pair[0].number + 1);
    Some(Damage::corrupt(&pair[1].path, 0, reason))
}

/// Hands the records of `segments` to `visit` in order, from `offset` in the first segment on. Stops at the first
/// damage and tells it; it is torn only in the last segment.
///
/// # Errors
/// When a file cannot be read, or whatever `visit` fails with.
pub fn read_segments(
    fs: &dyn Fs,
    segments: &[Segment],
    offset: u64,
    visit: &mut dyn FnMut(Record) -> Result<(), StorageError>,
) -> Result<Option<Damage>, StorageError> {
    let missing = gap(segments);
    let mut offset = offset;
    for (at, segment) in segments.iter().enumerate() {
        if let Some(damage) = missing.as_ref().filter(|damage| damage.file == segment.path) {
            return Ok(Some(damage.clone()));
        }
        let mut decoded = |bytes: &[u8]| match Record::decode(bytes) {
            Ok(record) => visit(record).map(|()| None),
            Err(reason) => Ok(Some(reason.to_string())),
        };
        match read_segment(fs, segment, std::mem::take(&mut offset), &mut decoded) {
            Ok(()) => {}
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Damage(damage)) => {
                let is_last = at + 1 == segments.len();
                let kind = if is_last { damage.kind } else { DamageKind::Corrupt };
                return Ok(Some(Damage { kind, ..damage }));
            }
        }
    }
    Ok(None)
}

/// Receives the bytes of a record and says what is wrong with them; an error ends the reading.
pub(super) type BytesVisit<'a> = dyn FnMut(&[u8]) -> Result<Option<String>, StorageError> + 'a;

/// Hands the bytes of every record to `visit`, which says what is wrong with them.
pub(super) fn read_segment(
    fs: &dyn Fs,
    segment: &Segment,
    offset: u64,
    visit: &mut BytesVisit<'_>,
) -> Result<(), Stop> {
    let mut reader = SegmentReader::open(fs, &segment.path, offset)?;
    loop {
        let offset = reader.offset();
        match reader.next_record()? {
            None => return Ok(()),
            // No writer logs nothing; Prometheus does not mind.
            Some([]) => {}
            Some(bytes) => {
                if let Some(reason) = visit(bytes)? {
                    return Err(Damage::corrupt(&segment.path, offset, reason).into());
                }
            }
        }
    }
}
