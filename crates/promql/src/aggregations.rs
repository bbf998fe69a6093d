//! The aggregation operators: one table of names and parameters.

use crate::ast::ValueType;
use crate::reference::{AGGREGATIONS_PAGE, section};

/// An aggregation operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AggregateOp {
    /// `sum`
    Sum,
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `group`
    Group,
    /// `stddev`
    Stddev,
    /// `stdvar`
    Stdvar,
    /// `topk`
    Topk,
    /// `bottomk`
    Bottomk,
    /// `count_values`
    CountValues,
    /// `quantile`
    Quantile,
    /// `limitk`
    Limitk,
    /// `limit_ratio`
    LimitRatio,
}

/// A row of the aggregation table.
#[derive(Clone, Copy, Debug)]
pub struct AggregateSpec {
    /// The operator.
    pub op: AggregateOp,
    /// As written in lower case.
    pub name: &'static str,
    /// The type of the first of two arguments, if there are two.
    pub parameter: Option<ValueType>,
    /// Whether it needs `promql-experimental-functions`.
    pub is_experimental: bool,
    /// What it yields per group, in one sentence.
    pub summary: &'static str,
}

const fn row(op: AggregateOp, name: &'static str, summary: &'static str) -> AggregateSpec {
    AggregateSpec { op, name, parameter: None, is_experimental: false, summary }
}

const fn with(spec: AggregateSpec, parameter: ValueType) -> AggregateSpec {
    AggregateSpec { parameter: Some(parameter), ..spec }
}

const fn experimental(spec: AggregateSpec) -> AggregateSpec {
    AggregateSpec { is_experimental: true, ..spec }
}

/// All aggregations in the order of [`AggregateOp`].
pub const AGGREGATIONS: [AggregateSpec; 14] = [
    row(AggregateOp::Sum, "sum", "the sum of the values"),
    row(AggregateOp::Avg, "avg", "the arithmetic mean of the values"),
    row(AggregateOp::Count, "count", "the number of elements"),
    row(AggregateOp::Min, "min", "the smallest value"),
    row(AggregateOp::Max, "max", "the largest value"),
    row(AggregateOp::Group, "group", "1"),
    row(AggregateOp::Stddev, "stddev", "the population standard deviation of the values"),
    row(AggregateOp::Stdvar, "stdvar", "the population variance of the values"),
    with(row(AggregateOp::Topk, "topk", "the k elements with the largest values"), ValueType::Scalar),
    with(row(AggregateOp::Bottomk, "bottomk", "the k elements with the smallest values"), ValueType::Scalar),
    with(row(AggregateOp::CountValues, "count_values", "how often each value occurs"), ValueType::String),
    with(row(AggregateOp::Quantile, "quantile", "the φ-quantile of the values"), ValueType::Scalar),
    experimental(with(row(AggregateOp::Limitk, "limitk", "the first k elements"), ValueType::Scalar)),
    experimental(with(
        row(AggregateOp::LimitRatio, "limit_ratio", "a fixed share of the elements"),
        ValueType::Scalar,
    )),
];

impl AggregateOp {
    /// The row of this operator.
    pub fn spec(self) -> &'static AggregateSpec {
        &AGGREGATIONS[self as usize]
    }

    /// As written in lower case.
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// Its section of the reference, in Markdown: signature, meaning, edge cases, examples.
    pub fn documentation(self) -> &'static str {
        section(AGGREGATIONS_PAGE, self.as_str())
    }

    /// The operator called `name`, in any case.
    pub fn by_name(name: &str) -> Option<AggregateOp> {
        AGGREGATIONS.iter().find(|spec| spec.name.eq_ignore_ascii_case(name)).map(|spec| spec.op)
    }

    /// Whether results are input elements with their labels, not new elements per group.
    pub fn selects_elements(self) -> bool {
        matches!(
            self,
            AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_operators_place() {
        assert!(AGGREGATIONS.iter().enumerate().all(|(at, spec)| spec.op as usize == at));
        assert_eq!(AggregateOp::by_name("SUM"), Some(AggregateOp::Sum));
    }
}
