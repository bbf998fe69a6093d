//! Computes once what is the same at every step.
//!
//! `rate(a[5m] @ 100) + b` → `step_invariant(rate(a[5m] @ 100)) + b`

use narthex_promql::functions::{ConversionFunction, FunctionId, RegressionFunction, ScalarFunction};

use super::{OptimizerPass, Rewrite};
use crate::LogicalPlan;
use crate::logical::{LogicalNode, SelectedPart};

/// See the module.
pub(super) struct HoistStepInvariant;

impl OptimizerPass for HoistStepInvariant {
    fn name(&self) -> &'static str {
        "hoist_step_invariant"
    }

    /// A grid of one step has nothing to save, but a subquery below it has.
    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        let mut hoist = Hoist { rewrite: Rewrite::Unchanged };
        if hoist.is_invariant(&mut plan.root) {
            hoist.wrap(&mut plan.root);
        }
        hoist.rewrite
    }
}

struct Hoist {
    rewrite: Rewrite,
}

impl Hoist {
    /// Whether the node has the same value at every step. If it has not, its invariant children are wrapped.
    fn is_invariant(&mut self, node: &mut LogicalNode) -> bool {
        match node {
            LogicalNode::Number { .. } | LogicalNode::Text { .. } => true,
            LogicalNode::VectorSelector { selector, .. } | LogicalNode::MatrixSelector { selector, .. } => {
                selector.shift.at_ms.is_some()
            }
            LogicalNode::Subquery { expr, shift, .. } => {
                let is_fixed = shift.at_ms.is_some();
                // Below, steps are those of the subquery: what does not vary with them is worth hoisting by itself.
                if self.is_invariant(expr) {
                    self.wrap(expr);
                }
                is_fixed
            }
            LogicalNode::StepInvariant { .. } => true,
            _ => self.inner_is_invariant(node),
        }
    }

    fn inner_is_invariant(&mut self, node: &mut LogicalNode) -> bool {
        let varies_itself = varies_with_time(node);
        let mut children = node.children_mut();
        let invariant: Vec<bool> = children.iter_mut().map(|child| self.is_invariant(child)).collect();
        if !varies_itself && invariant.iter().all(|&is_invariant| is_invariant) {
            return true;
        }
        for (child, _) in children.into_iter().zip(invariant).filter(|(_, is_invariant)| *is_invariant) {
            self.wrap(child);
        }
        false
    }

    /// Literals cost nothing, and windows are not values: neither is wrapped.
    fn wrap(&mut self, node: &mut LogicalNode) {
        if is_free(node) {
            return;
        }
        let span = node.span();
        let inner = std::mem::replace(node, LogicalNode::Number { value: 0.0, span });
        *node = LogicalNode::StepInvariant { expr: Box::new(inner) };
        self.rewrite = Rewrite::Changed;
    }
}

fn is_free(node: &LogicalNode) -> bool {
    match node {
        LogicalNode::Number { .. }
        | LogicalNode::Text { .. }
        | LogicalNode::MatrixSelector { .. }
        | LogicalNode::Subquery { .. }
        | LogicalNode::StepInvariant { .. } => true,
        LogicalNode::Shared { expr, .. } => is_free(expr),
        _ => false,
    }
}

/// Whether a function's result depends on the evaluation time besides its arguments. The list is the language's: some
/// of these could be told apart further, but then samples would be stamped differently from upstream's.
fn varies_with_time(node: &LogicalNode) -> bool {
    let LogicalNode::Call { function, args, .. } = node else { return false };
    match function {
        FunctionId::Date(_) | FunctionId::Regression(RegressionFunction::PredictLinear) => true,
        FunctionId::Scalar(scalar) => {
            !matches!(scalar, ScalarFunction::Pi | ScalarFunction::MinOf | ScalarFunction::MaxOf)
        }
        FunctionId::Conversion(ConversionFunction::Timestamp | ConversionFunction::StartTimestamp) => {
            !matches!(args.as_slice(), [LogicalNode::VectorSelector { part, .. }] if *part != SelectedPart::Value)
        }
        _ => false,
    }
}
