//! Rewrites that never change a result, in one fixed order.

mod fold_constants;
mod hoist_step_invariant;
mod propagate_matchers;
mod reduce_matchers;
mod share_scans;
mod share_subexpressions;
mod sort_matchers;
mod structure;

use crate::LogicalPlan;

/// What a pass did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rewrite {
    /// The plan is another one now, with the same result.
    Changed,
    /// Nothing to do.
    Unchanged,
}

/// A rewrite of plans.
pub trait OptimizerPass: Sync {
    /// Its name in `explain` and in [`Optimizer::without`].
    fn name(&self) -> &'static str;

    /// Rewrites the plan in place.
    fn run(&self, plan: &mut LogicalPlan) -> Rewrite;

    /// Rewrites the plans of queries that are evaluated together, at the same times.
    fn run_group(&self, plans: &mut [LogicalPlan]) -> Rewrite {
        let mut rewrite = Rewrite::Unchanged;
        for plan in plans {
            if self.run(plan) == Rewrite::Changed {
                rewrite = Rewrite::Changed;
            }
        }
        rewrite
    }
}

/// Every pass in the order they run.
pub const PASSES: &[&dyn OptimizerPass] = &[
    // Numbers first: that an argument is one lets others do more.
    &fold_constants::FoldConstants,
    // Before conditions are put in order, because it adds some.
    &propagate_matchers::PropagateMatchers,
    // Before the order as well, because it may empty a selector's list of conditions.
    &reduce_matchers::ReduceMatchers,
    // After the reduction: what is left is put in the order stores work through it.
    &sort_matchers::SortMatchers,
    // Behind what changes nodes: it hides them under a wrapper that those passes do not look through.
    &hoist_step_invariant::HoistStepInvariant,
    // When everything is in its final form: what can be equal is.
    &share_subexpressions::ShareSubexpressions,
    // Last: only what is still computed several times, in different ways, is worth a common scan.
    &share_scans::ShareScans,
];

/// A choice of passes.
#[derive(Clone, Copy)]
pub struct Optimizer {
    is_enabled: [bool; PASSES.len()],
}

/// What one pass made of a plan.
#[derive(Clone, Debug)]
pub struct PassRecord {
    /// The pass.
    pub name: &'static str,
    /// What it did.
    pub rewrite: Rewrite,
    /// The plan after it.
    pub plan: LogicalPlan,
}

impl Optimizer {
    /// Every pass.
    pub const ALL: Optimizer = Optimizer { is_enabled: [true; PASSES.len()] };
    /// No pass.
    pub const NONE: Optimizer = Optimizer { is_enabled: [false; PASSES.len()] };

    /// Without the pass of this name, if there is one.
    #[must_use]
    pub fn without(self, name: &str) -> Optimizer {
        self.switched(name, false)
    }

    /// With the pass of this name, if there is one.
    #[must_use]
    pub fn with(self, name: &str) -> Optimizer {
        self.switched(name, true)
    }

    fn switched(mut self, name: &str, to: bool) -> Optimizer {
        for (is_enabled, pass) in self.is_enabled.iter_mut().zip(PASSES) {
            if pass.name() == name {
                *is_enabled = to;
            }
        }
        self
    }

    /// Runs the passes once, in order.
    pub fn run(&self, plan: &mut LogicalPlan) {
        for pass in self.passes() {
            pass.run(plan);
        }
    }

    /// Runs the passes once, in order, over plans of the same times that are evaluated together: what several of them
    /// compute is then computed once.
    pub fn run_group(&self, plans: &mut [LogicalPlan]) {
        for pass in self.passes() {
            pass.run_group(plans);
        }
    }

    /// Runs the passes and keeps the plan after each.
    pub fn run_recorded(&self, plan: &mut LogicalPlan) -> Vec<PassRecord> {
        let record = |pass: &&dyn OptimizerPass| {
            let rewrite = pass.run(plan);
            PassRecord { name: pass.name(), rewrite, plan: plan.clone() }
        };
        self.passes().map(record).collect::<Vec<_>>()
    }

    fn passes(&self) -> impl Iterator<Item = &'static &'static dyn OptimizerPass> {
        self.is_enabled.into_iter().zip(PASSES).filter(|(is_enabled, _)| *is_enabled).map(|(_, pass)| pass)
    }
}

impl Default for Optimizer {
    fn default() -> Optimizer {
        Optimizer::ALL
    }
}
