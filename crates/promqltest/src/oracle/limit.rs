//! Aggregations that choose elements: `topk`, `bottomk`, `limitk`, `limit_ratio`.

use narthex_model::Labels;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::Aggregate;

use super::aggregate::grouped;
use super::{Element, OracleError, failed};

/// The chosen elements of each step. The parameters of all steps are checked before anything is chosen.
pub(super) fn limited(
    node: &Aggregate,
    input: Vec<Vec<Element>>,
    parameters: &[f64],
) -> Result<Vec<Vec<Element>>, OracleError> {
    let is_ratio = node.op == AggregateOp::LimitRatio;
    let is_nothing = if is_ratio {
        parameters.iter().all(|&ratio| ratio == 0.0)
    } else {
        parameters.iter().all(|&count| count < 1.0)
    };
    if is_nothing {
        return Ok(vec![Vec::new(); input.len()]);
    }
    if parameters.iter().any(|parameter| parameter.is_nan()) {
        return failed(if is_ratio { "Ratio value is NaN" } else { "Parameter value is NaN" });
    }
    let is_too_large =
        |&parameter: &f64| parameter <= i64::MIN as f64 || parameter >= 9_223_372_036_854_774_784.0;
    if !is_ratio && parameters.iter().any(is_too_large) {
        return failed("Scalar value overflows int64");
    }
    let has_order = input.len() == 1;
    let steps = input.into_iter().zip(parameters);
    Ok(steps.map(|(step, &parameter)| chosen(node, step, parameter, has_order)).collect())
}

/// The chosen elements, best first where there is but one step, else in the order they came.
fn chosen(node: &Aggregate, step: Vec<Element>, parameter: f64, has_order: bool) -> Vec<Element> {
    if node.op == AggregateOp::LimitRatio {
        let ratio = parameter.clamp(-1.0, 1.0);
        return step.into_iter().filter(|element| is_within(ratio, element)).collect();
    }
    let count = parameter.max(0.0) as usize;
    let order: Vec<Labels> = step.iter().map(|element| element.labels.clone()).collect();
    let groups = grouped(node, step, &[]).into_iter();
    let mut chosen: Vec<Element> = groups.flat_map(|(_, group)| first(node.op, group, count)).collect();
    if !has_order || node.op == AggregateOp::Limitk {
        chosen.sort_by_key(|one| order.iter().position(|labels| *labels == one.labels));
    }
    chosen
}

/// Whether the element's place among all, by its hash, is below the ratio; a negative ratio takes the others.
fn is_within(ratio: f64, element: &Element) -> bool {
    let place = element.labels.xxh64() as f64 / u64::MAX as f64;
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}

/// The first `count` elements: as they come, or the floats by falling or rising value, NaN last.
fn first(op: AggregateOp, mut group: Vec<Element>, count: usize) -> Vec<Element> {
    if op != AggregateOp::Limitk {
        group.retain(|element| element.float().is_some());
        group.sort_by(|a, b| {
            let (a, b) = (a.float().unwrap_or(f64::NAN), b.float().unwrap_or(f64::NAN));
            let (a, b) = if op == AggregateOp::Topk { (-a, -b) } else { (a, b) };
            a.is_nan().cmp(&b.is_nan()).then(a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal))
        });
    }
    group.truncate(count);
    group
}
