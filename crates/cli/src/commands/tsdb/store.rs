//! A data directory as it is: all of it, or its blocks one by one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_model::Matcher;
use narthex_storage::StorageError;
use narthex_tsdb::block::{Block, Ulid};
use narthex_tsdb::db::{self, Database, DatabaseOptions};
use narthex_tsdb::fs::OsFs;

use crate::exit::Trouble;
use crate::paths::STDIN;
use crate::screen::Screen;

/// So many known gaps are told, the others counted.
const GAPS_TOLD: usize = 10;

/// Opens everything in a directory for reading: blocks, the logs of Prometheus and ours. Not one byte is changed.
///
/// # Errors
/// When there is no such directory, or it cannot be read.
pub(crate) fn open_store(dir: &str, screen: &Screen) -> Result<Database, Trouble> {
    // Nothing is written, so that no names are made.
    let options = DatabaseOptions::prometheus(0);
    let opened = Database::open_read_only(Arc::new(OsFs), Path::new(dir), options);
    let database = opened.map_err(|error| Trouble::new(format!("cannot open {dir}: {error}")))?;
    tell_gaps(&database, screen);
    Ok(database)
}

/// Says what of a store is known to be missing, a line each, the first ones at least.
pub(crate) fn tell_gaps(database: &Database, screen: &Screen) {
    let gaps = database.known_gaps();
    let told = gaps.iter().take(GAPS_TOLD);
    told.for_each(|gap| screen.note(&format!("warning: {gap}\n")));
    let more = gaps.len().saturating_sub(GAPS_TOLD);
    if more > 0 {
        screen.note(&format!("warning: … and {more} more\n"));
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
    db::block_dirs(&OsFs, Path::new(dir)).map_err(|error| Trouble::new(format!("cannot open {error}")))
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
