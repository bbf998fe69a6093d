//! Source lines in frames, with marks, notes and fixes, drawn by ariadne.

use std::collections::HashMap;
use std::fmt::Write;

use ariadne::{Cache, Color, Config, Fmt, IndexType, Label, Report, ReportBuilder, ReportKind};
use narthex_diag::{Diagnostic, Severity, Source, SourceId, SourceMap, Span};

use crate::canvas::{Canvas, touches_long_line};
use crate::color_switches::without_idle_switches;
use crate::place::Place;
use crate::preview::help;
use crate::printable::{one_line, paragraph};
use crate::{ColorChoice, RenderOptions};

/// Marks further apart than this many lines stand in frames of their own.
const GAP_LINES_MAX: usize = 40;
/// A mark over more lines than this is drawn on its first line only.
const MARK_LINES_MAX: usize = 60;
/// More marks than this are not drawn.
const MARKS_MAX: usize = 16;
/// How many sources are kept drawn.
const CANVASES_MAX: usize = 64;
/// Ends the heading we give to ariadne; the position that ariadne writes after it is removed.
const HEADING_END: char = '\u{1}';

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
    canvas: &'a Canvas,
    headings: Vec<String>,
}

impl Cache<FrameId> for Frames<'_> {
    type Storage = String;

    fn fetch(&mut self, _: &FrameId) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        Ok::<_, std::convert::Infallible>(&self.canvas.drawable)
    }

    fn display<'a>(&self, frame: &'a FrameId) -> Option<impl std::fmt::Display + 'a> {
        self.headings.get(*frame).cloned()
    }
}

struct Painter<'a> {
    sources: &'a SourceMap,
    color: ColorChoice,
    /// Of the sources seen last.
    canvases: HashMap<SourceId, Canvas>,
}

impl<'a> Painter<'a> {
    fn paint(&mut self, out: &mut String, diagnostic: &Diagnostic) {
        let color = self.color;
        write_title(out, diagnostic, color);
        let frames = frames_of(self.marks(diagnostic));
        let Some(source) = frames.first().and_then(|frame| frame.first()).map(|mark| mark.place.source)
        else {
            write_remarks(out, diagnostic);
            return;
        };
        let spans: Vec<Span> = frames.iter().flatten().map(|mark| mark.place.span).collect();
        let own;
        let canvas = if spans.iter().any(|span| touches_long_line(source, *span)) {
            own = Canvas::around(source, &spans);
            &own
        } else {
            self.canvas_of(diagnostic.source.unwrap_or(SourceId(u32::MAX)), source)
        };
        let mut report = report(diagnostic, &frames, canvas, color);
        report.with_helps(diagnostic.suggestions.iter().map(|one| help(one, source)));
        report.with_notes(diagnostic.notes.iter().map(|note| paragraph(note)));
        let headings = frames.iter().map(|frame| heading(frame, diagnostic)).collect();
        let mut drawn = Vec::new();
        report
            .finish()
            .write(Frames { canvas, headings }, &mut drawn)
            .expect("writing to memory and fetching a canvas cannot fail");
        push_cleaned(out, &String::from_utf8_lossy(&drawn));
    }

    /// The canvas of a source, drawn when the source comes up; diagnostics usually come source by source.
    fn canvas_of(&mut self, id: SourceId, source: &Source) -> &Canvas {
        if self.canvases.len() >= CANVASES_MAX && !self.canvases.contains_key(&id) {
            self.canvases.clear();
        }
        self.canvases.entry(id).or_insert_with(|| Canvas::of_short_lines(source))
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
