//! The text that ariadne draws on, and where a byte of the source stands on it.
//!
//! Ariadne numbers lines from the top of its text and walks over every character of a drawn line. A canvas therefore
//! has as many lines as the source, but holds only what is worth drawing: long lines are cut down to what lies around
//! the marks, and characters that a terminal would obey, or that ariadne would take for a line break, are replaced.

use std::ops::Range;

use narthex_diag::{Source, Span, SpanMap};

use crate::code_points::CodePoints;
use crate::printable::push_harmless;

/// Longer lines are cut around the marks.
const LINE_BYTES_MAX: usize = 320;
/// What is kept of a long line on either side of a mark.
const MARGIN_BYTES: usize = 60;
/// What is kept of a long mark itself.
const MARK_BYTES_MAX: usize = 120;
/// Stands where something was cut.
const CUT: &str = "…";

/// A drawable text of one source.
#[derive(Debug)]
pub(crate) struct Canvas {
    /// The text with ariadne's index of its lines.
    pub(crate) drawable: ariadne::Source<String>,
    map: SpanMap,
    code_points: CodePoints,
}

impl Canvas {
    /// The whole source for marks on lines that are not long; long lines are left empty. Linear in the source.
    pub(crate) fn of_short_lines(source: &Source) -> Canvas {
        let lines = (1..=source.lines().line_count()).map(|line| line_range(source, line));
        draw(source, lines.filter(|line| line.len() <= LINE_BYTES_MAX))
    }

    /// Only what is around `marks`. Linear in the number of the last marked line and the marks.
    pub(crate) fn around(source: &Source, marks: &[Span]) -> Canvas {
        let mut windows: Vec<Range<usize>> =
            marks.iter().flat_map(|mark| windows_of(source, *mark)).collect();
        windows.sort_by_key(|window| window.start);
        windows.dedup_by(|next, last| {
            let touching = next.start <= last.end;
            if touching {
                last.end = last.end.max(next.end);
            }
            touching
        });
        draw(source, windows.into_iter())
    }

    /// Where a span of the source stands on the canvas, in code points: ariadne takes byte offsets too, but for a frame
    /// without the primary mark it mistakes one count for the other.
    pub(crate) fn characters(&self, span: Span) -> Range<usize> {
        let (text, bytes) = (self.drawable.text(), self.bytes(span));
        self.code_points.before(text, bytes.start)..self.code_points.before(text, bytes.end)
    }

    /// The same in bytes, on character boundaries.
    fn bytes(&self, span: Span) -> Range<usize> {
        let (text, mapped) = (self.drawable.text(), self.map.span(span));
        let mut end = (mapped.end as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        (mapped.start as usize).min(end)..end
    }
}

/// Whether a mark begins or ends on a line too long to be drawn whole.
pub(crate) fn touches_long_line(source: &Source, mark: Span) -> bool {
    ends_of(source, mark).into_iter().any(|(_, line)| line.len() > LINE_BYTES_MAX)
}

/// First and last byte of a mark with the line each is on.
fn ends_of(source: &Source, mark: Span) -> [(usize, Range<usize>); 2] {
    let first = mark.start as usize;
    let last = (mark.end as usize).saturating_sub(1).max(first);
    [first, last].map(|at| (at, line_range(source, source.line_column(at).line)))
}

/// Bytes of a line without its line break.
fn line_range(source: &Source, line: usize) -> Range<usize> {
    let range = source.lines().line_span(line).unwrap_or_default().range();
    let text = source.text[range.clone()].trim_end_matches('\n');
    range.start..range.start + text.len()
}

/// What to keep of the lines on which a mark begins and ends.
fn windows_of(source: &Source, mark: Span) -> Vec<Range<usize>> {
    let [(first, first_line), (last, last_line)] = ends_of(source, mark);
    let window = |from: usize, to: usize, line: Range<usize>| {
        if line.len() <= LINE_BYTES_MAX {
            return line;
        }
        let start = from.saturating_sub(MARGIN_BYTES).max(line.start);
        let end = (to + MARGIN_BYTES).min(line.end).max(start);
        boundary_below(&source.text, start)..boundary_below(&source.text, end)
    };
    if first_line == last_line {
        return vec![window(first, last.min(first + MARK_BYTES_MAX), first_line)];
    }
    vec![window(first, first, first_line), window(last, last, last_line)]
}

fn boundary_below(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Draws `windows`, which are in order and apart, each within one line.
fn draw(source: &Source, windows: impl Iterator<Item = Range<usize>>) -> Canvas {
    let mut text = String::new();
    let mut runs = Vec::new();
    let mut drawn_line = 1;
    for window in windows {
        let line = source.line_column(window.start).line;
        let whole = line_range(source, line);
        if line > drawn_line {
            text.extend(std::iter::repeat_n('\n', line - drawn_line));
            drawn_line = line;
        }
        if window.start > whole.start && !text.ends_with(CUT) {
            text.push_str(CUT);
        }
        runs.push((window.start, text.len()));
        push_harmless(&mut text, &source.text[window.clone()]);
        if window.end < whole.end {
            runs.push((window.end, text.len()));
            text.push_str(CUT);
        }
    }
    // Ariadne trims a line before it draws, so a mark at the very end may stand on this blank.
    text.push(' ');
    let mut map = SpanMap::with_end(text.len());
    for (from, to) in runs {
        map.push_run(from, to);
    }
    let code_points = CodePoints::of(&text);
    Canvas { drawable: text.into(), map, code_points }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(canvas: &Canvas, span: Span) -> &str {
        &canvas.drawable.text()[canvas.bytes(span)]
    }

    #[test]
    fn short_lines_are_drawn_whole_at_their_numbers() {
        let source = Source::new("f", format!("one\n{}\nthree\n", "x".repeat(1000)));
        let canvas = Canvas::of_short_lines(&source);
        assert_eq!(canvas.drawable.text(), "one\n\nthree\n ");
        assert_eq!(under(&canvas, Span::new(1005, 1010)), "three");
        assert_eq!(canvas.bytes(Span::empty_at(1011)), 11..11);
    }

    #[test]
    fn a_long_line_is_cut_around_its_marks() {
        let text = format!("a\n{}MARK{}other{}", "x".repeat(2_000), "y".repeat(2_000), "é".repeat(2_000));
        let source = Source::new("f", text);
        let (mark, other) = (Span::new(2002, 2006), Span::new(4006, 4011));
        assert!(touches_long_line(&source, mark) && !touches_long_line(&source, Span::new(0, 1)));
        let canvas = Canvas::around(&source, &[mark, other]);
        assert_eq!((under(&canvas, mark), under(&canvas, other)), ("MARK", "other"));
        assert!(canvas.drawable.text().len() < 400, "{}", canvas.drawable.text());
        assert_eq!(canvas.drawable.text().matches(CUT).count(), 3);
        assert_eq!(canvas.drawable.text().lines().count(), 2);
    }

    #[test]
    fn a_mark_longer_than_what_is_drawn_ends_at_the_cut() {
        let source = Source::new("f", "é".repeat(4_000));
        let mark = Span::new(100, 7_000);
        let canvas = Canvas::around(&source, &[mark]);
        let drawn = under(&canvas, mark);
        assert!(drawn.len() > MARK_BYTES_MAX && drawn.len() < 400, "{drawn}");
    }
}
