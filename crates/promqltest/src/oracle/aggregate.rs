//! Aggregations: all samples of a group in a list, then a definition.

use std::sync::Arc;

use narthex_model::labels::METRIC_NAME;
use narthex_model::number::format_plain;
use narthex_model::{FloatHistogram, Labels, LabelsBuilder, SampleValue, Timestamp};
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::{Aggregate, GroupingKind};

use super::{Element, Oracle, OracleError, added, failed, label, window};

impl Oracle<'_> {
    pub(super) fn aggregate(
        &self,
        node: &Aggregate,
        times: &[Timestamp],
    ) -> Result<Vec<Vec<Element>>, OracleError> {
        let input = self.vectors(&node.expr, times)?;
        match (node.op, &node.parameter) {
            (
                AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio,
                Some(parameter),
            ) => {
                let parameters = self.scalars(parameter, times)?;
                super::limit::limited(node, input, &parameters)
            }
            (AggregateOp::CountValues, Some(parameter)) => {
                let name = label::text(parameter)?;
                if name.is_empty() {
                    return failed("invalid label name \"\"");
                }
                Ok(input.iter().map(|step| count_values(node, &name, step)).collect())
            }
            (_, parameter) => {
                let parameters = match parameter {
                    Some(parameter) => self.scalars(parameter, times)?,
                    None => vec![f64::NAN; times.len()],
                };
                let steps = input.into_iter().zip(parameters);
                Ok(steps.map(|(step, parameter)| self.folded(node, step, parameter)).collect())
            }
        }
    }

    fn folded(&self, node: &Aggregate, step: Vec<Element>, parameter: f64) -> Vec<Element> {
        let groups = grouped(node, step, &[]).into_iter();
        let element = |(labels, group): (Labels, Vec<Element>)| {
            let drops_name = group.iter().any(|element| element.drops_name);
            let value = value(node.op, &group, parameter)?;
            let mut element = Element { drops_name, ..Element::new(labels, value) };
            self.drop_name(&mut element);
            Some(element)
        };
        groups.filter_map(element).collect()
    }
}

/// The elements of a step by group, `added` being a label that always tells groups apart. Groups come in the order of
/// their first elements.
pub(super) fn grouped(node: &Aggregate, step: Vec<Element>, added: &[&str]) -> Vec<(Labels, Vec<Element>)> {
    let mut groups: Vec<(Labels, Vec<Element>)> = Vec::new();
    for element in step {
        let labels = group_labels(node, &element.labels, added);
        match groups.iter_mut().find(|group| group.0 == labels) {
            Some(group) => group.1.push(element),
            None => groups.push((labels, vec![element])),
        }
    }
    groups
}

fn group_labels(node: &Aggregate, labels: &Labels, added: &[&str]) -> Labels {
    let listed = node.grouping.as_ref().map_or(&[][..], |grouping| &grouping.labels);
    let is_listed = |name: &str| listed.iter().any(|label| &*label.value == name);
    let is_without =
        node.grouping.as_ref().is_some_and(|grouping| grouping.keyword.value == GroupingKind::Without);
    labels.filtered(|name, _| match is_without {
        true => name != METRIC_NAME && !is_listed(name),
        false => is_listed(name) || added.contains(&name),
    })
}

/// How often each value occurs.
fn count_values(node: &Aggregate, name: &str, step: &[Element]) -> Vec<Element> {
    let labelled = step.iter().map(|element| {
        let text = match &element.value {
            SampleValue::Float(value) => format_plain(*value),
            SampleValue::Histogram(value) => value.to_string(),
        };
        let labels = LabelsBuilder::from_labels(&element.labels).set(name, &text).build();
        Element { labels, ..element.clone() }
    });
    let groups = grouped(node, labelled.collect(), &[name]).into_iter();
    let element = |(labels, group): (Labels, Vec<Element>)| {
        let drops_name = group.iter().any(|element| element.drops_name);
        Element { drops_name, ..Element::new(labels, group.len() as f64) }
    };
    groups.map(element).collect()
}

/// The value of a group; `None` where histograms and floats do not go together, or nothing counts.
fn value(op: AggregateOp, group: &[Element], parameter: f64) -> Option<SampleValue> {
    let floats: Vec<f64> = group.iter().filter_map(Element::float).collect();
    let histograms: Vec<Arc<FloatHistogram>> = group.iter().filter_map(Element::histogram).cloned().collect();
    let count = group.len() as f64;
    match op {
        AggregateOp::Count => return Some(count.into()),
        AggregateOp::Group => return Some(1.0.into()),
        AggregateOp::Sum | AggregateOp::Avg if !histograms.is_empty() => {
            let divisor = if op == AggregateOp::Avg { count } else { 1.0 };
            let total = floats.is_empty().then(|| window::histogram_total(&histograms, divisor));
            return total.flatten().map(SampleValue::from);
        }
        _ => {}
    }
    floats.first()?;
    let value = match op {
        AggregateOp::Sum => super::compensated(floats),
        AggregateOp::Avg => mean(&floats),
        AggregateOp::Min => least(&floats),
        AggregateOp::Max => -least(&negated(&floats)),
        AggregateOp::Stddev => variance(&floats).sqrt(),
        AggregateOp::Stdvar => variance(&floats),
        _ => quantile(parameter, &floats),
    };
    Some(value.into())
}

/// The first of the smallest values; NaN if there is nothing else.
pub(super) fn least(values: &[f64]) -> f64 {
    let mut least = f64::NAN;
    for &value in values {
        if value < least || least.is_nan() {
            least = value;
        }
    }
    least
}

pub(super) fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

/// The compensated sum divided by the number of values; where that is too large, the mean is carried along.
pub(super) fn mean(values: &[f64]) -> f64 {
    let mut sum = (0.0, 0.0);
    for (before, &value) in values.iter().enumerate() {
        let next = added(sum, value);
        if before > 0 && next.0.is_infinite() {
            return carried_mean(values, before, sum);
        }
        sum = next;
    }
    let count = values.len() as f64;
    sum.0 / count + sum.1 / count
}

/// Goes on from the sum of the first `before` values.
fn carried_mean(values: &[f64], before: usize, sum: (f64, f64)) -> f64 {
    let mut mean = (sum.0 / before as f64, sum.1 / before as f64);
    for (at, value) in values.iter().enumerate().skip(before) {
        let count = (at + 1) as f64;
        let kept = (count - 1.0) / count;
        mean = added((kept * mean.0, kept * mean.1), value / count);
    }
    mean.0 + mean.1
}

fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (0.0, 0.0);
    for (count, value) in (1..).zip(values) {
        let distance = value - mean;
        mean += distance / f64::from(count);
        squares += distance * (value - mean);
    }
    squares / values.len() as f64
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
