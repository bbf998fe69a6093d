//! YML006: a label or annotation of a Kubernetes object that is no string.

use narthex_diag::{Applicability, Code, Edit, Severity, Suggestion};
use narthex_rulefmt::{Entry, FileKind};
use narthex_yaml::ImplicitValue;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ImplicitNonString;

static SPEC: LintSpec = LintSpec {
    code: Code("YML006"),
    name: "implicit-non-string",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: Some(Applicability::Safe),
    summary: "a label or annotation of a PrometheusRule that YAML reads as a number or a truth value",
    explanation: "\
A rule file may leave the quotes out, a Kubernetes object may not: labels and annotations have to be strings there, and `critical: true` or `priority: 1` make the API server refuse the whole object.\n\
Put the value in quotes.",
    bad: "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n  groups:\n  - name: g\n    rules:\n    - alert: Down\n      expr: up == 0\n      labels:\n        priority: 1\n",
    good: "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n  groups:\n  - name: g\n    rules:\n    - alert: Down\n      expr: up == 0\n      labels:\n        priority: '1'\n",
};

impl Lint for ImplicitNonString {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        if rule.group.file.parse.kind != FileKind::Resources {
            return;
        }
        for entry in rule.rule.labels().iter().chain(rule.rule.annotations()) {
            check_entry(rule, entry, findings);
        }
    }
}

fn check_entry(rule: &RuleContext<'_>, entry: &Entry, findings: &mut Findings) {
    let implicit = entry.value.implicit_value();
    if !matches!(implicit, ImplicitValue::Int(_) | ImplicitValue::Float(_) | ImplicitValue::Bool(_)) {
        return;
    }
    let span = entry.value.span();
    let message = format!("`{}` is {} to Kubernetes, not a string", entry.name.value, implicit.describe());
    let edits = vec![Edit { span, replacement: format!("'{}'", entry.value.value) }];
    let message_of_fix = "put it in quotes".to_owned();
    findings.push(
        rule.finding(&SPEC, message, span)
            .with_note("the API server refuses the whole object")
            .with_suggestion(Suggestion {
                message: message_of_fix,
                edits,
                applicability: Applicability::Safe,
            }),
    );
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    fn object(value: &str) -> String {
        format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n  groups:\n  - name: g\n    rules:\n    \
             - record: r\n      expr: sum(x)\n      labels:\n        l: {value}\n"
        )
    }

    #[test]
    fn values_of_objects() {
        for value in ["1", "true", "1.50"] {
            check("YML006", &object(value), &[value]);
        }
        for value in ["'1'", "a", "1m"] {
            check("YML006", &object(value), &[]);
        }
        check("YML006", "- record: r\n  expr: sum(x)\n  labels: {l: 1}", &[]);
        check_fix("YML006", &object("1.50"), &object("'1.50'"));
    }
}
