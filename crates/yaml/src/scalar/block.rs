//! Decoding `|` and `>` scalars: indentation goes, `>` folds, blank lines stay.
//!
//! Chomping only decides about line breaks after the last content, so the map keeps all of them: bytes past the end of
//! the value are never asked for.

use super::ScalarStyle;
use super::copier::Copier;

/// Breaks seen but not yet written: what they become depends on the next line.
#[derive(Default)]
struct Pending {
    /// Offset of the break that ended the last line with content.
    line_end: Option<usize>,
    /// Offsets of the breaks of blank lines since.
    blank_lines: Vec<usize>,
    /// Whether that last line began with a blank: then its break is never folded.
    more_indented: bool,
}

/// Decodes the lines after the header; `indent` spaces of each are not content.
pub(super) fn decode(mut copier: Copier<'_>, style: ScalarStyle, indent: usize) -> Copier<'_> {
    let mut pending = Pending::default();
    let mut at = 0;
    while let Some(content) = content_start(&copier, at, indent, &mut pending) {
        let more_indented = matches!(copier.byte(content), Some(b' ' | b'\t'));
        let folds = style == ScalarStyle::Folded && !more_indented && !pending.more_indented;
        write_breaks(&mut copier, &mut pending, folds);
        let end = line_end(&copier, content);
        copier.copy(content..end);
        let next = copier.past_break(end);
        pending = Pending { line_end: next.map(|_| end), blank_lines: Vec::new(), more_indented };
        at = next.unwrap_or(end);
    }
    write_breaks(&mut copier, &mut pending, false);
    copier
}

/// The first byte of content of the next line that has some, blank lines before it noted; `None` at the end.
fn content_start(copier: &Copier<'_>, mut at: usize, indent: usize, pending: &mut Pending) -> Option<usize> {
    loop {
        let spaces = copier.skip(at, b" ") - at;
        let content = at + spaces.min(indent);
        let Some(next) = copier.past_break(content) else {
            return (spaces >= indent && content < copier.raw.len()).then_some(content);
        };
        pending.blank_lines.push(content);
        at = next;
    }
}

fn line_end(copier: &Copier<'_>, at: usize) -> usize {
    let rest = copier.raw.as_bytes().get(at..).unwrap_or(&[]);
    at + rest.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count()
}

fn write_breaks(copier: &mut Copier<'_>, pending: &mut Pending, folds: bool) {
    match pending.line_end {
        Some(at) if folds && pending.blank_lines.is_empty() => copier.put(' ', at),
        Some(at) if !folds => copier.put('\n', at),
        _ => {}
    }
    for at in std::mem::take(&mut pending.blank_lines) {
        copier.put('\n', at);
    }
}
