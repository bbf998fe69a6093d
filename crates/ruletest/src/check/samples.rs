//! Expressions: whether they yield the samples expected.

use narthex_diag::Diagnostic;
use narthex_eval::result::InstantSample;
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_promql::{ParseError, parse_metric, parse_series};
use narthex_promqltest::value_text;
use narthex_rulefmt::unit_test::{ExpectedSample, ExprTest};
use narthex_rules::{EngineQueries, RuleError};

use super::time_text;
use crate::difference::sample_difference;
use crate::report::{BAD_TEST, EVALUATION_FAILED, UNEXPECTED_SAMPLES};

/// How floats are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Precision {
    /// Bit by bit, but for the sign of zero.
    Exact,
    /// Neighbouring floats are equal.
    LastBit,
}

impl Precision {
    fn equal(self, a: f64, b: f64) -> bool {
        a == b || (self == Precision::LastBit && (a.next_down() == b || a.next_up() == b))
    }
}

/// A sample as it is compared and shown.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shown {
    pub(crate) labels: Labels,
    pub(crate) value: SampleValue,
}

impl Shown {
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.labels, value_text(&self.value))
    }

    /// Whether promtool takes the two for equal: a NaN equals nothing, histograms are equal when their texts are.
    fn equals(&self, other: &Shown, precision: Precision) -> bool {
        let same_value = match (&self.value, &other.value) {
            (SampleValue::Float(a), SampleValue::Float(b)) => precision.equal(*a, *b),
            (SampleValue::Histogram(_), SampleValue::Histogram(_)) => {
                value_text(&self.value) == value_text(&other.value)
            }
            _ => false,
        };
        self.labels == other.labels && same_value
    }
}

/// Evaluates the expression at all its times, and at the evaluations up to `until`.
pub(crate) fn check(
    test: &ExprTest,
    start_ms: Timestamp,
    interval_ms: i64,
    queries: &EngineQueries<'_>,
    precision: Precision,
) -> Vec<Diagnostic> {
    let expected = match expected_samples(test) {
        Ok(expected) if test.expr.parse.diagnostics.is_empty() => expected,
        found => {
            let unparsed = test.expr.diagnostics_in_file().map(|one| Diagnostic { code: BAD_TEST, ..one });
            return unparsed.chain(found.err().unwrap_or_default()).collect();
        }
    };
    let judge =
        |at_ms: i64| judge(test, at_ms, start_ms.saturating_add(at_ms), &expected, queries, precision);
    times(test, interval_ms).filter_map(judge).collect()
}

/// All times of the test, each once per mention.
fn times(test: &ExprTest, interval_ms: i64) -> impl Iterator<Item = i64> {
    let first_ms = test.times.at.first().map_or(0, |at| at.value);
    let until_ms = test.times.until.map_or(i64::MIN, |until| until.value);
    let steps = std::iter::successors(Some(first_ms), move |at_ms| {
        (at_ms / interval_ms).checked_add(1)?.checked_mul(interval_ms)
    });
    let steps = steps.skip(1).take_while(move |&at_ms| at_ms <= until_ms);
    test.times.at.iter().map(|at| at.value).collect::<Vec<_>>().into_iter().chain(steps)
}

fn judge(
    test: &ExprTest,
    at_ms: i64,
    absolute_ms: Timestamp,
    expected: &[Shown],
    queries: &EngineQueries<'_>,
    precision: Precision,
) -> Option<Diagnostic> {
    let time = time_text(at_ms);
    let mut got: Vec<Shown> = match queries.instant(&test.expr.parse.expr, absolute_ms) {
        Ok(samples) => samples.into_iter().map(shown).collect(),
        Err(error) => return Some(evaluation_failure(test, &time, &error)),
    };
    got.sort_by(|a, b| a.labels.cmp(&b.labels));
    let is_equal = |(wanted, got): (&Shown, &Shown)| wanted.equals(got, precision);
    if expected.len() == got.len() && expected.iter().zip(&got).all(is_equal) {
        return None;
    }
    let message = format!("expression at {time}: expected {}, got {}", counted(expected), got.len());
    let message = match expected.len() == got.len() {
        true => format!("expression at {time}: samples differ from the expected ones"),
        false => message,
    };
    let mut failure = Diagnostic::error(UNEXPECTED_SAMPLES, message, test.expr.text.span());
    let lines = sample_difference(expected, &got, |wanted, got| wanted.equals(got, precision));
    failure.notes.push(lines.join("\n"));
    if expected.iter().any(|one| matches!(one.value, SampleValue::Float(value) if value.is_nan())) {
        failure.notes.push("NaN equals nothing, not even NaN: compare with `x != x`".to_owned());
    }
    Some(failure)
}

fn counted(samples: &[Shown]) -> String {
    if samples.len() == 1 { "1 sample".to_owned() } else { format!("{} samples", samples.len()) }
}

fn shown(sample: InstantSample) -> Shown {
    Shown { labels: sample.labels, value: sample.value }
}

fn evaluation_failure(test: &ExprTest, time: &str, error: &RuleError) -> Diagnostic {
    let span = match error {
        RuleError::Query(error) => error.span().filter(|span| !span.is_empty()),
        _ => None,
    };
    let span = span.map_or(test.expr.text.span(), |span| test.expr.locate(span));
    Diagnostic::error(EVALUATION_FAILED, format!("expression at {time}: {error}"), span)
}

/// The expected samples by labels, or all that is wrong with them.
fn expected_samples(test: &ExprTest) -> Result<Vec<Shown>, Vec<Diagnostic>> {
    let mut samples = Vec::with_capacity(test.samples.len());
    let mut found = Vec::new();
    for sample in &test.samples {
        match expected_sample(sample) {
            Ok(sample) => samples.push(sample),
            Err(error) => found.push(*error),
        }
    }
    samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    if found.is_empty() { Ok(samples) } else { Err(found) }
}

fn expected_sample(sample: &ExpectedSample) -> Result<Shown, Box<Diagnostic>> {
    let refused = |what: &str, error: &ParseError, text: &narthex_rulefmt::Text| {
        let message = format!("cannot read the expected {what}: {error}");
        let span = if text.span().is_empty() { sample.span } else { text.span() };
        Box::new(Diagnostic::error(BAD_TEST, message, span))
    };
    let labels =
        parse_metric(&sample.labels.value).map_err(|error| refused("labels", &error, &sample.labels))?;
    if sample.histogram.value.is_empty() {
        return Ok(Shown { labels, value: sample.value.into() });
    }
    let series = parse_series(&format!("{{}} {}", sample.histogram.value))
        .map_err(|error| refused("histogram", &error, &sample.histogram))?;
    let value = match series.values.as_slice() {
        [one] => one.sample().filter(|value| matches!(value, SampleValue::Histogram(_))),
        _ => None,
    };
    let value = value.cloned().ok_or_else(|| {
        let message =
            "cannot read the expected histogram: expected one histogram such as `{{count:1 sum:2}}`";
        Box::new(Diagnostic::error(BAD_TEST, message, sample.histogram.span()))
    })?;
    Ok(Shown { labels, value })
}
