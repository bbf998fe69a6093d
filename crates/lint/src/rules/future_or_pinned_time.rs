//! WIN008: a rule that looks into the future or at a fixed time.

use narthex_diag::{Code, Severity};
use narthex_promql::Expr;
use narthex_promql::ast::{AtValue, DurationScope, Modifiers};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct FutureOrPinnedTime;

static SPEC: LintSpec = LintSpec {
    code: Code("WIN008"),
    name: "future-or-pinned-time",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a rule that looks into the future or at a fixed time",
    explanation: "\
A rule is evaluated at the present time, when samples of the future do not exist: with a negative offset it sees what is there by then, which for most windows is nothing.\n\
A fixed time (`@ 1609746000`) yields the same result at every evaluation until the data is deleted, then none.\n\
`@ start()` and `@ end()` are the evaluation time itself and do nothing in a rule.\n\
A negative offset is left alone in a group whose `query_offset` makes up for it.",
    bad: "- alert: Growing\n  expr: 'queue_length - queue_length offset -1h > 100'\n",
    good: "- alert: Growing\n  expr: 'queue_length - queue_length offset 1h > 100'\n",
};

impl Lint for FutureOrPinnedTime {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for node in rule.analysis.nodes() {
            let modifiers = match node.expr {
                Expr::Subquery(subquery) => Some(&subquery.modifiers),
                expr => expr.selector().map(|selector| &selector.modifiers),
            };
            if let Some(modifiers) = modifiers {
                check_modifiers(rule, modifiers, findings);
            }
        }
    }
}

fn check_modifiers(rule: &RuleContext<'_>, modifiers: &Modifiers, findings: &mut Findings) {
    if let Some(offset) = &modifiers.offset {
        let ahead_ms = offset.value.evaluate_ms(DurationScope { step_ms: 0, range_ms: 0 }).unwrap_or(0);
        let query_offset = rule.group.group.query_offset;
        let behind_ms = query_offset.map_or(0.0, |offset| offset.value.seconds() * 1000.0);
        if ahead_ms < 0 && -(ahead_ms as f64) > behind_ms {
            let finding = rule.in_expr(&SPEC, "a negative offset looks into the future", offset.span);
            findings.push(finding.with_note("at the time of evaluation there are no samples yet"));
        }
    }
    if let Some(at) = modifiers.at {
        let (message, note) = match at.value {
            AtValue::Timestamp(_) => (
                "this looks at a fixed time",
                "every evaluation sees the same samples, until they are deleted",
            ),
            AtValue::Start | AtValue::End => (
                "this is the evaluation time",
                "in a rule it does nothing: start and end are the present time",
            ),
        };
        findings.push(rule.in_expr(&SPEC, message, at.span).with_note(note));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn times_other_than_now_and_before() {
        check("WIN008", "a offset -5m > 1", &["offset -5m"]);
        check("WIN008", "rate(a[5m] @ end()) > 1", &["@ end()"]);
        check("WIN008", "a @ 1609746000 > 1", &["@ 1609746000"]);
        check("WIN008", "sum_over_time(a[5m:1m] offset -1m) > 1", &["offset -1m"]);
        check("WIN008", "a offset 5m > 1", &[]);
        let group =
            "groups:\n- name: g\n  query_offset: 10m\n  rules:\n  - record: r\n    expr: a offset -5m\n";
        check("WIN008", group, &[]);
    }
}
