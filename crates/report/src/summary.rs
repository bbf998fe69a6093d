//! How many problems a run found and how many a tool can solve.

use std::fmt;

use narthex_diag::{Applicability, Diagnostic, Severity};

/// Counts over the diagnostics of a run; its text is the closing line: `Found 2 errors, 1 warning (1 fixable)`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    /// Number of errors.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// Number of remarks.
    pub infos: usize,
    /// How many carry edits that never change the meaning of what is right.
    pub fixable: usize,
    /// How many carry edits, but only such as may change the meaning.
    pub unsafely_fixable: usize,
}

impl Summary {
    /// Counts `diagnostics`.
    pub fn of<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Summary {
        let mut summary = Summary::default();
        for diagnostic in diagnostics {
            summary.add(diagnostic);
        }
        summary
    }

    fn add(&mut self, diagnostic: &Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Info => self.infos += 1,
        }
        let with_edits = diagnostic.suggestions.iter().filter(|suggestion| !suggestion.edits.is_empty());
        match with_edits.map(|suggestion| suggestion.applicability).min() {
            Some(Applicability::Safe) => self.fixable += 1,
            Some(Applicability::Unsafe) => self.unsafely_fixable += 1,
            Some(Applicability::DisplayOnly) | None => {}
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.errors + self.warnings + self.infos == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("Found no problems");
        }
        let counts = [(self.errors, "error"), (self.warnings, "warning"), (self.infos, "remark")];
        let mut separator = "Found ";
        for (count, word) in counts.into_iter().filter(|&(count, _)| count > 0) {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{separator}{count} {word}{plural}")?;
            separator = ", ";
        }
        match (self.fixable, self.unsafely_fixable) {
            (0, 0) => Ok(()),
            (fixable, 0) => write!(f, " ({fixable} fixable)"),
            (0, unsafely) => write!(f, " ({unsafely} fixable unsafely)"),
            (fixable, unsafely) => write!(f, " ({fixable} fixable, {unsafely} more unsafely)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_diag::{Code, Edit, Span, Suggestion};

    fn finding(severity: Severity, applicability: Option<Applicability>) -> Diagnostic {
        let mut finding = Diagnostic::new(Code("X001"), severity, "m", Span::empty_at(0)).with_help("look");
        if let Some(applicability) = applicability {
            let edits = vec![Edit { span: Span::empty_at(0), replacement: "x".into() }];
            finding = finding.with_suggestion(Suggestion { message: "do".into(), edits, applicability });
        }
        finding
    }

    #[test]
    fn the_closing_line_names_what_there_is() {
        let line = |findings: &[Diagnostic]| Summary::of(findings).to_string();
        assert_eq!(line(&[]), "Found no problems");
        let warning = finding(Severity::Warning, Some(Applicability::Safe));
        let error = finding(Severity::Error, None);
        assert_eq!(line(&[error.clone(), warning.clone(), error]), "Found 2 errors, 1 warning (1 fixable)");
        let info = finding(Severity::Info, Some(Applicability::Unsafe));
        assert_eq!(line(std::slice::from_ref(&info)), "Found 1 remark (1 fixable unsafely)");
        assert_eq!(line(&[warning, info]), "Found 1 warning, 1 remark (1 fixable, 1 more unsafely)");
        assert_eq!(line(&[finding(Severity::Error, Some(Applicability::DisplayOnly))]), "Found 1 error");
    }
}
