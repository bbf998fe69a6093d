//! Flags of what an expression is evaluated over, and within which limits.

use clap::Args;
use narthex_model::Timestamp;

use crate::query_options::LimitArgs;
use crate::times::{parse_step, parse_time};

/// What an expression is evaluated over, and within which limits.
#[derive(Clone, Debug, Args)]
pub(crate) struct DataArgs {
    /// Exposition or OpenMetrics file with the samples, `-` for standard input, or directory of a store; may be given
    /// several times
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Vec<String>,
    /// Evaluate at this time [default: the newest sample's, without data now]
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, conflicts_with_all = ["from", "to", "step"])]
    pub(crate) at: Option<Timestamp>,
    /// Give up after this long
    #[arg(long = "query.timeout", value_name = "DURATION", value_parser = parse_step, default_value = "2m")]
    pub(crate) timeout_ms: i64,
    /// How much the query may use
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}
