//! Accelerators of a store: made of blocks that have none, removed with them. Nothing depends on them.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use narthex_storage::StorageError;

use super::{Database, OWN_DIR};
use crate::accel::{Progress, SummaryBuilder, UNFINISHED_SUFFIX};
use crate::block::failure::io_failed;
use crate::block::{Block, Ulid};
use crate::fs::Entry;

/// Where they are, in [`OWN_DIR`]: a file for each block, with its name.
const ACCEL_DIR: &str = "accel";
/// So many chunks are looked at by one call of [`Database::maintain`]: some tens of milliseconds.
const CHUNKS_PER_CALL: usize = 1 << 14;

/// Summaries that are being made.
#[derive(Debug, Default)]
pub(super) struct Summarising {
    builder: Option<SummaryBuilder>,
    /// Blocks whose summaries could not be written. They are not tried again: what is only for speed must not take the
    /// last room on a disk over and over.
    given_up: HashSet<Ulid>,
}

impl Database {
    fn accel_dir(&self) -> PathBuf {
        self.dir.join(OWN_DIR).join(ACCEL_DIR)
    }

    /// Opens the summaries of the blocks that have none yet, where there are such.
    pub(super) fn open_summaries(&self) {
        for block in self.block_list().iter().filter(|block| !block.has_summaries()) {
            block.open_summaries(&*self.fs, &self.accel_dir().join(block.ulid().to_string()));
        }
    }

    /// Removes what belongs to no block, and makes summaries for a while. Returns the number of blocks that have got
    /// theirs.
    pub(super) fn summarise(&self, state: &mut Summarising) -> Result<u64, StorageError> {
        let blocks = self.block_list();
        state.builder.take_if(|builder| !blocks.iter().any(|block| Arc::ptr_eq(block, builder.block())));
        self.remove_orphans(state.builder.is_some())?;
        let (mut chunks, mut done) = (CHUNKS_PER_CALL, 0);
        while let Some(block) = state.next(&blocks) {
            match self.summarise_block(&mut state.builder, &block, &mut chunks) {
                Ok(Progress::Complete) => done += 1,
                Ok(Progress::Begun) => break,
                Err(error) => {
                    state.builder = None;
                    state.given_up.insert(block.ulid());
                    let _ = self.remove_orphans(false);
                    return Err(error);
                }
            }
        }
        Ok(done)
    }

    fn summarise_block(
        &self,
        builder: &mut Option<SummaryBuilder>,
        block: &Arc<Block>,
        chunks: &mut usize,
    ) -> Result<Progress, StorageError> {
        let path = self.accel_dir().join(block.ulid().to_string());
        let mut work = match builder.take() {
            Some(work) => work,
            None => {
                self.fs.create_dir_all(&self.accel_dir()).map_err(|error| io_failed(&error))?;
                SummaryBuilder::begin(&*self.fs, &path, Arc::clone(block))?
            }
        };
        let progress = work.advance(chunks)?;
        if progress == Progress::Begun {
            *builder = Some(work);
            return Ok(progress);
        }
        work.publish(&*self.fs)?;
        block.open_summaries(&*self.fs, &path);
        Ok(progress)
    }

    /// Removes the files that belong to no block; unfinished ones as well unless `is_building`.
    fn remove_orphans(&self, is_building: bool) -> Result<(), StorageError> {
        let dir = self.accel_dir();
        let entries = match self.fs.list(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|error| io_failed(&error))?,
        };
        let blocks: HashSet<String> =
            self.block_list().iter().map(|block| block.ulid().to_string()).collect();
        let is_orphan = |entry: &&Entry| match entry.name.strip_suffix(UNFINISHED_SUFFIX) {
            Some(_) => !is_building,
            None => !blocks.contains(&entry.name),
        };
        let mut orphans = entries.iter().filter(is_orphan);
        orphans
            .try_for_each(|entry| self.fs.remove_file(&dir.join(&entry.name)))
            .map_err(|error| io_failed(&error))
    }
}

impl Summarising {
    /// The block whose summaries are next.
    fn next(&self, blocks: &[Arc<Block>]) -> Option<Arc<Block>> {
        if let Some(builder) = &self.builder {
            return Some(Arc::clone(builder.block()));
        }
        let is_next = |block: &&Arc<Block>| !block.has_summaries() && !self.given_up.contains(&block.ulid());
        blocks.iter().find(is_next).cloned()
    }
}
