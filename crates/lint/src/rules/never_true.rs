//! VAL001: a condition that no value satisfies.

use narthex_diag::{Applicability, Code, Diagnostic, Severity};
use narthex_plan::analysis::{Basis, Emptiness, Interval, Node, Presence, View, Why};
use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::Binary;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct NeverTrue;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL001"),
    name: "never-true",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "a condition that no value satisfies",
    explanation: "\
The values an expression can have are known in part: a count is at least 1, `absent` is 1, a comparison with `bool` is 0 or 1.\n\
A comparison outside these bounds drops everything, so the alert never fires.\n\
The usual case is `count(…) == 0`: when nothing is left to count there is no result at all, not a zero.\n\
Where the bounds rest on what a metric is (`up` is 0 or 1, counters only go up), the finding is a warning.",
    bad: "- alert: AllDown\n  expr: count(up{job=\"api\"} == 1) == 0\n",
    good: "- alert: AllDown\n  expr: absent(up{job=\"api\"} == 1)\n",
};

impl Lint for NeverTrue {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            let Presence::Never(emptiness) = &view.node().presence else { continue };
            let finding = match emptiness {
                Emptiness::Comparison => comparison(rule, view),
                Emptiness::AbsentOfPresent => nothing(rule, view, "what is looked for here is always there"),
                Emptiness::AllRemoved => nothing(rule, view, "`unless` removes everything here"),
                Emptiness::CrossedBounds => nothing(rule, view, "the minimum is above the maximum"),
                _ => None,
            };
            if let Some(finding) = finding {
                findings.push(finding);
            }
        }
    }
}

fn nothing(rule: &RuleContext<'_>, view: View<'_, '_>, message: &str) -> Option<Diagnostic> {
    let span = view.node().expr.span();
    Some(
        rule.in_expr(&SPEC, message, span)
            .with_label("nothing passes")
            .with_note(rule.consequence_of_nothing()),
    )
}

fn comparison(rule: &RuleContext<'_>, view: View<'_, '_>) -> Option<Diagnostic> {
    let (lhs, rhs) = view.pair()?;
    let (left, right) = (lhs.node(), rhs.node());
    let is_nan = |node: &Node<'_>| node.values.as_constant().is_some_and(f64::is_nan);
    let is_filter = |node: &Node<'_>| node.values.reason.why == Why::Filtered;
    // Comparisons with NaN and conditions that exclude each other have lints of their own.
    if is_nan(left) || is_nan(right) || is_filter(left) || is_filter(right) {
        return None;
    }
    let span = view.node().expr.span();
    let mut finding =
        rule.in_expr(&SPEC, "this comparison is never true", span).with_label("nothing passes this");
    for node in [left, right] {
        let reason = node.values.reason;
        if !matches!(reason.why, Why::Constant | Why::Unknown | Why::Derived) {
            finding = finding.with_secondary(rule.locate(reason.span), reason.why.describe());
        }
    }
    let basis = view.node().values.basis;
    if basis == Basis::Declared {
        finding.severity = Severity::Warning;
    }
    let class = if basis == Basis::Proof { "proof" } else { "given what the metric is" };
    let (left, right) = (described(&left.values.floats), described(&right.values.floats));
    let proof = format!("{class}: the left side is {left}, the right side {right}");
    finding = finding.with_note(rule.consequence_of_nothing()).with_note(proof);
    Some(with_absent(rule, finding, view))
}

/// Values in words.
fn described(values: &Interval) -> String {
    match (values.as_point(), values.is_integer) {
        (Some(value), _) => value.to_string(),
        (None, true) => format!("a whole number from {} to {}", values.lo, values.hi).replace("inf", "+Inf"),
        (None, false) => format!("in {values}"),
    }
}

/// `count(x) == 0` means that there is nothing to count.
fn with_absent(rule: &RuleContext<'_>, finding: Diagnostic, view: View<'_, '_>) -> Diagnostic {
    let Expr::Binary(binary) = view.node().expr else { return finding };
    let Some(replacement) = counted_nothing(rule, binary) else { return finding };
    let message = format!("say what is missing: `{replacement}`");
    let edits = [(binary.span, replacement.as_str())];
    finding.with_suggestion(rule.expr_suggestion(message, &edits, Applicability::Unsafe))
}

fn counted_nothing(rule: &RuleContext<'_>, binary: &Binary) -> Option<String> {
    let Expr::Aggregate(count) = binary.lhs.without_parens() else { return None };
    if count.op != AggregateOp::Count {
        return None;
    }
    let inner = rule.slice(count.expr.span());
    let Some(grouping) = &count.grouping else { return Some(format!("absent({inner})")) };
    let Expr::Binary(filter) = count.expr.without_parens() else { return None };
    if !filter.op.is_comparison() {
        return None;
    }
    let (all, grouping) = (rule.slice(filter.lhs.span()), rule.slice(grouping.span));
    Some(format!("group {grouping} ({all}) unless group {grouping} ({inner})"))
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn comparisons_outside_the_bounds() {
        for expr in [
            "count(up) == 0",
            "count(up == 0) == 0",
            "count by (job) (up == 1) == 0",
            "count(up) < 0",
            "up > 1",
            "rate(http_requests_total[5m]) < 0",
            "sum(absent(up)) < 1",
            "clamp_max(cpu_ratio, 80) > 90",
            "absent(up) == 0",
            "0 == count(up)",
            "hour() > 23",
            "vector(0) > 1",
            "clamp(x, 5, 3)",
        ] {
            check("VAL001", expr, &[expr]);
        }
        check("VAL001", "x > 5 or count(up) == 0", &["count(up) == 0"]);
        check("VAL001", "absent(x or vector(1)) > 0", &["absent(x or vector(1))"]);
    }

    #[test]
    fn comparisons_that_may_hold() {
        for expr in [
            "count(up) == 1",
            "up == 0",
            "count(up) - 1 == 0",
            "count_values(\"v\", up) > 1",
            "sum(up) == 0",
            "avg(up) < 0.5",
            "x == NaN",
            "(x > 5) < 3",
            "delta(x[5m]) < 0",
            "scalar(count(up)) > bool 0",
            "count(up) == bool 0",
            "histogram_quantile(2, rate(x_bucket[5m])) > 1",
        ] {
            check("VAL001", expr, &[]);
        }
    }

    #[test]
    fn nothing_to_count_is_absence() {
        check_fix("VAL001", "count(up == 1) < 1", "absent(up == 1)");
        check_fix(
            "VAL001",
            "count by (job) (up == 1) == 0",
            "group by (job) (up) unless group by (job) (up == 1)",
        );
    }
}
