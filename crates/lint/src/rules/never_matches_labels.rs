//! LBL002: a join on a label that one side always has and the other never.

use narthex_diag::{Code, Severity};

use crate::context::{Findings, RuleContext};
use crate::rules::never_matches_values::report_conflicts;
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct NeverMatchesLabels;

static SPEC: LintSpec = LintSpec {
    code: Code("LBL002"),
    name: "never-matches-labels",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "two vectors matched on a label that one side always has and the other never has",
    explanation: "\
Elements find their partner when all compared labels are equal, a missing label being an empty one.\n\
Without `on` or `ignoring` all labels are compared, so that a vector with `job` never matches the result of a plain `sum`.\n\
The operator has no result: an alert never fires, and `unless` never removes anything.",
    bad: "- record: share\n  expr: 'requests{job=\"api\"} / sum(requests)'\n",
    good: "- record: share\n  expr: 'requests{job=\"api\"} / on () group_left () sum(requests)'\n",
};

impl Lint for NeverMatchesLabels {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        report_conflicts(rule, &SPEC, findings, |conflict| {
            conflict.left.values.is_absent() || conflict.right.values.is_absent()
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn one_side_always_has_the_label() {
        check("LBL002", "foo{job=\"x\"} / sum(bar)", &["/"]);
        check("LBL002", "sum by (job) (a{job!=\"\"}) / on (job) sum(b)", &["/"]);
        check("LBL002", "foo{job=\"x\"} unless sum(bar)", &["unless"]);
        check("LBL002", "sum(foo) and foo{job=~\"a|b\"}", &["and"]);
    }

    #[test]
    fn sides_that_may_agree() {
        for expr in [
            "foo{a=~\"|x\"} and sum(bar)",
            "foo + on (cluster) sum(bar)",
            "foo / sum(bar)",
            "foo{job=\"x\"} / ignoring (job) sum(bar)",
            "foo{job=~\".*\"} * on (job) sum(bar)",
            "foo{job=\"x\"} or sum(bar)",
            "foo{job=\"x\"} / on () sum(bar)",
            "foo{job=\"x\"} / scalar(sum(bar))",
        ] {
            check("LBL002", expr, &[]);
        }
    }
}
