//! The machine's own file system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::map::Mapping;
use super::{Entry, EntryKind, FileBytes, Fs, FsFile, FsLock, FsRead};

/// The machine's own file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OsFs;

impl Fs for OsFs {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let entries = fs::read_dir(dir).map_err(|error| at(dir, &error))?;
        let entries = entries.filter_map(|entry| entry.map(|entry| described(&entry)).transpose());
        let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(|error| at(dir, &error))?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists().map_err(|error| at(path, &error))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        regular(path)?;
        fs::read(path).map_err(|error| at(path, &error))
    }

    fn map(&self, path: &Path) -> io::Result<FileBytes> {
        regular(path)?;
        let file = File::open(path).map_err(|error| at(path, &error))?;
        match Mapping::new(&file) {
            Ok(mapping) => Ok(FileBytes::mapped(mapping)),
            Err(_) => self.read(path).map(FileBytes::from),
        }
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn FsRead>> {
        regular(path)?;
        let file = File::open(path).map_err(|error| at(path, &error))?;
        Ok(Box::new(OsFile { file, name: path.display().to_string() }))
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir).map_err(|error| at(dir, &error))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        open(path, OpenOptions::new().append(true).create_new(true))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        regular(path)?;
        open(path, OpenOptions::new().append(true))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to).map_err(|error| at(from, &error))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(|error| at(path, &error))
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir(dir).map_err(|error| at(dir, &error))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| at(dir, &error))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| at(path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(OsLock { _file: file })),
            Err(TryLockError::WouldBlock) => {
                let message = format!("{}: held by another process", path.display());
                Err(io::Error::new(io::ErrorKind::WouldBlock, message))
            }
            Err(TryLockError::Error(error)) => Err(at(path, &error)),
        }
    }
}

/// The same error, with the path in front.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Refuses what would block or never end: pipes, devices. A link to a file is a file.
fn regular(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path).map_err(|error| at(path, &error))?;
    if kind.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{}: not a regular file", path.display())))
}

fn open(path: &Path, options: &OpenOptions) -> io::Result<Box<dyn FsFile>> {
    let file = options.open(path).map_err(|error| at(path, &error))?;
    Ok(Box::new(OsFile { file, name: path.display().to_string() }))
}

/// The entry as the store sees it; `None` for names that none of its files has.
fn described(entry: &fs::DirEntry) -> Option<Entry> {
    let name = entry.file_name().into_string().ok()?;
    // An entry that vanishes between being listed and being looked at is none.
    let metadata = entry.metadata().ok()?;
    let kind = match metadata.file_type() {
        kind if kind.is_file() => EntryKind::File,
        kind if kind.is_dir() => EntryKind::Directory,
        _ => EntryKind::Other,
    };
    let len = if kind == EntryKind::File { metadata.len() } else { 0 };
    Some(Entry { name, kind, len })
}

#[derive(Debug)]
struct OsFile {
    file: File,
    name: String,
}

impl OsFile {
    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.name))
    }
}

impl FsRead for OsFile {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(offset)).map_err(|error| self.named(&error))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.named(&error)),
            }
        }
        Ok(filled)
    }
}

impl FsFile for OsFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).map_err(|error| self.named(&error))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len).map_err(|error| self.named(&error))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data().map_err(|error| self.named(&error))
    }
}

#[derive(Debug)]
struct OsLock {
    _file: File,
}

impl FsLock for OsLock {}
