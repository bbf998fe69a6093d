//! The files of a log: names, headers, what there is.

use std::path::{Path, PathBuf};

use narthex_storage::{StorageError, StorageErrorKind};

use super::frame::Seed;
use crate::fs::{EntryKind, Fs};

const MAGIC: [u8; 4] = *b"NXWL";
/// Raised with every change of the layout, whether or not it was released: 1 had records that were laid out otherwise.
/// Version of the layout of the log's files.
pub(crate) const VERSION: u8 = 2;
/// Magic, version, kind, two zeros, number, checksum of these.
pub(super) const HEADER_BYTES: usize = 20;
const CHECKPOINT_PREFIX: &str = "checkpoint.";

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum FileKind {
    /// A part of the log.
    Segment = 0,
    /// What is still needed of the segments up to its number.
    Checkpoint = 1,
}

/// A file of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LogFile {
    pub(super) kind: FileKind,
    pub(super) number: u64,
}

impl LogFile {
    pub(super) fn segment(number: u64) -> LogFile {
        LogFile { kind: FileKind::Segment, number }
    }

    pub(super) fn checkpoint(number: u64) -> LogFile {
        LogFile { kind: FileKind::Checkpoint, number }
    }

    pub(super) fn name(self) -> String {
        match self.kind {
            FileKind::Segment => format!("{:08}", self.number),
            FileKind::Checkpoint => format!("{CHECKPOINT_PREFIX}{:08}", self.number),
        }
    }

    pub(super) fn path(self, dir: &Path) -> PathBuf {
        dir.join(self.name())
    }

    fn parse(name: &str) -> Option<LogFile> {
        let (kind, digits) = match name.strip_prefix(CHECKPOINT_PREFIX) {
            Some(digits) => (FileKind::Checkpoint, digits),
            None => (FileKind::Segment, name),
        };
        let is_number = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
        // Numbers of files are the upper half of those of keys; no log gets further.
        let number = digits.parse::<u32>().ok().filter(|&number| is_number && number < u32::MAX)?.into();
        Some(LogFile { kind, number })
    }

    pub(super) fn header(self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4] = VERSION;
        header[5] = self.kind as u8;
        header[8..16].copy_from_slice(&self.number.to_be_bytes());
        let checksum = crc32c::crc32c(&header[..16]).to_be_bytes();
        header[16..].copy_from_slice(&checksum);
        header
    }

    pub(super) fn seed(self) -> Seed {
        Seed::new(&self.header())
    }

    /// Whether a file has another version than this: its header is whole and says so.
    pub(super) fn is_of_other_version(file: &[u8]) -> bool {
        let Some(header) = file.first_chunk::<HEADER_BYTES>() else { return false };
        header[..4] == MAGIC
            && header[4] != VERSION
            && crc32c::crc32c(&header[..16]).to_be_bytes() == header[16..]
    }
}

/// What of a directory is to be read: the newest checkpoint and the segments behind it; and what is left over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Listing {
    /// In the order of reading.
    pub(super) files: Vec<LogFile>,
    /// Checkpoints and segments that the newest checkpoint replaces.
    pub(super) replaced: Vec<LogFile>,
    /// Bytes of all of them.
    pub(super) bytes: u64,
}

impl Listing {
    pub(super) fn read(fs: &dyn Fs, dir: &Path) -> Result<Listing, StorageError> {
        if !fs.exists(dir).map_err(|error| failed("look for", dir, &error))? {
            return Ok(Listing::default());
        }
        let entries = fs.list(dir).map_err(|error| failed("list", dir, &error))?;
        let entries = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let (mut files, mut bytes) = (Vec::new(), 0);
        for (file, length) in entries.filter_map(|entry| Some((LogFile::parse(&entry.name)?, entry.len))) {
            files.push(file);
            bytes += length;
        }
        files.sort_unstable_by_key(|file: &LogFile| (file.kind == FileKind::Segment, file.number));
        let newest =
            files.iter().filter(|file| file.kind == FileKind::Checkpoint).map(|file| file.number).max();
        let is_needed = |file: &LogFile| match file.kind {
            FileKind::Checkpoint => Some(file.number) == newest,
            FileKind::Segment => newest.is_none_or(|newest| file.number > newest),
        };
        let (files, replaced) = files.into_iter().partition(is_needed);
        Ok(Listing { files, replaced, bytes })
    }

    /// The largest number of all.
    pub(super) fn last_number(&self) -> u64 {
        self.files.iter().chain(&self.replaced).map(|file| file.number).max().unwrap_or(0)
    }
}

/// A file of a log that a program of another version wrote, if there is one; what cannot be read is none.
pub(crate) fn file_of_other_version(fs: &dyn Fs, dir: &Path) -> Option<PathBuf> {
    let files = Listing::read(fs, dir).ok()?.files;
    let is_other = |path: &PathBuf| fs.map(path).is_ok_and(|bytes| LogFile::is_of_other_version(&bytes));
    files.into_iter().map(|file| file.path(dir)).find(is_other)
}

/// Makes a directory and those above it, durably.
pub(super) fn make_dir(fs: &dyn Fs, dir: &Path) -> Result<(), StorageError> {
    let mut made = Vec::new();
    for path in dir.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        if fs.exists(path).map_err(|error| failed("look for", path, &error))? {
            break;
        }
        made.push(path);
    }
    fs.create_dir_all(dir).map_err(|error| failed("make", dir, &error))?;
    for parent in made.into_iter().filter_map(Path::parent).filter(|path| !path.as_os_str().is_empty()) {
        fs.sync_dir(parent).map_err(|error| failed("sync", parent, &error))?;
    }
    Ok(())
}

pub(super) fn failed(what: &str, path: &Path, error: &std::io::Error) -> StorageError {
    StorageError::new(StorageErrorKind::Io, format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_numbers() {
        for file in [LogFile::segment(0), LogFile::segment(123_456_789), LogFile::checkpoint(7)] {
            assert_eq!(LogFile::parse(&file.name()), Some(file));
        }
        for name in [
            "1",
            "4294967295",
            "18446744073709551615",
            "0000000x",
            "00000001.tmp",
            "checkpoint.1",
            "checkpoint.00000001.damaged",
        ] {
            assert_eq!(LogFile::parse(name), None, "{name}");
        }
    }

    #[test]
    fn another_version_is_one_only_with_its_checksum() {
        let mut header = LogFile::segment(1).header();
        assert!(!LogFile::is_of_other_version(&header));
        for version in [1, 9] {
            header[4] = version;
            assert!(!LogFile::is_of_other_version(&header));
            let before = header;
            let checksum = crc32c::crc32c(&header[..16]).to_be_bytes();
            header[16..].copy_from_slice(&checksum);
            assert!(LogFile::is_of_other_version(&header));
            header = before;
        }
    }
}
