//! What is unwise in a rule file.
//!
//! What a server refuses is the business of `narthex-rulefmt`; the findings here are about rules that load and then do
//! something other than what was meant: alerts that never fire, notifications with holes, series that are wrong.
//!
//! ```
//! use narthex_lint::{LintConfig, lint_file};
//!
//! let text = "groups:\n- name: api\n  rules:\n  - alert: Down\n    expr: count(up == 1) == 0\n";
//! let found = lint_file(text, &LintConfig::default());
//! assert_eq!(found[0].code.0, "VAL001");
//! assert_eq!(found[0].span().slice(text), "count(up == 1) == 0");
//! ```
//!
//! Reading order: [`spec`] (what a lint is), [`rules`] (the table), [`context`] (what lints see), [`linter`],
//! [`config`], [`suppress`].

pub mod config;
pub mod context;
pub mod linter;
pub mod records;
pub mod rules;
pub mod spec;
pub mod suppress;

#[cfg(test)]
mod testing;

pub use config::{LintConfig, LintSelector, UnknownSelector};
pub use linter::{Linter, Prepared};
pub use rules::LINTS;
pub use spec::{Class, DefaultState, Lint, LintSpec};

use narthex_diag::Diagnostic;

/// Everything to be said of a rule file, in the order of the text: refusals of a server and findings of the lints.
///
/// To lint many files, or the groups of a file in parallel, keep a [`Linter`].
pub fn lint_file(text: &str, config: &LintConfig) -> Vec<Diagnostic> {
    Linter::new(config).lint_file(text)
}
