//! A file system in memory that fails when told to and loses what was never synced.
//!
//! For stores that need no disk, and for tests: a [`Fault`] makes the n-th call fail, a capacity fills the disk, and
//! [`MemoryFs::after_crash`] is the disk as the next start finds it.

mod fault;
mod tree;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use fault::{Fault, FaultMode, Operation};
use fault::{Faults, Verdict};
use tree::{NodeId, Tree};

use super::{Entry, FileBytes, Fs, FsFile, FsLock, FsRead};

/// What of a disk is left after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Survival {
    /// All that was written: the process was killed, the machine runs on.
    Written,
    /// Only what was synced: the power went, and nothing had reached the disk by itself.
    Synced,
    /// What was synced and, chosen by this number, some of the rest: names per directory, a beginning of what was
    /// written behind the synced content of a file, perhaps with zeros up to its length.
    Torn(u64),
}

/// A file system in memory. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryFs {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    tree: Tree,
    faults: Faults,
    capacity_bytes: Option<u64>,
}

impl MemoryFs {
    /// An empty disk that never fails.
    pub fn new() -> MemoryFs {
        MemoryFs::default()
    }

    /// Makes calls fail from now on, counted from now on; `None`: no more.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.disk().faults.set(fault);
    }

    /// Calls of one kind since the last [`MemoryFs::set_fault`]; of all that change something with `None`.
    pub fn calls(&self, operation: Option<Operation>) -> u64 {
        self.disk().faults.calls(operation)
    }

    /// Bounds the content of all files together; writing more fails with `StorageFull`. `None`: no bound.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk().capacity_bytes = bytes;
    }

    /// Bytes of all files.
    pub fn used_bytes(&self) -> u64 {
        self.disk().tree.used_bytes()
    }

    /// Another disk with what a crash at this moment leaves: no locks, no faults. This one goes on as if nothing had
    /// happened.
    pub fn after_crash(&self, survival: Survival) -> MemoryFs {
        let tree = self.disk().tree.after_crash(survival);
        MemoryFs { disk: Arc::new(Mutex::new(Disk { tree, ..Disk::default() })) }
    }

    /// Changes the content of a file behind the back of the store, as a failing medium does.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn damage(&self, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut disk = self.disk();
        let file = disk.tree.file(path)?;
        disk.tree.damage(file, damage);
        Ok(())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk, if this call is not one that fails.
    fn allowed(&self, operation: Operation) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.disk();
        match disk.faults.judge(operation) {
            Verdict::Goes => Ok(disk),
            Verdict::Fails(error) => Err(error.into()),
        }
    }
}

impl Fs for MemoryFs {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.allowed(Operation::Read)?.tree.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.allowed(Operation::Read)?.tree.exists(path))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let disk = self.allowed(Operation::Read)?;
        Ok(disk.tree.content(disk.tree.file(path)?).to_vec())
    }

    fn map(&self, path: &Path) -> io::Result<FileBytes> {
        self.read(path).map(FileBytes::from)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn FsRead>> {
        let file = self.allowed(Operation::Read)?.tree.file(path)?;
        Ok(Box::new(MemoryFile { fs: self.clone(), file }))
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.allowed(Operation::Create)?.tree.create_dir_all(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let file = self.allowed(Operation::Create)?.tree.create(path)?;
        Ok(Box::new(MemoryFile { fs: self.clone(), file }))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let file = self.allowed(Operation::Read)?.tree.file(path)?;
        Ok(Box::new(MemoryFile { fs: self.clone(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.allowed(Operation::Rename)?.tree.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.allowed(Operation::Remove)?.tree.remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.allowed(Operation::Remove)?.tree.remove_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.allowed(Operation::SyncDir)?.tree.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>> {
        let mut disk = self.allowed(Operation::Create)?;
        disk.tree.lock(path)?;
        drop(disk);
        Ok(Box::new(MemoryLock { fs: self.clone(), path: path.into() }))
    }
}

#[derive(Debug)]
struct MemoryFile {
    fs: MemoryFs,
    file: NodeId,
}

impl FsRead for MemoryFile {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let disk = self.fs.allowed(Operation::Read)?;
        let content = disk.tree.content(self.file);
        let rest = usize::try_from(offset).ok().and_then(|offset| content.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl FsFile for MemoryFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.fs.disk();
        let verdict = disk.faults.judge(Operation::Write);
        let place =
            disk.capacity_bytes.map_or(u64::MAX, |capacity| capacity.saturating_sub(disk.tree.used_bytes()));
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        match verdict {
            Verdict::Goes if place >= bytes.len() => {
                disk.tree.append(self.file, bytes);
                Ok(())
            }
            Verdict::Goes => {
                disk.tree.append(self.file, &bytes[..place]);
                Err(io::ErrorKind::StorageFull.into())
            }
            // A write that fails may have done half of its work.
            Verdict::Fails(error) => {
                disk.tree.append(self.file, &bytes[..place.min(bytes.len() / 2)]);
                Err(error.into())
            }
        }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.fs.allowed(Operation::Truncate)?.tree.truncate(self.file, len);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fs.allowed(Operation::Sync)?.tree.sync(self.file);
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryLock {
    fs: MemoryFs,
    path: Box<Path>,
}

impl FsLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.fs.disk().tree.unlock(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OsFs, remove_tree, write_atomically};
    use super::*;
    use std::path::PathBuf;

    fn path(text: &str) -> PathBuf {
        PathBuf::from("/data").join(text)
    }

    /// The same steps on any file system, with what they leave.
    fn exercise(fs: &dyn Fs, root: &Path) -> Vec<(String, u64)> {
        fs.create_dir_all(&root.join("a/b")).unwrap();
        write_atomically(fs, &root.join("a/one"), b"first").unwrap();
        write_atomically(fs, &root.join("a/one"), b"second!").unwrap();
        let mut file = fs.create(&root.join("a/b/two")).unwrap();
        file.write_all(b"0123456789").unwrap();
        file.truncate(3).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(fs.create(&root.join("a/one")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        fs.rename(&root.join("a/b"), &root.join("a/c")).unwrap();
        assert_eq!(fs.read(&root.join("a/c/two")).unwrap(), b"012x");
        assert_eq!(&fs.map(&root.join("a/one")).unwrap()[..], b"second!");
        let mut buffer = [0; 4];
        let mut one = fs.open_read(&root.join("a/one")).unwrap();
        assert_eq!((one.read_at(5, &mut buffer).unwrap(), &buffer[..2]), (2, &b"d!"[..]));
        assert_eq!((one.read_at(8, &mut buffer).unwrap(), one.read_at(0, &mut buffer).unwrap()), (0, 4));
        fs.open_append(&root.join("a/one")).unwrap().write_all(b"?").unwrap();
        assert_eq!(fs.remove_dir(&root.join("a")).unwrap_err().kind(), io::ErrorKind::DirectoryNotEmpty);
        fs.create_dir_all(&root.join("gone/deep")).unwrap();
        remove_tree(fs, &root.join("gone")).unwrap();
        assert!(!fs.exists(&root.join("gone")).unwrap());
        assert!(fs.read(&root.join("a/none")).is_err());
        let held = fs.lock(&root.join("lock")).unwrap();
        assert_eq!(fs.lock(&root.join("lock")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        fs.lock(&root.join("lock")).unwrap();
        let mut left = fs.list(root).unwrap();
        left.extend(fs.list(&root.join("a")).unwrap());
        left.into_iter().map(|entry| (entry.name, entry.len)).collect()
    }

    #[test]
    fn memory_and_machine_behave_alike() {
        let dir = narthex_testkit::ScratchDir::new("fs-alike");
        let expected = exercise(&OsFs, dir.path());
        assert_eq!(exercise(&MemoryFs::new(), Path::new("/data")), expected);
        assert_eq!(
            expected,
            [("a", 0), ("lock", 0), ("c", 0), ("one", 8)].map(|(name, len)| (name.into(), len))
        );
    }

    #[test]
    fn only_what_was_synced_outlives_the_power() {
        let fs = MemoryFs::new();
        fs.create_dir_all(&path("")).unwrap();
        fs.sync_dir(Path::new("/")).unwrap();
        let mut named = fs.create(&path("named")).unwrap();
        named.write_all(b"ab").unwrap();
        named.sync().unwrap();
        fs.sync_dir(&path("")).unwrap();
        named.write_all(b"cd").unwrap();
        fs.create(&path("nameless")).unwrap().write_all(b"x").unwrap();
        let read = |survival| fs.after_crash(survival).read(&path("named")).unwrap();
        assert_eq!(read(Survival::Synced), b"ab");
        assert_eq!(read(Survival::Written), b"abcd");
        assert!(!fs.after_crash(Survival::Synced).exists(&path("nameless")).unwrap());
        let torn: std::collections::BTreeSet<_> = (0..100).map(|seed| read(Survival::Torn(seed))).collect();
        assert!(torn.len() >= 4 && torn.iter().all(|content| content.starts_with(b"ab")), "{torn:?}");
    }

    #[test]
    fn the_call_that_is_to_fail_fails() {
        let fs = MemoryFs::new();
        fs.create_dir_all(&path("")).unwrap();
        let fault =
            |nth, mode| Fault { operation: Some(Operation::Write), nth, mode, error: io::ErrorKind::Other };
        fs.set_fault(Some(fault(1, FaultMode::Once)));
        let mut file = fs.create(&path("f")).unwrap();
        file.write_all(b"ab").unwrap();
        file.write_all(b"cd").unwrap_err();
        file.write_all(b"ef").unwrap();
        assert_eq!(fs.read(&path("f")).unwrap(), b"abcef");
        assert_eq!(fs.calls(Some(Operation::Write)), 3);
        fs.set_fault(Some(fault(0, FaultMode::Onwards)));
        file.write_all(b"gh").unwrap_err();
        file.sync().unwrap_err();
        fs.set_fault(None);
        fs.set_capacity(Some(8));
        let full = file.write_all(b"ijklm").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs.used_bytes(), 8);
    }
}
