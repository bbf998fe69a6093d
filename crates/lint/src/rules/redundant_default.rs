//! YML008: a field set to its default.

use narthex_diag::{Applicability, Code, Diagnostic, Edit, Severity, Span, Suggestion};
use narthex_rulefmt::FieldSpan;

use crate::context::{FileContext, Findings, GroupContext, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct RedundantDefault;

static SPEC: LintSpec = LintSpec {
    code: Code("YML008"),
    name: "redundant-default",
    class: Class::Proof,
    severity: Severity::Info,
    default: DefaultState::On,
    fix: Some(Applicability::Safe),
    summary: "a field set to its default",
    explanation: "\
`for: 0s`, `keep_firing_for: 0s`, `interval: 0s` and `limit: 0` say what holds without them.",
    bad: "- alert: Down\n  expr: up == 0\n  for: 0s\n",
    good: "- alert: Down\n  expr: up == 0\n",
};

impl Lint for RedundantDefault {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let Some(alert) = rule.alert() else { return };
        // A default may override what a merge key brings.
        if rule.rule.span().slice(rule.group.file.text).contains("<<") {
            return;
        }
        for (name, value) in [("for", alert.hold_for), ("keep_firing_for", alert.keep_firing_for)] {
            if value.is_some_and(|value| value.value.seconds() == 0.0)
                && let Some(field) = rule.rule.field(name)
            {
                findings.push(report(&rule.group.file, field, rule.subject()));
            }
        }
    }

    fn check_group(&self, group: &GroupContext<'_>, findings: &mut Findings) {
        let rules = group.group;
        let before_rules = rules.field("rules").map_or(rules.span.end, |field| field.key.start);
        let fields = Span { end: before_rules.max(rules.span.start), ..rules.span };
        if fields.slice(group.file.text).contains("<<") {
            return;
        }
        let is_zero = |name| match name {
            "interval" => rules.interval.is_some_and(|value| value.value.seconds() == 0.0),
            _ => rules.limit.is_some_and(|value| value.value == 0),
        };
        for name in ["interval", "limit"] {
            if is_zero(name)
                && let Some(field) = rules.field(name)
            {
                findings.push(report(&group.file, field, format!("group {}", rules.name.value)));
            }
        }
    }
}

fn report(file: &FileContext<'_>, field: FieldSpan, subject: String) -> Diagnostic {
    let span = field.key.to(field.value);
    let finding = file.finding(&SPEC, format!("this is the default of `{}`", field.name), span, subject);
    let message = "leave it out".to_owned();
    // An anchor may be referred to elsewhere.
    let is_removable = field.key.start < field.value.start && !span.slice(file.text).contains('&');
    match file.whole_lines(span).filter(|_| is_removable) {
        Some(lines) => finding.with_suggestion(Suggestion {
            message,
            edits: vec![Edit { span: lines, replacement: String::new() }],
            applicability: Applicability::Safe,
        }),
        None => finding.with_help(message),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn defaults_are_removed_with_their_lines() {
        check_fix(
            "YML008",
            "- alert: A\n  expr: up == 0\n  for: 0s\n  labels: {a: b}",
            "- alert: A\n  expr: up == 0\n  labels: {a: b}",
        );
        check("YML008", "groups:\n- name: g\n  limit: 0\n  rules: []\n", &["limit: 0"]);
        check("YML008", "- alert: A\n  expr: up == 0\n  for: 1s", &[]);
        check_fix("YML008", "- {alert: A, expr: up == 0, for: 0s}", "- {alert: A, expr: up == 0, for: 0s}");
        let merged = "- &a\n  alert: A\n  expr: up == 0\n  for: 1m\n- <<: *a\n  alert: B\n  for: 0s";
        check("YML008", merged, &[]);
        check_fix(
            "YML008",
            "- for: 0s\n  alert: A\n  expr: up == 0",
            "- for: 0s\n  alert: A\n  expr: up == 0",
        );
    }
}
