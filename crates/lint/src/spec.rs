//! What a lint is: its description and its checks.

use narthex_diag::{Applicability, Code, Severity};

use crate::context::{FileContext, Findings, GroupContext, RuleContext};

/// What the findings of a lint rest on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// They hold whatever the data are.
    Proof,
    /// They hold if metrics are what their names say.
    Declared,
    /// They are very likely.
    Heuristic,
    /// They are a matter of house rules.
    Policy,
}

impl Class {
    /// The word used in documents and notes.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Proof => "proof",
            Class::Declared => "declared",
            Class::Heuristic => "heuristic",
            Class::Policy => "policy",
        }
    }
}

/// Whether a lint runs when nobody asks for it by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DefaultState {
    /// It runs.
    On,
    /// It runs when selected.
    Off,
}

/// What is to be known of a lint.
#[derive(Clone, Copy, Debug)]
pub struct LintSpec {
    /// Its code: letters of the family and three digits.
    pub code: Code,
    /// Its name; reads on after "allow".
    pub name: &'static str,
    /// What its findings rest on.
    pub class: Class,
    /// How bad a finding is, unless a check knows better.
    pub severity: Severity,
    /// Whether it runs unasked.
    pub default: DefaultState,
    /// The best edit it can offer.
    pub fix: Option<Applicability>,
    /// What is wrong, in one sentence.
    pub summary: &'static str,
    /// What happens in production, and what to do; Markdown, one sentence per line.
    pub explanation: &'static str,
    /// A rule it finds fault with, as an item of `rules`.
    pub bad: &'static str,
    /// The same rule as it should be.
    pub good: &'static str,
}

impl LintSpec {
    /// The letters of the code.
    pub fn family(&self) -> &'static str {
        self.code.0.trim_end_matches(|c: char| c.is_ascii_digit())
    }
}

/// A check of rules, groups or files; at least one method is implemented.
pub trait Lint: Sync {
    /// What it is.
    fn spec(&self) -> &'static LintSpec;

    /// Looks at one rule whose expression is valid.
    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let _ = (rule, findings);
    }

    /// Looks at one group.
    fn check_group(&self, group: &GroupContext<'_>, findings: &mut Findings) {
        let _ = (group, findings);
    }

    /// Looks at the whole file.
    fn check_file(&self, file: &FileContext<'_>, findings: &mut Findings) {
        let _ = (file, findings);
    }
}
