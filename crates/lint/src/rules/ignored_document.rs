//! YML005: a YAML document that no server reads.

use narthex_diag::{Code, Severity, Span};

use crate::context::{FileContext, Findings};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct IgnoredDocument;

static SPEC: LintSpec = LintSpec {
    code: Code("YML005"),
    name: "ignored-document",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a second YAML document, which a server does not read",
    explanation: "\
Only the first document of a rule file is loaded; what follows a `---` is dropped with a line in the log.\n\
Put all groups under one `groups`, or into files of their own.",
    bad: "- alert: Down\n  expr: up == 0\n---\ngroups: []\n",
    good: "- alert: Down\n  expr: up == 0\n",
};

impl Lint for IgnoredDocument {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_file(&self, file: &FileContext<'_>, findings: &mut Findings) {
        for document in &file.parse.file.ignored_documents {
            let first_line = document.slice(file.text).lines().next().map_or(0, str::len);
            let start = document.start as usize;
            let span = Span::new(start, start + first_line);
            findings.push(
                file.finding(&SPEC, "this document is not loaded", span, "rule file".to_owned())
                    .with_note("a server reads the first document of a rule file only"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn documents_after_the_first() {
        check("YML005", "groups: []\n---\ngroups: []\n", &["groups: []"]);
        check("YML005", "---\ngroups: []\n", &[]);
    }
}
