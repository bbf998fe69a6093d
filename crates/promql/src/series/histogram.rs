//! Histograms of series descriptions: `{{schema:1 sum:3 buckets:[1 2] counter_reset_hint:gauge}}`.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::{BucketSpan, CounterResetHint, FloatHistogram};

use super::{CONTEXT, Described, Reader};
use crate::error::syntax;
use crate::token::TokenKind;

/// What is said once a first key was read.
const INNER_CONTEXT: &str = "histogram description";
const KEY: &str = "histogram description key, e.g. buckets:[5 10 7]";

/// The keys in the order of their tokens.
const KEYS: [&str; 11] = [
    "sum",
    "count",
    "schema",
    "offset",
    "n_offset",
    "buckets",
    "n_buckets",
    "z_bucket",
    "z_bucket_w",
    "custom_values",
    "counter_reset_hint",
];

/// A description while it is read.
#[derive(Default)]
struct Draft {
    histogram: FloatHistogram,
    offset: i32,
    negative_offset: i32,
    /// Which of [`KEYS`] were read.
    seen: [bool; KEYS.len()],
}

impl Draft {
    fn finish(mut self) -> Described {
        let histogram = &mut self.histogram;
        histogram.positive_spans = spans(self.offset, &histogram.positive_buckets);
        histogram.negative_spans = spans(self.negative_offset, &histogram.negative_buckets);
        let states_hint = self.seen.last().copied().unwrap_or(false);
        Described { histogram: Arc::new(self.histogram), states_hint }
    }
}

fn spans(offset: i32, buckets: &[f64]) -> Vec<BucketSpan> {
    match u32::try_from(buckets.len()) {
        Ok(length) if length > 0 => vec![BucketSpan { offset, length }],
        _ => Vec::new(),
    }
}

impl Reader<'_> {
    /// A histogram in double braces, which come next.
    pub(super) fn histogram(&mut self) -> Option<Described> {
        self.parser.advance();
        let mut draft = Draft::default();
        let mut has_key = false;
        loop {
            let spaced = self.parser.accept(TokenKind::Space).is_some();
            if self.parser.accept(TokenKind::CloseHistogram).is_some() {
                return Some(draft.finish());
            }
            // A space is due between keys, and not allowed before the first.
            let is_key = key_place(self.parser.peek().kind).is_some();
            if spaced != has_key || !is_key {
                self.unexpected_in_histogram(has_key);
                return None;
            }
            self.key(&mut draft, has_key)?;
            has_key = true;
        }
    }

    fn unexpected_in_histogram(&mut self, has_key: bool) {
        if has_key {
            self.parser.unexpected(INNER_CONTEXT, KEY);
        } else {
            self.parser.unexpected(CONTEXT, "");
        }
    }

    fn key(&mut self, draft: &mut Draft, has_key: bool) -> Option<()> {
        let key = self.parser.advance();
        let place = key_place(key.kind)?;
        if self.parser.accept(TokenKind::Colon).is_none() {
            self.unexpected_in_histogram(has_key);
            return None;
        }
        let was_seen = std::mem::replace(&mut draft.seen[place], true);
        if was_seen {
            let message = format!("duplicate key \"{}\" in histogram", KEYS[place]);
            let diagnostic = syntax(message, Span::default()).with_secondary(key.span, "set before");
            self.diagnostics.push(diagnostic);
        }
        let mut ignored = Draft::default();
        let target = if was_seen { &mut ignored } else { draft };
        self.key_value(key.kind, target, has_key)
    }

    fn key_value(&mut self, key: TokenKind, draft: &mut Draft, has_key: bool) -> Option<()> {
        let histogram = &mut draft.histogram;
        match key {
            TokenKind::SumKey => histogram.sum = self.inner_number(has_key)?,
            TokenKind::CountKey => histogram.count = self.inner_number(has_key)?,
            TokenKind::SchemaKey => histogram.schema = self.inner_integer(has_key)?,
            TokenKind::OffsetKey => draft.offset = self.inner_integer(has_key)?,
            TokenKind::NegativeOffsetKey => draft.negative_offset = self.inner_integer(has_key)?,
            TokenKind::BucketsKey => histogram.positive_buckets = self.list(has_key)?,
            TokenKind::NegativeBucketsKey => histogram.negative_buckets = self.list(has_key)?,
            TokenKind::ZeroBucketKey => histogram.zero_count = self.inner_number(has_key)?,
            TokenKind::ZeroBucketWidthKey => histogram.zero_threshold = self.inner_unsigned(has_key)?,
            TokenKind::CustomValuesKey => histogram.custom_values = self.list(has_key)?,
            _ => histogram.counter_reset_hint = self.hint(has_key)?,
        }
        Some(())
    }

    fn inner_unsigned(&mut self, has_key: bool) -> Option<f64> {
        let Some(token) = self.parser.accept(TokenKind::Number) else {
            self.unexpected_in_histogram(has_key);
            return None;
        };
        self.number(token)
    }

    fn inner_number(&mut self, has_key: bool) -> Option<f64> {
        let is_negative = self.sign();
        let value = self.inner_unsigned(has_key)?;
        Some(if is_negative { -value } else { value })
    }

    fn inner_integer(&mut self, has_key: bool) -> Option<i32> {
        let is_negative = self.parser.accept(TokenKind::Sub).is_some();
        let Some(token) = self.parser.accept(TokenKind::Number) else {
            self.unexpected_in_histogram(has_key);
            return None;
        };
        let value = i64::try_from(self.unsigned(token)?).unwrap_or(i64::MAX);
        let value = if is_negative { -value } else { value };
        match i32::try_from(value) {
            Ok(value) => Some(value),
            Err(_) => {
                self.parser.fault("number out of range in histogram description", token.span);
                None
            }
        }
    }

    /// Numbers in brackets, separated by one run of spaces each.
    fn list(&mut self, has_key: bool) -> Option<Vec<f64>> {
        if self.parser.accept(TokenKind::LeftBracket).is_none() {
            self.unexpected_in_histogram(has_key);
            return None;
        }
        let mut numbers = vec![self.inner_number(has_key)?];
        loop {
            let spaced = self.parser.accept(TokenKind::Space).is_some();
            if self.parser.accept(TokenKind::RightBracket).is_some() {
                return Some(numbers);
            }
            if !spaced {
                self.unexpected_in_histogram(has_key);
                return None;
            }
            numbers.push(self.inner_number(has_key)?);
        }
    }

    fn hint(&mut self, has_key: bool) -> Option<CounterResetHint> {
        let hint = match self.parser.peek().kind {
            TokenKind::HintUnknown => CounterResetHint::Unknown,
            TokenKind::HintReset => CounterResetHint::Reset,
            TokenKind::HintNotReset => CounterResetHint::NotReset,
            TokenKind::HintGauge => CounterResetHint::Gauge,
            _ => {
                self.unexpected_in_histogram(has_key);
                return None;
            }
        };
        self.parser.advance();
        Some(hint)
    }
}

/// Place of a key in [`KEYS`].
fn key_place(kind: TokenKind) -> Option<usize> {
    let place = usize::from((kind as u8).checked_sub(TokenKind::SumKey as u8)?);
    (place < KEYS.len()).then_some(place)
}
