//! Rewrites that never change a result, in one fixed order.

mod hoist_step_invariant;
mod reduce_matchers;
mod sort_matchers;

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
}

/// Every pass in the order they run.
pub const PASSES: &[&dyn OptimizerPass] = &[
    // First, because it may empty a selector's list of conditions that the others look at.
    &reduce_matchers::ReduceMatchers,
    // After the reduction: what is left is put in the order stores work through it.
    &sort_matchers::SortMatchers,
    // Last: it hides nodes under a wrapper that no other pass looks through.
    &hoist_step_invariant::HoistStepInvariant,
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
