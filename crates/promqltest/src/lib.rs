//! The promqltest language: scripts that load samples and expect results.
//!
//! A script loads series, evaluates queries and says what must come out; `testdata/promql` has many. The language is
//! that of Prometheus, so its own scripts run unchanged.
//!
//! ```
//! use narthex_promqltest::{RunOptions, run_script};
//!
//! let script = "load 1m\n  up{job=\"a\"} 1 1 0\n\neval instant at 2m up == 0\n  up{job=\"a\"} 0\n";
//! let report = run_script("up.test", script, &RunOptions::CONFORMANCE);
//! assert_eq!((report.passed, report.failed()), (1, 0));
//! ```
//!
//! [`random`] and [`oracle`] hold the engine against a naive evaluator of the whole language: `tests/differential` asks
//! 2,000 random queries, and as many as one likes with `NARTHEX_RANDOM_QUERIES=100000 NARTHEX_RANDOM_SEED=1 cargo test
//! --release -p narthex-promqltest --test differential -- --nocapture`.
//!
//! Reading order: [`script`], [`mod@parse`], [`load`], [`run`], `repeat`, `compare`, [`report`], [`oracle`],
//! [`random`].

mod compare;
pub mod load;
pub mod oracle;
pub mod parse;
pub mod random;
mod repeat;
pub mod report;
pub mod run;
pub mod script;

pub use compare::value_text;
pub use parse::{Parse, parse};
pub use report::{CaseFailure, ConformanceReport, ScriptReport};
pub use run::{Repetition, RunOptions, run_script, run_scripts};
pub use script::Script;
