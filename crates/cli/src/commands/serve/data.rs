//! The data that are served: a folder of blocks, or the samples of a file.

use std::path::Path;
use std::sync::Arc;

use narthex_model::TimeRange;
use narthex_remote::Ingest;
use narthex_storage::{MergedQuerier, Querier, Queryable, StorageError};
use narthex_tsdb::block::{Block, Ulid};
use narthex_tsdb::fs::{EntryKind, Fs, OsFs};

use crate::exit::Trouble;
use crate::input::load_samples;
use crate::screen::Screen;
use crate::times::now_ms;

/// What is served.
pub(super) struct Store {
    /// What is read.
    pub(super) queryable: Arc<dyn Queryable>,
    /// What is written to, if it can be.
    pub(super) ingest: Option<Arc<dyn Ingest>>,
}

/// Opens a folder or a file.
pub(super) fn open(path: &str, screen: &Screen) -> Result<Store, Trouble> {
    let queryable: Arc<dyn Queryable> =
        if Path::new(path).is_dir() { Arc::new(blocks(path, screen)?) } else { samples(path, screen)? };
    Ok(Store { queryable, ingest: None })
}

/// The samples of an exposition file, in memory; those without a time count as taken now.
fn samples(path: &str, screen: &Screen) -> Result<Arc<dyn Queryable>, Trouble> {
    let samples = load_samples(&[path.to_owned()], now_ms())?;
    if samples.diagnostics.is_empty() {
        return Ok(Arc::new(samples.head));
    }
    screen.complain(&samples.diagnostics, &samples.sources);
    Err(Trouble::new(format!("{path} has samples that cannot be served")))
}

/// The blocks of a folder, read as one store.
struct Blocks(Vec<Block>);

impl Queryable for Blocks {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        let inside = self.0.iter().filter(|block| block.range().overlaps(range));
        let queriers: Result<Vec<_>, _> = inside.map(|block| block.querier(range)).collect();
        Ok(Box::new(MergedQuerier::new(queriers?)))
    }
}

fn blocks(path: &str, screen: &Screen) -> Result<Blocks, Trouble> {
    let folder = Path::new(path);
    let entries = OsFs.list(folder).map_err(|error| Trouble::io("read", path, &error))?;
    let is_block = |name: &str| name.parse::<Ulid>().is_ok();
    let mut blocks = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Directory && is_block(&entry.name)) {
        match Block::open(&OsFs, &folder.join(&entry.name)) {
            Ok(block) => blocks.push(block),
            Err(error) => screen.note(&format!("warning: block {} is left out: {error}\n", entry.name)),
        }
    }
    Ok(Blocks(blocks))
}
