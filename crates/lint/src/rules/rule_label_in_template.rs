//! TPL003: a template that reads a label the rule itself sets.

use narthex_diag::{Applicability, Code, Diagnostic, Severity, Span};
use narthex_rulefmt::Entry;

use crate::context::{Findings, RuleContext, TemplateContext};
use crate::rules::unknown_label::{MissingRead, for_missing_reads};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct RuleLabelInTemplate;

static SPEC: LintSpec = LintSpec {
    code: Code("TPL003"),
    name: "rule-label-in-template",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "a template reads a label that only the rule's own `labels` set",
    explanation: "\
Templates see the labels of the series the query yields, not those that the rule or its group adds.\n\
`{{ $labels.severity }}` is empty in every notification although the alert carries a `severity`.\n\
Write the value itself.",
    bad: "- alert: Errors\n  expr: sum(rate(errors_total[5m])) > 1\n  labels:\n    severity: critical\n  annotations:\n    summary: '{{ $labels.severity }}: errors'\n",
    good: "- alert: Errors\n  expr: sum(rate(errors_total[5m])) > 1\n  labels:\n    severity: critical\n  annotations:\n    summary: 'critical: errors'\n",
};

impl Lint for RuleLabelInTemplate {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for_missing_reads(rule, |template, read| {
            if let Some(entry) = rule.label(read.label) {
                findings.push(report(rule, template, read, entry));
            }
        });
    }
}

fn report(
    rule: &RuleContext<'_>,
    template: &TemplateContext<'_>,
    read: MissingRead<'_>,
    entry: &Entry,
) -> Diagnostic {
    let message = format!("template reads label `{}`, which only the rule sets", read.label);
    let finding = rule
        .in_template(&SPEC, message, template, read.span)
        .with_label("always empty in notifications")
        .with_secondary(entry.value.span(), "set here, after the templates are expanded")
        .with_secondary(rule.locate(read.reason.span), read.reason.why.describe());
    let action = plain_action(&template.template.text, read);
    match action.filter(|_| entry.template.is_none()) {
        Some(action) => {
            let edits = [(action, entry.value.value.as_str())];
            let fix = rule.template_suggestion(template, "write the value", &edits, Applicability::Unsafe);
            finding.with_suggestion(fix)
        }
        None => finding.with_help("write the value itself"),
    }
}

/// The action that prints the label and nothing else.
fn plain_action(text: &str, read: MissingRead<'_>) -> Option<Span> {
    let start = text.get(..read.span.start as usize)?.rfind("{{")?;
    let end = read.span.end as usize + text.get(read.span.end as usize..)?.find("}}")? + 2;
    let inner = text.get(start + 2..end - 2)?.trim();
    let label = read.label;
    let is_plain = inner == format!("$labels.{label}") || inner == format!(".Labels.{label}");
    is_plain.then(|| Span::new(start, end))
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    fn rule(expr: &str, summary: &str) -> String {
        format!(
            "- alert: A\n  expr: {expr}\n  labels:\n    severity: page\n  annotations:\n    summary: '{summary}'"
        )
    }

    #[test]
    fn labels_of_the_rule() {
        let sum = "sum(x) > 1";
        check("TPL003", &rule(sum, "{{ $labels.severity }}"), &["severity"]);
        check("TPL003", &rule("severity > 1", "{{ $labels.severity }}"), &[]);
        check("TPL003", &rule("sum by (severity) (x) > 1", "{{ $labels.severity }}"), &[]);
        check_fix("TPL003", &rule(sum, "a {{ .Labels.severity }}!"), &rule(sum, "a page!"));
        let piped = "{{ $labels.severity | title }}";
        check_fix("TPL003", &rule(sum, piped), &rule(sum, piped));
    }

    #[test]
    fn labels_of_the_group() {
        let text = "groups:\n- name: g\n  labels: {team: a}\n  rules:\n  - alert: A\n    expr: sum(x) > 1\n    \
                    annotations: {b: '{{ $labels.team }}'}\n";
        check("TPL003", text, &["team"]);
    }
}
