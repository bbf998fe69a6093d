//! What can go wrong at the seam.

use std::fmt;

/// The kind of a [`StorageError`], for callers that act on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// Stored bytes contradict their format.
    Corrupt,
    /// Reading or writing failed.
    Io,
    /// A sample is older than the newest one of its series.
    OutOfOrder,
    /// A sample is older than anything that the store still takes.
    TooOld,
    /// Another value is already there at this instant.
    Duplicate,
    /// A series is named by a number that the store does not know, or no longer.
    UnknownSeries,
    /// A sample that is never taken: a histogram whose spans and counts contradict each other, labels that are too long.
    InvalidSample,
    /// A limit of the store is reached; when there is less in it, the same sample may be taken.
    LimitExceeded,
}

/// A failure of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageError {
    kind: StorageErrorKind,
    message: String,
}

impl StorageError {
    /// A failure with what happened and where, in lower case and without a final stop.
    pub fn new(kind: StorageErrorKind, message: impl Into<String>) -> StorageError {
        StorageError { kind, message: message.into() }
    }

    /// The kind.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StorageError {}
