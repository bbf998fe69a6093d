//! What can be typed behind `narthex tsdb`. Names are those of promtool where it has the command.

use clap::{Args, Subcommand};
use narthex_model::Timestamp;

/// Where a store is looked for when none is named.
const DATA_DIR: &str = "data/";

/// See `narthex tsdb`.
#[derive(Debug, Args)]
pub(crate) struct TsdbArgs {
    /// What to do with the store
    #[command(subcommand)]
    pub(crate) what: TsdbCommand,
}

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(crate) enum TsdbCommand {
    /// List the blocks
    List(ListArgs),
    /// Show what a block is made of: churn, common labels, sizes of chunks
    Analyze(AnalyzeArgs),
    /// Write every sample, one a line
    Dump(DumpArgs),
    /// Write every float sample as OpenMetrics
    #[command(visible_alias = "dump-openmetrics")]
    Export(DumpArgs),
    /// Read every byte and check every checksum
    Verify(DirArgs),
    /// Make a store of Prometheus, which must not run, one that narthex writes: its logs become blocks and are put aside
    TakeOver(DirArgs),
    /// Make a store one that Prometheus writes: what is not in blocks yet becomes blocks, our log goes
    HandBack(DirArgs),
    /// Copy a store as it is now, the newest samples included
    Snapshot(SnapshotArgs),
    /// Make blocks of an OpenMetrics file
    Import(ImportArgs),
    /// Make blocks of other data
    CreateBlocksFrom(CreateBlocksArgs),
}

/// A store.
#[derive(Debug, Args)]
pub(crate) struct DirArgs {
    /// Directory of the store
    #[arg(value_name = "DIR", default_value = DATA_DIR)]
    pub(crate) dir: String,
}

/// See [`TsdbCommand::Snapshot`].
#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    /// The store
    #[arg(value_name = "DIR")]
    pub(crate) dir: String,
    /// Directory that is made
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
}

/// See [`TsdbCommand::List`].
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Write times as dates and sizes with units
    #[arg(short = 'r', long)]
    pub(crate) human_readable: bool,
    /// The store
    #[command(flatten)]
    pub(crate) store: DirArgs,
}

/// See [`TsdbCommand::Analyze`].
#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    /// How many items of each list to show
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Also look at the sizes of chunks
    #[arg(long)]
    pub(crate) extended: bool,
    /// Look only at series that this selector selects
    #[arg(long = "match", value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// The store
    #[command(flatten)]
    pub(crate) store: DirArgs,
    /// The block [default: the newest one]
    #[arg(value_name = "BLOCK")]
    pub(crate) block: Option<String>,
}

/// See [`TsdbCommand::Dump`] and [`TsdbCommand::Export`].
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    /// First instant, in milliseconds since the epoch
    #[arg(long, value_name = "MILLISECONDS", default_value_t = Timestamp::MIN, allow_negative_numbers = true)]
    pub(crate) min_time: Timestamp,
    /// Last instant, in milliseconds since the epoch
    #[arg(long, value_name = "MILLISECONDS", default_value_t = Timestamp::MAX, allow_negative_numbers = true)]
    pub(crate) max_time: Timestamp,
    /// Only series that this selector, or another one of the command, selects
    #[arg(long = "match", value_name = "SELECTOR", default_value = "{__name__=~'(?s:.*)'}")]
    pub(crate) selectors: Vec<String>,
    /// The store
    #[command(flatten)]
    pub(crate) store: DirArgs,
}

/// See [`TsdbCommand::CreateBlocksFrom`].
#[derive(Debug, Args)]
pub(crate) struct CreateBlocksArgs {
    /// Of what
    #[command(subcommand)]
    pub(crate) what: CreateBlocksCommand,
}

/// What blocks can be made of.
#[derive(Debug, Subcommand)]
pub(crate) enum CreateBlocksCommand {
    /// Of an OpenMetrics file
    Openmetrics(ImportArgs),
}

/// See [`TsdbCommand::Import`].
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Write times as dates and sizes with units
    #[arg(short = 'r', long)]
    pub(crate) human_readable: bool,
    /// Do not list the blocks
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// A label for every series, as NAME=VALUE; may be given several times
    #[arg(long = "label", value_name = "LABEL", value_parser = parse_label)]
    pub(crate) labels: Vec<(String, String)>,
    /// OpenMetrics file, `-` for standard input; every sample has a timestamp
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Directory for the blocks, made if need be
    #[arg(value_name = "DIR", default_value = DATA_DIR)]
    pub(crate) dir: String,
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() { Err("expected a name before `=`".into()) } else { Ok((name.into(), value.into())) }
}
