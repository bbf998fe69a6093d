//! NX001: a comment that suppresses findings which are not there.

use narthex_diag::{Code, Diagnostic, Severity, Span};

use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct UnusedSuppression;

static SPEC: LintSpec = LintSpec {
    code: Code("NX001"),
    name: "unused-suppression",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a comment that suppresses findings which are not there",
    explanation: "\
What the comment accepts was mended, or the comment stands in the wrong place.\n\
Left where it is, it would hide the next finding of that kind.\n\
Comments about lints that do not run, and those of pint, are left alone.",
    bad: "# nx: ignore[VAL001]\n- alert: Down\n  expr: up == 0\n",
    good: "- alert: Down\n  expr: up == 0\n",
};

impl Lint for UnusedSuppression {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }
}

/// The finding about a comment; the linter asks for it when all others are known.
pub(crate) fn report(comment: Span) -> Diagnostic {
    Diagnostic::new(SPEC.code, SPEC.severity, "there is nothing to suppress", comment)
        .with_help("delete the comment")
}

#[cfg(test)]
mod tests {
    use crate::{LintConfig, lint_file};

    #[test]
    fn comments_that_are_of_use_stay() {
        let file = |comment: &str, expr: &str| {
            format!("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: {expr} # nx: ignore[{comment}]\n")
        };
        for (comment, expr, expected) in [
            ("VAL001", "count(up) == 0", &[][..]),
            ("VAL001", "up == 0", &["NX001"]),
            ("VAL", "count(up) == 0", &[]),
            ("MAT001", "count(up) == 0", &["VAL001", "NX001"]),
        ] {
            let found = lint_file(&file(comment, expr), &LintConfig::default());
            let codes: Vec<&str> = found.iter().map(|finding| finding.code.0).collect();
            assert_eq!(codes, expected, "{comment} of {expr}");
        }
    }
}
