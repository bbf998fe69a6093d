//! LBL010: a template that reads a label of something absent.

use narthex_diag::{Code, Severity};
use narthex_plan::analysis::Why;
use narthex_promql::Expr;
use narthex_promql::functions::FunctionId;

use crate::context::{Findings, RuleContext};
use crate::rules::unknown_label::{for_missing_reads, listed};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct AbsentLosesLabels;

static SPEC: LintSpec = LintSpec {
    code: Code("LBL010"),
    name: "absent-loses-labels",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a template reads a label that `absent` cannot know",
    explanation: "\
Of what is absent only the labels are known that a plain `=` matcher names.\n\
A regular expression, an aggregation or a comparison inside `absent` leaves none, so that the notification has a hole.\n\
Write one rule per value with `=`, or compare with series that are there: `group by (job) (up) unless group by (job) (x)`.",
    bad: "- alert: Missing\n  expr: 'absent(up{job=~\"api|web\"})'\n  annotations:\n    summary: '{{ $labels.job }} is gone'\n",
    good: "- alert: Missing\n  expr: 'absent(up{job=\"api\"})'\n  annotations:\n    summary: '{{ $labels.job }} is gone'\n",
};

impl Lint for AbsentLosesLabels {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for_missing_reads(rule, |template, read| {
            if read.reason.why != Why::Absent || rule.label(read.label).is_some() {
                return;
            }
            let message = format!("`absent` knows no label `{}`", read.label);
            let mut finding = rule
                .in_template(&SPEC, message, template, read.span)
                .with_label("always empty in notifications");
            let cause = rule.analysis.nodes().iter().find_map(|node| match node.expr {
                Expr::Call(call) if call.span == read.reason.span => Some(call),
                _ => None,
            });
            if let Some(call) = cause.filter(|call| matches!(call.function, Some(FunctionId::Absent(_)))) {
                let (span, why) = lost_at(call.args.first(), read.label, call.name);
                finding = finding.with_secondary(rule.locate(span), why);
            }
            let known = listed(&rule.analysis.root().labels);
            findings.push(finding.with_note(format!("proof: the query yields {known}")));
        });
    }
}

/// Where inside `absent` the label is lost.
fn lost_at(arg: Option<&Expr>, label: &str, name: narthex_diag::Span) -> (narthex_diag::Span, &'static str) {
    let Some(arg) = arg else { return (name, Why::Absent.describe()) };
    let Some(selector) = arg.without_parens().selector() else {
        return (arg.span(), "not a plain selector: no label is known of it");
    };
    let matcher = selector.matchers.iter().find(|one| one.matcher.name() == label);
    matcher.map_or((selector.span, "no `=` matcher names the label"), |one| {
        (one.span, "not a single `=` matcher: the label is not known")
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn rule(expr: &str) -> String {
        format!("- alert: A\n  expr: '{expr}'\n  annotations:\n    summary: '{{{{ $labels.job }}}}'")
    }

    #[test]
    fn labels_of_what_is_absent() {
        for expr in ["absent(up{job=~\"a|b\"})", "absent(sum by (job) (up))", "absent(up == 1)", "absent(up)"]
        {
            check("LBL010", &rule(expr), &["job"]);
        }
        for expr in ["absent(up{job=\"a\"})", "up == 0", "sum(absent(up)) > 0"] {
            check("LBL010", &rule(expr), &[]);
        }
    }
}
