//! One array of objects, one object a line.
//!
//! `file`, `start` and `end` are null when the source is unknown. `fix` is the first suggestion with edits, or null;
//! `alternatives` are the other suggestions. `labels` holds the primary place first. Offsets count bytes from 0; lines
//! and byte columns count from 1.

use serde::Serialize;

use narthex_diag::{Annotation, Diagnostic, LineColumn, SourceMap, Span, Suggestion};

use crate::RenderOptions;
use crate::place::Place;

#[derive(Serialize)]
struct Record<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    subject: Option<&'a str>,
    file: Option<&'a str>,
    start: Option<Position>,
    end: Option<Position>,
    labels: Vec<Label<'a>>,
    notes: &'a [String],
    fix: Option<Fix<'a>>,
    alternatives: Vec<Fix<'a>>,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
    offset: u32,
}

#[derive(Serialize)]
struct Label<'a> {
    message: &'a str,
    primary: bool,
    start: Option<Position>,
    end: Option<Position>,
}

#[derive(Serialize)]
struct Fix<'a> {
    applicability: &'a str,
    message: &'a str,
    edits: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
struct Replacement<'a> {
    start: Option<Position>,
    end: Option<Position>,
    replacement: &'a str,
}

pub(super) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, _: &RenderOptions) -> String {
    let mut out = String::from("[");
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        let record = Locator { diagnostic, sources }.record();
        out.push_str(&serde_json::to_string(&record).expect("strings and integers always serialize"));
    }
    out.push_str(if diagnostics.is_empty() { "]\n" } else { "\n]\n" });
    out
}

struct Locator<'a> {
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
}

impl<'a> Locator<'a> {
    fn record(&self) -> Record<'a> {
        let one = self.diagnostic;
        let (start, end) = self.ends(one.span());
        let labels =
            std::iter::once((&one.primary, true)).chain(one.secondary.iter().map(|other| (other, false)));
        let best = one.suggestions.iter().position(|suggestion| !suggestion.edits.is_empty());
        let others = one.suggestions.iter().enumerate().filter(|&(index, _)| Some(index) != best);
        Record {
            code: one.code.0,
            severity: one.severity.as_str(),
            message: &one.message,
            subject: one.subject.as_deref(),
            file: self.place(one.span()).map(|place| place.file()),
            start,
            end,
            labels: labels.map(|(annotation, primary)| self.label(annotation, primary)).collect(),
            notes: &one.notes,
            fix: best.map(|index| self.fix(&one.suggestions[index])),
            alternatives: others.map(|(_, suggestion)| self.fix(suggestion)).collect(),
        }
    }

    fn label(&self, annotation: &'a Annotation, primary: bool) -> Label<'a> {
        let (start, end) = self.ends(annotation.span);
        Label { message: &annotation.label, primary, start, end }
    }

    fn fix(&self, suggestion: &'a Suggestion) -> Fix<'a> {
        let edits = suggestion.edits.iter().map(|edit| {
            let (start, end) = self.ends(edit.span);
            Replacement { start, end, replacement: &edit.replacement }
        });
        Fix {
            applicability: suggestion.applicability.as_str(),
            message: &suggestion.message,
            edits: edits.collect(),
        }
    }

    fn place(&self, span: Span) -> Option<Place<'a>> {
        Place::of(self.sources, self.diagnostic.source, span)
    }

    fn ends(&self, span: Span) -> (Option<Position>, Option<Position>) {
        let position = |at: LineColumn, offset| Position { line: at.line, column: at.column, offset };
        let place = self.place(span);
        (
            place.map(|place| position(place.start(), place.span.start)),
            place.map(|place| position(place.end(), place.span.end)),
        )
    }
}
