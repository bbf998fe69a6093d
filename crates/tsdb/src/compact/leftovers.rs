//! What an interrupted run left, and removing blocks so that an interruption leaves nothing but that.

use std::io;
use std::path::{Path, PathBuf};

use narthex_storage::StorageError;

use crate::block::Ulid;
use crate::block::failure::io_failed;
use crate::block::writer::UNFINISHED_SUFFIX;
use crate::fs::{EntryKind, Fs, remove_tree};

/// What is behind the name of a block that is being removed.
pub const REMOVED_SUFFIX: &str = ".tmp-for-deletion";
/// What Prometheus once wrote behind names of either kind.
const LEGACY_SUFFIX: &str = ".tmp";

/// A directory that is not a block, whole or any more, and can be removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leftover {
    /// Its name.
    pub name: String,
    /// The block that it was to be, or was.
    pub ulid: Ulid,
}

/// What interrupted runs left in the directory of blocks.
///
/// # Errors
/// When the directory cannot be read.
pub fn leftovers(fs: &dyn Fs, dir: &Path) -> Result<Vec<Leftover>, StorageError> {
    let entries = fs.list(dir).map_err(|error| io_failed(&error))?;
    let directories = entries.into_iter().filter(|entry| entry.kind == EntryKind::Directory);
    let leftover = |name: String| {
        let suffixes = [UNFINISHED_SUFFIX, REMOVED_SUFFIX, LEGACY_SUFFIX];
        let ulid = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix))?.parse().ok()?;
        Some(Leftover { name, ulid })
    };
    Ok(directories.filter_map(|entry| leftover(entry.name)).collect())
}

/// Removes what an interrupted run left.
///
/// # Errors
/// When it cannot be removed; some of it may be gone.
pub fn remove_leftover(fs: &dyn Fs, dir: &Path, leftover: &Leftover) -> Result<(), StorageError> {
    remove_tree(fs, &dir.join(&leftover.name)).map_err(|error| io_failed(&error))
}

/// Removes a block. As soon as it has lost its name it is gone; an interruption leaves what [`leftovers`] finds. Whoever
/// has it open goes on reading.
///
/// # Errors
/// When it cannot be renamed, and then it is there; or when its files cannot be removed.
pub fn remove_block(fs: &dyn Fs, block_dir: &Path) -> Result<(), StorageError> {
    let mut removed = block_dir.as_os_str().to_owned();
    removed.push(REMOVED_SUFFIX);
    let removed = PathBuf::from(removed);
    let remove = || -> io::Result<()> {
        // Tried again, it may be that only the name is gone.
        if fs.exists(&removed)? {
            remove_tree(fs, &removed)?;
        }
        if fs.exists(block_dir)? {
            fs.rename(block_dir, &removed)?;
            fs.sync_dir(block_dir.parent().unwrap_or(Path::new(".")))?;
            remove_tree(fs, &removed)?;
        }
        Ok(())
    };
    remove().map_err(|error| io_failed(&error))
}
