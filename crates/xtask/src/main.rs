//! The project's own chores: `cargo xtask tidy | ready | docs | death | bench-report | instructions | graph | help`.
//!
//! Reading order: [`COMMANDS`], then [`tidy`] (what a compiler does not check), [`ready`] (everything CI runs),
//! [`docs`] (generated pages), [`death`] (what hostile queries take), [`bench_report`] (what queries take), [`graph`] (the picture of the crates);
//! [`instructions`] (what a decoded sample takes); [`workspace`] reads `cargo metadata`, [`scan`] reads Rust text.

#![expect(clippy::disallowed_methods, reason = "a tool for developers talks to the machine")]

mod bench_report;
mod death;
mod docs;
mod graph;
mod instructions;
mod ready;
mod scan;
mod tidy;
mod workspace;

use std::process::ExitCode;

/// One command of the tool.
struct Command {
    name: &'static str,
    summary: &'static str,
    /// Runs with the arguments after the name; the error is for people.
    run: fn(&[String]) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "tidy",
        summary: "check layers, sizes, names and forbidden words (also runs as a test)",
        run: tidy::run,
    },
    Command {
        name: "ready",
        summary: "run everything CI runs; --keep-going after a failure, --tested to leave out the tests",
        run: ready::run,
    },
    Command { name: "docs", summary: "write the generated pages: references, lists", run: docs::run },
    Command {
        name: "death",
        summary: "measure hostile queries and patterns; fails above the figures",
        run: death::run,
    },
    Command {
        name: "bench-report",
        summary: "measure queries and write a table; `goals` fails when a goal is missed",
        run: bench_report::run,
    },
    Command {
        name: "instructions",
        summary: "count what decoding a sample takes, under callgrind; fails above the figures",
        run: instructions::run,
    },
    Command { name: "graph", summary: "write the crate graph into ARCHITECTURE.md", run: graph::run },
    Command { name: "help", summary: "show this list", run: help },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) =
        arguments.split_first().map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    let outcome = match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(rest),
        None => Err(format!("no command {name:?}; `cargo xtask help` lists them")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn help(_: &[String]) -> Result<(), String> {
    for command in COMMANDS {
        println!("cargo xtask {:<12} {}", command.name, command.summary);
    }
    Ok(())
}

/// Refuses arguments that are not among `known`.
fn refuse_unknown(arguments: &[String], known: &[&str]) -> Result<(), String> {
    match arguments.iter().find(|argument| !known.contains(&argument.as_str())) {
        Some(unknown) => Err(format!("unknown argument {unknown:?}, expected one of {known:?}")),
        None => Ok(()),
    }
}
