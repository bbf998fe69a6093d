//! Commands as typed and everything they print: `testdata/cli/*.sh` and the recordings beside them.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Runs one line of a script in `testdata`, `narthex` being the one just built.
fn run(line: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_narthex"));
    let folder = binary.parent().expect("a binary lies in a folder");
    Command::new("sh")
        .args(["-c", &format!("PATH=\"{}:$PATH\"; {line}", folder.display())])
        .env_remove("NO_COLOR")
        .current_dir(narthex_testkit::testdata("."))
        .output()
        .expect("a shell can be started")
}

fn transcript(script: &str) -> String {
    let mut text = String::new();
    for line in script.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let output = run(line);
        write!(text, "$ {line}\n{}", String::from_utf8_lossy(&output.stdout))
            .expect("writing to a string cannot fail");
        for complaint in String::from_utf8_lossy(&output.stderr).lines() {
            writeln!(text, "2> {complaint}").expect("writing to a string cannot fail");
        }
        writeln!(text, "[{}]\n", output.status.code().unwrap_or(-1))
            .expect("writing to a string cannot fail");
    }
    text
}

#[test]
fn commands_print_what_is_recorded() {
    let mut golden = narthex_testkit::Golden::of("cli", "out");
    for fixture in narthex_testkit::fixtures("cli", "sh") {
        golden.check(&fixture.name, &transcript(&fixture.text));
    }
    golden.finish();
}

#[test]
fn every_command_has_help_with_examples() {
    for command in [
        "query",
        "explain",
        "parse",
        "fmt",
        "lint",
        "check rules",
        "test rules",
        "conformance",
        "serve",
        "tsdb",
    ] {
        let output = run(&format!("narthex {command} --help"));
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && help.contains("Examples:"), "{command}: {help}");
    }
}
