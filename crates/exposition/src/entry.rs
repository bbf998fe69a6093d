//! What one line of a scrape body says.

use std::borrow::Cow;

use narthex_diag::{Diagnostic, Span};
use narthex_model::labels::{BUCKET_LABEL, METRIC_NAME};
use narthex_model::number::{format_openmetrics, parse_float};
use narthex_model::{Labels, Timestamp};

use crate::codes::{DUPLICATE_LABEL, METRIC_NAME_FAULT};
use crate::scan::fault;

/// The label that holds a summary's quantile.
pub const QUANTILE_LABEL: &str = "quantile";

/// One line, borrowed from the body.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry<'a> {
    /// `# HELP name text`.
    Help {
        /// The metric family.
        name: Cow<'a, str>,
        /// The text, decoded.
        text: Cow<'a, str>,
        /// The line.
        span: Span,
    },
    /// `# TYPE name type`.
    Type {
        /// The metric family.
        name: Cow<'a, str>,
        /// Its type.
        metric_type: MetricType,
        /// The line.
        span: Span,
    },
    /// `# UNIT name unit`, OpenMetrics only.
    Unit {
        /// The metric family.
        name: Cow<'a, str>,
        /// Its unit, empty when it has none.
        unit: &'a str,
        /// The line.
        span: Span,
    },
    /// Any other line that begins with `#`; the Prometheus text format only.
    Comment {
        /// The line without its line feed.
        text: &'a str,
        /// The line.
        span: Span,
    },
    /// A sample.
    Sample(Sample<'a>),
    /// `# EOF`, OpenMetrics only.
    Eof {
        /// The line.
        span: Span,
    },
}

/// What kind of quantity a family is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MetricType {
    /// A count that only rises.
    Counter,
    /// A value that rises and falls.
    Gauge,
    /// Counts per bucket since the start.
    Histogram,
    /// Counts per bucket of what is there now; OpenMetrics only.
    GaugeHistogram,
    /// Quantiles, count and sum.
    Summary,
    /// Facts in labels; OpenMetrics only.
    Info,
    /// One series per state, 0 or 1; OpenMetrics only.
    StateSet,
    /// Nothing is known: `untyped` in the Prometheus text format, `unknown` in OpenMetrics.
    Unknown,
}

/// Words for types: the word, the type, whether the Prometheus text format has it, whether OpenMetrics has it.
const TYPE_WORDS: [(&str, MetricType, bool, bool); 9] = [
    ("counter", MetricType::Counter, true, true),
    ("gauge", MetricType::Gauge, true, true),
    ("histogram", MetricType::Histogram, true, true),
    ("summary", MetricType::Summary, true, true),
    ("untyped", MetricType::Unknown, true, false),
    ("gaugehistogram", MetricType::GaugeHistogram, false, true),
    ("info", MetricType::Info, false, true),
    ("stateset", MetricType::StateSet, false, true),
    ("unknown", MetricType::Unknown, false, true),
];

impl MetricType {
    /// The type that a word stands for in the Prometheus text format.
    pub fn from_text_word(word: &str) -> Option<MetricType> {
        TYPE_WORDS.iter().find(|row| row.0 == word && row.2).map(|row| row.1)
    }

    /// The type that a word stands for in OpenMetrics.
    pub fn from_openmetrics_word(word: &str) -> Option<MetricType> {
        TYPE_WORDS.iter().find(|row| row.0 == word && row.3).map(|row| row.1)
    }

    /// The word in the Prometheus text format; types it lacks are `untyped`.
    pub fn text_word(self) -> &'static str {
        TYPE_WORDS.iter().find(|row| row.1 == self && row.2).map_or("untyped", |row| row.0)
    }
}

/// Which label of a sample holds a float that has one canonical spelling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FloatLabel {
    None,
    Bucket,
    Quantile,
}

impl FloatLabel {
    /// What the last `TYPE` line asks for, whichever family it was about, as a server does it.
    pub(crate) fn of(metric_type: Option<MetricType>) -> FloatLabel {
        match metric_type {
            Some(MetricType::Histogram) => FloatLabel::Bucket,
            Some(MetricType::Summary) => FloatLabel::Quantile,
            _ => FloatLabel::None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            FloatLabel::None => "",
            FloatLabel::Bucket => BUCKET_LABEL,
            FloatLabel::Quantile => QUANTILE_LABEL,
        }
    }
}

/// A value of a series.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample<'a> {
    /// Name and labels as they are written: equal bytes are equal series, so this is a key for caches.
    pub series: &'a str,
    /// Where they stand.
    pub series_span: Span,
    /// The metric name, decoded.
    pub name: Cow<'a, str>,
    pub(crate) label_text: LabelText<'a>,
    pub(crate) float_label: FloatLabel,
    /// The value; every NaN is the ordinary one.
    pub value: f64,
    /// When it was measured, Unix milliseconds.
    pub timestamp_ms: Option<Timestamp>,
    /// An example of what was counted; OpenMetrics only.
    pub exemplar: Option<Exemplar<'a>>,
}

/// An example of what was counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Exemplar<'a> {
    pub(crate) label_text: LabelText<'a>,
    /// Its own value.
    pub value: f64,
    /// When it happened, Unix milliseconds.
    pub timestamp_ms: Option<Timestamp>,
}

impl Exemplar<'_> {
    /// The labels, decoded, in the order of the text.
    pub fn labels(&self) -> LabelIter<'_> {
        LabelIter { text: self.label_text, at: 0, float_label: FloatLabel::None }
    }
}

impl<'a> Sample<'a> {
    /// The labels without the metric name, decoded, in the order of the text. `le` of histograms and `quantile` of
    /// summaries are spelt as OpenMetrics floats: `1.0` for `1`.
    pub fn label_iter(&self) -> LabelIter<'a> {
        LabelIter { text: self.label_text, at: 0, float_label: self.float_label }
    }

    /// All labels with the metric name.
    ///
    /// # Errors
    /// When a label name occurs twice, or when there is no metric name.
    pub fn labels(&self) -> Result<Labels, Box<Diagnostic>> {
        let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = vec![(METRIC_NAME.into(), self.name.clone())];
        pairs.extend(self.label_iter());
        pairs.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = pairs.windows(2).find(|two| two[0].0 == two[1].0) {
            let message = format!("label {:?} occurs twice in one series", twice[0].0);
            return fault(DUPLICATE_LABEL, message, self.series_span);
        }
        if self.name.is_empty() {
            return fault(METRIC_NAME_FAULT, "metric name is empty", self.series_span);
        }
        Ok(pairs.iter().map(|(name, value)| (&**name, &**value)).collect())
    }
}

/// The checked text between the braces of a series, without them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct LabelText<'a>(pub(crate) &'a str);

/// Names and values of labels, decoded.
#[derive(Clone, Debug)]
pub struct LabelIter<'a> {
    text: LabelText<'a>,
    at: usize,
    float_label: FloatLabel,
}

impl<'a> LabelIter<'a> {
    /// The inside of the quoted text at the cursor, which moves past it.
    fn quoted(&mut self) -> Option<&'a str> {
        let len = quoted_len(self.text.0.as_bytes().get(self.at..)?)?;
        let inside = self.text.0.get(self.at + 1..self.at + len - 1);
        self.at += len;
        inside
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let bytes = self.text.0.as_bytes().get(self.at..).unwrap_or(&[]);
        self.at += bytes.iter().take_while(|&&byte| skipped(byte)).count();
    }

    fn next_byte(&self) -> Option<u8> {
        self.text.0.as_bytes().get(self.at).copied()
    }
}

impl<'a> Iterator for LabelIter<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip(|byte| matches!(byte, b' ' | b'\t' | b','));
            let name = if self.next_byte()? == b'"' {
                unescape_label(self.quoted()?)
            } else {
                let start = self.at;
                self.skip(|byte| !matches!(byte, b' ' | b'\t' | b'='));
                Cow::Borrowed(self.text.0.get(start..self.at)?)
            };
            self.skip(|byte| matches!(byte, b' ' | b'\t'));
            // A quoted text without a value is the metric name.
            if self.next_byte() != Some(b'=') {
                continue;
            }
            self.skip(|byte| matches!(byte, b' ' | b'\t' | b'='));
            let value = unescape_label(self.quoted()?);
            return Some(match name == self.float_label.name() {
                true => (name, canonical_float(value)),
                false => (name, value),
            });
        }
    }
}

fn canonical_float(value: Cow<'_, str>) -> Cow<'_, str> {
    let spelt = parse_float(&value).map(format_openmetrics);
    match spelt {
        Some(spelt) if spelt != value => Cow::Owned(spelt),
        _ => value,
    }
}

/// Bytes of the quoted text that `bytes` begin with, quotes included; `None` when it does not end.
pub(crate) fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Decodes `\\`, `\"` and `\n`; other escapes stay as they are.
pub(crate) fn unescape_label(text: &str) -> Cow<'_, str> {
    unescape(text, &[('\\', '\\'), ('"', '"'), ('n', '\n')])
}

/// Decodes `\\` and `\n`, as in the help texts of the Prometheus text format.
pub(crate) fn unescape_help(text: &str) -> Cow<'_, str> {
    unescape(text, &[('\\', '\\'), ('n', '\n')])
}

fn unescape<'a>(text: &'a str, escapes: &[(char, char)]) -> Cow<'a, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        decoded.push_str(before);
        let mut chars = after.chars();
        let escape = chars.next();
        match escapes.iter().find(|(letter, _)| Some(*letter) == escape) {
            Some((_, meaning)) => {
                decoded.push(*meaning);
                rest = chars.as_str();
            }
            None => {
                decoded.push('\\');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}
