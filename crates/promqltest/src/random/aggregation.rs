//! Aggregations, as the table lists them.

use narthex_promql::ValueType;
use narthex_promql::aggregations::{AGGREGATIONS, AggregateOp, AggregateSpec};

use super::QueryGenerator;
use super::wish::{Exactness, Wish};

const GROUPINGS: [&str; 14] = [
    "",
    "",
    "",
    "by (job)",
    "by (job)",
    "by (job, instance)",
    "by (instance)",
    "by (code, job)",
    "by (__name__)",
    "by ()",
    "by (missing)",
    "without (instance)",
    "without (job, code, le)",
    "without ()",
];

/// Parameters that mean something; others come from anywhere.
fn parameters(op: AggregateOp) -> &'static [&'static str] {
    match op {
        AggregateOp::CountValues => &["\"value\"", "\"value\"", "\"job\"", "\"instance\"", "\"\""],
        AggregateOp::Quantile => &["0", "0.25", "0.5", "0.9", "1", "1.5", "-1", "NaN"],
        AggregateOp::LimitRatio => &["0.5", "-0.5", "0.3", "-0.9", "1", "-1", "0", "1.5", "-2", "NaN"],
        _ => &["1", "1", "2", "2", "3", "5", "0", "-1", "1.9", "1e30", "NaN"],
    }
}

/// Whether integers stay integers.
fn keeps_integers(op: AggregateOp) -> bool {
    !matches!(op, AggregateOp::Avg | AggregateOp::Stddev | AggregateOp::Stdvar | AggregateOp::Quantile)
}

/// Whether a small difference of the values makes a large one of the result.
fn is_discrete(op: AggregateOp) -> bool {
    matches!(op, AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::CountValues)
}

impl QueryGenerator<'_> {
    pub(super) fn grouping(&mut self) -> &'static str {
        self.one_of(&GROUPINGS)
    }

    fn aggregator(&mut self, wish: Wish) -> &'static AggregateSpec {
        loop {
            let spec = &AGGREGATIONS[self.below(AGGREGATIONS.len())];
            let is_known = !spec.is_experimental || self.dialect.options.experimental_functions;
            if is_known && (keeps_integers(spec.op) || !wish.is_exact()) {
                return spec;
            }
        }
    }

    pub(super) fn aggregation(&mut self, depth: u32, wish: Wish) -> String {
        let spec = self.aggregator(wish);
        let exactness = if is_discrete(spec.op) { Exactness::Integer } else { wish.exactness };
        let mut args = self.argument(ValueType::InstantVector, depth - 1, Wish { exactness, ..wish });
        if let Some(parameter) = spec.parameter {
            args = format!("{}, {args}", self.parameter(spec.op, parameter, depth));
        }
        let (name, grouping) = (spec.name, self.grouping());
        if self.once_in(2) {
            format!("{name} {grouping} ({args})")
        } else {
            format!("{name}({args}) {grouping}")
        }
    }

    fn parameter(&mut self, op: AggregateOp, value_type: ValueType, depth: u32) -> String {
        if value_type == ValueType::Scalar && self.once_in(8) {
            return self.argument(value_type, depth - 1, Wish::INTEGER);
        }
        self.count_leaf();
        self.one_of(parameters(op)).to_owned()
    }
}
