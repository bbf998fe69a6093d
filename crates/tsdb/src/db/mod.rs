//! A store on disk: blocks, the newest samples in memory, and the log that keeps these.
//!
//! Its directory is one of Prometheus, with a directory `narthex` for what nobody else reads. Opening finishes or undoes
//! whatever an interruption left, puts damaged parts aside and always succeeds unless another process has the store;
//! what is known to be missing is told by the queries that would have seen it. Time comes from the caller, and so does
//! the moment for what has to be done now and then: [`Database::maintain`].
//!
//! Reading order: [`options`], `blocks`, `gaps`, `quarantine`, `open`, `query`, [`append`], `cut`, `accel`,
//! [`maintain`], [`delete`], [`modes`], [`snapshot`], [`stats`].

mod accel;
pub mod append;
mod blocks;
mod cut;
pub mod delete;
mod gaps;
pub mod maintain;
pub mod modes;
mod open;
pub mod options;
mod quarantine;
mod query;
pub mod snapshot;
pub mod stats;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use narthex_model::Timestamp;
use narthex_storage::{StorageError, StorageErrorKind};

use crate::block::failure::io_failed;
use crate::block::{Block, Ulid};
use crate::fs::{Fs, FsLock};
use crate::head::Head;
use crate::wal::Wal;
use blocks::BlockList;
use cut::Unfinished;
use gaps::Gap;

pub use append::DatabaseAppender;
pub use blocks::block_dirs;
pub use maintain::Maintenance;
pub use options::DatabaseOptions;
pub use stats::DatabaseStats;

/// The directory in that of the store that is ours alone.
pub const OWN_DIR: &str = "narthex";
/// The log, in [`OWN_DIR`].
const LOG_DIR: &str = "wal";
/// Held by the process that writes the store; by Prometheus too.
const LOCK_FILE: &str = "lock";

/// A store on disk. Shared between threads.
#[derive(Debug)]
pub struct Database {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: DatabaseOptions,
    blocks: RwLock<BlockList>,
    head: Head,
    /// What another program has in memory, of a store that is only read: in order of precedence.
    foreign: RwLock<Arc<Vec<Head>>>,
    access: RwLock<Access>,
    /// Held from the opening for writing on, even while the log cannot be written: nobody else may write meanwhile.
    lock: Mutex<Option<Box<dyn FsLock>>>,
    gaps: Mutex<Vec<Gap>>,
    /// Held by the one thread that maintains the store.
    maintenance: Mutex<Unfinished>,
    names: AtomicU64,
    counters: Counters,
}

/// Whether the store can be written.
#[derive(Debug)]
enum Access {
    Write(Arc<Wal>),
    Read(StorageError),
}

/// What happened since the store was opened.
#[derive(Debug, Default)]
pub struct Counters {
    /// Parts that were found damaged, at the opening or by a query.
    pub damages: AtomicU64,
    /// Damaged parts of them that were put aside.
    pub quarantined: AtomicU64,
    /// Damaged parts of the log that were found at the opening, torn ends not counted.
    pub log_damages: AtomicU64,
    /// Floats that were appended.
    pub floats: AtomicU64,
    /// Native histograms that were appended.
    pub histograms: AtomicU64,
    /// Exemplars that were appended.
    pub exemplars: AtomicU64,
    /// Samples and exemplars that were refused when they were committed.
    pub refused: AtomicU64,
    /// Blocks that were removed because they were too old or there was no room.
    pub expired: AtomicU64,
    /// Blocks cut from the head.
    pub cuts: AtomicU64,
    /// Blocks made of others.
    pub compactions: AtomicU64,
    /// Times that maintenance did not come to its end.
    pub failures: AtomicU64,
}

impl Database {
    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How it was opened.
    pub fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// The newest samples.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The blocks that are there now, by time.
    pub fn blocks(&self) -> Vec<Arc<Block>> {
        (*self.block_list()).clone()
    }

    /// What happened since the store was opened.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What is known to be missing, whenever it was found: one sentence each.
    pub fn known_gaps(&self) -> Vec<String> {
        self.gaps().iter().map(Gap::to_string).collect()
    }

    /// The log.
    ///
    /// # Errors
    /// `Io` when the store is only read, with the reason.
    pub fn log(&self) -> Result<Arc<Wal>, StorageError> {
        match &*self.access.read().unwrap_or_else(PoisonError::into_inner) {
            Access::Write(log) => Ok(Arc::clone(log)),
            Access::Read(reason) => Err(reason.clone()),
        }
    }

    fn block_list(&self) -> BlockList {
        self.blocks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the list of blocks for queries that begin from now on.
    fn change_blocks(&self, change: impl FnOnce(&mut Vec<Arc<Block>>)) {
        let mut list = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        let mut blocks = (**list).clone();
        change(&mut blocks);
        blocks.sort_by_key(|block| (block.range().min_ms, block.range().max_ms, block.ulid()));
        *list = Arc::new(blocks);
    }

    fn gaps(&self) -> MutexGuard<'_, Vec<Gap>> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that no block has.
    fn new_name(&self, now_ms: Timestamp) -> Result<Ulid, StorageError> {
        loop {
            let number = self.names.fetch_add(1, Ordering::Relaxed);
            let name = Ulid::from_parts(now_ms, self.options.entropy.wrapping_add(u128::from(number)));
            // The process before may have had the same time and the same entropy. A name that a block gives as that of
            // one it was made from would be taken for superseded.
            let is_taken =
                self.fs.exists(&self.dir.join(name.to_string())).map_err(|error| io_failed(&error))?;
            if !is_taken && !self.block_list().iter().any(|block| descends_from(block, name)) {
                return Ok(name);
            }
        }
    }

    fn own(&self, name: &str) -> PathBuf {
        self.dir.join(OWN_DIR).join(name)
    }
}

fn descends_from(block: &Block, name: Ulid) -> bool {
    let compaction = &block.meta().compaction;
    compaction.sources.contains(&name) || compaction.parents.iter().any(|parent| parent.ulid == name)
}

/// Why a store that is only read cannot be written.
fn read_only() -> StorageError {
    StorageError::new(StorageErrorKind::Io, "the store was opened for reading only")
}
