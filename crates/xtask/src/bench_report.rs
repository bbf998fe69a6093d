//! What queries take, as a Markdown table: builds and runs the measuring command of the benches.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the table goes, below the target folder.
const FILE: &str = "bench-report.md";

/// Runs `report` of the benches in release and keeps what it prints; arguments are handed on.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut report = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--package", "narthex-benches", "--bin", "report", "--"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cargo run: {error}"))?;
    let mut table = String::new();
    if let Some(output) = report.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| format!("report: {error}"))?;
            println!("{line}");
            table += &(line + "\n");
        }
    }
    let status = report.wait().map_err(|error| format!("report: {error}"))?;
    let path = target().join(FILE);
    fs::write(&path, table).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("written to {}", path.display());
    if status.success() { Ok(()) } else { Err("a figure misses its goal, or a query failed".to_owned()) }
}

fn target() -> PathBuf {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(beside, PathBuf::from)
}
