//! An instant query must have the same result at every evaluation time once all its times are fixed.
//!
//! Upstream's runner checks that too: it fixes all selectors of an instant query to its time and evaluates it again at
//! other times. Here the tree is changed and not the text, so that annotations keep their places.

use narthex_model::Timestamp;
use narthex_promql::Expr;
use narthex_promql::ast::{At, AtValue, Modifiers};
use narthex_promql::functions::{ConversionFunction, FunctionId, RegressionFunction, ScalarFunction};

/// `expr` with `@ at_ms` wherever no time is fixed; `None` when its value depends on the evaluation time nevertheless.
pub(crate) fn pinned(expr: &Expr, at_ms: Timestamp) -> Option<Expr> {
    let mut expr = expr.clone();
    pin(&mut expr, at_ms).then_some(expr)
}

/// Other times at which to evaluate what was written for `at_ms`.
pub(crate) fn other_times(at_ms: Timestamp) -> Vec<Timestamp> {
    if at_ms == 0 {
        return vec![-1000, 0, 1000];
    }
    vec![at_ms.saturating_mul(-10), 0, at_ms / 5, at_ms, at_ms.saturating_mul(10)]
}

/// Whether the query refers to its own bounds and so differs within a range query.
pub(crate) fn depends_on_bounds(expr: &Expr) -> bool {
    let text = expr.to_string();
    ["start()", "end()", "step()", "range()"].iter().any(|call| text.contains(call))
}

/// Whether all is fixed now. What is inside a fixed subquery stays as it is.
fn pin(expr: &mut Expr, at_ms: Timestamp) -> bool {
    match expr {
        Expr::Number(_) | Expr::String(_) | Expr::Error(_) => true,
        Expr::Selector(node) => pin_modifiers(&mut node.modifiers, at_ms),
        Expr::Matrix(node) => pin_modifiers(&mut node.selector.modifiers, at_ms),
        Expr::Subquery(node) => pin_modifiers(&mut node.modifiers, at_ms),
        Expr::Call(node) => {
            let is_fixed = node.function.is_none_or(|function| !varies_with_time(function));
            is_fixed && node.args.iter_mut().all(|arg| pin(arg, at_ms))
        }
        Expr::Aggregate(node) => {
            node.parameter.as_mut().is_none_or(|parameter| pin(parameter, at_ms))
                && pin(&mut node.expr, at_ms)
        }
        Expr::Binary(node) => pin(&mut node.lhs, at_ms) && pin(&mut node.rhs, at_ms),
        Expr::Unary(node) => pin(&mut node.expr, at_ms),
        Expr::Paren(node) => pin(&mut node.expr, at_ms),
    }
}

/// `start()` and `end()` are the evaluation time of an instant query.
fn pin_modifiers(modifiers: &mut Modifiers, at_ms: Timestamp) -> bool {
    match &mut modifiers.at {
        Some(At { value: AtValue::Timestamp(_), .. }) => {}
        Some(at) => at.value = AtValue::Timestamp(at_ms),
        none => *none = Some(At { span: narthex_diag::Span::default(), value: AtValue::Timestamp(at_ms) }),
    }
    true
}

/// Whether a function looks at the evaluation time itself.
fn varies_with_time(function: FunctionId) -> bool {
    match function {
        FunctionId::Date(_)
        | FunctionId::Regression(RegressionFunction::PredictLinear)
        | FunctionId::Conversion(ConversionFunction::Timestamp | ConversionFunction::StartTimestamp) => true,
        FunctionId::Scalar(scalar) => {
            !matches!(scalar, ScalarFunction::Pi | ScalarFunction::MinOf | ScalarFunction::MaxOf)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_promql::{ParseOptions, parse};

    fn pinned_text(query: &str) -> Option<String> {
        let expr = parse(query, &ParseOptions::ALL).into_result().unwrap();
        pinned(&expr, 60_000).map(|expr| expr.to_string())
    }

    #[test]
    fn every_selector_gets_a_time_but_those_in_fixed_subqueries() {
        let rows = [
            ("a", Some("a @ 60.000")),
            ("sum(rate(a[5m] offset 1m)) + b @ 5", Some("sum(rate(a[5m] @ 60.000 offset 1m)) + b @ 5.000")),
            ("max_over_time(a[5m:1m])", Some("max_over_time(a[5m:1m] @ 60.000)")),
            ("a @ end() - -(b)", Some("a @ 60.000 - -(b @ 60.000)")),
            ("sum_over_time(timestamp(a)[5m:1m])", Some("sum_over_time(timestamp(a)[5m:1m] @ 60.000)")),
            ("timestamp(a)", None),
            ("predict_linear(a[5m], 3)", None),
            ("vector(time())", None),
            ("topk(scalar(a), pi() * b)", Some("topk(scalar(a @ 60.000), pi() * b @ 60.000)")),
        ];
        for (query, expected) in rows {
            assert_eq!(pinned_text(query).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn times_are_scattered_around_zero() {
        assert_eq!(other_times(0), [-1000, 0, 1000]);
        assert_eq!(other_times(50), [-500, 0, 10, 50, 500]);
    }
}
