//! Hostile queries and patterns held against their time and memory: builds and runs the measuring command.

use std::process::Command;

/// Runs `death` of the benches in release; further arguments choose cases by a part of their names.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--package", "narthex-benches", "--bin", "death", "--"])
        .args(arguments)
        .status()
        .map_err(|error| format!("cargo run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("a case takes too much, or ends otherwise than it should".to_owned())
    }
}
