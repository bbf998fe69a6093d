//! LBL001: an operator that asks for a label which was removed below it.

use narthex_diag::{Code, Diagnostic, Severity, Span, Spanned};
use narthex_model::labels::METRIC_NAME;
use narthex_model::{MatchOp, Matcher};
use narthex_plan::analysis::{LabelFacts, Reason, View};
use narthex_promql::Expr;
use narthex_promql::ast::{Aggregate, Binary, GroupSide, GroupingKind, MatchingKind};
use narthex_promql::functions::{FunctionId, LabelFunction};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct LabelAlreadyRemoved;

static SPEC: LintSpec = LintSpec {
    code: Code("LBL001"),
    name: "label-already-removed",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a label is asked for after it was removed",
    explanation: "\
An aggregation keeps only the labels of its `by`, and what is gone does not come back: grouping by it, matching on it or copying it afterwards does nothing.\n\
The result lacks the label, so that notifications and routes that rely on it see an empty one.\n\
Keep the label in the inner aggregation.",
    bad: "- record: errors:by_instance\n  expr: 'max by (instance) (sum by (job) (errors))'\n",
    good: "- record: errors:by_instance\n  expr: 'max by (instance) (sum by (job, instance) (errors))'\n",
};

impl Lint for LabelAlreadyRemoved {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            match view.node().expr {
                Expr::Aggregate(node) => aggregate(rule, node, view, findings),
                Expr::Binary(node) => binary(rule, node, view, findings),
                Expr::Call(node)
                    if node.function == Some(FunctionId::Label(LabelFunction::Replace))
                        && node.args.len() == 5 =>
                {
                    if fills_in(&node.args[4]) {
                        continue;
                    }
                    let source = node.args[3].without_parens();
                    let Some(input) = view.children().first().map(|view| view.node()) else { continue };
                    if let Expr::String(name) = source
                        && let Some(text) = name.value.as_str().filter(|name| !name.is_empty())
                        && let Some(reason) = removed(&input.labels, text)
                        && !input.presence.is_never()
                    {
                        findings.push(report(rule, text, name.span, reason, "it is read as empty"));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether the pattern of a `label_replace` matches the empty text: then a missing source is what it is for.
fn fills_in(pattern: &Expr) -> bool {
    let Expr::String(pattern) = pattern.without_parens() else { return false };
    Matcher::new("", MatchOp::Regex, pattern.value.clone()).is_ok_and(|matcher| matcher.matches_empty())
}

fn removed(labels: &LabelFacts<'_>, name: &str) -> Option<Reason> {
    let known = labels.get(name);
    (name != METRIC_NAME && known.values.is_absent()).then_some(known.reason)
}

fn report(rule: &RuleContext<'_>, label: &str, span: Span, reason: Reason, effect: &str) -> Diagnostic {
    rule.in_expr(&SPEC, format!("label `{label}` does not exist here any more"), span)
        .with_label(effect.to_owned())
        .with_secondary(rule.locate(reason.span), reason.why.describe())
}

fn aggregate(rule: &RuleContext<'_>, node: &Aggregate, view: View<'_, '_>, findings: &mut Findings) {
    let Some(grouping) = &node.grouping else { return };
    let Some(input) = view.last().map(|view| view.node()) else { return };
    if grouping.keyword.value == GroupingKind::Without || input.presence.is_never() {
        return;
    }
    for label in &grouping.labels {
        if let Some(reason) = removed(&input.labels, &label.value) {
            findings.push(report(rule, &label.value, label.span, reason, "grouping by it does nothing"));
        }
    }
}

fn binary(rule: &RuleContext<'_>, node: &Binary, view: View<'_, '_>, findings: &mut Findings) {
    let (Some(matching), Some((lhs, rhs))) = (&node.matching, view.pair()) else { return };
    let (lhs, rhs) = (lhs.node(), rhs.node());
    if view.node().presence.is_never() {
        return;
    }
    if matching.keyword.value == MatchingKind::On {
        for label in &matching.labels {
            let (left, right) = (removed(&lhs.labels, &label.value), removed(&rhs.labels, &label.value));
            findings.push(match (left, right) {
                (Some(reason), Some(_)) => report(
                    rule,
                    &label.value,
                    label.span,
                    reason,
                    "neither side has it: matching on it does nothing",
                ),
                (Some(reason), None) => one_sided(rule, label, reason, "left"),
                (None, Some(reason)) => one_sided(rule, label, reason, "right"),
                (None, None) => continue,
            });
        }
    }
    let Some(group) = &matching.group else { return };
    let one = if group.keyword.value == GroupSide::Left { rhs } else { lhs };
    for label in &group.labels {
        if let Some(reason) = removed(&one.labels, &label.value) {
            findings.push(report(
                rule,
                &label.value,
                label.span,
                reason,
                "there is nothing to copy: it is removed instead",
            ));
        }
    }
}

fn one_sided(rule: &RuleContext<'_>, label: &Spanned<Box<str>>, reason: Reason, side: &str) -> Diagnostic {
    let effect = format!("the {side} side never has it: only elements without it match");
    report(rule, &label.value, label.span, reason, &effect)
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn labels_that_are_gone() {
        check("LBL001", "sum by (job) (sum by (env) (a)) > 0", &["job"]);
        check("LBL001", "sum by (job) (sum without (job) (a)) > 0", &["job"]);
        check("LBL001", "foo + on (cluster) sum(bar)", &["cluster"]);
        check("LBL001", "sum(a) / on (x) sum(b)", &["x"]);
        check("LBL001", "a * on (job) group_left (owner) sum by (job) (b)", &["owner"]);
        check("LBL001", "label_replace(sum(a), \"x\", \"$1\", \"job\", \"(.+)\")", &["\"job\""]);
    }

    #[test]
    fn labels_that_may_be_there() {
        for expr in [
            "sum by (job) (a)",
            "sum by (job) (sum without (env) (a))",
            "a * on (job) group_left (owner) b",
            "label_replace(sum(a), \"x\", \"all\", \"\", \"\")",
            "label_replace(sum(a), \"x\", \"all\", \"job\", \".*\")",
            "sum without (job) (sum by (env) (a))",
            "max by (owner) (a * on (job) group_left (owner) b)",
            "count by (v) (count_values by (job) (\"v\", a))",
            "sum by (a) (label_join(sum by (b) (x), \"a\", \"\", \"b\"))",
        ] {
            check("LBL001", expr, &[]);
        }
    }
}
