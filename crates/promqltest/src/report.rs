//! What came of scripts: counts, and for each failure what was expected and what was got.

use std::fmt;

use narthex_diag::{Code, Diagnostic, Source, Span};

/// The code of an evaluation that did not do what the script expects.
pub const UNEXPECTED_RESULT: Code = Code("PQT002");
/// The code of samples that a store refused.
pub const LOAD_ERROR: Code = Code("PQT003");

/// What came of one script.
#[derive(Clone, Debug)]
pub struct ScriptReport {
    /// The script, for showing diagnostics in their place.
    pub source: Source,
    /// Evaluations that did what was expected.
    pub passed: usize,
    /// Evaluations that did not, in the order of the script.
    pub failures: Vec<CaseFailure>,
    /// Commands that could not be read or carried out.
    pub faults: Vec<Diagnostic>,
}

/// An evaluation that did not do what was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseFailure {
    /// 1-based line of the command.
    pub line: usize,
    /// The query as written.
    pub query: String,
    /// Where the query stands.
    pub span: Span,
    /// What is wrong, with query and line; then line by line what differs.
    pub message: String,
}

impl CaseFailure {
    /// The failure at the query's place; all but the first line of the message become notes.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let mut lines = self.message.lines();
        let first = lines.next().unwrap_or("").to_owned();
        let diagnostic = Diagnostic::error(UNEXPECTED_RESULT, first, self.span);
        lines.fold(diagnostic, |diagnostic, line| diagnostic.with_note(line.to_owned()))
    }
}

impl ScriptReport {
    /// Evaluations and other commands that failed.
    pub fn failed(&self) -> usize {
        self.failures.len() + self.faults.len()
    }

    /// The fault as one sentence: what it is about, its line, what is wrong.
    pub fn fault_text(&self, fault: &Diagnostic) -> String {
        let subject = fault.subject.as_deref().unwrap_or("script");
        let preposition = if subject.starts_with("eval") { "error in" } else { "error reading" };
        format!("{preposition} {subject} (line {}): {}", self.line_of(fault), fault.message)
    }

    /// All that failed as diagnostics, in the order of the script.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let failures = self.failures.iter().map(CaseFailure::to_diagnostic);
        let mut all: Vec<Diagnostic> = failures.chain(self.faults.iter().cloned()).collect();
        all.sort_by_key(Diagnostic::span);
        all
    }

    fn line_of(&self, fault: &Diagnostic) -> usize {
        self.source.line_column(fault.span().start as usize).line
    }
}

/// One line with the counts; then for each failure `name:line: message`, its further lines indented.
impl fmt::Display for ScriptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.source.name;
        writeln!(f, "{name}: {} passed, {} failed", self.passed, self.failed())?;
        let faults = self.faults.iter().map(|fault| (self.line_of(fault), self.fault_text(fault)));
        let failures = self.failures.iter().map(|failure| (failure.line, failure.message.clone()));
        let mut all: Vec<(usize, String)> = faults.chain(failures).collect();
        all.sort();
        for (line, message) in all {
            writeln!(f, "{name}:{line}: {}", message.replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

/// What came of several scripts.
#[derive(Clone, Debug, Default)]
pub struct ConformanceReport {
    /// One for each script, in the order given.
    pub scripts: Vec<ScriptReport>,
}

impl ConformanceReport {
    /// Evaluations that did what was expected.
    pub fn passed(&self) -> usize {
        self.scripts.iter().map(|script| script.passed).sum()
    }

    /// Evaluations and other commands that failed.
    pub fn failed(&self) -> usize {
        self.scripts.iter().map(ScriptReport::failed).sum()
    }
}

/// Every script, then the totals.
impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scripts.iter().try_for_each(|script| write!(f, "{script}"))?;
        writeln!(f, "{} passed, {} failed", self.passed(), self.failed())
    }
}

#[cfg(test)]
mod tests {
    use crate::{RunOptions, run_scripts};

    const SCRIPT: &str =
        "load 1m\n  a 1\n\neval instant at 0 a\n  a 1\n\neval instant at 0 a\n  a 2\n\nnonsense\n";

    #[test]
    fn totals_and_diagnostics_follow_the_scripts() {
        let report = run_scripts([("one", SCRIPT), ("two", SCRIPT)], &RunOptions::CONFORMANCE);
        assert_eq!((report.passed(), report.failed()), (2, 4));
        assert!(report.to_string().ends_with("\n2 passed, 4 failed\n"), "{report}");
        let diagnostics = report.scripts[1].diagnostics();
        let shown: Vec<(&str, &str)> =
            diagnostics.iter().map(|one| (one.code.0, one.span().slice(SCRIPT))).collect();
        assert_eq!(shown, [("PQT002", "a"), ("PQT001", "nonsense")]);
        assert_eq!(diagnostics[0].notes, [r#"- {__name__="a"} 2 @[0]"#, r#"+ {__name__="a"} 1 @[0]"#]);
    }
}
