//! How a store is opened.

use crate::block::BlockLimits;
use crate::compact::{CompactionOptions, Retention};
use crate::head::{BLOCK_RANGE_MS, HeadOptions};
use crate::wal::WalOptions;

/// Longest block of Prometheus that is not bounded by retention: 31 days.
const LONGEST_MS: i64 = 31 * 24 * 3600 * 1000;
/// Prometheus keeps that much when it is told nothing.
const KEPT_MS: i64 = 15 * 24 * 3600 * 1000;

/// How a store is opened.
#[derive(Clone, PartialEq, Debug)]
pub struct DatabaseOptions {
    /// The newest samples. Its chunk range is the length of the blocks that are cut.
    pub head: HeadOptions,
    /// The log.
    pub log: WalOptions,
    /// What blocks become.
    pub compaction: CompactionOptions,
    /// How long they stay.
    pub retention: Retention,
    /// Bounds of the files of a block.
    pub block_limits: BlockLimits,
    /// 80 bits that other processes do not use: names of blocks are made with them.
    pub entropy: u128,
}

impl DatabaseOptions {
    /// What Prometheus does: blocks of two hours, made longer up to a tenth of what is kept, which is 15 days.
    pub fn prometheus(entropy: u128) -> DatabaseOptions {
        let longest_ms = LONGEST_MS.min(KEPT_MS / 10);
        DatabaseOptions::with_ranges(BLOCK_RANGE_MS, longest_ms, entropy)
    }

    /// The same with blocks of other lengths: `first_ms` when cut, made longer up to `longest_ms`.
    pub fn with_ranges(first_ms: i64, longest_ms: i64, entropy: u128) -> DatabaseOptions {
        let head =
            HeadOptions { chunk_range_ms: first_ms, in_order_span_ms: first_ms / 2, ..HeadOptions::DATABASE };
        DatabaseOptions {
            head,
            log: WalOptions::STABLE,
            compaction: CompactionOptions::ladder(first_ms, longest_ms),
            retention: Retention { time_ms: KEPT_MS, size_bytes: 0 },
            block_limits: BlockLimits::PROMETHEUS,
            entropy,
        }
    }

    /// Length of the blocks that are cut.
    pub(super) fn block_range_ms(&self) -> i64 {
        self.head.chunk_range_ms.max(2)
    }
}
