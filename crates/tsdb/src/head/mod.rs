//! Samples in memory, packed as they come.
//!
//! A [`Head`] is the store behind tests, rule checks and embedded engines, and the newest part of a store on disk: series
//! by labels, their samples in chunks of their final encoding, an index of their labels. It is shared between threads:
//! batches ([`HeadAppender`]) become visible as a whole, queries see the commits that were there when they began, and
//! neither waits for the other longer than a series takes.
//!
//! Reading order: [`options`], `open_chunk`, `series`, `out_of_order`, `readers`, `index`, [`append`], `restore`, `read`,
//! [`source`], [`truncate`], `exemplars`, `metadata`.

pub mod append;
mod exemplars;
mod index;
mod merge;
mod metadata;
mod open_chunk;
pub mod options;
mod out_of_order;
mod read;
mod readers;
mod restore;
mod series;
pub mod source;
pub mod truncate;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use narthex_model::Timestamp;

use exemplars::ExemplarRing;
use index::Index;
use metadata::MetadataTable;
use readers::Readers;

pub use append::{Committed, HeadAppender};
pub use open_chunk::CHUNK_SAMPLES;
pub use options::{BLOCK_RANGE_MS, HeadLimits, HeadOptions};
pub use restore::Restored;
pub use source::{HeadSource, Seen};
pub use truncate::Truncated;

/// A store in memory.
#[derive(Debug)]
pub struct Head {
    options: HeadOptions,
    index: Index,
    /// Number of the last commit. Held while a commit is logged and applied, so that the log has the order of the head.
    last_commit: Mutex<u64>,
    readers: Readers,
    /// Time of the newest sample in order, `MIN` without one.
    newest_ms: AtomicI64,
    /// Time of the oldest sample, `MAX` without one.
    oldest_ms: AtomicI64,
    /// Samples in order before this are not taken.
    floor_ms: AtomicI64,
    exemplars: ExemplarRing,
    metadata: MetadataTable,
}

impl Head {
    /// An empty store. [`HeadLimits`] alone make one in memory only.
    pub fn new(options: impl Into<HeadOptions>) -> Head {
        Head {
            options: options.into(),
            index: Index::new(),
            last_commit: Mutex::new(0),
            readers: Readers::new(),
            newest_ms: AtomicI64::new(Timestamp::MIN),
            oldest_ms: AtomicI64::new(Timestamp::MAX),
            floor_ms: AtomicI64::new(Timestamp::MIN),
            exemplars: ExemplarRing::default(),
            metadata: MetadataTable::default(),
        }
    }

    /// How it was made.
    pub fn options(&self) -> HeadOptions {
        self.options
    }

    /// Number of series, those included that have no committed sample yet.
    pub fn series_count(&self) -> usize {
        self.index.len()
    }

    /// Number of samples. Looks at every series.
    pub fn sample_count(&self) -> usize {
        self.index.all().iter().map(|series| series.lock().sample_count()).sum()
    }

    /// Bytes of all chunks. Looks at every series.
    pub fn chunk_bytes(&self) -> usize {
        self.index.all().iter().map(|series| series.lock().chunk_bytes()).sum()
    }

    /// Time of the oldest sample; too early while samples are let go of, never too late otherwise.
    pub fn min_ms(&self) -> Option<Timestamp> {
        Some(self.oldest_ms.load(Ordering::Relaxed)).filter(|&oldest_ms| oldest_ms < Timestamp::MAX)
    }

    /// Time of the first sample that is not before `from_ms`, or an instant in front of it in the same chunk. Looks at
    /// every series.
    pub fn first_from(&self, from_ms: Timestamp) -> Option<Timestamp> {
        self.index.all().iter().filter_map(|series| series.lock().first_from(from_ms)).min()
    }

    /// Time of the newest sample that was ever in order.
    pub fn max_ms(&self) -> Option<Timestamp> {
        Some(self.newest_ms.load(Ordering::Relaxed)).filter(|&newest_ms| newest_ms > Timestamp::MIN)
    }

    /// From which time on samples in order are taken and seen.
    pub fn floor_ms(&self) -> Timestamp {
        self.floor_ms.load(Ordering::Relaxed)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Head::new(self.options);
    }

    fn last_commit(&self) -> MutexGuard<'_, u64> {
        self.last_commit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
