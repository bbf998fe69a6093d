//! Aggregations: all values of a group in a list, then a definition.

use std::collections::BTreeMap;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, Timestamp};
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::{Aggregate, GroupingKind};

use super::{Element, Oracle, OracleError, failed, unsupported};

impl Oracle<'_> {
    pub(super) fn aggregate(&self, node: &Aggregate, at_ms: Timestamp) -> Result<Vec<Element>, OracleError> {
        let mut groups: BTreeMap<Labels, Vec<Element>> = BTreeMap::new();
        for element in self.vector(&node.expr, at_ms)? {
            groups.entry(group_labels(node, &element.labels)).or_default().push(element);
        }
        let parameter = match &node.parameter {
            Some(parameter) if node.op != AggregateOp::CountValues => self.scalar(parameter, at_ms)?,
            _ => f64::NAN,
        };
        let groups = groups.into_iter();
        match node.op {
            AggregateOp::Topk | AggregateOp::Bottomk => {
                if parameter.is_nan() {
                    return failed("Parameter value is NaN");
                }
                let count = parameter.max(0.0) as usize;
                Ok(groups.flat_map(|(_, group)| best(node.op, group, count)).collect())
            }
            AggregateOp::CountValues | AggregateOp::Limitk | AggregateOp::LimitRatio => {
                unsupported(node.op.as_str())
            }
            _ => Ok(groups.map(|(labels, group)| folded(node.op, labels, &group, parameter)).collect()),
        }
    }
}

fn group_labels(node: &Aggregate, labels: &Labels) -> Labels {
    let Some(grouping) = &node.grouping else { return Labels::empty() };
    let is_listed = |name: &str| grouping.labels.iter().any(|label| &*label.value == name);
    match grouping.keyword.value {
        GroupingKind::By => labels.filtered(|name, _| is_listed(name)),
        GroupingKind::Without => labels.filtered(|name, _| name != METRIC_NAME && !is_listed(name)),
    }
}

fn folded(op: AggregateOp, labels: Labels, group: &[Element], parameter: f64) -> Element {
    let values: Vec<f64> = group.iter().map(|element| element.value).collect();
    let value = match op {
        AggregateOp::Sum => values.iter().sum(),
        AggregateOp::Avg => mean(&values),
        AggregateOp::Count => values.len() as f64,
        AggregateOp::Min => values.iter().copied().fold(f64::NAN, f64::min),
        AggregateOp::Max => values.iter().copied().fold(f64::NAN, f64::max),
        AggregateOp::Stddev => variance(&values).sqrt(),
        AggregateOp::Stdvar => variance(&values),
        AggregateOp::Quantile => quantile(parameter, &values),
        _ => 1.0,
    };
    let drops_name = group.iter().any(|element| element.drops_name);
    Element { labels, drops_name, value, taken_ms: 0 }
}

/// The first `count` elements by falling or rising value, NaN last; of equal ones the earlier.
fn best(op: AggregateOp, mut group: Vec<Element>, count: usize) -> Vec<Element> {
    group.sort_by(|a, b| {
        let (a, b) = if op == AggregateOp::Topk { (-a.value, -b.value) } else { (a.value, b.value) };
        a.is_nan().cmp(&b.is_nan()).then(a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal))
    });
    group.truncate(count);
    group
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// Interpolated between the neighbours of the rank; NaN stands before everything.
pub(super) fn quantile(q: f64, values: &[f64]) -> f64 {
    match q {
        _ if values.is_empty() || q.is_nan() => return f64::NAN,
        _ if q < 0.0 => return f64::NEG_INFINITY,
        _ if q > 1.0 => return f64::INFINITY,
        _ => {}
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)));
    let rank = q * (sorted.len() - 1) as f64;
    let below = rank.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let weight = rank - rank.floor();
    sorted[below] * (1.0 - weight) + sorted[above] * weight
}
