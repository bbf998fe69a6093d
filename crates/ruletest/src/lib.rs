//! Unit tests of rules: input series, groups evaluated over time, expectations judged as promtool judges them.
//!
//! Verdicts are those of promtool of Prometheus 3.14; where promtool leaves the order of groups to chance, it is the
//! order of the files here. Two things are more lenient: a query may hold more than 10,000 samples, and the template
//! function `externalURL` gives the test's `external_url`, where promtool's fails for want of a server. Nothing is read but through [`Files`], and no clock is looked at.
//!
//! ```
//! use narthex_ruletest::{FilesInMemory, RuleLibrary, RunOptions, run_file};
//!
//! let rules = "groups: [{name: g, rules: [{record: 'job:up:sum', expr: sum by (job) (up)}]}]";
//! let test = r#"
//! rule_files: [rules.yml]
//! tests:
//! - input_series: [{series: 'up{job="api"}', values: 1x3}]
//!   promql_expr_test: [{expr: 'job:up:sum', eval_time: 2m, exp_samples: [{labels: 'job:up:sum{job="api"}', value: 2}]}]
//! "#;
//! let files = FilesInMemory::new([("rules.yml", rules)]);
//! let library = RuleLibrary::new(&files, RunOptions::PROMTOOL);
//! let report = run_file("tests.yml", test, &library);
//! assert_eq!((report.tests.len(), report.failed()), (1, 1));
//! let notes = &report.tests[0].failures[0].notes;
//! assert_eq!(notes[0], "- {__name__=\"job:up:sum\", job=\"api\"} 2\n+ {__name__=\"job:up:sum\", job=\"api\"} 1");
//! ```
//!
//! Reading order: [`files`], [`options`], `input`, [`run`], `schedule`, `ahead`, `check`, `difference`, [`report`], [`coverage`].

mod ahead;
mod check;
pub mod coverage;
mod difference;
pub mod files;
mod input;
pub mod options;
pub mod report;
pub mod run;
mod schedule;

pub use coverage::{Coverage, CoveragePoint};
pub use files::{Files, FilesInMemory, RuleLibrary};
pub use options::{GroupIntervals, RunOptions};
pub use report::{FileReport, TestReport};
pub use run::run_file;
