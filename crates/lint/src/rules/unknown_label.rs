//! TPL002: a template that reads a label the alert never has.

use narthex_diag::{Code, Diagnostic, Severity};
use narthex_model::labels::METRIC_NAME;
use narthex_plan::analysis::{LabelFacts, Reason, Why};
use narthex_template::{LabelKey, LabelSource, ReadRole};

use crate::context::{Findings, RuleContext, TemplateContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct UnknownLabel;

static SPEC: LintSpec = LintSpec {
    code: Code("TPL002"),
    name: "unknown-label",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "a template reads a label that the alert's query never yields",
    explanation: "\
Templates see the labels of the series the query yields; a missing label is the empty text.\n\
After `sum by (job) (…)` there is no `instance`, and a notification says that \" is down\".\n\
All branches of a template are looked at, and `index $labels \"x\"`, `with $labels` and variables as well.\n\
Keep the label in the aggregation, or leave it out of the text.",
    bad: "- alert: Errors\n  expr: sum by (job) (rate(errors_total[5m])) > 1\n  annotations:\n    summary: 'errors on {{ $labels.instance }}'\n",
    good: "- alert: Errors\n  expr: sum by (job, instance) (rate(errors_total[5m])) > 1\n  annotations:\n    summary: 'errors on {{ $labels.instance }}'\n",
};

impl Lint for UnknownLabel {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for_missing_reads(rule, |template, read| {
            // Labels that the rule sets and labels of absent series have lints of their own.
            if rule.label(read.label).is_none()
                && read.reason.why != Why::Absent
                && !is_guarded(template, read)
            {
                findings.push(report(rule, template, read));
            }
        });
    }
}

/// A read of a label that the query never yields.
#[derive(Clone, Copy)]
pub(crate) struct MissingRead<'a> {
    pub(crate) label: &'a str,
    pub(crate) span: narthex_diag::Span,
    pub(crate) role: ReadRole,
    pub(crate) reason: Reason,
}

/// Calls `see` for every read of a label that is certainly missing.
pub(crate) fn for_missing_reads<'a>(
    rule: &'a RuleContext<'_>,
    mut see: impl FnMut(&'a TemplateContext<'a>, MissingRead<'a>),
) {
    let root = rule.analysis.root();
    if root.presence.is_never() {
        return;
    }
    for template in &rule.templates {
        for read in template.reads.iter().filter(|read| read.source == LabelSource::Labels) {
            let LabelKey::Name(name) = &read.key else { continue };
            let known = root.labels.get(&name.value);
            if known.values.is_absent() {
                let (label, reason) = (name.value.as_str(), known.reason);
                see(template, MissingRead { label, span: name.span, role: read.role, reason });
            }
        }
    }
}

/// Whether the template tests the label before it uses it: then the test is what is reported.
fn is_guarded(template: &TemplateContext<'_>, read: MissingRead<'_>) -> bool {
    let is_test = |other: &narthex_template::LabelRead| {
        let LabelKey::Name(name) = &other.key else { return false };
        other.source == LabelSource::Labels && other.role == ReadRole::Tested && name.value == read.label
    };
    read.role == ReadRole::Used && template.reads.iter().any(is_test)
}

fn report(rule: &RuleContext<'_>, template: &TemplateContext<'_>, read: MissingRead<'_>) -> Diagnostic {
    let MissingRead { label, reason, .. } = read;
    let message = format!("template reads label `{label}`, which this alert never has");
    let effect = match read.role {
        ReadRole::Tested => "always empty, so the condition is decided",
        ReadRole::Used => "always empty in notifications",
    };
    let mut finding = rule.in_template(&SPEC, message, template, read.span);
    if read.role == ReadRole::Tested {
        finding.severity = Severity::Warning;
    }
    let finding = finding.with_label(effect).with_secondary(rule.locate(reason.span), reason.why.describe());
    let labels = &rule.analysis.root().labels;
    if !labels.is_closed() {
        return finding;
    }
    let finding = finding.with_note(format!("proof: the query yields {}", listed(labels)));
    match narthex_diag::nearest(label, labels.possible_names()) {
        Some(near) => finding.with_help(format!("perhaps `{near}` is meant")),
        None if reason.why == Why::GroupedBy => {
            finding.with_help(format!("keep it: add `{label}` to the aggregation"))
        }
        None => finding,
    }
}

/// The labels of closed facts, for a note.
pub(crate) fn listed(labels: &LabelFacts<'_>) -> String {
    let mut names: Vec<&str> = labels.possible_names().filter(|name| *name != METRIC_NAME).collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => "no labels".to_owned(),
        [one] => format!("only the label `{one}`"),
        many => format!("only the labels `{}`", many.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn rule(expr: &str, summary: &str) -> String {
        format!("- alert: A\n  expr: {expr}\n  annotations:\n    summary: '{summary}'")
    }

    #[test]
    fn labels_that_are_never_there() {
        let by_job = "sum by (job) (x) > 1";
        check("TPL002", &rule(by_job, "{{ $labels.instance }}"), &["instance"]);
        check("TPL002", &rule(by_job, "{{ .Labels.pod }} {{ $labels.job }}"), &["pod"]);
        check("TPL002", &rule(by_job, "{{ index $labels \"pod\" }}"), &["\"pod\""]);
        check("TPL002", &rule(by_job, "{{ if $value }}{{ $labels.pod }}{{ end }}"), &["pod"]);
        check("TPL002", &rule(by_job, "{{ if $labels.pod }}{{ $labels.pod }}{{ end }}"), &["pod"]);
        check("TPL002", &rule(by_job, "{{ with $labels }}{{ .pod }}{{ end }}"), &["pod"]);
        check("TPL002", &rule("sum without (pod) (x) > 1", "{{ $labels.pod }}"), &["pod"]);
        check("TPL002", &rule("a / on (job) b > 1", "{{ $labels.pod }}"), &["pod"]);
    }

    #[test]
    fn labels_that_may_be_there() {
        let by_job = "sum by (job) (x) > 1";
        check("TPL002", &rule(by_job, "{{ $labels.job }} {{ $value }} {{ $externalLabels.x }}"), &[]);
        check("TPL002", &rule("x > 1", "{{ $labels.instance }}"), &[]);
        check("TPL002", &rule("sum by (job) (x) > 1 or y", "{{ $labels.pod }}"), &[]);
        check("TPL002", &rule(by_job, "{{ range query \"y\" }}{{ .Labels.pod }}{{ end }}"), &[]);
    }
}
