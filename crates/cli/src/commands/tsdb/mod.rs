//! `narthex tsdb`: looks at stores, takes samples out of them and makes blocks.

mod analyze;
mod chunk_sizes;
mod dump;
mod hand_over;
mod import;
mod list;
pub(crate) mod store;
mod units;
mod verify;

use crate::exit::Ended;
use crate::screen::Screen;
use crate::tsdb_args::{CreateBlocksCommand, TsdbArgs, TsdbCommand};

/// Runs the command.
pub(crate) fn run(args: &TsdbArgs, screen: &Screen) -> Ended {
    match &args.what {
        TsdbCommand::List(args) => list::run(args, screen),
        TsdbCommand::Analyze(args) => analyze::run(args, screen),
        TsdbCommand::Dump(args) => dump::run(args, dump::Form::Samples, screen),
        TsdbCommand::Export(args) => dump::run(args, dump::Form::OpenMetrics, screen),
        TsdbCommand::Verify(args) => verify::run(args, screen),
        TsdbCommand::TakeOver(args) => hand_over::take_over(args, screen),
        TsdbCommand::HandBack(args) => hand_over::hand_back(args, screen),
        TsdbCommand::Snapshot(args) => hand_over::snapshot(args, screen),
        TsdbCommand::Import(args) => import::run(args, screen),
        TsdbCommand::CreateBlocksFrom(args) => match &args.what {
            CreateBlocksCommand::Openmetrics(args) => import::run(args, screen),
        },
    }
}
