//! Trees, diagnostics and layouts as recorded in `testdata/promql-parse`.
//!
//! A `.promql` file holds expressions separated by blank lines (in `format` by `---`). `UPDATE=1` records anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write;

use narthex_diag::{Annotation, Diagnostic};
use narthex_promql::ast::{WIDTH, dump, format};
use narthex_promql::{ParseOptions, parse};
use narthex_testkit::{Golden, fixtures};

/// Checks every file of a folder, each expression through `show`.
fn check(folder: &str, separator: &str, ext: &str, show: impl Fn(&str) -> String) {
    let folder = format!("promql-parse/{folder}");
    let mut golden = Golden::of(&folder, ext);
    for fixture in fixtures(&folder, "promql") {
        let shown: Vec<String> =
            fixture.text.split(separator).map(|text| show(text.trim_end_matches('\n'))).collect();
        golden.check(&fixture.name, &(shown.join("\n") + "\n"));
    }
    golden.finish();
}

#[test]
fn trees() {
    check("trees", "\n\n", "tree", |text| {
        let parsed = parse(text, &ParseOptions::ALL);
        assert_eq!(parsed.diagnostics, [], "{text}");
        format!("{text}\n{}", dump(&parsed.expr))
    });
}

#[test]
fn diagnostics() {
    check("errors", "\n\n", "errors", |text| {
        let parsed = parse(text, &ParseOptions::STABLE);
        assert!(!parsed.diagnostics.is_empty(), "{text}");
        let mut out = format!("{text}\n");
        for diagnostic in &parsed.diagnostics {
            show_diagnostic(&mut out, diagnostic);
        }
        out
    });
}

fn show_diagnostic(out: &mut String, diagnostic: &Diagnostic) {
    let Diagnostic { code, primary, message, .. } = diagnostic;
    writeln!(out, "  {code} {:?} {message}", primary.span).unwrap();
    if !primary.label.is_empty() {
        writeln!(out, "    label: {}", primary.label).unwrap();
    }
    for Annotation { span, label } in &diagnostic.secondary {
        writeln!(out, "    at {span:?}: {label}").unwrap();
    }
    for note in &diagnostic.notes {
        writeln!(out, "    note: {note}").unwrap();
    }
    for suggestion in &diagnostic.suggestions {
        let edits: Vec<String> = suggestion
            .edits
            .iter()
            .map(|edit| format!(" [{:?} {:?}]", edit.span, edit.replacement))
            .collect();
        let how = suggestion.applicability.as_str();
        writeln!(out, "    help: {} ({how}){}", suggestion.message, edits.join("")).unwrap();
    }
}

#[test]
fn layouts() {
    check("format", "\n---\n", "formatted", |text| {
        let parsed = parse(text, &ParseOptions::ALL);
        assert_eq!(parsed.diagnostics, [], "{text}");
        let layout = |width| format(&parsed.expr, &parsed.comments, text, width);
        format!("{}\n--- narrow\n{}\n---", layout(WIDTH), layout(20))
    });
}
