//! The `narthex` command: the library at a prompt and in CI.
//!
//! One file per command in [`commands`], one per output format of results in [`output`]. Exit status: 0 clean, 1 findings
//! or failures, 2 usage or I/O.

#![expect(
    clippy::disallowed_methods,
    reason = "a command reads its arguments, its environment and the clock"
)]

mod args;
mod commands;
mod data_args;
mod entropy;
mod exit;
mod input;
mod output;
mod paths;
mod query_options;
mod screen;
mod storage_args;
mod times;
mod tsdb_args;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    let screen = screen::Screen::new(args.color);
    if let Some(features) = args.command.features() {
        screen.note(&features.warnings());
    }
    let outcome = match args.command {
        Command::Query(args) => commands::query::run(&args, &screen),
        Command::Explain(args) => commands::explain::run(&args, &screen),
        Command::Parse(args) => commands::parse::run(&args, &screen),
        Command::Fmt(args) => commands::fmt::run(&args, &screen),
        Command::Lint(args) => commands::lint::run(&args, &screen),
        Command::Check(args) => commands::check::run(&args, &screen),
        Command::Test(args) => commands::test::run(&args, &screen),
        Command::Conformance(args) => commands::conformance::run(&args, &screen),
        Command::Tsdb(args) => commands::tsdb::run(&args, &screen),
        Command::Serve(args) => commands::serve::run(&args, &screen),
    };
    screen.finish(outcome)
}
