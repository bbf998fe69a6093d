//! How the tests of lints say what is to be found: a rule, and the texts under the marks.

use crate::config::{LintConfig, LintSelector};
use crate::lint_file;
use crate::rules::find;

/// Runs one lint over a file, a list of rules, or a single expression (as an alert), and compares the marked texts.
#[track_caller]
pub(crate) fn check(code: &str, input: &str, expected: &[&str]) {
    let text = file(input);
    let found = findings(code, &text);
    let marked: Vec<&str> = found.iter().map(|finding| finding.span().slice(&text)).collect();
    assert_eq!(marked, expected, "{code} in\n{text}{found:#?}");
}

/// Says that a lint finds something.
#[track_caller]
pub(crate) fn check_finds(code: &str, input: &str) {
    let text = file(input);
    assert!(!findings(code, &text).is_empty(), "{code} finds nothing in\n{text}");
}

/// Says that a lint finds nothing.
#[track_caller]
pub(crate) fn check_silent(code: &str, input: &str) {
    check(code, input, &[]);
}

/// What a lint's first edits make of the input.
#[track_caller]
pub(crate) fn check_fix(code: &str, input: &str, expected: &str) {
    let mut text = file(input);
    let mut edits: Vec<_> = findings(code, &text)
        .into_iter()
        .filter_map(|finding| finding.suggestions.into_iter().next())
        .collect();
    edits.reverse();
    for edit in edits.iter().flat_map(|suggestion| suggestion.edits.iter().rev()) {
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    assert_eq!(text, file(expected), "{code}");
}

fn findings(code: &str, text: &str) -> Vec<narthex_diag::Diagnostic> {
    let selector = LintSelector::parse(code).expect("a lint has that code");
    // Comments about findings mean something only where other lints run.
    let select = if code.starts_with("NX") { Vec::new() } else { vec![selector] };
    let (found, others): (Vec<_>, Vec<_>) = lint_file(text, &LintConfig { select, ..LintConfig::default() })
        .into_iter()
        .partition(|finding| finding.code.0 == code);
    let refused: Vec<_> = others.iter().filter(|finding| find(finding.code.0).is_none()).collect();
    assert!(refused.is_empty(), "the test's rules must load: {refused:#?}\n{text}");
    found
}

fn file(input: &str) -> String {
    if ["groups:", "---", "apiVersion:"].iter().any(|start| input.starts_with(start)) {
        return input.to_owned();
    }
    if !input.starts_with("- ") && !input.starts_with("# ") {
        return file(&format!("- alert: A\n  expr: |\n    {input}\n"));
    }
    // What follows a line `---` is a document of its own.
    let (first, rest) = input.split_once("---\n").unwrap_or((input, ""));
    let mut rules: String = first.lines().map(|line| format!("  {line}\n")).collect();
    if !rest.is_empty() {
        rules += &format!("---\n{rest}");
    }
    format!("groups:\n- name: g\n  rules:\n{rules}")
}
