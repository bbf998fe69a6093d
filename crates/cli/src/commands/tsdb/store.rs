//! A data directory as it is: its blocks, and what Prometheus has not yet put into one.

use std::path::{Path, PathBuf};

use narthex_model::{Matcher, TimeRange, Timestamp};
use narthex_storage::{MergedQuerier, Querier, Queryable, StorageError};
use narthex_tsdb::block::{Block, Ulid};
use narthex_tsdb::fs::{EntryKind, Fs, OsFs};
use narthex_tsdb::head::HeadOptions;
use narthex_tsdb::prometheus::{DamageKind, ForeignHead, ForeignOptions};

use crate::exit::Trouble;
use crate::paths::STDIN;
use crate::screen::Screen;

/// A store, opened for reading. Nothing in the directory is changed.
#[derive(Debug)]
pub(crate) struct Store {
    blocks: Vec<Block>,
    head: ForeignHead,
}

impl Store {
    /// Opens everything in a directory. Damage is told and passed over.
    ///
    /// # Errors
    /// When there is no such directory, or it cannot be read.
    pub(crate) fn open(dir: &str, screen: &Screen) -> Result<Store, Trouble> {
        let blocks = open_blocks(dir, screen)?;
        let in_order = |block: &&Block| block.meta().compaction.hints.is_empty();
        let ends = blocks.iter().filter(in_order).map(|block| block.meta().max_ms);
        let min_valid_ms = ends.max().unwrap_or(Timestamp::MIN);
        let options = ForeignOptions { head: HeadOptions::EMBEDDED, min_valid_ms };
        let head = ForeignHead::read(&OsFs, Path::new(dir), options).map_err(|error| trouble(&error))?;
        // The end of a log in use is torn; only damage is worth a word.
        let damages = head.report.damages.iter().filter(|damage| damage.kind == DamageKind::Corrupt);
        damages.for_each(|damage| screen.note(&format!("warning: {damage}; what follows is not read\n")));
        Ok(Store { blocks, head })
    }

    /// Time of the newest sample, if there is one.
    pub(crate) fn newest_ms(&self) -> Option<Timestamp> {
        let ends = self.blocks.iter().map(|block| block.meta().max_ms - 1);
        ends.chain(self.head.head.max_ms()).max()
    }
}

impl Queryable for Store {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        let blocks = self.blocks.iter().filter(|block| block.range().overlaps(range));
        let mut queriers = blocks.map(|block| block.querier(range)).collect::<Result<Vec<_>, _>>()?;
        queriers.push(self.head.head.querier(range)?);
        Ok(Box::new(MergedQuerier::new(queriers)))
    }
}

/// Whether samples are to be looked for in a store instead of a file.
pub(crate) fn is_store(path: &str) -> bool {
    path != STDIN && Path::new(path).is_dir()
}

/// Where the blocks of a store are, by name.
///
/// # Errors
/// When there is no such directory.
pub(crate) fn block_dirs(dir: &str) -> Result<Vec<(Ulid, PathBuf)>, Trouble> {
    let entries = OsFs.list(Path::new(dir)).map_err(|error| Trouble::new(format!("cannot open {error}")))?;
    let dirs = entries.iter().filter(|entry| entry.kind == EntryKind::Directory);
    let block = |name: &String| Some((name.parse().ok()?, Path::new(dir).join(name)));
    Ok(dirs.filter_map(|entry| block(&entry.name)).collect())
}

/// The blocks of a store, oldest samples first. One that cannot be read is told and passed over.
///
/// # Errors
/// When there is no such directory.
pub(crate) fn open_blocks(dir: &str, screen: &Screen) -> Result<Vec<Block>, Trouble> {
    let mut blocks = Vec::new();
    for (_, path) in block_dirs(dir)? {
        match Block::open(&OsFs, &path) {
            Ok(block) => {
                block.warnings().iter().for_each(|warning| screen.note(&format!("warning: {warning}\n")));
                blocks.push(block);
            }
            Err(error) => screen.note(&format!("warning: {error}; the block is passed over\n")),
        }
    }
    blocks.sort_by_key(|block| (block.meta().min_ms, block.ulid()));
    Ok(blocks)
}

/// The matchers of a selector.
///
/// # Errors
/// When it is none.
pub(crate) fn matchers_of(selector: &str) -> Result<Vec<Matcher>, Trouble> {
    narthex_promql::parse_selector(selector)
        .map_err(|error| Trouble::new(format!("selector {selector}: {error}")))
}

/// A failure of the store at the prompt.
pub(crate) fn trouble(error: &StorageError) -> Trouble {
    Trouble::new(error.to_string())
}
