//! Errors, warnings and infos against what a script asks for.

use crate::script::{Eval, LegacyForm, Notation, TextPattern};

/// What a query says beside its result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Full texts of the warnings.
    pub(crate) warnings: Vec<String>,
    /// Full texts of the infos.
    pub(crate) infos: Vec<String>,
}

/// Whether the text of an error is right.
pub(crate) fn check_error(eval: &Eval, query: &str, error: &str) -> Result<(), String> {
    let line = eval.line;
    let Some(pattern) = &eval.expected.failure else { return Ok(()) };
    if pattern.matches(error) {
        return Ok(());
    }
    let wanted = pattern.as_str();
    let head = match pattern {
        TextPattern::Exactly { notation: Notation::Legacy, .. } => format!("expected error {wanted:?}"),
        TextPattern::Matching { notation: Notation::Legacy, .. } => {
            format!("expected error matching pattern {wanted:?}")
        }
        _ => format!("expected error matching {wanted:?}"),
    };
    Err(format!("{head} evaluating query {query:?} (line {line}), but got: {error}"))
}

/// Whether warnings and infos are right.
pub(crate) fn check_annotations(eval: &Eval, query: &str, said: &Said) -> Result<(), String> {
    let expected = &eval.expected;
    let line = eval.line;
    match expected.legacy {
        Some(LegacyForm::Warn) if said.warnings.is_empty() => {
            return Err(format!("expected warnings evaluating query {query:?} (line {line}) but got none"));
        }
        Some(LegacyForm::Info) if said.infos.is_empty() => {
            return Err(format!(
                "expected info annotations evaluating query {query:?} (line {line}) but got none"
            ));
        }
        _ => {}
    }
    let place = Place { query, line };
    place.check_level("warn", &expected.warnings, &said.warnings)?;
    place.check_level("info", &expected.infos, &said.infos)?;
    place.check_none("warning", expected.forbids_warnings, &said.warnings)?;
    place.check_none("info", expected.forbids_infos, &said.infos)
}

struct Place<'a> {
    query: &'a str,
    line: usize,
}

impl Place<'_> {
    /// Each pattern must find a text, and each text a pattern; without patterns everything is right.
    fn check_level(&self, level: &str, patterns: &[TextPattern], texts: &[String]) -> Result<(), String> {
        let Place { query, line } = self;
        if patterns.is_empty() {
            return Ok(());
        }
        if texts.is_empty() {
            return Err(format!(
                "expected {level} annotations but none were found for query {query:?} (line {line})"
            ));
        }
        if let Some(pattern) = patterns.iter().find(|one| !texts.iter().any(|text| one.matches(text))) {
            let kind = if matches!(pattern, TextPattern::Matching { .. }) { "pattern" } else { "message" };
            let (wanted, found) = (pattern.as_str(), texts.join(" "));
            return Err(format!(
                "expected {level} annotation matching {kind} {wanted:?} but no matching annotation was found for query {query:?} (line {line}), found: [{found}]"
            ));
        }
        match texts.iter().find(|text| !patterns.iter().any(|one| one.matches(text))) {
            None => Ok(()),
            Some(text) => {
                Err(format!("unexpected {level} annotation {text:?} found for query {query:?} (line {line})"))
            }
        }
    }

    fn check_none(&self, level: &str, is_forbidden: bool, texts: &[String]) -> Result<(), String> {
        let Place { query, line } = self;
        if !is_forbidden || texts.is_empty() {
            return Ok(());
        }
        let found = texts.join(" ");
        Err(format!("unexpected {level} annotations evaluating query {query:?} (line {line}): [{found}]"))
    }
}
