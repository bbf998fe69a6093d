//! NX002: a comment that is meant to suppress findings and does not.

use narthex_diag::{Code, Diagnostic, Severity, Span};

use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct BadSuppression;

static SPEC: LintSpec = LintSpec {
    code: Code("NX002"),
    name: "bad-suppression",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a comment that is meant to suppress findings but cannot be read",
    explanation: "\
A comment `# nx: …` suppresses findings when it reads `ignore[CODES]`, `ignore-group[CODES]` or `ignore-file[CODES]`, perhaps followed by `until=2027-01-31` and a reason.\n\
Codes are those of lints, families such as `VAL`, names such as `never-true`, or `ALL`.\n\
Anything else suppresses nothing.",
    bad: "# nx: ignore VAL001\n- alert: Down\n  expr: up == 0\n",
    good: "- alert: Down\n  expr: up == 0\n",
};

impl Lint for BadSuppression {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }
}

/// The finding about a comment; the linter asks for it when it reads the comments.
pub(crate) fn report(comment: Span, fault: &str) -> Diagnostic {
    Diagnostic::new(SPEC.code, SPEC.severity, fault, comment)
        .with_label("suppresses nothing")
        .with_help("write `# nx: ignore[VAL001] because …`")
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn comments_that_cannot_be_read() {
        let rule = "- alert: Down\n  expr: up == 0 ";
        for comment in
            ["# nx: ignore VAL001", "# nx: ignore[VAL999]", "# nx: disable[VAL001]", "# nx: ignore[]"]
        {
            check("NX002", &format!("{rule}{comment}"), &[comment]);
        }
        check(
            "NX002",
            &format!("{rule}# nx: ignore[VAL001] until=soon"),
            &["# nx: ignore[VAL001] until=soon"],
        );
        check("NX002", &format!("{rule}# nx: ignore[VAL, never-true] until=2030-01-01 because"), &[]);
        check("NX002", &format!("{rule}# pint disable unknown/check"), &[]);
    }
}
