//! Fixtures, golden files and seeded data for the tests of every other crate.
//!
//! Fixtures live in `testdata/` at the repository root and belong to no crate. A runner is a few lines:
//!
//! ```no_run
//! let mut golden = narthex_testkit::Golden::of("promql/print", "out");
//! for fixture in narthex_testkit::fixtures("promql/print", "promql") {
//!     golden.check(&fixture.name, &fixture.text.to_uppercase());
//! }
//! golden.finish();
//! ```
//!
//! `UPDATE=1 cargo test` records what is produced instead of comparing, and deletes recordings nobody makes any more.
//!
//! Reading order: [`fixture`], [`mod@golden`], [`diff`], [`outside`], [`hostile`], [`random`],
//! [`scratch`], [`servers`], [`shop`].

#![expect(clippy::disallowed_methods, reason = "tests are steered by the environment")]

pub mod diff;
pub mod fixture;
pub mod golden;
pub mod hostile;
pub mod outside;
pub mod random;
pub mod scratch;
pub mod servers;
pub mod shop;

pub use fixture::{Fixture, fixtures, repository_root, testdata};
pub use golden::{Golden, check_no_orphans, golden};
pub use outside::{peer, shared_fixtures};
pub use random::SplitMix64;
pub use scratch::ScratchDir;
