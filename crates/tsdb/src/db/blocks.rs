//! The blocks of a store: which directories are such, which of them are still wanted, which are damaged.

use std::path::Path;
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
    /// Blocks whose content is in others.
    pub(super) superseded: Vec<Ulid>,
    /// Directories with the names of blocks that cannot be opened, and why.
    pub(super) damaged: Vec<(Ulid, StorageError)>,
}

/// Opens the blocks of a directory. Those in `known` are taken as they are.
///
/// # Errors
/// When the directory cannot be listed.
pub(super) fn find(fs: &dyn Fs, dir: &Path, known: &[Arc<Block>]) -> Result<Found, StorageError> {
    let mut found = Found::default();
    for entry in fs.list(dir).map_err(|error| io_failed(&error))? {
        let Ok(ulid) = entry.name.parse::<Ulid>() else { continue };
        if entry.kind != EntryKind::Directory || entry.name != ulid.to_string() {
            continue;
        }
        if let Some(block) = known.iter().find(|block| block.ulid() == ulid) {
            found.blocks.push(Arc::clone(block));
            continue;
        }
        match Block::open(fs, &dir.join(&entry.name)) {
            Ok(block) => found.blocks.push(Arc::new(block)),
            Err(error) => found.damaged.push((ulid, error)),
        }
    }
    let metas: Vec<_> = found.blocks.iter().map(|block| (*block.meta()).clone()).collect();
    found.superseded = superseded(&metas);
    found.blocks.retain(|block| !found.superseded.contains(&block.ulid()));
    found.blocks.sort_by_key(|block| (block.range().min_ms, block.range().max_ms, block.ulid()));
    Ok(found)
}

/// Whether bytes are damaged, as against a call that failed and may succeed the next time.
pub(super) fn is_damage(error: &StorageError) -> bool {
    error.kind() == StorageErrorKind::Corrupt
}

/// What is missing with a block that cannot be opened. What it says of its time cannot be trusted.
pub(super) fn gap_of(ulid: Ulid, error: &StorageError) -> Gap {
    let reason = format!("block {ulid} cannot be read, its samples are missing: {error}");
    Gap { is_lasting: is_damage(error), ..Gap::new(TimeRange::ALL, reason) }
}
