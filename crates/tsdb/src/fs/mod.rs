//! What the store asks of a file system, so that tests can stand in for a disk that fails.
//!
//! Everything that the store reads or writes goes through [`Fs`]: [`OsFs`] is the machine's own, [`MemoryFs`] keeps its
//! files in memory, fails when told to and can lose what was never synced. Errors name the path.

mod bytes;
mod map;
mod memory;
mod os;
mod whole;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use bytes::FileBytes;
pub use memory::{Fault, FaultMode, MemoryFs, Operation, Survival};
pub use os::OsFs;
pub use whole::{remove_tree, write_atomically};

/// What an entry of a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: a link, a pipe, a device. The store looks behind it only for chunks of a block.
    Other,
}

/// One entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Name within the directory. Names that are no UTF-8 are not listed: no file of a store has one.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file, 0 of anything else.
    pub len: u64,
}

/// A file system. Paths are as the caller gave them when opening the store; nothing is resolved.
///
/// What was written or renamed may be lost in a power cut until the file, and for its name the directory, is synced.
/// It survives the end of the process without that.
pub trait Fs: Debug + Send + Sync {
    /// The entries of a directory, sorted by name.
    ///
    /// # Errors
    /// When there is no such directory or it cannot be read.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;

    /// Whether there is a file or directory.
    ///
    /// # Errors
    /// When this cannot be found out.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// The whole content of a regular file, copied.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The whole content of a regular file that nobody changes any more, mapped where the system can.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    fn map(&self, path: &Path) -> io::Result<FileBytes>;

    /// A regular file for reading in pieces, also while somebody writes it.
    ///
    /// # Errors
    /// When there is no such file or it cannot be opened.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn FsRead>>;

    /// Makes a directory and those above it; none when they are there.
    ///
    /// # Errors
    /// When one cannot be made.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// A new file for writing.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken; else when it cannot be made.
    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>>;

    /// An existing file for writing behind its end.
    ///
    /// # Errors
    /// When there is no such file or it cannot be opened.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn FsFile>>;

    /// Gives a file or directory another name; a file of that name is replaced.
    ///
    /// # Errors
    /// When it cannot be done; then the old name stands.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// When there is none or it cannot be removed.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// When there is none, it has entries or it cannot be removed.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// When the system does not say that they are.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes a lock on a file, made if need be; it is free again when the guard is dropped or the process ends.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>>;
}

/// A file open for reading. It stays readable when its name is taken away.
pub trait FsRead: Debug + Send {
    /// Fills `buffer` from `offset` on; fewer bytes than asked for are read only where the file ends.
    ///
    /// # Errors
    /// When the system does not give them.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A file open for writing. Dropping it closes it and syncs nothing.
pub trait FsFile: Debug + Send {
    /// Writes all of `bytes` behind what is there.
    ///
    /// # Errors
    /// When not all could be written; any prefix may be there then.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `len` bytes; later writes go behind them.
    ///
    /// # Errors
    /// When it cannot be done.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Makes the content durable. After an error nobody knows what is: the file must not be trusted with anything more.
    ///
    /// # Errors
    /// When the system does not say that it is durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// Holds a lock as long as it lives.
pub trait FsLock: Debug + Send + Sync {}
