//! `eval` and the lines that say what is expected.

use narthex_diag::Spanned;
use narthex_model::PromDuration;
use narthex_promql::series::{SequenceValue, SeriesDescription};
use narthex_promql::{Expr, ParseOptions};
use narthex_regex::UnanchoredRegex;

use super::line::{Line, Lines};
use super::load::read_series;
use super::{Fault, Refused, expect};
use crate::script::{
    Eval, EvalTimes, Expectation, ExpectedSeries, ExpectedValue, LegacyForm, Notation, TextPattern, Times,
};

/// The forms of the command, for messages.
const FORMS: &str =
    "`eval instant at <time> <query>` or `eval range from <time> to <time> step <duration> <query>`";

pub(super) fn eval(first: Line<'_>, lines: &mut Lines<'_>) -> Result<Eval, Refused> {
    let unnamed = |fault| (fault, first.text.to_owned());
    let (word, rest) = first.split_word();
    let legacy = legacy_form(word).map_err(unnamed)?;
    let (kind, rest) = rest.split_word();
    let (times, query) = match kind.text {
        "instant" => instant_header(rest),
        "range" if legacy != Some(LegacyForm::Ordered) => range_header(rest),
        _ => Err(Fault::new(format!("expected {FORMS}"), kind.span)),
    }
    .map_err(unnamed)?;
    let named = |fault| (fault, format!("eval {}", query.text));
    let times = times.read().map_err(named)?;
    let expected = Expectation { legacy, ..Expectation::default() };
    let mut eval =
        Eval { line: first.number, query: Spanned::new(query.text.to_owned(), query.span), times, expected };
    while let Some(line) = lines.next_in_block() {
        if expectation_line(line, &mut eval).map_err(named)? == Ends::Yes {
            break;
        }
    }
    Ok(eval)
}

fn legacy_form(word: Line<'_>) -> Result<Option<LegacyForm>, Fault> {
    let lower = word.text.to_ascii_lowercase();
    if lower == "eval" {
        return Ok(None);
    }
    let form = LegacyForm::ALL.iter().find(|row| lower.strip_prefix("eval_") == Some(row.1));
    let message = || format!("expected `eval`, found {:?}", word.text);
    form.map(|row| Some(row.0)).ok_or_else(|| Fault::new(message(), word.span))
}

/// Times as written; read only when the query is known, so that a fault can name it.
enum Header<'a> {
    Instant(Line<'a>),
    Range([Line<'a>; 3]),
}

fn instant_header(rest: Line<'_>) -> Result<(Header<'_>, Line<'_>), Fault> {
    let (at, query) = keyword_value(rest, "at")?;
    Ok((Header::Instant(at), with_query(query)?))
}

fn range_header(rest: Line<'_>) -> Result<(Header<'_>, Line<'_>), Fault> {
    let (from, rest) = keyword_value(rest, "from")?;
    let (to, rest) = keyword_value(rest, "to")?;
    let (step, query) = keyword_value(rest, "step")?;
    Ok((Header::Range([from, to, step]), with_query(query)?))
}

fn with_query(query: Line<'_>) -> Result<Line<'_>, Fault> {
    if query.text.is_empty() { Err(Fault::new("expected a query", query.span)) } else { Ok(query) }
}

/// The word after `keyword`, and what follows it.
pub(super) fn keyword_value<'a>(line: Line<'a>, keyword: &str) -> Result<(Line<'a>, Line<'a>), Fault> {
    let (word, rest) = line.split_word();
    if word.text != keyword {
        return Err(Fault::new(format!("expected `{keyword}`, found {:?}", word.text), word.span));
    }
    Ok(rest.split_word())
}

impl Header<'_> {
    fn read(self) -> Result<EvalTimes, Fault> {
        match self {
            Header::Instant(at) => Ok(EvalTimes::Instant { at_ms: timestamp_ms(at)? }),
            Header::Range(parts) => times(parts).map(EvalTimes::Range),
        }
    }
}

/// From, to and step.
pub(super) fn times([from, to, step]: [Line<'_>; 3]) -> Result<Times, Fault> {
    let (start_ms, end_ms) = (timestamp_ms(from)?, timestamp_ms(to)?);
    if end_ms < start_ms {
        let message = format!(
            "invalid test definition, end timestamp ({}) is before start timestamp ({})",
            to.text, from.text
        );
        return Err(Fault::new(message, to.span));
    }
    let step_ms = PromDuration::parse(step.text)
        .map_err(|error| Fault::new(format!("invalid step definition {:?}: {error}", step.text), step.span))?
        .ms;
    if step_ms == 0 && end_ms > start_ms {
        return Err(Fault::new("expected a step above zero", step.span));
    }
    Ok(Times { start_ms, end_ms, step_ms })
}

fn timestamp_ms(word: Line<'_>) -> Result<i64, Fault> {
    let message = |error| format!("invalid timestamp definition {:?}: {error}", word.text);
    PromDuration::parse(word.text).map(|time| time.ms).map_err(|error| Fault::new(message(error), word.span))
}

/// Whether a line is the last of its command.
#[derive(PartialEq, Eq)]
enum Ends {
    No,
    Yes,
}

fn expectation_line(line: Line<'_>, eval: &mut Eval) -> Result<Ends, Fault> {
    let expected = &mut eval.expected;
    if line.text.split(' ').next() == Some("expect") {
        expect::expect(line, eval)?;
        return Ok(Ends::No);
    }
    if expected.legacy == Some(LegacyForm::Fail)
        && let Some(pattern) = legacy_failure(line)?
    {
        expected.failure = Some(pattern);
        return Ok(Ends::Yes);
    }
    if let Some(value) = number(line.text) {
        expected.value = ExpectedValue::Scalar(value);
        return Ok(Ends::Yes);
    }
    expected_series(line, eval)?;
    Ok(Ends::No)
}

/// `expected_fail_message …` and `expected_fail_regexp …`.
fn legacy_failure(line: Line<'_>) -> Result<Option<TextPattern>, Fault> {
    let notation = Notation::Legacy;
    let (word, rest) = line.split_word();
    match word.text {
        "expected_fail_message" => Ok(Some(TextPattern::Exactly { text: rest.text.to_owned(), notation })),
        "expected_fail_regexp" => match UnanchoredRegex::new(rest.text) {
            Ok(pattern) => Ok(Some(TextPattern::Matching { pattern, notation })),
            Err(error) => {
                let message = format!("invalid regexp '{}' for expected_fail_regexp: {error}", rest.text);
                Err(Fault::new(message, rest.span))
            }
        },
        _ => Ok(None),
    }
}

/// The value of a line that is a number literal and nothing else.
fn number(text: &str) -> Option<f64> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.iInN".contains(first)) {
        return None;
    }
    match narthex_promql::parse(text, &ParseOptions::STABLE).into_result() {
        Ok(Expr::Number(literal)) if !literal.is_duration => Some(literal.value),
        _ => None,
    }
}

fn expected_series(line: Line<'_>, eval: &mut Eval) -> Result<(), Fault> {
    let ExpectedValue::Series { series: all, range_vector } = &mut eval.expected.value else {
        return Err(Fault::new("expected no series beside a string", line.span));
    };
    let SeriesDescription { labels, values } = read_series(line)?;
    let is_instant = matches!(eval.times, EvalTimes::Instant { .. }) && range_vector.is_none();
    if is_instant && !matches!(values.as_slice(), [SequenceValue::Value { .. }]) {
        let message = format!("expected one value for an instant query, found {}", values.len());
        return Err(Fault::new(message, line.span));
    }
    let expected = ExpectedSeries { labels, values };
    match all.iter_mut().find(|known| known.labels == expected.labels) {
        Some(known) => *known = expected,
        None => all.push(expected),
    }
    Ok(())
}
