//! Where reading a file had to stop.

use std::fmt;
use std::path::{Path, PathBuf};

use narthex_storage::{StorageError, StorageErrorKind};

/// What is wrong with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DamageKind {
    /// The last file ends before the record does: somebody is writing it, or was when he was stopped.
    Torn,
    /// The bytes are not those that were written.
    Corrupt,
}

/// Where reading a file had to stop; what lies before was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// First byte of what could not be read.
    pub offset: u64,
    /// Whether this is to be expected of a log in use.
    pub kind: DamageKind,
    /// What was found instead, in lower case.
    pub reason: String,
}

impl Damage {
    pub(super) fn corrupt(file: &Path, offset: u64, reason: impl Into<String>) -> Damage {
        Damage { file: file.to_owned(), offset, kind: DamageKind::Corrupt, reason: reason.into() }
    }

    pub(super) fn torn(file: &Path, offset: u64, reason: impl Into<String>) -> Damage {
        Damage { kind: DamageKind::Torn, ..Damage::corrupt(file, offset, reason) }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.file.display(), self.offset, self.reason)
    }
}

/// Why a step of reading did not get on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file is damaged: what was read stays.
    Damage(Damage),
    /// Reading failed, or whoever receives the data does not go on.
    Error(StorageError),
}

impl From<Damage> for Stop {
    fn from(damage: Damage) -> Stop {
        Stop::Damage(damage)
    }
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Stop {
        Stop::Error(error)
    }
}

/// A failed call of the file system, which names the path itself.
pub(super) fn io_error(error: &std::io::Error) -> StorageError {
    StorageError::new(StorageErrorKind::Io, error.to_string())
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Stop {
        Stop::Error(io_error(&error))
    }
}
