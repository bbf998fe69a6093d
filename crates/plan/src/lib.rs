//! What to compute: logical plans, their analyses and the optimizer passes.
//!
//! A plan is a value made from an expression and the times of a query: `@`, offsets and duration expressions are
//! resolved, parentheses are gone, and nothing in it knows that data exists. `build` completes meaning; passes only
//! preserve it.
//!
//! Reading order: [`analysis`], [`logical`], [`logical::build`], [`optimize`].

pub mod analysis;
pub mod logical;
pub mod optimize;

pub use logical::build::{BuildError, build};
pub use logical::{LogicalNode, LogicalPlan, QueryKind, QueryParameters};
pub use optimize::Optimizer;
