//! What the benchmarks work on: texts and generated data, the same in every run.
//!
//! The benchmarks themselves are in `benches/`; `README.md` says how to run them and what they are to reach.

pub mod cluster;
pub mod expressions;
pub mod fleet;
pub mod histograms;
pub mod machine;
pub mod mimir;
pub mod prometheus;
pub mod rules;
pub mod samples;
pub mod scrapes;
pub mod service;
pub mod suites;
