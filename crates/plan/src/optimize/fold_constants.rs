//! Computes what is made of numbers alone.
//!
//! `predict_linear(a[1h], 4 * 3600)` → `predict_linear(a[1h], 14400)`
//!
//! Only operators whose results are the same bits wherever they are computed: the four basic ones, comparisons, the
//! sign. Remainders, powers and angles stay where their kernels are.

use narthex_promql::operators::BinaryOp;

use super::{OptimizerPass, Rewrite};
use crate::{LogicalNode, LogicalPlan};

/// See the module.
pub(super) struct FoldConstants;

impl OptimizerPass for FoldConstants {
    fn name(&self) -> &'static str {
        "fold_constants"
    }

    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        fold_below(&mut plan.root)
    }
}

/// Parts first: what is made of them may be constant then.
fn fold_below(node: &mut LogicalNode) -> Rewrite {
    let mut rewrite = Rewrite::Unchanged;
    for child in node.children_mut() {
        if fold_below(child) == Rewrite::Changed {
            rewrite = Rewrite::Changed;
        }
    }
    if let Some(value) = folded(node) {
        *node = LogicalNode::Number { value, span: node.span() };
        rewrite = Rewrite::Changed;
    }
    rewrite
}

fn folded(node: &LogicalNode) -> Option<f64> {
    match node {
        LogicalNode::Negate { expr, .. } => number(expr).map(|value| -value),
        LogicalNode::Binary { op, lhs, rhs, .. } => computed(*op, number(lhs)?, number(rhs)?),
        _ => None,
    }
}

fn number(node: &LogicalNode) -> Option<f64> {
    match node {
        LogicalNode::Number { value, .. } => Some(*value),
        _ => None,
    }
}

/// Comparisons of scalars always say 0 or 1.
#[expect(clippy::float_cmp, reason = "comparisons compare")]
fn computed(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    let says = |holds: bool| Some(if holds { 1.0 } else { 0.0 });
    match op {
        BinaryOp::Add => Some(left + right),
        BinaryOp::Sub => Some(left - right),
        BinaryOp::Mul => Some(left * right),
        BinaryOp::Div => Some(left / right),
        BinaryOp::Equal => says(left == right),
        BinaryOp::NotEqual => says(left != right),
        BinaryOp::Less => says(left < right),
        BinaryOp::LessOrEqual => says(left <= right),
        BinaryOp::Greater => says(left > right),
        BinaryOp::GreaterOrEqual => says(left >= right),
        _ => None,
    }
}
