//! Which lints run, and how bad their findings are.

use std::fmt;

use narthex_diag::Severity;
use narthex_model::Timestamp;

use crate::rules::LINTS;
use crate::spec::{DefaultState, LintSpec};

/// Names lints: a code (`VAL001`), a family (`VAL`), a name (`never-true`) or `ALL`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LintSelector(Box<str>);

/// No lint goes by this name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownSelector(Box<str>);

impl fmt::Display for UnknownSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown lint {:?}: expected a code, the letters of a family, a name or ALL", self.0)
    }
}

impl std::error::Error for UnknownSelector {}

impl LintSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// When it selects nothing.
    pub fn parse(text: &str) -> Result<LintSelector, UnknownSelector> {
        let selector = LintSelector(text.trim().into());
        match LINTS.iter().any(|lint| selector.selects(lint.spec())) {
            true => Ok(selector),
            false => Err(UnknownSelector(selector.0)),
        }
    }

    /// Whether it means this lint.
    pub fn selects(&self, spec: &LintSpec) -> bool {
        let text = &*self.0;
        let is_prefix = !text.is_empty() && spec.code.0.starts_with(text);
        text == "ALL" || is_prefix || text == spec.name
    }
}

/// Which lints run, how bad their findings are, and how files are read.
#[derive(Clone, PartialEq, Debug)]
pub struct LintConfig {
    /// The only lints that run; when empty, those that run by default.
    pub select: Vec<LintSelector>,
    /// Lints that run besides.
    pub extend_select: Vec<LintSelector>,
    /// Lints that do not run whatever else is said.
    pub ignore: Vec<LintSelector>,
    /// Severities other than the lint's own; the last that fits counts.
    pub severities: Vec<(LintSelector, Severity)>,
    /// How rule files are read.
    pub file: narthex_rulefmt::Options,
    /// The present time, for suppressions that end; without it none has ended.
    pub now_ms: Option<Timestamp>,
}

impl Default for LintConfig {
    /// The default lints, for Prometheus.
    fn default() -> LintConfig {
        LintConfig {
            select: Vec::new(),
            extend_select: Vec::new(),
            ignore: Vec::new(),
            severities: Vec::new(),
            file: narthex_rulefmt::Options::PROMETHEUS,
            now_ms: None,
        }
    }
}

impl LintConfig {
    /// Whether a lint runs.
    pub fn is_enabled(&self, spec: &LintSpec) -> bool {
        let any = |selectors: &[LintSelector]| selectors.iter().any(|selector| selector.selects(spec));
        let selected = match self.select.is_empty() {
            true => spec.default == DefaultState::On,
            false => any(&self.select),
        };
        (selected || any(&self.extend_select)) && !any(&self.ignore)
    }

    /// The severity asked for, if one is.
    pub fn severity_of(&self, spec: &LintSpec) -> Option<Severity> {
        let fitting = self.severities.iter().rev().find(|(selector, _)| selector.selects(spec));
        fitting.map(|(_, severity)| *severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_codes_families_names_or_all() {
        for (text, is_known) in
            [("VAL001", true), ("VAL", true), ("never-true", true), ("ALL", true), ("X9", false), ("", false)]
        {
            assert_eq!(LintSelector::parse(text).is_ok(), is_known, "{text}");
        }
    }

    #[test]
    fn what_is_ignored_never_runs() {
        let selector = |text| LintSelector::parse(text).unwrap();
        let config = LintConfig {
            select: vec![selector("VAL")],
            extend_select: vec![selector("MAT001")],
            ignore: vec![selector("VAL001")],
            severities: vec![(selector("MAT"), Severity::Info)],
            ..LintConfig::default()
        };
        let runs = |code: &str| {
            let lint = LINTS.iter().find(|lint| lint.spec().code.0 == code).unwrap();
            (config.is_enabled(lint.spec()), config.severity_of(lint.spec()))
        };
        assert_eq!(runs("VAL001"), (false, None));
        assert_eq!(runs("VAL002"), (true, None));
        assert_eq!(runs("MAT001"), (true, Some(Severity::Info)));
        assert_eq!(runs("MAT002"), (false, Some(Severity::Info)));
    }
}
