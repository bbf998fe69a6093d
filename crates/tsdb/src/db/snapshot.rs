//! Copies of a store while it is in use.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use narthex_model::Timestamp;
use narthex_storage::StorageError;

use super::{Database, DatabaseOptions};
use crate::block::failure::io_failed;
use crate::block::writer::UNFINISHED_SUFFIX;
use crate::fs::{EntryKind, Fs, remove_tree};

impl Database {
    /// Copies the store into a new directory: its blocks as they are and, if `with_head`, a block of what is newer.
    /// Prometheus opens the copy, and so does this. It appears under its name when it is complete.
    ///
    /// # Errors
    /// When the directory is there already or cannot be written: then there is none. When the name of a complete copy
    /// cannot be made durable.
    pub fn snapshot(&self, target: &Path, head: SnapshotHead, now_ms: Timestamp) -> Result<(), StorageError> {
        // No block comes or goes meanwhile.
        let _maintenance = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let fs = &*self.fs;
        if fs.exists(target).map_err(|error| io_failed(&error))? {
            return Err(super::open::refused(format!("{}: is there already", target.display())));
        }
        let Some(unfinished) = unfinished_name(target) else {
            return Err(super::open::refused(format!(
                "{}: expected the name of a directory",
                target.display()
            )));
        };
        let made = self.copy_into(&unfinished, head, now_ms);
        let named = made.and_then(|()| fs.rename(&unfinished, target).map_err(|error| io_failed(&error)));
        if named.is_err() {
            let _ = remove_tree(fs, &unfinished);
            return named;
        }
        let above = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs.sync_dir(above).map_err(|error| io_failed(&error))
    }

    fn copy_into(&self, target: &Path, head: SnapshotHead, now_ms: Timestamp) -> Result<(), StorageError> {
        let fs = &*self.fs;
        if fs.exists(target).map_err(|error| io_failed(&error))? {
            remove_tree(fs, target).map_err(|error| io_failed(&error))?;
        }
        fs.create_dir_all(target).map_err(|error| io_failed(&error))?;
        for block in self.block_list().iter() {
            copy_tree(fs, block.dir(), &target.join(block.ulid().to_string()))
                .map_err(|error| io_failed(&error))?;
        }
        if head == SnapshotHead::Included {
            let options =
                DatabaseOptions { entropy: self.options.entropy ^ u128::MAX, ..self.options.clone() };
            let copy = Database::prepared(self.fs.clone(), target, options);
            copy.write_head(&self.head, now_ms)?;
            let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner).clone();
            foreign.iter().try_for_each(|head| copy.write_head(head, now_ms))?;
        }
        fs.sync_dir(target).map_err(|error| io_failed(&error))
    }
}

/// Whether the newest samples belong to a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SnapshotHead {
    /// They do.
    Included,
    /// Blocks only.
    LeftOut,
}

/// Where a copy is until it is complete, beside its place: a name that nothing else has, for it is removed if it is
/// there.
fn unfinished_name(target: &Path) -> Option<PathBuf> {
    let mut name = target.file_name()?.to_owned();
    name.push(UNFINISHED_SUFFIX);
    Some(target.with_file_name(name))
}

fn copy_tree(fs: &dyn Fs, from: &Path, to: &Path) -> std::io::Result<()> {
    fs.create_dir_all(to)?;
    for entry in fs.list(from)? {
        let (from, to) = (from.join(&entry.name), to.join(&entry.name));
        match entry.kind {
            EntryKind::Directory => copy_tree(fs, &from, &to)?,
            EntryKind::File => {
                let mut file = fs.create(&to)?;
                file.write_all(&fs.map(&from)?)?;
                file.sync()?;
            }
            EntryKind::Other => {}
        }
    }
    fs.sync_dir(to)
}
