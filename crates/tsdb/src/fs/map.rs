//! Files mapped into memory: the one place where the store trusts the system with a pointer.
#![expect(unsafe_code, reason = "mapping a file is a promise about the file that no type can check")]

use std::fs::File;
use std::io;

/// A file mapped for reading.
#[derive(Debug)]
pub(super) struct Mapping(memmap2::Mmap);

impl Mapping {
    /// Maps a whole file that is open for reading.
    ///
    /// # Errors
    /// When the system refuses, as it does for files without content on some systems.
    pub(super) fn new(file: &File) -> io::Result<Mapping> {
        // SAFETY: the store maps only files that are never changed in place: blocks appear by a rename when complete
        // and are unlinked, not cut. A mapping of an unlinked file stays valid. Whoever cuts a block by hand while it
        // is open gets a signal, not wrong bytes.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Mapping(map))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
