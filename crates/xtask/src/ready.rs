//! Everything CI runs, in one go.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::{refuse_unknown, tidy};

/// One stage: either cargo with arguments, or tidy in this process.
struct Stage {
    name: &'static str,
    /// Arguments of cargo; the command that repeats the stage is `cargo` and these.
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    /// Left out with `--tested`: the caller has just run it.
    is_test_run: bool,
}

impl Stage {
    const fn cargo(name: &'static str, arguments: &'static [&'static str]) -> Stage {
        Stage { name, arguments, environment: &[], is_test_run: false }
    }
}

const STAGES: &[Stage] = &[
    Stage::cargo("format", &["fmt", "--all", "--check"]),
    Stage::cargo("tidy", &["xtask", "tidy"]),
    Stage::cargo("lint", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    Stage { is_test_run: true, ..Stage::cargo("test", &["test", "--workspace"]) },
    Stage {
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        ..Stage::cargo("documentation", &["doc", "--quiet", "--workspace", "--no-deps"])
    },
    Stage::cargo(
        "generated files",
        &["test", "--quiet", "--workspace", "--lib", "--bins", "--tests", "freshness"],
    ),
    Stage::cargo("fuzz replay", &["test", "--quiet", "--package", "narthex-fuzz"]),
];

/// Runs the stages and says how each went.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    refuse_unknown(arguments, &["--keep-going", "--tested"])?;
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut failed = Vec::new();
    for stage in STAGES.iter().filter(|stage| !(stage.is_test_run && given("--tested"))) {
        eprintln!("── {}", stage.name);
        let (outcome, took) = timed(stage);
        eprintln!("── {}: {} in {:.1} s", stage.name, outcome.word(), took.as_secs_f64());
        if outcome == Outcome::Failed {
            failed.push(format!("{} failed; repeat it with `{}`", stage.name, repeat(stage)));
            if !given("--keep-going") {
                break;
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Passed,
    Failed,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
        }
    }
}

fn timed(stage: &Stage) -> (Outcome, Duration) {
    let start = Instant::now();
    let passed = match stage.name {
        "tidy" => tidy::run(&[]).map_err(|message| eprintln!("{message}")).is_ok(),
        _ => cargo(stage),
    };
    (if passed { Outcome::Passed } else { Outcome::Failed }, start.elapsed())
}

fn cargo(stage: &Stage) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(stage.arguments)
        .envs(stage.environment.iter().copied())
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status();
    status.is_ok_and(|status| status.success())
}

/// What to type to run one stage alone.
fn repeat(stage: &Stage) -> String {
    let mut words: Vec<String> =
        stage.environment.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    words.push("cargo".to_owned());
    words.extend(stage.arguments.iter().map(|&argument| argument.to_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_says_how_to_repeat_it() {
        let documentation = STAGES.iter().find(|stage| stage.name == "documentation").unwrap();
        assert_eq!(
            repeat(documentation),
            "RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps"
        );
    }

    #[test]
    fn a_failing_stage_is_noticed_and_unknown_flags_are_refused() {
        assert_eq!(timed(&Stage::cargo("nonsense", &["no-such-command-of-cargo"])).0, Outcome::Failed);
        assert_eq!(timed(&Stage::cargo("version", &["version"])).0, Outcome::Passed);
        assert!(run(&["--fast".to_owned()]).is_err());
    }
}
