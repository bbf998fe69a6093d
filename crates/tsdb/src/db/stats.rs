//! What a store can tell of itself without looking at every series.

use std::sync::PoisonError;

use narthex_model::Timestamp;

use super::Database;
use crate::wal::WalStats;

/// Numbers of a store at one moment; what was counted since it was opened is in [`super::Counters`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DatabaseStats {
    /// Known gaps.
    pub gaps: usize,
    /// Blocks.
    pub blocks: usize,
    /// Bytes of their files.
    pub block_bytes: u64,
    /// End of the newest block, exclusive.
    pub blocks_end_ms: Option<Timestamp>,
    /// Series in memory, those of other programs' logs included.
    pub series: usize,
    /// Time of the oldest sample in memory.
    pub head_min_ms: Option<Timestamp>,
    /// Time of the newest sample in memory.
    pub head_max_ms: Option<Timestamp>,
    /// Exemplars in memory.
    pub exemplars: usize,
    /// Series that have some.
    pub series_with_exemplars: usize,
    /// The log, of a store that is written.
    pub log: Option<WalStats>,
}

impl Database {
    /// Numbers of the store as it is now.
    pub fn stats(&self) -> DatabaseStats {
        let blocks = self.block_list();
        let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner).clone();
        let heads = || std::iter::once(&self.head).chain(foreign.iter());
        DatabaseStats {
            gaps: self.gaps().len(),
            blocks: blocks.len(),
            block_bytes: blocks.iter().map(|block| block.file_bytes()).sum(),
            blocks_end_ms: blocks.iter().map(|block| block.meta().max_ms).max(),
            series: heads().map(|head| head.series_count()).sum(),
            head_min_ms: heads().filter_map(|head| head.min_ms()).min(),
            head_max_ms: heads().filter_map(|head| head.max_ms()).max(),
            exemplars: heads().map(|head| head.exemplar_count()).sum(),
            series_with_exemplars: heads().map(|head| head.series_with_exemplars().len()).sum(),
            log: self.log().ok().map(|log| log.stats()),
        }
    }
}
