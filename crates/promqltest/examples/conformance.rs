//! Runs every `*.test` below the folders or files named and prints what came of them.
//!
//! `cargo run -p narthex-promqltest --example conformance -- [--once] PATH…`

#![expect(clippy::disallowed_methods, reason = "a program asks the machine for its arguments")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use narthex_promqltest::{Repetition, RunOptions, run_scripts};

fn main() -> io::Result<ExitCode> {
    let (flags, paths): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|one| one.starts_with("--"));
    let is_once = flags.iter().any(|flag| flag == "--once");
    let repetition = if is_once { Repetition::Once } else { Repetition::Everywhere };
    let options = RunOptions { repetition, ..RunOptions::CONFORMANCE };
    let mut scripts = Vec::new();
    for path in &paths {
        collect(Path::new(path), &mut scripts)?;
    }
    scripts.sort();
    let texts: Vec<(String, String)> = scripts
        .iter()
        .map(|path| Ok((path.display().to_string(), fs::read_to_string(path)?)))
        .collect::<io::Result<_>>()?;
    let report = run_scripts(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())), &options);
    print!("{report}");
    Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The scripts at or below `path`.
fn collect(path: &Path, scripts: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        scripts.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let inner = entry?.path();
        if inner.is_dir() || inner.extension().is_some_and(|extension| extension == "test") {
            collect(&inner, scripts)?;
        }
    }
    Ok(())
}
