//! YML011: a template in the name of an alert.

use narthex_diag::{Code, Severity, Span};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct TemplateInAlertName;

static SPEC: LintSpec = LintSpec {
    code: Code("YML011"),
    name: "template-in-alert-name",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a template in the name of an alert",
    explanation: "\
Labels and annotations are templates, names are not: the alert is called `Disk full on {{ $labels.instance }}`, braces and all, for every instance.\n\
Give the alert a plain name; what tells its instances apart is in their labels, and a readable title belongs in an annotation.",
    bad: "- alert: 'Down {{ $labels.instance }}'\n  expr: up == 0\n",
    good: "- alert: Down\n  expr: up == 0\n  annotations:\n    summary: '{{ $labels.instance }} is down'\n",
};

impl Lint for TemplateInAlertName {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let Some(alert) = rule.alert() else { return };
        let name = &alert.alert;
        let Some(start) = name.value.find("{{") else { return };
        let end = name.value.rfind("}}").filter(|end| *end > start).map_or(name.value.len(), |end| end + 2);
        let map = name.span_map(rule.group.file.text);
        let span = name.source.locate(Span::new(start, end), &map);
        findings.push(
            rule.finding(&SPEC, "the name of an alert is not a template", span)
                .with_label("stays as it is written")
                .with_note("notifications and silences see the braces")
                .with_help("put what varies into an annotation; the labels tell the alerts apart"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn names() {
        check("YML011", "- alert: 'Down {{ $labels.job }}!'\n  expr: up == 0", &["{{ $labels.job }}"]);
        check("YML011", "- alert: Down\n  expr: up == 0", &[]);
    }
}
