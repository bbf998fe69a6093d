//! The plan of any expression: the same for the printed expression, and finished after one run of the passes.

use narthex_model::TimeRange;
use narthex_plan::optimize::Rewrite;
use narthex_plan::{LogicalNode, LogicalPlan, Optimizer, QueryParameters, build};
use narthex_promql::{Expr, ParseOptions, parse};

use crate::input::{check_places, text};

const LOOKBACK_MS: i64 = 300_000;
const SUBQUERY_STEP_MS: i64 = 60_000;

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(expr) = parse(text, &ParseOptions::ALL).into_result() else { return };
    let Ok(printed) = parse(&expr.to_string(), &ParseOptions::ALL).into_result() else { return };
    let range = TimeRange::new(60_000, 310_000);
    let parameters = [
        QueryParameters::instant(1_767_607_200_000, LOOKBACK_MS, SUBQUERY_STEP_MS),
        QueryParameters::range(range, 60_000, LOOKBACK_MS, SUBQUERY_STEP_MS),
    ];
    for parameters in parameters {
        check(&expr, &printed, text, parameters);
    }
}

fn check(expr: &Expr, printed: &Expr, text: &str, parameters: QueryParameters) {
    let again = build(printed, parameters).map(explained_in_order);
    let mut plan = match build(expr, parameters) {
        Ok(plan) => plan,
        Err(error) => {
            check_places(&error.to_diagnostic(), text);
            assert!(again.is_err());
            return;
        }
    };
    assert_eq!(again, Ok(explained_in_order(plan.clone())));
    Optimizer::ALL.run(&mut plan);
    let explained = plan.to_string();
    let records = Optimizer::ALL.run_recorded(&mut plan);
    assert!(records.iter().all(|record| record.rewrite == Rewrite::Unchanged), "{explained}");
    assert_eq!(plan.to_string(), explained);
}

/// The plan as text without what printing an expression does not keep: the order of a selector's conditions, and the
/// sign of `-0s`, which upstream drops too.
fn explained_in_order(mut plan: LogicalPlan) -> String {
    sort_matchers(&mut plan.root);
    plan.to_string().replace("number -0\n", "number 0\n")
}

fn sort_matchers(node: &mut LogicalNode) {
    if let Some(selector) = node.selector_mut() {
        let mut matchers = selector.matchers.to_vec();
        matchers.sort_by_cached_key(|matcher| format!("{matcher:?}"));
        selector.matchers = matchers.into();
    }
    node.children_mut().into_iter().for_each(sort_matchers);
}
