//! Numbers, durations and strings as expressions, and the values of their texts.

use narthex_diag::Span;
use narthex_model::PromDuration;
use narthex_model::sample::NORMAL_NAN_BITS;

use super::Parser;
use crate::ast::{Expr, NumberLiteral, StringLiteral};
use crate::lexer::unquote;
use crate::token::{Token, TokenKind, quoted};

impl Parser<'_> {
    /// The number or duration that comes next.
    pub(super) fn number_literal(&mut self) -> Expr {
        let token = self.advance();
        match self.literal_value(token) {
            Some(value) => {
                let is_duration = token.kind == TokenKind::Duration;
                Expr::Number(NumberLiteral { value, is_duration, span: token.span })
            }
            None => Expr::Error(token.span),
        }
    }

    /// The value of a number, or of a duration in seconds; says what is wrong when it has none.
    pub(crate) fn literal_value(&mut self, token: Token) -> Option<f64> {
        let text = token.span.slice(self.text);
        if token.kind == TokenKind::Duration {
            return match PromDuration::parse(text) {
                Ok(duration) => Some(duration.seconds()),
                Err(error) => {
                    self.fault(error.to_string(), token.span);
                    None
                }
            };
        }
        match number_value(text) {
            Ok(value) => Some(value),
            Err(reason) => {
                let message =
                    format!("error parsing number: strconv.ParseFloat: parsing {}: {reason}", quoted(text));
                self.fault(message, token.span);
                None
            }
        }
    }

    pub(super) fn string_literal(&mut self) -> Expr {
        let span: Span = self.advance().span;
        Expr::String(StringLiteral { value: unquote(span.slice(self.text)), span })
    }
}

/// The value of a number as Go's `ParseInt` with base 0 reads it, failing that as `ParseFloat` does.
///
/// # Errors
/// Go's reason: `value out of range` or `invalid syntax`.
pub(crate) fn number_value(text: &str) -> Result<f64, &'static str> {
    let bytes = text.as_bytes();
    // Most numbers are a few decimal digits.
    if bytes.len() < 16 && bytes[0] != b'0' && bytes.iter().all(u8::is_ascii_digit) {
        let value = bytes.iter().fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
        return Ok(value as f64);
    }
    if text.eq_ignore_ascii_case("inf") {
        return Ok(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(f64::from_bits(NORMAL_NAN_BITS));
    }
    let digits = text.replace('_', "");
    match integer_value(&digits) {
        Some(value) => Ok(value as f64),
        None if digits.len() > 1 && digits[1..].starts_with(['x', 'X']) => Err("invalid syntax"),
        None => float_value(&digits),
    }
}

/// A hexadecimal, octal (leading zero) or decimal integer of 63 bits.
fn integer_value(digits: &str) -> Option<i64> {
    match digits.strip_prefix('0') {
        None => digits.parse().ok(),
        Some("") => Some(0),
        Some(rest) if rest.starts_with(['x', 'X']) => i64::from_str_radix(&rest[1..], 16).ok(),
        Some(rest) => i64::from_str_radix(rest, 8).ok(),
    }
}

fn float_value(digits: &str) -> Result<f64, &'static str> {
    let value: f64 = digits.parse().map_err(|_| "invalid syntax")?;
    if value.is_finite() { Ok(value) } else { Err("value out of range") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_go() {
        let rows = [
            ("017", 15.0),
            ("08", 8.0),
            ("0755", 493.0),
            ("1e5_0", 1e50),
            ("0x1_f", 31.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("5.e3", 5000.0),
            ("1_000", 1000.0),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
            ("0", 0.0),
            ("00_1_23_4.56_7_8", 1234.5678),
        ];
        for (text, value) in rows {
            assert_eq!(number_value(text), Ok(value), "{text}");
        }
        assert_eq!(number_value("1e999"), Err("value out of range"));
        assert_eq!(number_value("0xffffffffffffffffff"), Err("invalid syntax"));
        assert!(number_value("NaN").is_ok_and(f64::is_nan));
    }
}
