//! Blocks into fewer, larger ones; which to merge, which to drop, and what an interrupted run left.
//!
//! Decisions are pure functions of what blocks say of themselves; only [`run`] and [`mod@leftovers`] touch files. Reading
//! order: [`mod@plan`], [`retention`], [`merge`], [`run`], [`mod@leftovers`].

pub mod leftovers;
pub mod merge;
pub mod plan;
pub mod retention;
pub mod run;

pub use leftovers::{Leftover, leftovers, remove_block, remove_leftover};
pub use merge::MergedSource;
pub use plan::{CompactionOptions, Plan, Reason, plan};
pub use retention::{BlockSize, Expiry, Retention, expired, superseded};
pub use run::compact;
