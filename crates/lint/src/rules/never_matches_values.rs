//! LBL003: a join on a label whose values differ on the two sides.

use narthex_diag::{Code, Diagnostic, Severity};
use narthex_plan::analysis::{Conflict, LabelFact, Node, conflict};
use narthex_promql::Expr;
use narthex_promql::ast::{Binary, ValueType};
use narthex_promql::operators::BinaryOp;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct NeverMatchesValues;

static SPEC: LintSpec = LintSpec {
    code: Code("LBL003"),
    name: "never-matches-values",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "two vectors matched on a label whose values differ on the two sides",
    explanation: "\
Both sides select different values of a label that is compared, as in `a{state=\"on\"} / b{state=\"off\"}`, so that no element has a partner.\n\
The operator has no result: an alert never fires, and `unless` never removes anything.\n\
Leave the label out of the comparison with `ignoring (state)`, or compare others with `on (…)`.",
    bad: "- record: share\n  expr: 'jobs{state=\"failed\"} / jobs{state=\"all\"}'\n",
    good: "- record: share\n  expr: 'jobs{state=\"failed\"} / ignoring (state) jobs{state=\"all\"}'\n",
};

impl Lint for NeverMatchesValues {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        report_conflicts(rule, &SPEC, findings, |conflict| {
            !conflict.left.values.is_absent() && !conflict.right.values.is_absent()
        });
    }
}

/// Reports every operator whose sides never agree on a label, of those that `is_ours` accepts.
pub(crate) fn report_conflicts(
    rule: &RuleContext<'_>,
    spec: &LintSpec,
    findings: &mut Findings,
    is_ours: impl Fn(&Conflict<'_>) -> bool,
) {
    for view in rule.analysis.views() {
        let Expr::Binary(node) = view.node().expr else { continue };
        let Some((lhs, rhs)) = view.pair() else { continue };
        if !compares_labels(node, lhs.node(), rhs.node()) {
            continue;
        }
        let found = conflict(node, &lhs.node().labels, &rhs.node().labels);
        if let Some(found) = found.filter(|found| is_ours(found)) {
            findings.push(finding(rule, spec, node, &found));
        }
    }
}

fn compares_labels(node: &Binary, lhs: &Node<'_>, rhs: &Node<'_>) -> bool {
    let is_vector = |expr: &Expr| expr.value_type() == Some(ValueType::InstantVector);
    let has_fill = node.fill.left.is_some() || node.fill.right.is_some();
    let is_empty = lhs.presence.is_never() || rhs.presence.is_never();
    node.op != BinaryOp::Or && is_vector(&node.lhs) && is_vector(&node.rhs) && !has_fill && !is_empty
}

fn finding(rule: &RuleContext<'_>, spec: &LintSpec, node: &Binary, conflict: &Conflict<'_>) -> Diagnostic {
    let label = conflict.label;
    let is_unless = node.op == BinaryOp::Unless;
    let effect = if is_unless { "removes anything" } else { "matches" };
    let message = format!("this `{}` never {effect}: the sides never agree on `{label}`", node.op.as_str());
    let consequence = match is_unless {
        true => "everything on the left side passes",
        false => rule.consequence_of_nothing(),
    };
    let mut finding = rule
        .in_expr(spec, message, node.op_span)
        .with_label("no element has a partner")
        .with_note(consequence);
    if is_unless {
        finding.severity = Severity::Warning;
    }
    for fact in [&conflict.left, &conflict.right] {
        finding = finding.with_secondary(rule.locate(fact.reason.span), described(fact));
    }
    match node.matching {
        None => finding.with_help(format!("leave it out of the comparison: `ignoring ({label})`")),
        Some(_) => finding,
    }
}

fn described(fact: &LabelFact<'_>) -> String {
    match fact.values.is_absent() {
        true => format!("no `{}` from here on: {}", fact.name, fact.reason.why.describe()),
        false => format!("`{}{}`", fact.name, fact.values),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn values_without_overlap() {
        check("LBL003", "a{job=\"x\"} / b{job=\"y\"}", &["/"]);
        check("LBL003", "sum by (s) (a{s=~\"a|b\"}) > on (s) sum by (s) (b{s!~\"a|b\"})", &[">"]);
        check("LBL003", "a{s=~\"eu-.*\"} and a{s=~\"us-.*\"}", &["and"]);
        check("LBL003", "a{s=\"1\"} unless a{s=\"2\"}", &["unless"]);
    }

    #[test]
    fn values_that_may_agree() {
        for expr in [
            "a{job=\"x\"} / ignoring (job) b{job=\"y\"}",
            "a{job=\"x\"} / on (env) b{job=\"y\"}",
            "a{job=\"x\"} or b{job=\"y\"}",
            "a{job=~\"x|y\"} / b{job=~\"y|z\"}",
            "sum(a{job=\"x\"}) / sum(b{job=\"y\"})",
            "{__name__=\"a\"} / b",
            "a{job!=\"x\"} and a{job!=\"y\"}",
        ] {
            check("LBL003", expr, &[]);
        }
    }
}
