//! VAL003: two conditions on the same values that exclude each other.

use narthex_diag::{Code, Severity};
use narthex_plan::analysis::{Emptiness, Presence, Why};
use narthex_promql::Expr;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ContradictoryCondition;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL003"),
    name: "contradictory-condition",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "two conditions on the same values that exclude each other",
    explanation: "\
`x > 5 and x < 3` asks for values that do not exist, and so does `(x > 5) < 3`: the second condition sees only what the first lets pass.\n\
The alert never fires.\n\
To accept either range, join the conditions with `or`.",
    bad: "- alert: OutOfRange\n  expr: queue_length < 10 and queue_length > 500\n",
    good: "- alert: OutOfRange\n  expr: queue_length < 10 or queue_length > 500\n",
};

impl Lint for ContradictoryCondition {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            let Presence::Never(emptiness) = &view.node().presence else { continue };
            let Some((lhs, rhs)) = view.pair() else { continue };
            let (left, right) = (lhs.node(), rhs.node());
            let filter = [left, right].into_iter().find(|node| node.values.reason.why == Why::Filtered);
            let causes = match (emptiness, filter) {
                (Emptiness::Contradiction, _) => vec![left.expr.span(), right.expr.span()],
                (Emptiness::Comparison, Some(filter)) => vec![filter.values.reason.span],
                _ => continue,
            };
            let span = view.node().expr.span();
            let mut finding = rule
                .in_expr(&SPEC, "these conditions exclude each other", span)
                .with_label("nothing passes both");
            for cause in causes {
                finding = finding.with_secondary(rule.locate(cause), "only values that satisfy this pass");
            }
            finding = finding.with_note(rule.consequence_of_nothing());
            if let (Expr::Binary(node), Emptiness::Contradiction) = (view.node().expr, emptiness) {
                let edit = [(node.op_span, "or")];
                let fix =
                    rule.expr_suggestion("accept either", &edit, narthex_diag::Applicability::DisplayOnly);
                finding = finding.with_suggestion(fix);
            }
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn conditions_without_a_common_value() {
        for expr in [
            "foo > 5 and foo < 3",
            "(foo > 5) < 3",
            "rate(foo[5m]) > 5 and rate(foo[5m]) < 3",
            "sum by (job) (foo) == 0 and sum by (job) (foo) > 1",
            "foo > 5 and (foo < 3 and bar)",
        ] {
            check("VAL003", expr, &[expr]);
        }
    }

    #[test]
    fn conditions_that_may_hold_together() {
        for expr in [
            "foo > 5 and foo < 9",
            "foo > 5 and bar < 3",
            "foo > 5 and on (job) foo < 3",
            "foo > 5 or foo < 3",
            "foo > 5 unless foo < 3",
            "foo{a=\"1\"} > 5 and foo{a=\"2\"} < 3",
            "{job=\"x\"} > 5 and {job=\"x\"} < 3",
            "foo > 5 and foo offset 5m < 3",
        ] {
            check("VAL003", expr, &[]);
        }
    }
}
