//! What numbers, characters and strings written in a template mean.

use crate::ast::Number;
use crate::token::TokenKind;

/// Decodes a string with its quotes; `None` when an escape is wrong.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    if let Some(raw) = quoted.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut decoded = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (unit, tail) = escape_unit(rest, '"')?;
        match unit {
            Unit::Char(c) => decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unit::Byte(byte) => decoded.push(byte),
        }
        rest = tail;
    }
    // Go strings may hold any bytes; ours are UTF-8, so bytes that are not are replaced here instead of when printed.
    Some(
        String::from_utf8(decoded)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

enum Unit {
    Char(char),
    Byte(u8),
}

/// The first character of a quoted text, decoded, and what follows it.
fn escape_unit(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return (first != quote).then_some((Unit::Char(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = match escape {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        'x' => {
            return coded(rest, 2, 16)
                .and_then(|(code, tail)| Some((Unit::Byte(u8::try_from(code).ok()?), tail)));
        }
        'u' => {
            return coded(rest, 4, 16)
                .and_then(|(code, tail)| Some((Unit::Char(char::from_u32(code)?), tail)));
        }
        'U' => {
            return coded(rest, 8, 16)
                .and_then(|(code, tail)| Some((Unit::Char(char::from_u32(code)?), tail)));
        }
        '0'..='7' => {
            let (code, tail) = coded(text.get(1..)?, 3, 8)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), tail));
        }
        _ if escape == quote => quote,
        _ => return None,
    };
    Some((Unit::Char(simple), rest))
}

/// Exactly `digits` digits of a base.
fn coded(text: &str, digits: usize, base: u32) -> Option<(u32, &str)> {
    let number = text.get(..digits)?;
    let valid = number.chars().all(|c| c.is_digit(base));
    let code = u32::from_str_radix(number, base).ok().filter(|_| valid)?;
    Some((code, text.get(digits..)?))
}

/// Reads a numeric constant; the error is the message.
pub(super) fn number(text: &str, kind: TokenKind) -> Result<Number, String> {
    if kind == TokenKind::CharConstant {
        return character(text).ok_or_else(|| format!("malformed character constant: {text}"));
    }
    let illegal = || format!("illegal number syntax: {text:?}");
    if let Some(complex) = text.strip_suffix('i') {
        return imaginary(complex, kind).ok_or_else(illegal);
    }
    if let Some(value) = integer(text) {
        return Ok(value);
    }
    let value = float(text).ok_or_else(illegal)?;
    if text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Ok(Number::Float(value));
    }
    Err(format!("integer overflow: {text:?}"))
}

fn character(text: &str) -> Option<Number> {
    let inner = text.strip_prefix('\'')?;
    let (unit, tail) = escape_unit(inner, '\'')?;
    let code = match unit {
        Unit::Char(c) => u32::from(c),
        Unit::Byte(byte) => u32::from(byte),
    };
    (tail == "'").then_some(Number::Int(i64::from(code)))
}

/// The parts of a complex constant whose final `i` is cut off.
fn imaginary(text: &str, kind: TokenKind) -> Option<Number> {
    if kind != TokenKind::Complex {
        return Some(Number::Complex(0.0, float(text)?));
    }
    let signs = text.char_indices().skip(1).filter(|&(at, c)| {
        let after_exponent = text.get(..at).is_some_and(|before| before.ends_with(['e', 'E', 'p', 'P']));
        (c == '+' || c == '-') && !after_exponent
    });
    let (split, _) = signs.last()?;
    Some(Number::Complex(float(text.get(..split)?)?, float(text.get(split..)?)?))
}

/// An integer with an optional sign, base prefix and underscores between digits.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = base_of(digits);
    let digits = without_underscores(digits, base != 10)?;
    let magnitude = u64::from_str_radix(&digits, base).ok().filter(|_| !digits.starts_with(['+', '-']))?;
    match (i64::try_from(magnitude), negative) {
        (Ok(value), false) => Some(Number::Int(value)),
        (Ok(value), true) => Some(Number::Int(-value)),
        (Err(_), true) => (magnitude == 1 << 63).then_some(Number::Int(i64::MIN)),
        (Err(_), false) => (!text.starts_with('+')).then_some(Number::Unsigned(magnitude)),
    }
}

fn base_of(digits: &str) -> (u32, &str) {
    let prefixed = |prefix: &str| digits.get(..2).filter(|lead| lead.eq_ignore_ascii_case(prefix));
    let rest = digits.get(2..).unwrap_or("");
    if prefixed("0x").is_some() {
        (16, rest)
    } else if prefixed("0o").is_some() {
        (8, rest)
    } else if prefixed("0b").is_some() {
        (2, rest)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits.get(1..).unwrap_or(""))
    } else {
        (10, digits)
    }
}

/// Underscores may stand between digits and after a base prefix, and only where there is a prefix.
fn without_underscores(digits: &str, prefixed: bool) -> Option<String> {
    let misplaced = !prefixed || digits.ends_with('_') || digits.contains("__");
    if digits.contains('_') && misplaced {
        return None;
    }
    Some(digits.replace('_', ""))
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.trim_start_matches(['+', '-']);
    if unsigned.get(..2).is_some_and(|lead| lead.eq_ignore_ascii_case("0x")) {
        return hex_float(text);
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = text.parse().ok().filter(|_| numeric)?;
    value.is_finite().then_some(value)
}

/// `0x1.8p3`: a hexadecimal mantissa of at most 53 bits and a binary exponent.
fn hex_float(text: &str) -> Option<f64> {
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['+', '-']).get(2..)?;
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = u64::from_str_radix(&all, 16).ok().filter(|&bits| bits < 1 << 53)?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    let value = significant as f64 * 2f64.powi(shift);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_typed_by_how_they_are_written() {
        let read = |text| number(text, TokenKind::Number);
        assert_eq!(read("0x_1F"), Ok(Number::Int(31)));
        assert_eq!(read("-017"), Ok(Number::Int(-15)));
        assert_eq!(read("1e3"), Ok(Number::Float(1000.0)));
        assert_eq!(read("0x1.8p1"), Ok(Number::Float(3.0)));
        assert_eq!(read("18446744073709551615"), Ok(Number::Unsigned(u64::MAX)));
        assert!(read("18446744073709551616").is_err_and(|message| message.starts_with("integer overflow")));
        assert!(read("1__0").is_err());
        assert_eq!(number("'a'", TokenKind::CharConstant), Ok(Number::Int(97)));
        assert_eq!(number("1+2i", TokenKind::Complex), Ok(Number::Complex(1.0, 2.0)));
    }

    #[test]
    fn strings_decode_their_escapes() {
        assert_eq!(unquote(r#""a\n\x41\u00e9\101""#).as_deref(), Some("a\nAéA"));
        assert_eq!(unquote(r"`a\n`").as_deref(), Some(r"a\n"));
        assert_eq!(unquote(r#""\'""#), None);
    }
}
