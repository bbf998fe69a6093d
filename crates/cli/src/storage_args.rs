//! Flags of a store on disk, under upstream's names.

use clap::Args;
use narthex_tsdb::db::DatabaseOptions;

use crate::times::parse_step;

/// How long samples are kept, and in blocks of which length.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct StorageArgs {
    /// Samples are kept for this long behind the newest block
    #[arg(long = "storage.tsdb.retention.time", value_name = "DURATION", value_parser = parse_step, default_value = "15d")]
    retention_ms: i64,
    /// Blocks and logs take so many bytes at most; 0 for any number
    #[arg(long = "storage.tsdb.retention.size", value_name = "BYTES", default_value_t = 0)]
    retention_bytes: u64,
    /// Length of the blocks that are cut
    #[arg(long = "storage.tsdb.min-block-duration", value_name = "DURATION", value_parser = parse_step, default_value = "2h", hide = true)]
    block_min_ms: i64,
    /// Length up to which blocks are compacted [default: a tenth of the retention time, 31 days at most]
    #[arg(long = "storage.tsdb.max-block-duration", value_name = "DURATION", value_parser = parse_step, hide = true)]
    block_max_ms: Option<i64>,
}

impl StorageArgs {
    /// How the store is opened; `entropy` as [`DatabaseOptions::entropy`].
    pub(crate) fn options(&self, entropy: u128) -> DatabaseOptions {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        let longest_ms = self.block_max_ms.unwrap_or_else(|| (self.retention_ms / 10).min(31 * DAY_MS));
        let longest_ms = longest_ms.max(self.block_min_ms);
        let mut options = DatabaseOptions::with_ranges(self.block_min_ms, longest_ms, entropy);
        options.retention.time_ms = self.retention_ms;
        options.retention.size_bytes = self.retention_bytes;
        options
    }
}
