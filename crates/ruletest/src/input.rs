//! The input of a test: series that come in as time goes on.

use narthex_diag::{Diagnostic, Span, SpanMap};
use narthex_model::{SampleValue, Timestamp};
use narthex_promqltest::script::{Command, LoadedSeries};
use narthex_rulefmt::Text;
use narthex_rulefmt::unit_test::TestGroup;
use narthex_storage::{Appender, StorageError};

use crate::report::BAD_TEST;

/// Series with what is still to come of them.
#[derive(Debug, Default)]
pub(crate) struct Input {
    series: Vec<Upcoming>,
    start_ms: Timestamp,
    step_ms: i64,
}

#[derive(Debug)]
struct Upcoming {
    series: LoadedSeries,
    next: usize,
}

/// A stretch of the script that is a scalar of the test file.
struct Piece {
    /// Where it begins in the script.
    at: usize,
    text: Text,
    map: SpanMap,
}

impl Input {
    /// Reads the series of a test. As with promtool they become a block of a test script: of equal series the last
    /// counts, and an empty line, which a value may end with, ends the block.
    pub(crate) fn read(test: &TestGroup, step_ms: i64, file: &str, found: &mut Vec<Diagnostic>) -> Input {
        let (script, pieces, left_out) = script(test, file);
        if let Some(warning) = left_out {
            found.push(warning);
        }
        let parse = narthex_promqltest::parse(&script);
        found.extend(parse.diagnostics.iter().map(|fault| located(fault, &pieces, test.span)));
        let loads = parse.script.commands.into_iter().filter_map(|command| match command.value {
            Command::Load(load) => Some(load.series),
            _ => None,
        });
        let series = loads.flatten().map(|series| Upcoming { series, next: 0 }).collect();
        Input { series, start_ms: test.start_ms.map_or(0, |start| start.value), step_ms }
    }

    /// Appends all samples up to `now_ms` that have not been appended yet.
    pub(crate) fn append_till(
        &mut self,
        now_ms: Timestamp,
        appender: &mut dyn Appender,
    ) -> Result<(), StorageError> {
        let mut has_samples = false;
        for Upcoming { series, next } in &mut self.series {
            while *next < series.values.len() {
                let at_ms = time_of(*next, self.start_ms, self.step_ms);
                if at_ms > now_ms {
                    break;
                }
                has_samples |= append(series, *next, at_ms, appender)?;
                *next += 1;
            }
        }
        if has_samples { appender.commit() } else { Ok(()) }
    }

    /// Appends all samples up to `last_ms` to another store.
    pub(crate) fn append_all_to(
        &self,
        last_ms: Timestamp,
        appender: &mut dyn Appender,
    ) -> Result<(), StorageError> {
        for Upcoming { series, .. } in &self.series {
            for place in 0..series.values.len() {
                let at_ms = time_of(place, self.start_ms, self.step_ms);
                if at_ms > last_ms {
                    break;
                }
                append(series, place, at_ms, appender)?;
            }
        }
        appender.commit()
    }

    /// The metric names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|one| one.series.labels.metric_name())
    }
}

fn time_of(place: usize, start_ms: Timestamp, step_ms: i64) -> Timestamp {
    let steps = i64::try_from(place).unwrap_or(i64::MAX);
    start_ms.saturating_add(steps.saturating_mul(step_ms))
}

/// Appends the sample at a place; says whether there is one.
fn append(
    series: &LoadedSeries,
    place: usize,
    at_ms: Timestamp,
    appender: &mut dyn Appender,
) -> Result<bool, StorageError> {
    let Some((value, start_ms)) = sample(series, place, at_ms) else { return Ok(false) };
    appender.append(&series.labels, at_ms, value, start_ms).map(|()| true)
}

/// The sample at a place, with the start of its counter.
fn sample(series: &LoadedSeries, place: usize, at_ms: Timestamp) -> Option<(SampleValue, Timestamp)> {
    let value = series.values.get(place)?.sample()?.clone();
    let offset_ms = series.start_offsets_ms.get(place).copied().flatten();
    Some((value, offset_ms.map_or(0, |offset_ms| at_ms.saturating_add(offset_ms))))
}

/// The script that the series of a test make; a warning when it ends before they do.
fn script(test: &TestGroup, file: &str) -> (String, Vec<Piece>, Option<Diagnostic>) {
    let mut script = "load 1m\n".to_owned();
    let mut pieces = Vec::with_capacity(2 * test.input_series.len());
    for (place, input) in test.input_series.iter().enumerate() {
        let line_start = script.len();
        for text in [&input.series, &input.values] {
            script.push(' ');
            pieces.push(Piece { at: script.len(), text: text.clone(), map: text.span_map(file) });
            script.push_str(&text.value);
        }
        script.push('\n');
        if let Some(end) = first_empty_line(&script, line_start) {
            script.truncate(end);
            let rest = test.input_series.len() - place - 1;
            let warning = (rest > 0).then(|| {
                let message =
                    format!("the empty line here ends the input: {rest} series after it are left out");
                let place = if input.values.value.contains('\n') { &input.values } else { &input.series };
                Diagnostic::warning(BAD_TEST, message, place.span())
                    .with_help("use `>-` or `|-`, or write the values in one line")
            });
            return (script, pieces, warning);
        }
    }
    (script, pieces, None)
}

/// Where the first line from `start` on begins that is empty or a comment; the line break at the end begins no line.
fn first_empty_line(script: &str, start: usize) -> Option<usize> {
    let mut at = start;
    for line in script.get(start..)?.split_inclusive('\n') {
        let line_text = line.trim();
        if line_text.is_empty() || line_text.starts_with('#') {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// A fault of the script at its place in the test file.
fn located(fault: &Diagnostic, pieces: &[Piece], otherwise: Span) -> Diagnostic {
    let place = |span: Span| {
        let at = span.start as usize;
        let piece = pieces.iter().rev().find(|piece| piece.at <= at);
        let Some(piece) = piece else { return Span { end: otherwise.start, ..otherwise } };
        let start = at - piece.at;
        let end = (span.end as usize).saturating_sub(piece.at).min(piece.text.value.len()).max(start);
        piece.text.source.locate(Span::new(start, end), &piece.map)
    };
    let message = format!("cannot read input series: {}", fault.message);
    Diagnostic { code: BAD_TEST, message, source: None, ..fault.clone().map_spans(place) }
}
