//! Workflow commands that GitHub Actions shows beside the changed lines.
//!
//! Format and escapes: GitHub documentation, "Workflow commands for GitHub Actions", and the runner's
//! `ActionCommand.cs`. Columns are left out of a finding over several lines, because the runner refuses them there.

use std::fmt::Write;

use narthex_diag::{Diagnostic, Severity, SourceMap};

use crate::RenderOptions;
use crate::place::Place;

pub(super) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, _: &RenderOptions) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        write_command(&mut out, diagnostic, sources);
    }
    out
}

fn write_command(out: &mut String, diagnostic: &Diagnostic, sources: &SourceMap) {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let _ = write!(out, "::{command} ");
    if let Some(place) = Place::of(sources, diagnostic.source, diagnostic.span()) {
        write_place(out, &place);
    }
    let _ = writeln!(out, "title={}::{}", property(diagnostic.code.0), data(&body(diagnostic)));
}

fn write_place(out: &mut String, place: &Place<'_>) {
    let (start, end) = (place.start(), place.end());
    let _ = write!(out, "file={},line={},", property(place.file()), start.line);
    if start.line == end.line {
        let _ = write!(out, "col={},endLine={},endColumn={},", start.column, end.line, end.column);
    } else {
        let _ = write!(out, "endLine={},", place.last_line());
    }
}

/// Everything that has no mark of its own in an annotation.
fn body(diagnostic: &Diagnostic) -> String {
    let mut body = diagnostic.message.clone();
    let label = &diagnostic.primary.label;
    for (prefix, text) in [("", diagnostic.subject.as_deref().unwrap_or("")), ("", label)] {
        push_line(&mut body, prefix, text);
    }
    for note in &diagnostic.notes {
        push_line(&mut body, "note: ", note);
    }
    for suggestion in &diagnostic.suggestions {
        push_line(&mut body, "help: ", &suggestion.message);
    }
    body
}

fn push_line(body: &mut String, prefix: &str, text: &str) {
    if !text.is_empty() {
        let _ = write!(body, "\n{prefix}{text}");
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
