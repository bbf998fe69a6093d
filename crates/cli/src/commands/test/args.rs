//! What can be typed behind `narthex test`.

use clap::{Args, Subcommand};
use narthex_report::Format;

use crate::query_options::FeatureArgs;

/// See [`crate::args::Command::Test`].
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// What to test
    #[command(subcommand)]
    pub(crate) what: TestCommand,
}

/// What can be tested.
#[derive(Debug, Subcommand)]
pub(crate) enum TestCommand {
    /// Rules, by promtool's unit-test files
    #[command(after_help = TEST_RULES_EXAMPLES)]
    Rules(TestRulesArgs),
}

const TEST_RULES_EXAMPLES: &str = "\
Examples:
  narthex test rules tests/*.yml
  narthex test rules --run 'Down|Slow' --junit results.xml tests/
  narthex test rules --coverage --min-coverage 80 tests/

Exit status: 0 when all tests pass and enough is covered, 1 otherwise, 2 on wrong usage or unreadable test files.";

/// See [`TestCommand::Rules`].
#[derive(Debug, Args)]
pub(crate) struct TestRulesArgs {
    /// Run only tests whose name matches one of these regular expressions
    #[arg(long, value_name = "REGEX")]
    pub(crate) run: Vec<String>,
    /// Evaluate groups at their own interval, not all at the evaluation interval of the test file
    #[arg(long)]
    pub(crate) group_intervals: bool,
    /// Accept keys that nobody knows in test and rule files
    #[arg(long)]
    pub(crate) ignore_unknown_fields: bool,
    /// Say which rules, sides of `or`, comparisons and branches of templates no test has tried
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Fail when less than so many percent is covered, or when there is nothing to cover
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    pub(crate) min_coverage: Option<f64>,
    /// Also write the results to this file, as JUnit does
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<String>,
    /// How failures are written: full, concise, github or sarif; json has the results of all tests
    #[arg(long, default_value = "full", value_parser = parse_format)]
    pub(crate) format: TestFormat,
    /// Features of the language and the engine
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// Test files, folders or patterns
    #[arg(required = true, value_name = "FILE")]
    pub(crate) paths: Vec<String>,
}

impl TestRulesArgs {
    /// Whether coverage is asked for.
    pub(crate) fn records_coverage(&self) -> bool {
        self.coverage || self.min_coverage.is_some()
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TestFormat {
    /// Failures as diagnostics, then the counts.
    Report(Format),
    /// One object with all tests.
    Json,
}

fn parse_format(name: &str) -> Result<TestFormat, String> {
    if name == "json" {
        return Ok(TestFormat::Json);
    }
    crate::commands::lint::parse_format(name).map(TestFormat::Report)
}
