//! Failures of a store's files as errors that name file and offset.

use std::io;
use std::path::Path;

use narthex_storage::{StorageError, StorageErrorKind};

/// A failed call of the file system, which has named the path.
pub(crate) fn io_failed(error: &io::Error) -> StorageError {
    StorageError::new(StorageErrorKind::Io, error.to_string())
}

/// Bytes of a file that contradict its format.
pub(crate) fn corrupt(path: &Path, at: usize, what: &dyn std::fmt::Display) -> StorageError {
    let message = format!("{} at {at}: {what}", path.display());
    StorageError::new(StorageErrorKind::Corrupt, message)
}
