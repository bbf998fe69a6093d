//! Segment files: the chunks of a block, one behind the other.

use std::path::{Path, PathBuf};

use narthex_storage::{StorageError, StorageErrorKind};

use super::ChunkBytes;
use super::failure::{corrupt, io_failed};
use super::output::Output;
use crate::chunk::Encoding;
use crate::fs::{EntryKind, FileBytes, Fs};
use crate::index::cursor::{Cursor, Malformed};
use crate::integers::push_uvarint;

/// First bytes of a segment: its mark, version 1 and three zeros.
const HEADER: [u8; 8] = [0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0];
/// A segment is not begun to be larger than this, as in Prometheus.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 512 << 20;
/// Length of encoding and checksum.
const FRAME_BYTES: u64 = 5;
/// Longest form of a length.
const LENGTH_BYTES_MAX: u64 = 5;

/// Writes chunks into as many segments as they need.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    dir: PathBuf,
    segment_bytes_max: u64,
    /// Number of the present segment from 1 on.
    number: u32,
    output: Option<Output>,
    frame: Vec<u8>,
}

impl SegmentWriter {
    /// A writer into an empty directory.
    pub(crate) fn new(dir: PathBuf, segment_bytes_max: u64) -> SegmentWriter {
        SegmentWriter { dir, segment_bytes_max, number: 0, output: None, frame: Vec::new() }
    }

    /// Writes a chunk; where it is, as an index says it: number of the segment from 0 on, then offset.
    pub(crate) fn add(&mut self, fs: &dyn Fs, encoding: Encoding, bytes: &[u8]) -> Result<u64, StorageError> {
        let size = LENGTH_BYTES_MAX + FRAME_BYTES + bytes.len() as u64;
        let is_full = |output: &Output| output.at() + size > self.segment_bytes_max;
        if self.output.as_ref().is_none_or(is_full) {
            self.cut(fs)?;
        }
        let Some(output) = &mut self.output else { return Err(no_segment()) };
        let place = u64::from(self.number - 1) << 32 | output.at();
        self.frame.clear();
        push_uvarint(&mut self.frame, bytes.len() as u64);
        let from = self.frame.len();
        self.frame.push(encoding as u8);
        self.frame.extend_from_slice(bytes);
        let checksum = crc32c::crc32c(&self.frame[from..]);
        self.frame.extend_from_slice(&checksum.to_be_bytes());
        output.write(&self.frame)?;
        Ok(place)
    }

    fn cut(&mut self, fs: &dyn Fs) -> Result<(), StorageError> {
        self.finish()?;
        self.number += 1;
        let mut output = Output::create(fs, &self.dir.join(format!("{:06}", self.number)))?;
        output.write(&HEADER)?;
        self.output = Some(output);
        Ok(())
    }

    /// Syncs the last segment.
    pub(crate) fn finish(&mut self) -> Result<(), StorageError> {
        self.output.take().map_or(Ok(0), Output::finish).map(|_| ())
    }
}

fn no_segment() -> StorageError {
    StorageError::new(StorageErrorKind::Io, "no segment is open")
}

/// All segments of a block.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    dir: PathBuf,
    files: Vec<FileBytes>,
}

impl Segments {
    /// Opens the segments in a directory. The front of a file is looked at by [`Segments::damaged_front`] only: chunks
    /// have checksums of their own.
    pub(crate) fn open(fs: &dyn Fs, dir: &Path) -> Result<Segments, StorageError> {
        let entries = match fs.exists(dir) {
            Ok(false) => Vec::new(),
            _ => fs.list(dir).map_err(|error| io_failed(&error))?,
        };
        let is_segment = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let mut files = Vec::new();
        // A link to a file is one, as for Prometheus.
        let segments =
            entries.iter().filter(|entry| entry.kind != EntryKind::Directory && is_segment(&entry.name));
        for entry in segments {
            // A reference counts files: with one missing, all behind it would be mistaken for others.
            if entry.name.parse() != Ok(files.len() + 1) {
                let message = format!("segment {:06} is missing", files.len() + 1);
                return Err(corrupt(&dir.join(&entry.name), 0, &message));
            }
            files.push(fs.map(&dir.join(&entry.name)).map_err(|error| io_failed(&error))?);
        }
        Ok(Segments { dir: dir.to_owned(), files })
    }

    fn path(&self, segment: usize) -> PathBuf {
        self.dir.join(format!("{:06}", segment + 1))
    }

    /// The first segment whose front is not as it should be.
    pub(crate) fn damaged_front(&self) -> Option<StorageError> {
        let damaged = self.files.iter().position(|file| !file.starts_with(&HEADER))?;
        Some(corrupt(&self.path(damaged), 0, &"expected 85bd40dd01000000, the front of a segment"))
    }

    /// Bytes of all segments.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }

    /// The chunk at a place of the index, its checksum looked at.
    pub(crate) fn get(&self, place: u64) -> Result<(Encoding, &[u8]), StorageError> {
        let (segment, encoding, from, to) = self.find(place)?;
        Ok((encoding, &self.files[segment][from..to]))
    }

    /// The same, for keeping.
    pub(crate) fn share(&self, place: u64) -> Result<(Encoding, ChunkBytes), StorageError> {
        let (segment, encoding, from, to) = self.find(place)?;
        let bytes = ChunkBytes::of_file(&self.files[segment], from..to).ok_or_else(no_segment)?;
        Ok((encoding, bytes))
    }

    /// That the chunk at a place contradicts itself.
    pub(crate) fn corrupt_chunk(&self, place: u64, what: &dyn std::fmt::Display) -> StorageError {
        corrupt(&self.path((place >> 32) as usize), place as u32 as usize, what)
    }

    /// Segment, encoding, begin and end of the data of a chunk.
    fn find(&self, place: u64) -> Result<(usize, Encoding, usize, usize), StorageError> {
        let (segment, at) = ((place >> 32) as usize, place as u32 as usize);
        let Some(file) = self.files.get(segment) else {
            return Err(corrupt(&self.path(segment), at, &"the index refers to a segment that is missing"));
        };
        let found = read_frame(file, at);
        let (encoding, from, to) =
            found.map_err(|malformed| corrupt(&self.path(segment), malformed.at, &malformed))?;
        Ok((segment, encoding, from, to))
    }
}

/// Encoding, begin and end of the data of the chunk at `at`.
fn read_frame(file: &[u8], at: usize) -> Result<(Encoding, usize, usize), Malformed> {
    let mut cursor = Cursor::new(file, at)?;
    let len = cursor.uvarint()?;
    let from = cursor.at();
    let len = usize::try_from(len).ok().and_then(|len| len.checked_add(1));
    let data = cursor.take(len.ok_or_else(|| cursor.malformed("a length within the file"))?)?;
    let to = cursor.at();
    if cursor.u32()? != crc32c::crc32c(data) {
        return Err(Malformed { at, expected: "a chunk with its checksum" });
    }
    let encoding = data.first().and_then(|&number| Encoding::from_number(number));
    let encoding = encoding.ok_or(Malformed { at: from, expected: "a chunk encoding from 1 to 6" })?;
    Ok((encoding, from + 1, to))
}
