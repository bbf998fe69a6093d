//! SARIF 2.1.0, the exchange format of code scanning.
//!
//! Specification: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". Regions are 1-based, count
//! code points (`columnKind`) and end after the last one; byte offsets and lengths stand beside them.

use std::collections::HashMap;

use serde_json::{Value, json};

use narthex_diag::{
    Annotation, Applicability, Code, Diagnostic, Severity, SourceId, SourceMap, Span, Suggestion,
};

use crate::RenderOptions;
use crate::code_points::CodePoints;
use crate::place::Place;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, options: &RenderOptions) -> String {
    let rules = codes(diagnostics);
    let mut writer = Writer { sources, code_points: HashMap::new(), rules: &rules };
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| writer.result(diagnostic)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "narthex",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|&code| rule(code, options)).collect::<Vec<Value>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("strings and integers always serialize");
    text.push('\n');
    text
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<Code> {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn rule(code: Code, options: &RenderOptions) -> Value {
    let mut rule = json!({ "id": code.0 });
    if let Some(summary) = (options.describe)(code) {
        rule["shortDescription"] = message(summary);
    }
    rule
}

fn message(text: &str) -> Value {
    json!({ "text": text })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

struct Writer<'a> {
    sources: &'a SourceMap,
    code_points: HashMap<SourceId, CodePoints>,
    rules: &'a [Code],
}

impl Writer<'_> {
    fn result(&mut self, diagnostic: &Diagnostic) -> Value {
        let mut result = json!({
            "ruleId": diagnostic.code.0,
            "ruleIndex": self.rules.binary_search(&diagnostic.code).ok(),
            "level": level(diagnostic.severity),
            "message": message(&text(diagnostic)),
        });
        let location = self.location(diagnostic.source, &diagnostic.primary, diagnostic.subject.as_deref());
        result["locations"] = location.into_iter().collect();
        let related: Vec<Value> = diagnostic
            .secondary
            .iter()
            .filter_map(|other| self.location(diagnostic.source, other, None))
            .collect();
        if !related.is_empty() {
            result["relatedLocations"] = related.into();
        }
        let fixes: Vec<Value> =
            diagnostic.suggestions.iter().filter_map(|one| self.fix(diagnostic.source, one)).collect();
        if !fixes.is_empty() {
            result["fixes"] = fixes.into();
        }
        result
    }

    fn location(
        &mut self,
        source: Option<SourceId>,
        annotation: &Annotation,
        subject: Option<&str>,
    ) -> Option<Value> {
        let place = Place::of(self.sources, source, annotation.span)?;
        let mut location = json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(place.file()) },
            "region": self.region(source, annotation.span)?,
        } });
        if !annotation.label.is_empty() {
            location["message"] = message(&annotation.label);
        }
        if let Some(subject) = subject {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": subject }]);
        }
        Some(location)
    }

    fn region(&mut self, source: Option<SourceId>, span: Span) -> Option<Value> {
        let place = Place::of(self.sources, source, span)?;
        let code_points =
            self.code_points.entry(source?).or_insert_with(|| CodePoints::of(&place.source.text));
        Some(json!({
            "startLine": place.start().line,
            "startColumn": code_points.column(place.source, place.span.start as usize),
            "endLine": place.end().line,
            "endColumn": code_points.column(place.source, place.span.end as usize),
            "byteOffset": place.span.start,
            "byteLength": place.span.len(),
        }))
    }

    fn fix(&mut self, source: Option<SourceId>, suggestion: &Suggestion) -> Option<Value> {
        if suggestion.applicability == Applicability::DisplayOnly {
            return None;
        }
        let file = self.sources.get(source?)?;
        let replacements: Option<Vec<Value>> = suggestion
            .edits
            .iter()
            .map(|edit| {
                let region = self.region(source, edit.span)?;
                Some(json!({ "deletedRegion": region, "insertedContent": message(&edit.replacement) }))
            })
            .collect();
        let replacements = replacements.filter(|replacements| !replacements.is_empty())?;
        Some(json!({
            "description": message(&suggestion.message),
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(&file.name) },
                "replacements": replacements,
            }],
        }))
    }
}

/// The message and the facts that SARIF has no place for.
fn text(diagnostic: &Diagnostic) -> String {
    let helps = diagnostic
        .suggestions
        .iter()
        .filter(|one| one.edits.is_empty() || one.applicability == Applicability::DisplayOnly);
    let lines = std::iter::once(diagnostic.message.clone())
        .chain(diagnostic.notes.iter().map(|note| format!("note: {note}")))
        .chain(helps.map(|help| format!("help: {}", help.message)));
    lines.collect::<Vec<String>>().join("\n")
}

/// A path as a URI reference (RFC 3986): what is neither unreserved nor a separator is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
