//! Source lines in frames, with marks, notes and fixes, drawn by ariadne.

use std::collections::HashMap;
use std::fmt::Write;

use ariadne::{Cache, Color, Config, Fmt, IndexType, Label, Report, ReportBuilder, ReportKind};
use narthex_diag::{Applicability, Diagnostic, Severity, Source, SourceId, SourceMap, Span, Suggestion};

use crate::canvas::{Canvas, touches_long_line};
use crate::place::Place;
use crate::printable::{one_line, paragraph, push_harmless};
use crate::{ColorChoice, RenderOptions};

/// Marks further apart than this many lines stand in frames of their own.
const GAP_LINES_MAX: usize = 40;
/// A mark over more lines than this is drawn on its first line only.
const MARK_LINES_MAX: usize = 60;
/// More marks than this are not drawn.
const MARKS_MAX: usize = 16;
/// A fix that touches more lines than this is described, not shown.
const PREVIEW_LINES_MAX: usize = 6;
/// A fix that touches more bytes than this is described, not shown.
const PREVIEW_BYTES_MAX: usize = 600;
/// Ends the heading we give to ariadne; the position that ariadne writes after it is removed.
const HEADING_END: char = '\u{1}';
/// Begins a terminal's colour switch, which ends in `m`.
const ESCAPE: char = '\u{1b}';
/// Back to the terminal's own colour.
const COLOR_OFF: &str = "\u{1b}[0m";

pub(super) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, options: &RenderOptions) -> String {
    let mut painter = Painter { sources, color: options.color, canvases: HashMap::new() };
    let mut out = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        painter.paint(&mut out, diagnostic);
    }
    out
}

/// A canvas with the index of its lines that ariadne needs.
struct Drawable {
    canvas: Canvas,
    lines: ariadne::Source<String>,
}

impl Drawable {
    fn new(canvas: Canvas) -> Drawable {
        let lines = ariadne::Source::from(canvas.text.clone());
        Drawable { canvas, lines }
    }
}

/// One place to mark.
struct Mark<'a> {
    place: Place<'a>,
    message: String,
    is_primary: bool,
}

/// What ariadne calls a source: one frame.
type FrameId = usize;
type FrameSpan = (FrameId, std::ops::Range<usize>);

/// The frames of one diagnostic: all on one canvas, each with its heading.
struct Frames<'a> {
    drawable: &'a Drawable,
    headings: Vec<String>,
}

impl Cache<FrameId> for Frames<'_> {
    type Storage = String;

    fn fetch(&mut self, _: &FrameId) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        Ok::<_, std::convert::Infallible>(&self.drawable.lines)
    }

    fn display<'a>(&self, frame: &'a FrameId) -> Option<impl std::fmt::Display + 'a> {
        self.headings.get(*frame).cloned()
    }
}

struct Painter<'a> {
    sources: &'a SourceMap,
    color: ColorChoice,
    canvases: HashMap<SourceId, Drawable>,
}

impl<'a> Painter<'a> {
    fn paint(&mut self, out: &mut String, diagnostic: &Diagnostic) {
        write_title(out, diagnostic, self.color);
        let frames = frames_of(self.marks(diagnostic));
        let Some(source) = frames.first().and_then(|frame| frame.first()).map(|mark| mark.place.source)
        else {
            write_remarks(out, diagnostic);
            return;
        };
        let spans: Vec<Span> = frames.iter().flatten().map(|mark| mark.place.span).collect();
        let own;
        let drawable = if spans.iter().any(|span| touches_long_line(source, *span)) {
            own = Drawable::new(Canvas::around(source, &spans));
            &own
        } else {
            let id = diagnostic.source.unwrap_or(SourceId(u32::MAX));
            self.canvases.entry(id).or_insert_with(|| Drawable::new(Canvas::of_short_lines(source)))
        };
        let mut report = report(diagnostic, &frames, &drawable.canvas, self.color);
        report.with_helps(diagnostic.suggestions.iter().map(|one| help(one, source)));
        report.with_notes(diagnostic.notes.iter().map(|note| paragraph(note)));
        let headings = frames.iter().map(|frame| heading(frame, diagnostic)).collect();
        let mut drawn = Vec::new();
        report
            .finish()
            .write(Frames { drawable, headings }, &mut drawn)
            .expect("writing to memory and fetching a canvas cannot fail");
        push_cleaned(out, &String::from_utf8_lossy(&drawn));
    }

    /// The places of a diagnostic whose source is known, primary first.
    fn marks(&self, diagnostic: &Diagnostic) -> Vec<Mark<'a>> {
        let primary = std::iter::once((&diagnostic.primary, true));
        let all = primary.chain(diagnostic.secondary.iter().map(|other| (other, false)));
        let marks = all.take(MARKS_MAX).filter_map(|(annotation, is_primary)| {
            let place = Place::of(self.sources, diagnostic.source, annotation.span)?;
            let place = Place { span: drawable_span(&place), ..place };
            let message = if annotation.label.is_empty() { "here" } else { &annotation.label };
            Some(Mark { place, message: one_line(message).into_owned(), is_primary })
        });
        marks.collect()
    }
}

/// A span over very many lines is reduced to its first line; an empty one takes the character it stands before.
fn drawable_span(place: &Place<'_>) -> Span {
    let (span, line) = (place.span, place.start().line);
    let line_span = place.source.lines().line_span(line).unwrap_or(span);
    let rest = Span::new(span.start as usize, line_span.end as usize);
    if place.last_line() - line >= MARK_LINES_MAX {
        let len = rest.slice(&place.source.text).trim_end().len();
        return Span::new(span.start as usize, span.start as usize + len);
    }
    if span.is_empty() {
        let next = rest.slice(&place.source.text).chars().next().filter(|c| !c.is_whitespace());
        return Span::new(span.start as usize, span.start as usize + next.map_or(0, char::len_utf8));
    }
    span
}

/// Marks that are near each other share a frame. The frame of the primary mark comes first, marks go down the lines.
fn frames_of(mut marks: Vec<Mark<'_>>) -> Vec<Vec<Mark<'_>>> {
    marks.sort_by_key(|mark| (mark.place.last_line(), mark.place.span));
    let mut frames: Vec<Vec<Mark<'_>>> = Vec::new();
    for mark in marks {
        match frames.last_mut() {
            Some(frame) if is_near(frame, &mark) => frame.push(mark),
            _ => frames.push(vec![mark]),
        }
    }
    let primary = frames.iter().position(|frame| frame.iter().any(|mark| mark.is_primary)).unwrap_or(0);
    if let Some(before_and_primary) = frames.get_mut(..=primary) {
        before_and_primary.rotate_right(1);
    }
    frames
}

fn is_near(frame: &[Mark<'_>], mark: &Mark<'_>) -> bool {
    frame.last().is_some_and(|last| mark.place.start().line <= last.place.last_line() + GAP_LINES_MAX)
}

/// `path:line:column`, and in the frame of the primary mark what the diagnostic is about.
fn heading(frame: &[Mark<'_>], diagnostic: &Diagnostic) -> String {
    let mut heading = String::new();
    let Some(mark) = frame.iter().find(|mark| mark.is_primary).or(frame.first()) else {
        return heading;
    };
    let start = mark.place.start();
    let _ = write!(heading, "{}:{}:{}", one_line(mark.place.file()), start.line, start.column);
    if let Some(subject) = diagnostic.subject.as_deref().filter(|_| mark.is_primary) {
        let _ = write!(heading, "  {}", one_line(subject));
    }
    heading.push(HEADING_END);
    heading
}

fn report(
    diagnostic: &Diagnostic,
    frames: &[Vec<Mark<'_>>],
    canvas: &Canvas,
    color: ColorChoice,
) -> ReportBuilder<'static, FrameSpan> {
    let config = Config::new()
        .with_color(color == ColorChoice::Always)
        .with_index_type(IndexType::Char)
        .with_cross_gap(false);
    let drawn = |frame: FrameId, mark: &Mark<'_>| (frame, canvas.characters(mark.place.span));
    let first = frames.first().and_then(|frame| frame.first()).map_or((0, 0..0), |mark| drawn(0, mark));
    let mut report = Report::build(ReportKind::Error, first).with_config(config);
    for (frame, marks) in frames.iter().enumerate() {
        for mark in marks {
            let color = if mark.is_primary { severity_color(diagnostic.severity) } else { Color::Blue };
            report.add_label(Label::new(drawn(frame, mark)).with_message(&mark.message).with_color(color));
        }
    }
    report
}

fn severity_color(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Info => Color::Cyan,
    }
}

fn write_title(out: &mut String, diagnostic: &Diagnostic, color: ColorChoice) {
    let title = format!("{}[{}]", diagnostic.severity.as_str(), diagnostic.code);
    let message = one_line(&diagnostic.message);
    let _ = match color {
        ColorChoice::Always => writeln!(out, "{}: {message}", title.fg(severity_color(diagnostic.severity))),
        ColorChoice::Never => writeln!(out, "{title}: {message}"),
    };
}

/// What stands below the marks, where there is nothing to mark.
fn write_remarks(out: &mut String, diagnostic: &Diagnostic) {
    if let Some(subject) = &diagnostic.subject {
        let _ = writeln!(out, "  {}", one_line(subject));
    }
    for suggestion in &diagnostic.suggestions {
        let _ = writeln!(out, "  Help: {}", one_line(&suggestion.message));
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "  Note: {}", one_line(note));
    }
}

/// The advice, whether a tool can follow it, and the lines before and after.
fn help(suggestion: &Suggestion, source: &Source) -> String {
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

/// Ariadne colours character by character; a colour that is switched off and on again stays on.
fn without_idle_switches(drawn: &str) -> String {
    let mut out = String::with_capacity(drawn.len());
    let mut current = "";
    let mut pieces = drawn.split_inclusive(COLOR_OFF).peekable();
    while let Some(piece) = pieces.next() {
        let (color, rest) = leading_color(piece);
        out.push_str(if color == current { rest } else { piece });
        current = "";
        let next_color = pieces.peek().map_or("", |next| leading_color(next).0);
        if !next_color.is_empty() && last_color(piece) == next_color && out.ends_with(COLOR_OFF) {
            out.truncate(out.len() - COLOR_OFF.len());
            current = next_color;
        }
    }
    out
}

/// The colour switch a text begins with, and the rest.
fn leading_color(text: &str) -> (&str, &str) {
    match text.find('m') {
        Some(end) if text.starts_with(ESCAPE) => text.split_at(end + 1),
        _ => ("", text),
    }
}

/// The last colour switch in a text that ends by switching it off.
fn last_color(piece: &str) -> &str {
    let colored = piece.strip_suffix(COLOR_OFF).unwrap_or(piece);
    colored.rfind(ESCAPE).map_or("", |at| leading_color(&colored[at..]).0)
}

/// Appends what ariadne drew without its own title, its own positions and the blanks at line ends.
fn push_cleaned(out: &mut String, drawn: &str) {
    let drawn = without_idle_switches(drawn);
    for line in drawn.lines().skip(1) {
        match line.split_once(HEADING_END) {
            Some((heading, rest)) => {
                let rest = rest.trim_start_matches(|c: char| c == ':' || c == '?' || c.is_ascii_digit());
                out.push_str(heading);
                out.push_str(rest.trim_end());
            }
            None => out.push_str(line.trim_end()),
        }
        out.push('\n');
    }
}
