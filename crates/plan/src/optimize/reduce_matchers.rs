//! Drops conditions that say nothing new.
//!
//! `a{x="1", x="1", y=~".*"}` → `a{x="1"}`

use narthex_model::{MatchOp, Matcher};
use narthex_promql::functions::FunctionId;

use super::{OptimizerPass, Rewrite};
use crate::{LogicalNode, LogicalPlan};

/// See the module.
pub(super) struct ReduceMatchers;

impl OptimizerPass for ReduceMatchers {
    fn name(&self) -> &'static str {
        "reduce_matchers"
    }

    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        reduce_below(&mut plan.root)
    }
}

fn reduce_below(node: &mut LogicalNode) -> Rewrite {
    let mut rewrite = Rewrite::Unchanged;
    // The conditions of the second argument also say which labels are wanted, even those that hold always.
    let is_info = matches!(node, LogicalNode::Call { function: FunctionId::Info(_), .. });
    if let Some(selector) = node.selector_mut() {
        let kept = reduced(&selector.matchers);
        if kept.len() < selector.matchers.len() {
            selector.matchers = kept.into();
            rewrite = Rewrite::Changed;
        }
    }
    let mut children = node.children_mut();
    if is_info {
        children.truncate(1);
    }
    for child in children {
        if reduce_below(child) == Rewrite::Changed {
            rewrite = Rewrite::Changed;
        }
    }
    rewrite
}

fn reduced(matchers: &[Matcher]) -> Vec<Matcher> {
    let mut kept: Vec<Matcher> = Vec::with_capacity(matchers.len());
    for matcher in matchers {
        if !is_always_true(matcher) && !kept.contains(matcher) {
            kept.push(matcher.clone());
        }
    }
    kept
}

/// `=~".*"` holds for every value, an absent label's included.
fn is_always_true(matcher: &Matcher) -> bool {
    matcher.op() == MatchOp::Regex && matcher.regex().is_some_and(narthex_regex::Regex::is_match_all)
}
