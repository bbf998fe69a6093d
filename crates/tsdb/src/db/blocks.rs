//! The blocks of a store: which directories are such, which of them are still wanted, which are damaged.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_model::TimeRange;
use narthex_storage::{StorageError, StorageErrorKind};

use super::gaps::Gap;
use crate::block::failure::io_failed;
use crate::block::{Block, Ulid};
use crate::compact::superseded;
use crate::fs::{EntryKind, Fs};

/// Blocks by time; a query keeps the list it began with.
pub(super) type BlockList = Arc<Vec<Arc<Block>>>;

/// What is in the directory of a store.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Blocks whose content is in no other one.
    pub(super) blocks: Vec<Arc<Block>>,
    /// The directories of blocks whose content is in others.
    pub(super) superseded: Vec<PathBuf>,
    /// Directories with the names of blocks that cannot be opened, and why.
    pub(super) damaged: Vec<Damaged>,
}

/// A block that cannot be opened.
#[derive(Debug)]
pub(super) struct Damaged {
    pub(super) ulid: Ulid,
    pub(super) dir: PathBuf,
    pub(super) error: StorageError,
}

/// The directories in one that have names of blocks, in upper case or lower, as Prometheus takes them.
///
/// # Errors
/// When the directory cannot be listed.
pub fn block_dirs(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<(Ulid, PathBuf)>> {
    let entries = fs.list(dir)?;
    let dirs = entries.iter().filter(|entry| entry.kind == EntryKind::Directory);
    let mut dirs: Vec<(Ulid, PathBuf)> =
        dirs.filter_map(|entry| Some((entry.name.parse().ok()?, dir.join(&entry.name)))).collect();
    // Of two that differ in case only, the one in upper case: it is sorted in front.
    let mut seen = HashSet::new();
    dirs.retain(|(ulid, _)| seen.insert(*ulid));
    Ok(dirs)
}

/// Opens the blocks of a directory. Those in `known` are taken as they are.
///
/// # Errors
/// When the directory cannot be listed.
pub(super) fn find(fs: &dyn Fs, dir: &Path, known: &[Arc<Block>]) -> Result<Found, StorageError> {
    let mut found = Found::default();
    for (ulid, dir) in block_dirs(fs, dir).map_err(|error| io_failed(&error))? {
        if let Some(block) = known.iter().find(|block| block.ulid() == ulid) {
            found.blocks.push(Arc::clone(block));
            continue;
        }
        match Block::open(fs, &dir) {
            Ok(block) => found.blocks.push(Arc::new(block)),
            Err(error) => found.damaged.push(Damaged { ulid, dir, error }),
        }
    }
    let metas: Vec<_> = found.blocks.iter().map(|block| (*block.meta()).clone()).collect();
    let superseded = superseded(&metas);
    let (superseded, kept) = found.blocks.into_iter().partition(|block| superseded.contains(&block.ulid()));
    let superseded: Vec<Arc<Block>> = superseded;
    found.superseded = superseded.iter().map(|block| block.dir().to_owned()).collect();
    found.blocks = kept;
    found.blocks.sort_by_key(|block| (block.range().min_ms, block.range().max_ms, block.ulid()));
    Ok(found)
}

/// Whether bytes are damaged, as against a call that failed and may succeed the next time.
pub(super) fn is_damage(error: &StorageError) -> bool {
    error.kind() == StorageErrorKind::Corrupt
}

/// What is missing with a block that cannot be opened. What it says of its time cannot be trusted.
pub(super) fn gap_of(Damaged { ulid, error, .. }: &Damaged) -> Gap {
    let reason = format!("block {ulid} cannot be read, its samples are missing: {error}");
    Gap { is_lasting: is_damage(error), ..Gap::new(TimeRange::ALL, reason) }
}
