//! Do hostile queries stay within their time and memory? One process per case, on a small stack; a table of all.
//!
//! `cargo xtask death` runs this in release; further arguments choose cases by a part of their names. The cases are
//! those of `testdata/death`, and [`cases`]; what they are held against stands beside them.

#![expect(clippy::disallowed_methods, reason = "a measuring command asks the machine")]

mod cases;
mod measure;
mod queries;
mod stops;
mod texts;

use std::process::{Command, ExitCode};

use cases::{Case, all};
use measure::Measured;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name] = &arguments[..]
        && flag == "--one"
    {
        return run_one(name);
    }
    let chosen = |case: &Case| arguments.is_empty() || arguments.iter().any(|part| case.name.contains(part));
    println!("{:<60} {:>9} {:>9} {:>9} {:>9}  outcome", "case", "CPU ms", "at most", "MiB", "at most");
    let mut failed = 0;
    for case in all().iter().filter(|case| chosen(case)) {
        failed += usize::from(!report(case));
    }
    println!("{failed} cases failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the case called `name` in this process and prints what it took, for the process that asked.
fn run_one(name: &str) -> ExitCode {
    match all().into_iter().find(|case| case.name == name) {
        Some(case) => {
            println!("{}", measure::run(case.prepare));
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

/// Runs a case in a process of its own and prints its row; whether it is as it should be.
fn report(case: &Case) -> bool {
    let measured = in_process(&case.name);
    let cpu_max = case.cpu_max_ms;
    let bytes_max = match case.bytes_max {
        usize::MAX => "any".to_owned(),
        bytes => format!("{:.1}", bytes as f64 / 1048576.0),
    };
    let Some(measured) = measured else {
        println!(
            "{:<60} {:>9} {cpu_max:>9} {:>9} {bytes_max:>9}  FAILED: the process died",
            case.name, "", ""
        );
        return false;
    };
    let Measured { cpu_ms, bytes, outcome } = &measured;
    let mib = *bytes as f64 / 1048576.0;
    let fits = *cpu_ms <= case.cpu_max_ms as f64 && *bytes <= case.bytes_max;
    let is_expected = case.outcomes.iter().any(|part| outcome.contains(part.as_str()));
    let verdict = if fits && is_expected { "" } else { "FAILED: " };
    println!(
        "{:<60} {cpu_ms:>9.1} {cpu_max:>9} {mib:>9.1} {bytes_max:>9}  {verdict}{outcome:.120}",
        case.name
    );
    verdict.is_empty()
}

fn in_process(name: &str) -> Option<Measured> {
    let binary = std::env::current_exe().ok()?;
    let output = Command::new(binary).args(["--one", name]).output().ok()?;
    Measured::read(&String::from_utf8_lossy(&output.stdout)).filter(|_| output.status.success())
}
