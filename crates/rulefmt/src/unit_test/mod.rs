//! Unit-test files of rules: series that come in, and which alerts and samples must come out, each with its place.
//!
//! The format is promtool's of Prometheus 3.14. Keys of our own, none of which promtool knows, say more: see
//! [`UnitTestFile::per_group_interval`], [`Matching`], [`CheckTimes`], [`AlertTest::pending`], [`AlertTest::timeline`] and
//! [`ExpectedAlert::absent_labels`].

mod decode;

use narthex_diag::{Diagnostic, Severity, Span, Spanned};
use narthex_model::Timestamp;
use narthex_promql::ParseOptions;
use narthex_yaml::UnknownFields;

use crate::query::QueryText;
use crate::text::Text;

pub use decode::parse;

/// How to read unit-test files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnitTestOptions {
    /// Which language features expressions may use.
    pub promql: ParseOptions,
    /// What to do with keys that neither promtool nor we know.
    pub unknown_fields: UnknownFields,
}

/// A unit-test file as far as it could be read, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct UnitTestParse {
    /// The tests.
    pub file: UnitTestFile,
    /// Errors are what promtool refuses the file for; in the order of the text. Expressions are not among them: one that
    /// does not parse fails its test.
    pub diagnostics: Vec<Diagnostic>,
}

impl UnitTestParse {
    /// Whether the file cannot be run.
    pub fn is_refused(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// A unit-test file.
#[derive(Clone, Debug, Default)]
pub struct UnitTestFile {
    /// Paths and patterns of rule files, relative to the folder of this file.
    pub rule_files: Vec<Text>,
    /// Distance of two evaluations in milliseconds, and of two input values where a test says nothing; a minute when not
    /// set or zero.
    pub evaluation_interval: Option<Spanned<i64>>,
    /// Names of groups in the order they are evaluated in; those not named here go with the first.
    pub group_eval_order: Vec<Text>,
    /// Whether samples may differ by the last bit.
    pub fuzzy_compare: bool,
    /// `per_group_interval`: groups with an `interval` are evaluated that often only.
    pub per_group_interval: bool,
    /// The tests in the order of the text.
    pub tests: Vec<TestGroup>,
}

/// Input and what is expected of it.
#[derive(Clone, Debug)]
pub struct TestGroup {
    /// Its name; may be empty.
    pub name: Text,
    /// Distance of two input values in milliseconds; the evaluation interval when not set or zero.
    pub interval: Option<Spanned<i64>>,
    /// The input.
    pub input_series: Vec<InputSeries>,
    /// What is expected of alerts.
    pub alert_tests: Vec<AlertTest>,
    /// What is expected of expressions, evaluated after all rules.
    pub expr_tests: Vec<ExprTest>,
    /// Labels that templates read as `$externalLabels`.
    pub external_labels: Vec<(Text, Text)>,
    /// What templates read as `$externalURL`; may be empty.
    pub external_url: Text,
    /// The time of the first value, Unix milliseconds; zero when not set.
    pub start_ms: Option<Spanned<Timestamp>>,
    /// From the first key to the end of the last value.
    pub span: Span,
}

/// A line of input, in the notation of [`narthex_promql::series`].
#[derive(Clone, Debug)]
pub struct InputSeries {
    /// The labels.
    pub series: Text,
    /// The values.
    pub values: Text,
}

/// When an expectation holds, in milliseconds since the start of the test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckTimes {
    /// `eval_time`, or each of `eval_times`. Never empty.
    pub at: Vec<Spanned<i64>>,
    /// `until`: it holds at every evaluation from the first time to this one, too.
    pub until: Option<Spanned<i64>>,
}

impl CheckTimes {
    /// The last time of all.
    pub fn last_ms(&self) -> i64 {
        self.at.iter().chain(&self.until).map(|time| time.value).max().unwrap_or(0)
    }
}

/// `match`: how much of an alert is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Matching {
    /// All labels and annotations, as promtool does.
    #[default]
    Exact,
    /// `subset`: those that are named. There must be as many alerts as expected nevertheless.
    Subset,
}

/// What is expected of the alerts of one name.
#[derive(Clone, Debug)]
pub struct AlertTest {
    /// When.
    pub times: CheckTimes,
    /// The name; empty when it is not set, which fails the test.
    pub alertname: Text,
    /// Firing alerts (`exp_alerts`). Not set means none, unless there is a timeline: then they are not looked at.
    pub firing: Option<Vec<ExpectedAlert>>,
    /// Pending alerts (`exp_pending`); not looked at when not set.
    pub pending: Option<Vec<ExpectedAlert>>,
    /// `exp_timeline`: from when on which state is the furthest of any alert of the name, at every evaluation up to the
    /// last time.
    pub timeline: Vec<TimelineEntry>,
    /// How alerts are compared.
    pub matching: Matching,
    /// From the first key to the end of the last value.
    pub span: Span,
}

/// `5m: pending` in a timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimelineEntry {
    /// From when on, in milliseconds since the start of the test.
    pub from_ms: i64,
    /// The state.
    pub state: ExpectedState,
    /// Key and value.
    pub span: Span,
}

/// A state in a timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedState {
    /// `inactive`
    Inactive,
    /// `pending`
    Pending,
    /// `firing`
    Firing,
}

/// An alert that is expected.
#[derive(Clone, Debug)]
pub struct ExpectedAlert {
    /// Its labels, without `alertname`.
    pub labels: Vec<(Text, Text)>,
    /// Its annotations.
    pub annotations: Vec<(Text, Text)>,
    /// `exp_absent_labels`: labels that it must not have.
    pub absent_labels: Vec<Text>,
    /// The whole of it; empty where it is written as nothing.
    pub span: Span,
}

/// What is expected of an expression.
#[derive(Clone, Debug)]
pub struct ExprTest {
    /// The expression.
    pub expr: QueryText,
    /// When.
    pub times: CheckTimes,
    /// The samples, in any order.
    pub samples: Vec<ExpectedSample>,
    /// From the first key to the end of the last value.
    pub span: Span,
}

/// A sample that is expected.
#[derive(Clone, Debug)]
pub struct ExpectedSample {
    /// Its labels, in the notation of selectors; empty for none.
    pub labels: Text,
    /// Its value, unless there is a histogram.
    pub value: f64,
    /// Its native histogram in series notation; empty for none.
    pub histogram: Text,
    /// From the first key to the end of the last value.
    pub span: Span,
}
