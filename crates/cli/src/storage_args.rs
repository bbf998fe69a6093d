//! Flags of a store on disk, under upstream's names.

use clap::Args;
use narthex_tsdb::db::DatabaseOptions;
use narthex_tsdb::head::HeadOptions;
use narthex_tsdb::wal::SyncPolicy;

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
    /// When acknowledged samples are made durable. A duration is what a power cut or a crash of the system can cost: by
    /// default nothing that was acknowledged more than 1 s ago; with `always`, which takes longer, nothing. A crash of
    /// narthex alone never costs anything
    #[arg(long = "storage.sync", value_name = "DURATION|always", value_parser = parse_sync, default_value = "1s")]
    sync: SyncPolicy,
    /// Samples that come late are taken when they are not older than this against the newest one [default: none are]
    #[arg(long = "storage.tsdb.out-of-order-time-window", value_name = "DURATION", value_parser = parse_step)]
    late_ms: Option<i64>,
    /// Most exemplars that are kept, in memory and in the log; for one more, the oldest goes. 0 for none
    #[arg(long = "storage.exemplars.max-exemplars", value_name = "COUNT", default_value_t = HeadOptions::DATABASE.exemplars_max)]
    exemplars_max: usize,
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
        options.log.policy = self.sync;
        options.head.out_of_order_window_ms = self.late_ms.unwrap_or(0);
        options.head.exemplars_max = self.exemplars_max;
        options.retention.time_ms = self.retention_ms;
        options.retention.size_bytes = self.retention_bytes;
        options
    }
}

/// Reads when samples are made durable.
fn parse_sync(text: &str) -> Result<SyncPolicy, String> {
    if text == "always" || text.trim_end_matches('s') == "0" {
        return Ok(SyncPolicy::Always);
    }
    parse_step(text).map(|ms| SyncPolicy::Interval { ms })
}
