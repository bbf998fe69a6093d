//! ALR004: a label of an alert that depends on the value.

use narthex_diag::{Code, Severity, Span};
use narthex_template::ast::{Conditional, Expr, Range};
use narthex_template::visit::{Visitor, walk_expr, walk_range, walk_template};

use crate::context::{Findings, RuleContext, TemplateRole};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ValueInIdentity;

static SPEC: LintSpec = LintSpec {
    code: Code("ALR004"),
    name: "value-in-identity",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "a label of an alert that depends on the value",
    explanation: "\
The labels of an alert are its identity.\n\
With the value in a label every new value is a new alert: the old one resolves, the new one starts pending, and with `for` it may never fire.\n\
Where the value only chooses between texts, the alert starts anew when it crosses the border; that is a warning.\n\
Put the value into an annotation, and write one rule per severity.",
    bad: "- alert: Queue\n  expr: queue_length > 10\n  labels:\n    length: '{{ $value }}'\n",
    good: "- alert: Queue\n  expr: queue_length > 10\n  annotations:\n    length: '{{ $value }}'\n",
};

impl Lint for ValueInIdentity {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for template in rule.templates.iter().filter(|template| template.role == TemplateRole::Label) {
            let mut reads = ValueReads::default();
            walk_template(&mut reads, template.template);
            let Some(&(span, is_tested)) = reads.found.iter().min_by_key(|(_, is_tested)| *is_tested) else {
                continue;
            };
            let label = &template.entry.name.value;
            let message = format!("label `{label}` depends on the value");
            let mut finding = rule.in_template(&SPEC, message, template, span);
            finding = match is_tested {
                true => {
                    finding.severity = Severity::Warning;
                    finding.with_note(
                        "when the value crosses the border, the alert resolves and a new one starts",
                    )
                }
                false => finding.with_note("every new value is a new alert: with `for` it may never fire"),
            };
            findings.push(finding.with_help("put the value into an annotation"));
        }
    }
}

/// Finds `$value` and `.Value`.
#[derive(Default)]
struct ValueReads {
    /// Each with whether it only decides a branch.
    found: Vec<(Span, bool)>,
    is_tested: bool,
    /// Whether the dot is something else than the data of the alert.
    is_dot_changed: bool,
}

impl<'t> ValueReads {
    fn branches(&mut self, conditional: &'t Conditional, changes_dot: bool) {
        for branch in &conditional.branches {
            let outer = std::mem::replace(&mut self.is_tested, true);
            self.pipeline(&branch.pipeline);
            self.is_tested = outer;
            let outer = self.is_dot_changed;
            self.is_dot_changed |= changes_dot;
            self.block(&branch.body);
            self.is_dot_changed = outer;
        }
        if let Some(otherwise) = &conditional.otherwise {
            self.block(otherwise);
        }
    }
}

impl<'t> Visitor<'t> for ValueReads {
    fn conditional(&mut self, conditional: &'t Conditional) {
        self.branches(conditional, false);
    }

    fn with(&mut self, conditional: &'t Conditional) {
        self.branches(conditional, true);
    }

    fn range(&mut self, range: &'t Range) {
        let outer = std::mem::replace(&mut self.is_dot_changed, true);
        walk_range(self, range);
        self.is_dot_changed = outer;
    }

    fn expr(&mut self, expr: &'t Expr) {
        let is_value = match expr {
            Expr::Variable(variable) => match variable.name.value.as_str() {
                "$value" => true,
                "$" => variable.fields.first().is_some_and(|field| field.value == "Value"),
                _ => false,
            },
            Expr::Field(path) => {
                !self.is_dot_changed && path.names.first().is_some_and(|name| name.value == "Value")
            }
            _ => false,
        };
        if is_value {
            self.found.push((expr.span(), self.is_tested));
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn rule(label: &str) -> String {
        format!("- alert: A\n  expr: x > 1\n  labels:\n    l: '{label}'")
    }

    #[test]
    fn values_in_labels() {
        check("ALR004", &rule("{{ $value }}"), &["$value"]);
        check("ALR004", &rule("{{ printf \"%.2f\" .Value }}"), &[".Value"]);
        check("ALR004", &rule("{{ if gt $value 5.0 }}a{{ else }}b{{ end }}"), &["$value"]);
        check("ALR004", &rule("{{ if $labels.a }}{{ $value | humanize }}{{ end }}"), &["$value"]);
        check("ALR004", &rule("{{ $labels.job }}"), &[]);
        check("ALR004", &rule("{{ range query \"up\" }}{{ .Value }}{{ end }}"), &[]);
        check("ALR004", "- alert: A\n  expr: x > 1\n  annotations:\n    l: '{{ $value }}'", &[]);
    }
}
