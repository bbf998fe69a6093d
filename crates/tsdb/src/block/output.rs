//! A new file, written from front to end in large pieces.

use std::path::Path;

use narthex_storage::StorageError;

use super::failure::io_failed;
use crate::fs::{Fs, FsFile};

/// So many bytes are collected before they are handed to the file system.
const BUFFER_BYTES: usize = 1 << 18;

/// A file that grows at its end.
#[derive(Debug)]
pub(crate) struct Output {
    file: Box<dyn FsFile>,
    buffer: Vec<u8>,
    /// Bytes handed to the file.
    written: u64,
}

impl Output {
    pub(crate) fn create(fs: &dyn Fs, path: &Path) -> Result<Output, StorageError> {
        let file = fs.create(path).map_err(|error| io_failed(&error))?;
        Ok(Output { file, buffer: Vec::new(), written: 0 })
    }

    /// Where the next byte goes.
    pub(crate) fn at(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.flush() }
    }

    /// Writes zeros up to a multiple of `alignment`.
    pub(crate) fn align(&mut self, alignment: usize) -> Result<(), StorageError> {
        let behind = (self.at() % alignment as u64) as usize;
        let zeros = [0; 16];
        let missing = if behind == 0 { 0 } else { alignment - behind };
        self.write(zeros.get(..missing).unwrap_or(&zeros))
    }

    /// Hands everything to the file.
    pub(crate) fn flush(&mut self) -> Result<(), StorageError> {
        self.file.write_all(&self.buffer).map_err(|error| io_failed(&error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Makes everything durable and closes the file; its length.
    pub(crate) fn finish(mut self) -> Result<u64, StorageError> {
        self.flush()?;
        self.file.sync().map_err(|error| io_failed(&error))?;
        Ok(self.written)
    }
}
