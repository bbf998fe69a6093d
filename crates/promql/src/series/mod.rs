//! Series descriptions of tests: `a{b="c"} 1+2x5 _ stale {{schema:1 buckets:[1 2]}}`.
//!
//! The notation is upstream's, shared by its test scripts and rule unit tests: items separated by spaces, each a value,
//! a hole, or a repetition of either.

mod histogram;
mod start;

use std::sync::Arc;

use narthex_diag::{Diagnostic, Span};
use narthex_model::sample::stale_nan;
use narthex_model::{FloatHistogram, Labels, SampleValue};

use crate::error::{ParseError, syntax};
use crate::features::ParseOptions;
use crate::lexer::lex_series;
use crate::parser::{Parser, number_value, refuse_large};
use crate::token::{Token, TokenKind, quoted};

pub use start::{StartOffsets, parse_start_offsets};

/// How many values a description may have, repetitions counted out.
pub const VALUES_MAX: usize = 1_000_000;

/// A series and its values.
#[derive(Clone, PartialEq, Debug)]
pub struct SeriesDescription {
    /// Which series.
    pub labels: Labels,
    /// One per step, from time zero on.
    pub values: Vec<SequenceValue>,
}

/// What a series has at one step.
#[derive(Clone, PartialEq, Debug)]
pub enum SequenceValue {
    /// Nothing.
    Omitted,
    /// A sample.
    Value {
        /// The sample, perhaps the stale marker.
        sample: SampleValue,
        /// Whether the description spells out a histogram's counter reset hint; where it does not, any will do.
        states_hint: bool,
    },
}

impl SequenceValue {
    /// The sample, if there is one.
    pub fn sample(&self) -> Option<&SampleValue> {
        match self {
            SequenceValue::Omitted => None,
            SequenceValue::Value { sample, .. } => Some(sample),
        }
    }

    fn float(value: f64) -> SequenceValue {
        SequenceValue::Value { sample: SampleValue::Float(value), states_hint: false }
    }
}

/// Reads a series description.
///
/// # Errors
/// When the text is none; the first diagnostic has upstream's text.
pub fn parse_series(text: &str) -> Result<SeriesDescription, ParseError> {
    refuse_large(text)?;
    let lexed = lex_series(text);
    let mut reader = Reader {
        text,
        parser: Parser::new(text, &ParseOptions::STABLE, &lexed),
        values: Vec::new(),
        diagnostics: Vec::new(),
    };
    let labels = reader.parser.metric();
    let read = reader.values();
    let mut diagnostics = reader.parser.finish(None);
    diagnostics.append(&mut reader.diagnostics);
    debug_assert!(read.is_some() || !diagnostics.is_empty(), "what cannot be read is complained of");
    ParseError::new(text, diagnostics).map_or(Ok(SeriesDescription { labels, values: reader.values }), Err)
}

const CONTEXT: &str = "series values";

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a>,
    values: Vec<SequenceValue>,
    /// Faults that are not about one token.
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// `None` after a complaint.
    fn values(&mut self) -> Option<()> {
        while !self.parser.at(TokenKind::EndOfInput) {
            if self.parser.accept(TokenKind::Space).is_none() {
                self.parser.unexpected("", "");
                return None;
            }
            if !matches!(self.parser.peek().kind, TokenKind::Space | TokenKind::EndOfInput) {
                self.item()?;
            }
        }
        Some(())
    }

    fn item(&mut self) -> Option<()> {
        match self.parser.peek().kind {
            TokenKind::Blank => self.blank(),
            TokenKind::OpenHistogram => self.histograms(),
            _ => self.floats(),
        }
    }

    fn blank(&mut self) -> Option<()> {
        self.parser.advance();
        let count = self.repetitions()?.map_or(1, |repetitions| repetitions.count);
        let count = self.checked(count)?;
        self.push_all(std::iter::repeat_n(SequenceValue::Omitted, count));
        Some(())
    }

    fn push_all(&mut self, values: impl Iterator<Item = SequenceValue>) {
        self.values.extend(values);
    }

    /// A number of values if there is room for them.
    fn checked(&mut self, count: u64) -> Option<usize> {
        let room = VALUES_MAX - self.values.len().min(VALUES_MAX);
        match usize::try_from(count).ok().filter(|count| *count <= room) {
            Some(count) => Some(count),
            None => {
                let span = Span::new(0, self.text.len());
                self.diagnostics.push(syntax(format!("series has more than {VALUES_MAX} values"), span));
                None
            }
        }
    }

    /// `xN`, if it comes next.
    fn repetitions(&mut self) -> Option<Option<Repetitions>> {
        if self.parser.accept(TokenKind::Times).is_none() {
            Some(None)
        } else {
            self.repetition_count().map(Some)
        }
    }

    fn repetition_count(&mut self) -> Option<Repetitions> {
        let token = self.expect(TokenKind::Number)?;
        let count = self.unsigned(token)?;
        Some(Repetitions { count, span: token.span })
    }

    /// An integer without sign, as Go's `ParseUint` reads it.
    fn unsigned(&mut self, token: Token) -> Option<u64> {
        let text = token.span.slice(self.text);
        if let Ok(count) = text.parse() {
            return Some(count);
        }
        let is_integer = text.bytes().all(|byte| byte.is_ascii_digit());
        let reason = if is_integer { "value out of range" } else { "invalid syntax" };
        let parsed = quoted(text);
        let message =
            format!("invalid repetition in series values: strconv.ParseUint: parsing {parsed}: {reason}");
        self.parser.fault(message, token.span);
        None
    }

    fn expect(&mut self, kind: TokenKind) -> Option<Token> {
        let token = self.parser.accept(kind);
        if token.is_none() {
            self.parser.unexpected(CONTEXT, "");
        }
        token
    }

    fn floats(&mut self) -> Option<()> {
        let first = self.first_float()?;
        let delta = match self.parser.peek().kind {
            TokenKind::Add | TokenKind::Sub => Some(self.signed_number()?),
            _ => None,
        };
        let repetitions = match delta {
            Some(_) => {
                self.expect(TokenKind::Times)?;
                Some(self.repetition_count()?)
            }
            None => self.repetitions()?,
        };
        let count = self.checked(repetitions.map_or(1, Repetitions::with_first))?;
        let delta = delta.unwrap_or(0.0);
        // A repeated value stays what it is, bits of NaN included.
        let next = |value: &f64| Some(if delta == 0.0 { *value } else { value + delta });
        self.push_all(std::iter::successors(Some(first), next).take(count).map(SequenceValue::float));
        Some(())
    }

    fn first_float(&mut self) -> Option<f64> {
        let token = self.parser.peek();
        if token.kind != TokenKind::Identifier {
            return self.signed_number();
        }
        if token.span.slice(self.text) == "stale" {
            self.parser.advance();
            return Some(stale_nan());
        }
        self.parser.unexpected(CONTEXT, "number or \"stale\"");
        None
    }

    /// A number with an optional sign.
    fn signed_number(&mut self) -> Option<f64> {
        let is_negative = self.sign();
        let token = self.expect(TokenKind::Number)?;
        let value = self.number(token)?;
        Some(if is_negative { -value } else { value })
    }

    fn sign(&mut self) -> bool {
        let is_negative = self.parser.accept(TokenKind::Sub).is_some();
        if !is_negative {
            self.parser.accept(TokenKind::Add);
        }
        is_negative
    }

    fn number(&mut self, token: Token) -> Option<f64> {
        let text = token.span.slice(self.text);
        match number_value(text) {
            Ok(value) => Some(value),
            Err(reason) => {
                let parsed = quoted(text);
                let message = format!("error parsing number: strconv.ParseFloat: parsing {parsed}: {reason}");
                self.parser.fault(message, token.span);
                None
            }
        }
    }

    fn histograms(&mut self) -> Option<()> {
        let first = self.histogram()?;
        let is_sum = match self.parser.peek().kind {
            TokenKind::Add => true,
            TokenKind::Sub => false,
            _ => {
                let repetitions = self.repetitions()?;
                let count = self.checked(repetitions.map_or(1, Repetitions::with_first))?;
                self.push_all(std::iter::repeat_n(first.sequence_value(), count));
                return Some(());
            }
        };
        self.parser.advance();
        if !self.parser.at(TokenKind::OpenHistogram) {
            self.parser.unexpected(CONTEXT, "");
            return None;
        }
        let delta = self.histogram()?;
        self.expect(TokenKind::Times)?;
        let repetitions = self.repetition_count()?;
        self.histogram_steps(first, &delta, is_sum, repetitions)
    }

    /// As upstream, the hint counts as stated when that of the increment is.
    fn histogram_steps(
        &mut self,
        first: Described,
        delta: &Described,
        is_sum: bool,
        repetitions: Repetitions,
    ) -> Option<()> {
        let count = self.checked(repetitions.with_first())?;
        let (base, step) = (first.histogram.schema, delta.histogram.schema);
        if base > step && count > 1 {
            let message = format!("error combining histograms: cannot merge from schema {step} to {base}");
            self.parser.fault(message, repetitions.span);
            return None;
        }
        let mut current = Described { states_hint: delta.states_hint, ..first };
        self.values.push(current.sequence_value());
        for _ in 1..count {
            let mut next = FloatHistogram::clone(&current.histogram);
            let combined = if is_sum { next.add(&delta.histogram) } else { next.sub(&delta.histogram) };
            if let Err(error) = combined {
                self.parser.fault(format!("error combining histograms: {error}"), repetitions.span);
                return None;
            }
            current.histogram = Arc::new(next);
            self.values.push(current.sequence_value());
        }
        Some(())
    }
}

/// `xN`.
#[derive(Clone, Copy)]
struct Repetitions {
    count: u64,
    /// The number.
    span: Span,
}

impl Repetitions {
    /// A repeated value stands once before its repetitions.
    fn with_first(self) -> u64 {
        self.count.saturating_add(1)
    }
}

/// A histogram as described.
struct Described {
    histogram: Arc<FloatHistogram>,
    states_hint: bool,
}

impl Described {
    fn sequence_value(&self) -> SequenceValue {
        let sample = SampleValue::Histogram(Arc::clone(&self.histogram));
        SequenceValue::Value { sample, states_hint: self.states_hint }
    }
}
