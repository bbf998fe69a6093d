//! Computes once what occurs several times.
//!
//! `sum(rate(a[5m])) / count(rate(a[5m]))` → `shared 1` stands for both occurrences of `rate(a[5m])`.
//!
//! What counts is how often a value is used when everything is computed once: in `sum(a) / count(a) + sum(a)` both
//! `sum(a)` and `a` are shared, in `sum(a) - sum(a)` only `sum(a)`. Each occurrence stays in the plan, so that analyses
//! need not look elsewhere and annotations can be made at every place.

use std::collections::HashMap;

use super::structure::{Structure, is_shareable, parts_mut, read_often};
use super::{OptimizerPass, Rewrite};
use crate::LogicalPlan;
use crate::logical::LogicalNode;

/// See the module.
pub(super) struct ShareSubexpressions;

impl OptimizerPass for ShareSubexpressions {
    fn name(&self) -> &'static str {
        "share_subexpressions"
    }

    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        self.run_group(std::slice::from_mut(plan))
    }

    fn run_group(&self, plans: &mut [LogicalPlan]) -> Rewrite {
        if !read_often(plans) {
            return Rewrite::Unchanged;
        }
        let structure = Structure::new(plans);
        let uses = structure.uses(plans);
        let taken = plans.iter().map(|plan| highest_number(&plan.root)).max().unwrap_or(0);
        let mut share = Share { structure, uses, at: 0, taken, numbers: HashMap::new() };
        let before = share.taken;
        for plan in plans {
            share.visit(&mut plan.root, Parent::Other);
        }
        if share.taken == before { Rewrite::Unchanged } else { Rewrite::Changed }
    }
}

/// What is above a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parent {
    Shared,
    Other,
}

struct Share {
    structure: Structure,
    uses: Vec<usize>,
    /// Number of the next node of the walk.
    at: usize,
    /// The highest number given so far.
    taken: u32,
    /// The numbers of the classes that are shared.
    numbers: HashMap<usize, u32>,
}

impl Share {
    fn visit(&mut self, node: &mut LogicalNode, parent: Parent) {
        let place = self.structure.places[self.at];
        self.at += 1;
        let is_shared = matches!(node, LogicalNode::Shared { .. });
        let number = if parent == Parent::Shared || is_shared || self.uses[place.class] < 2 {
            None
        } else {
            is_shareable(node, place).then(|| self.number_of(place.class))
        };
        let below = if is_shared { Parent::Shared } else { Parent::Other };
        for part in parts_mut(node) {
            self.visit(part, below);
        }
        if let Some(number) = number {
            let span = node.span();
            let expr = Box::new(std::mem::replace(node, LogicalNode::Number { value: 0.0, span }));
            *node = LogicalNode::Shared { number, expr };
        }
    }

    fn number_of(&mut self, class: usize) -> u32 {
        *self.numbers.entry(class).or_insert_with(|| {
            self.taken += 1;
            self.taken
        })
    }
}

fn highest_number(root: &LogicalNode) -> u32 {
    let mut highest = 0;
    root.walk(&mut |node| {
        if let LogicalNode::Shared { number, .. } = node {
            highest = highest.max(*number);
        }
    });
    highest
}
