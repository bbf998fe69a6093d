//! Puts the conditions that decide most for least work first.
//!
//! `a{x!~"b.*", y="1"}` → `{__name__="a", y="1", x!~"b.*"}`: one lookup, then set algebra, then automata.

use narthex_model::{MatchOp, Matcher};

use super::{OptimizerPass, Rewrite};
use crate::{LogicalNode, LogicalPlan};

/// See the module.
pub(super) struct SortMatchers;

impl OptimizerPass for SortMatchers {
    fn name(&self) -> &'static str {
        "sort_matchers"
    }

    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        sort_below(&mut plan.root)
    }
}

fn sort_below(node: &mut LogicalNode) -> Rewrite {
    let mut rewrite = Rewrite::Unchanged;
    if let Some(selector) = node.selector_mut()
        && !selector.matchers.is_sorted_by_key(cost)
    {
        let mut sorted = selector.matchers.to_vec();
        sorted.sort_by_key(cost);
        selector.matchers = sorted.into();
        rewrite = Rewrite::Changed;
    }
    for child in node.children_mut() {
        if sort_below(child) == Rewrite::Changed {
            rewrite = Rewrite::Changed;
        }
    }
    rewrite
}

/// Lower is cheaper; a matcher that an absent label satisfies cannot start a selection.
fn cost(matcher: &Matcher) -> u8 {
    let kind = match matcher.op() {
        MatchOp::Equal => 0,
        MatchOp::Regex if matcher.regex().is_some_and(|regex| regex.exact_set().is_some()) => 1,
        MatchOp::NotEqual => 2,
        MatchOp::Regex => 3,
        MatchOp::NotRegex => 4,
    };
    kind + if matcher.matches_empty() { 8 } else { 0 }
}
