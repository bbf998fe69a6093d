//! Where two answers are not the same.

use std::collections::BTreeSet;

use crate::answer::{Answer, Outcome, Point};

/// One difference.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Difference {
    pub(crate) what: What,
    pub(crate) text: String,
    /// The floats that differ.
    pub(crate) values: Option<[f64; 2]>,
}

impl Difference {
    fn new(what: What, text: String) -> Difference {
        Difference { what, text, values: None }
    }

    /// Whether it is a warning or info that starts so; `extra: ` or `missing: ` come first.
    pub(crate) fn is_note(&self, start: &str) -> bool {
        self.what == What::Notes && self.text.starts_with(start)
    }

    /// The warning or info, if it is one.
    pub(crate) fn note(&self) -> Option<String> {
        (self.what == What::Notes).then(|| self.text.clone())
    }
}

/// What differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum What {
    /// One fails and the other does not.
    Success,
    /// Both fail with other messages.
    Message,
    /// Scalar and vector, say.
    Form,
    /// A series that one has not.
    Series,
    /// A sample that one has not.
    Presence,
    /// A float against another.
    Float,
    /// A histogram against another, or a float.
    Histogram,
    /// The order of a sorted vector.
    Order,
    /// Warnings and infos.
    Notes,
}

/// All differences; the expected answer is theirs.
pub(crate) fn differences(query: &str, theirs: &Answer, ours: &Answer) -> Vec<Difference> {
    match (&theirs.outcome, &ours.outcome) {
        (Err(expected), Err(got)) => {
            let is_same = expected.is_refusal == got.is_refusal
                && message_class(&expected.message) == message_class(&got.message);
            let text = || format!("expected {expected:?}\n      got {got:?}");
            (!is_same).then(|| Difference::new(What::Message, text())).into_iter().collect()
        }
        (Ok(_), Err(got)) => {
            vec![Difference::new(What::Success, format!("must not fail: {got:?}"))]
        }
        (Err(expected), Ok(_)) => {
            vec![Difference::new(What::Success, format!("must fail: {expected:?}"))]
        }
        (Ok(expected), Ok(got)) => {
            let mut differences = outcome_differences(query, expected, got);
            if let (Some(expected), Some(got)) = (&theirs.notes, &ours.notes) {
                differences.extend(note_differences(expected, got));
            }
            differences
        }
    }
}

/// A message without what names data or places in the query.
pub(crate) fn message_class(message: &str) -> String {
    let message = message.split_once("parse error: ").map_or(message, |parts| parts.1);
    let message = message.strip_prefix("expanding series: ").unwrap_or(message);
    let end = message.find([':', '"', '{', '[']).unwrap_or(message.len());
    message[..end].trim().to_owned()
}

fn note_differences(expected: &BTreeSet<String>, got: &BTreeSet<String>) -> Vec<Difference> {
    let missing = expected.difference(got).map(|note| format!("missing: {note}"));
    let extra = got.difference(expected).map(|note| format!("extra: {note}"));
    missing.chain(extra).map(|text| Difference::new(What::Notes, text)).collect()
}

fn outcome_differences(query: &str, expected: &Outcome, got: &Outcome) -> Vec<Difference> {
    if expected.form != got.form || expected.text != got.text {
        let text = format!("expected {} {:?}, got {} {:?}", expected.form, expected.text, got.form, got.text);
        return vec![Difference::new(What::Form, text)];
    }
    let mut differences = differences_of_series(expected, got);
    if differences.is_empty() && expected.order != got.order && is_sorted(query) && expected.form == "vector"
    {
        let text = format!("expected order {:?}, got {:?}", expected.order, got.order);
        differences.push(Difference::new(What::Order, text));
    }
    differences
}

/// What differs in the samples.
pub(crate) fn differences_of_series(expected: &Outcome, got: &Outcome) -> Vec<Difference> {
    let mut differences = Vec::new();
    let names: BTreeSet<_> = expected.series.keys().chain(got.series.keys()).collect();
    for name in names {
        match (expected.series.get(name), got.series.get(name)) {
            (Some(expected), Some(got)) => {
                sample_differences(&name.to_string(), expected, got, &mut differences);
            }
            (expected, _) => {
                let side = if expected.is_some() { "missing" } else { "extra" };
                differences.push(Difference::new(What::Series, format!("{side} series {name}")));
            }
        }
    }
    differences
}

/// Whether the order of a vector means something.
fn is_sorted(query: &str) -> bool {
    query.starts_with("sort_by_label")
}

fn sample_differences(
    name: &str,
    expected: &[(i64, Point)],
    got: &[(i64, Point)],
    differences: &mut Vec<Difference>,
) {
    let times: BTreeSet<i64> = expected.iter().chain(got).map(|sample| sample.0).collect();
    for at_ms in times {
        let [left, right] = [expected, got].map(|samples| samples.iter().find(|sample| sample.0 == at_ms));
        let what = match (left, right) {
            (Some((_, left)), Some((_, right))) => match difference_of(left, right) {
                Some(what) => what,
                None => continue,
            },
            _ => What::Presence,
        };
        let [left, right] = [left, right].map(|sample| sample.map(|sample| &sample.1));
        let text = format!("{name} @{at_ms}: expected {left:?}, got {right:?}");
        let values = match (left, right) {
            (Some(Point::Float(left)), Some(Point::Float(right))) => Some([*left, *right]),
            _ => None,
        };
        differences.push(Difference { what, text, values });
    }
}

fn difference_of(left: &Point, right: &Point) -> Option<What> {
    match (left, right) {
        (Point::Float(left), Point::Float(right)) => (!close(*left, *right)).then_some(What::Float),
        (
            Point::Histogram { count: left_count, sum: left_sum, buckets: left },
            Point::Histogram { count: right_count, sum: right_sum, buckets: right },
        ) => {
            let same = close(*left_count, *right_count)
                && close(*left_sum, *right_sum)
                && left.len() == right.len()
                && left
                    .iter()
                    .flatten()
                    .zip(right.iter().flatten())
                    .all(|(&left, &right)| close(left, right));
            (!same).then_some(What::Histogram)
        }
        _ => Some(What::Histogram),
    }
}

/// Equal, or as close as sums of the same numbers in another order and functions of two mathematical libraries are.
fn close(left: f64, right: f64) -> bool {
    left == right
        || (left.is_nan() && right.is_nan())
        || (left - right).abs() <= 1e-12 * left.abs().max(right.abs())
}
