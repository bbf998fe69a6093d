//! Whether a text that is no rule file is a template for one: Helm charts and Jinja templates hold rules too.

use narthex_diag::{Diagnostic, Diagnostics, Severity, Span};
use narthex_template::parser::TEMPLATE_PARSE;
use narthex_yaml::{INVALID_YAML, Parsed};

/// What only templates of YAML hold: rules have no `.Values`, and `{%` starts nothing in an alert template.
const MARKERS: [&str; 9] =
    ["{%", "{{`", "{{ `", ".Values.", ".Release.", ".Chart.", "{{ include ", "{{- include ", "{{ template "];

/// What a template of an alert may refer to: such an action is part of a rule, however wrongly quoted.
const ALERT_DATA: [&str; 8] = [
    "$labels",
    "$value",
    "$externalLabels",
    "$externalURL",
    ".Labels",
    ".Value ",
    ".ExternalLabels",
    ".ExternalURL",
];

/// The finding to give instead of all others, if the errors of a text are those of a template.
pub(crate) fn templated(parsed: &Parsed<'_>, found: &Diagnostics) -> Option<Diagnostic> {
    let marker = if parsed.diagnostics.is_empty() {
        marker_beside(parsed.text, found)
    } else {
        marker_in(parsed.text)
    };
    let marker = marker.map(|at| action_before(parsed.text, at));
    let at =
        marker.or_else(|| action_beside_error(parsed)).or_else(|| action_as_value(parsed.text, found))?;
    let message = "skipped: the file is a template of YAML, not YAML";
    let span = Span::new(at, at + 2);
    Some(Diagnostic::new(INVALID_YAML, Severity::Info, message, span).with_label("an action of the template"))
}

fn marker_in(text: &str) -> Option<usize> {
    MARKERS.iter().filter_map(|marker| text.find(marker)).min()
}

/// A marker on the line of an error. In valid YAML any other marker is text of a rule, and what is wrong elsewhere in
/// the file is wrong.
fn marker_beside(text: &str, found: &Diagnostics) -> Option<usize> {
    found.iter().filter(|diagnostic| diagnostic.code != TEMPLATE_PARSE).find_map(|diagnostic| {
        let start = diagnostic.span().start as usize;
        let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(line_start..)?.lines().next()?;
        marker_in(line).map(|at| line_start + at)
    })
}

/// The start of the action that a marker stands in.
fn action_before(text: &str, marker: usize) -> usize {
    let line = text.get(..marker).and_then(|before| before.rsplit('\n').next()).unwrap_or("");
    line.rfind("{{").map_or(marker, |at| marker - line.len() + at)
}

/// An action on the line of a syntax error, or on a line of its own before it, that is not one of an alert.
fn action_beside_error(parsed: &Parsed<'_>) -> Option<usize> {
    let error = parsed.diagnostics.first()?.span().start as usize;
    let before = parsed.text.get(..error)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = parsed.text.get(line_start..)?.lines().next()?;
    foreign_action(line).map(|at| line_start + at).or_else(|| {
        let lines = before.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some((*at - line.len(), line))
        });
        let own_lines = lines.filter(|(_, line)| line.trim_start().starts_with("{{"));
        own_lines.filter_map(|(start, line)| foreign_action(line).map(|at| start + at)).next()
    })
}

/// An action read as a mapping of a mapping: `key: {{ .value }}` is YAML, but never what a rule holds.
fn action_as_value(text: &str, found: &Diagnostics) -> Option<usize> {
    let of_yaml = found.iter().filter(|diagnostic| diagnostic.code != TEMPLATE_PARSE);
    of_yaml.map(|diagnostic| diagnostic.span().start as usize).find(|&start| {
        let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("");
        foreign_action(line) == Some(0)
    })
}

/// Where a line holds its first action, unless the action is one of an alert.
fn foreign_action(line: &str) -> Option<usize> {
    let at = line.find("{{")?;
    let is_alert = ALERT_DATA.iter().any(|name| line.get(at..).is_some_and(|rest| rest.contains(name)));
    (!is_alert).then_some(at)
}
