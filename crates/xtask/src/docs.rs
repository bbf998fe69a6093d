//! Writes the pages that are generated from tables and fixtures: the tests that judge their freshness also make them.

use std::process::Command;

use crate::refuse_unknown;

/// Runs every test of freshness in the mode that records.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    refuse_unknown(arguments, &[])?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--quiet", "--workspace", "--lib", "--bins", "--tests", "freshness"])
        .env("UPDATE", "1")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("some pages could not be written; the tests above say why".to_owned()),
        Err(error) => Err(format!("cannot start cargo: {error}")),
    }
}
