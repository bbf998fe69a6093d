//! Instructions per sample that decoding a chunk takes, counted by callgrind and held against a figure: unlike times, they
//! are the same on a busy machine.

use std::process::{Command, Output};

use crate::refuse_unknown;

/// A kind of series of `benches/src/samples.rs` and the most instructions that a sample of it may take.
struct Case {
    kind: &'static str,
    most: f64,
}

const CASES: &[Case] = &[
    Case { kind: "jittered_counter", most: 40.0 },
    Case { kind: "constant", most: 34.0 },
    Case { kind: "float_counter", most: 60.0 },
    Case { kind: "random", most: 70.0 },
];

/// How often the chunks are decoded in the two runs; their difference has nothing of start and preparation.
const TIMES: [u32; 2] = [1, 5];
/// Runs what cargo built under callgrind, whose profile nobody wants.
const RUNNER: &str =
    "target.'cfg(all())'.runner = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null']";

/// Counts all cases and prints a table; the error names those above their figure.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    refuse_unknown(arguments, &[])?;
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return Ok(());
    }
    println!("{:<20} {:>12} {:>8}", "decoding XOR", "per sample", "at most");
    let mut above = Vec::new();
    for Case { kind, most } in CASES {
        let per_sample = instructions_per_sample(kind)?;
        println!("{kind:<20} {per_sample:>12.2} {most:>8}");
        if per_sample > *most {
            above.push(*kind);
        }
    }
    if above.is_empty() { Ok(()) } else { Err(format!("above the figure: {}", above.join(", "))) }
}

fn instructions_per_sample(kind: &str) -> Result<f64, String> {
    let [few, many] = TIMES.map(|times| count(kind, times));
    let ((instructions, samples), (more_instructions, more_samples)) = (few?, many?);
    Ok((more_instructions - instructions) / (more_samples - samples))
}

/// Instructions and samples of a run.
fn count(kind: &str, times: u32) -> Result<(f64, f64), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--config", RUNNER])
        .args(["--package", "narthex-benches", "--bin", "decode", "--", kind, &times.to_string()])
        .output()
        .map_err(|error| format!("cargo run: {error}"))?;
    let complaint = || format!("counting {kind} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() { parsed(&output).ok_or_else(complaint) } else { Err(complaint()) }
}

/// Callgrind tells `==PID== Collected : N` on standard error, the program its samples on standard output.
fn parsed(output: &Output) -> Option<(f64, f64)> {
    let told = String::from_utf8_lossy(&output.stderr);
    let instructions = told.lines().find_map(|line| line.split_once("Collected : "))?.1;
    let samples = String::from_utf8_lossy(&output.stdout);
    Some((instructions.trim().parse().ok()?, samples.trim().parse().ok()?))
}
