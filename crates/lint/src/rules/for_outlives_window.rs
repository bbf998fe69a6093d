//! WIN002: `for` that is no shorter than the window in which an event shows.

use narthex_diag::{Code, Severity, Span};
use narthex_promql::Expr;
use narthex_promql::ast::{Binary, DurationScope, ValueType};
use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction};
use narthex_promql::operators::BinaryOp;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ForOutlivesWindow;

static SPEC: LintSpec = LintSpec {
    code: Code("WIN002"),
    name: "for-outlives-window",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "`for` is no shorter than the window in which an event shows",
    explanation: "\
`increase(x[5m]) > 0` holds for at most five minutes after an event.\n\
With `for: 5m` or more the condition ends before the alert fires: one event never raises it, only events that keep coming do.\n\
To be told of every event, leave `for` out and keep the alert up with `keep_firing_for`, or make the window longer than `for`.\n\
With `rate`, where something lasting is more often meant, the finding is only informative.",
    bad: "- alert: Restarted\n  expr: changes(start_time_seconds[5m]) > 0\n  for: 10m\n",
    good: "- alert: Restarted\n  expr: changes(start_time_seconds[5m]) > 0\n  keep_firing_for: 10m\n",
};

impl Lint for ForOutlivesWindow {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let Some(hold_for) = rule.alert().and_then(|alert| alert.hold_for) else { return };
        let Some((window, event)) = event_window(rule.expr()) else { return };
        let hold_ms = (hold_for.value.seconds() * 1000.0) as i64;
        if hold_ms < window.range_ms {
            return;
        }
        let message = "one event never makes this alert fire: its window is over before `for` is";
        let mut finding = rule.finding(&SPEC, message, hold_for.span);
        if window.is_rate {
            finding.severity = Severity::Info;
        }
        findings.push(
            finding
                .with_label("the condition must hold for this long")
                .with_secondary(rule.locate(window.span), "an event shows for no longer than this")
                .with_secondary(rule.locate(event), "true as soon as there is one event")
                .with_note("only events that keep coming raise it")
                .with_help("drop `for` and use `keep_firing_for`, or make the window longer than `for`"),
        );
    }
}

struct Window {
    /// Whether a rate is asked for, which is more often meant to be lasting.
    is_rate: bool,
    range_ms: i64,
    span: Span,
}

/// The window of a condition that a single event satisfies, and the comparison.
fn event_window(expr: &Expr) -> Option<(Window, Span)> {
    let Expr::Binary(node) = expr.without_parens() else { return None };
    if !is_any_event(node) {
        return None;
    }
    Some((counted_window(&node.lhs)?, node.op_span.to(node.rhs.span())))
}

/// `> 0`, `!= 0`, also `>= 1`.
fn is_any_event(node: &Binary) -> bool {
    let Expr::Number(limit) = node.rhs.without_parens() else { return false };
    match node.op {
        BinaryOp::Greater | BinaryOp::NotEqual => limit.value == 0.0,
        BinaryOp::GreaterOrEqual => limit.value > 0.0 && limit.value <= 1.0,
        _ => false,
    }
}

/// The window in which events are counted, looking through aggregations and functions of labels.
fn counted_window(expr: &Expr) -> Option<Window> {
    match expr.without_parens() {
        Expr::Aggregate(node) if node.op.spec().parameter.is_none() => counted_window(&node.expr),
        Expr::Call(node) => match node.function? {
            FunctionId::Rate(RateFunction::Rate | RateFunction::Increase | RateFunction::Irate)
            | FunctionId::OverTime(OverTimeFunction::Changes | OverTimeFunction::Resets) => {
                let Expr::Matrix(matrix) = node.args.first()?.without_parens() else { return None };
                let range_ms =
                    matrix.range.evaluate_positive_ms(DurationScope { step_ms: 0, range_ms: 0 }).ok()?;
                let is_rate =
                    matches!(node.function?, FunctionId::Rate(which) if which != RateFunction::Increase);
                Some(Window { is_rate, range_ms, span: matrix.brackets })
            }
            FunctionId::Label(_) if node.function?.spec().returns == ValueType::InstantVector => {
                counted_window(node.args.first()?)
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn rule(expr: &str, hold_for: &str) -> String {
        format!("- alert: A\n  expr: {expr}\n  for: {hold_for}")
    }

    #[test]
    fn windows_that_end_too_early() {
        for (expr, hold_for) in [
            ("increase(x[5m]) > 0", "5m"),
            ("sum by (job) (increase(x[5m])) > 0", "1h"),
            ("changes(x[2m]) >= 1", "3m"),
            ("rate(x[5m]) != 0", "10m"),
        ] {
            check("WIN002", &rule(expr, hold_for), &[hold_for]);
        }
    }

    #[test]
    fn windows_that_are_long_enough() {
        for (expr, hold_for) in [
            ("increase(x[10m]) > 0", "5m"),
            ("increase(x[5m]) > 3", "5m"),
            ("increase(x[5m]) == 0", "5m"),
            ("x > 0", "5m"),
            ("avg_over_time(x[5m]) > 0", "5m"),
            ("increase(x[5m]) > 0 and y > 1", "5m"),
        ] {
            check("WIN002", &rule(expr, hold_for), &[]);
        }
    }
}
