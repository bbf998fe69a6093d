//! What came of test files.

use std::sync::Arc;

use narthex_diag::{Code, Diagnostic, Source, Span};

use crate::coverage::Coverage;
use crate::files::RuleSource;

/// Alerts are not as expected.
pub const UNEXPECTED_ALERTS: Code = Code("RUT001");
/// Samples are not as expected.
pub const UNEXPECTED_SAMPLES: Code = Code("RUT002");
/// A rule or the expression of a test fails.
pub const EVALUATION_FAILED: Code = Code("RUT003");
/// An expectation or an input series cannot be read.
pub const BAD_TEST: Code = Code("RUT004");
/// A rule file cannot be read, or there is none.
pub const NO_RULE_FILE: Code = Code("RUT005");

/// What came of a test file. Diagnostics without a source are of the test file.
#[derive(Debug)]
pub struct FileReport {
    /// The test file.
    pub source: Source,
    /// Errors for which nothing was run, and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// What came of the tests that were run.
    pub tests: Vec<TestReport>,
    /// The rule files, for diagnostics that are about them.
    pub rules: Vec<Arc<RuleSource>>,
    /// What the tests cover, when that was asked for.
    pub coverage: Coverage,
}

/// What came of one test.
#[derive(Debug)]
pub struct TestReport {
    /// Its name; `unnamed#2` where it has none.
    pub name: String,
    /// Where it stands in the test file.
    pub span: Span,
    /// How many expectations it has.
    pub checks: usize,
    /// What failed. About the test file unless they name a source: then about that one of [`FileReport::rules`].
    pub failures: Vec<Diagnostic>,
}

impl FileReport {
    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.refusals() == 0 && self.failed() == 0
    }

    /// Errors of the file itself.
    pub fn refusals(&self) -> usize {
        let is_error = |found: &&Diagnostic| found.severity == narthex_diag::Severity::Error;
        self.diagnostics.iter().filter(is_error).count()
    }

    /// Tests that failed.
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|test| !test.failures.is_empty()).count()
    }
}
