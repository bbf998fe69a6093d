//! What a suggestion says and makes of the lines it touches.

use std::fmt::Write;

use narthex_diag::{Applicability, Source, Suggestion};

use crate::printable::{paragraph, push_harmless};

/// A fix that touches more lines than this is described, not shown.
const PREVIEW_LINES_MAX: usize = 6;
/// A fix that touches more bytes than this is described, not shown.
const PREVIEW_BYTES_MAX: usize = 600;

/// The advice, whether a tool can follow it, and the lines before and after.
pub(crate) fn help(suggestion: &Suggestion, source: &Source) -> String {
    let mut help = paragraph(&suggestion.message);
    if suggestion.edits.is_empty() {
        return help;
    }
    match suggestion.applicability {
        Applicability::Safe => help.push_str(" (fixable)"),
        Applicability::Unsafe => help.push_str(" (fixable, may change the meaning)"),
        Applicability::DisplayOnly => {}
    }
    if let Some((before, after)) = preview(suggestion, source) {
        let indent = common_indent(before.lines().chain(after.lines()));
        push_lines(&mut help, "- ", indent, &before);
        push_lines(&mut help, "+ ", indent, &after);
    }
    help
}

/// The lines an edit touches and what it makes of them; `None` when that is too much to show.
fn preview(suggestion: &Suggestion, source: &Source) -> Option<(String, String)> {
    let first = suggestion.edits.iter().map(|edit| edit.span.start as usize).min()?;
    let last = suggestion.edits.iter().map(|edit| edit.span.end as usize).max()?;
    let lines = source.line_column(first).line..=source.line_column(last).line;
    let touched = source.lines().line_span(*lines.start())?.to(source.lines().line_span(*lines.end())?);
    if lines.count() > PREVIEW_LINES_MAX || touched.len() > PREVIEW_BYTES_MAX {
        return None;
    }
    let mut after = String::new();
    let mut done = touched.start as usize;
    for edit in &suggestion.edits {
        after.push_str(source.text.get(done..edit.span.start as usize)?);
        after.push_str(&edit.replacement);
        done = edit.span.end as usize;
    }
    after.push_str(source.text.get(done..touched.end as usize)?);
    (after.len() <= 2 * PREVIEW_BYTES_MAX).then(|| (touched.slice(&source.text).to_owned(), after))
}

/// Bytes of blanks that all lines begin with, empty lines aside.
fn common_indent<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    lines.filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0)
}

fn push_lines(help: &mut String, mark: &str, indent: usize, lines: &str) {
    for line in lines.lines() {
        let _ = write!(help, "\n{mark}");
        push_harmless(help, line.get(indent..).unwrap_or(""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_diag::{Edit, Span};

    fn help_of(text: &str, edits: &[(usize, usize, &str)]) -> String {
        let edit = |&(start, end, to): &(usize, usize, &str)| Edit {
            span: Span::new(start, end),
            replacement: to.into(),
        };
        let edits = edits.iter().map(edit).collect();
        let suggestion = Suggestion { message: "do it".into(), edits, applicability: Applicability::Safe };
        help(&suggestion, &Source::new("f", text))
    }

    #[test]
    fn edits_are_shown_on_their_lines_without_the_common_indent() {
        assert_eq!(
            help_of("a\n  b c\n  d\ne", &[(4, 5, "x"), (6, 7, "y\n  z")]),
            "do it (fixable)\n- b c\n+ x y\n+ z"
        );
        assert_eq!(help_of("a\nb\n", &[(0, 2, "")]), "do it (fixable)\n- a\n- b\n+ b");
    }

    #[test]
    fn edits_that_are_large_or_do_not_fit_are_only_described() {
        let long = "x".repeat(PREVIEW_BYTES_MAX + 1);
        assert_eq!(help_of(&long, &[(0, 1, "y")]), "do it (fixable)");
        assert_eq!(help_of(&"\n".repeat(50), &[(0, 40, "")]), "do it (fixable)");
        assert_eq!(help_of("ab", &[(1, 2, "x"), (0, 1, "y")]), "do it (fixable)");
        assert_eq!(help_of("é", &[(1, 2, "x")]), "do it (fixable)");
    }
}
