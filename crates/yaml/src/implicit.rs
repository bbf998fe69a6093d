//! What an unquoted scalar means: the YAML 1.2 core types as Go's YAML library reads them.

/// The value of a scalar when nothing says that it is a string.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ImplicitValue {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`; `yes` and `on` are strings.
    Bool(bool),
    /// Decimal, `0x`, `0o`, `0b` or with a leading zero octal; underscores allowed.
    Int(i64),
    /// A number that is no 64-bit integer.
    Float(f64),
    /// Anything else.
    Text,
}

impl ImplicitValue {
    /// The kind with its article, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            ImplicitValue::Null => "nothing",
            ImplicitValue::Bool(_) => "a boolean",
            ImplicitValue::Int(_) => "an integer",
            ImplicitValue::Float(_) => "a number",
            ImplicitValue::Text => "a string",
        }
    }
}

/// Reads an unquoted, untagged scalar.
pub fn implicit_value(text: &str) -> ImplicitValue {
    let Some(&first) = text.as_bytes().first() else {
        return ImplicitValue::Null;
    };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' => word(text),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        _ => ImplicitValue::Text,
    }
}

fn word(text: &str) -> ImplicitValue {
    match text {
        "~" | "null" | "Null" | "NULL" => ImplicitValue::Null,
        "true" | "True" | "TRUE" => ImplicitValue::Bool(true),
        "false" | "False" | "FALSE" => ImplicitValue::Bool(false),
        _ => ImplicitValue::Text,
    }
}

fn number(text: &str) -> ImplicitValue {
    match text {
        ".nan" | ".NaN" | ".NAN" => return ImplicitValue::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return ImplicitValue::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return ImplicitValue::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let plain = text.replace('_', "");
    if let Some(value) = integer(&plain) {
        return ImplicitValue::Int(value);
    }
    if is_float(&plain)
        && let Ok(value) = plain.parse()
    {
        return ImplicitValue::Float(value);
    }
    ImplicitValue::Text
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_scalars_by_go_rules() {
        let cases = [
            ("", ImplicitValue::Null),
            ("~", ImplicitValue::Null),
            ("NULL", ImplicitValue::Null),
            ("nUll", ImplicitValue::Text),
            ("True", ImplicitValue::Bool(true)),
            ("yes", ImplicitValue::Text),
            ("0", ImplicitValue::Int(0)),
            ("-12", ImplicitValue::Int(-12)),
            ("+1_000", ImplicitValue::Int(1000)),
            ("0x1F", ImplicitValue::Int(31)),
            ("0o17", ImplicitValue::Int(15)),
            ("017", ImplicitValue::Int(15)),
            ("0b101", ImplicitValue::Int(5)),
            ("089", ImplicitValue::Float(89.0)),
            ("--1", ImplicitValue::Text),
            ("0x-1", ImplicitValue::Text),
            ("1.50", ImplicitValue::Float(1.5)),
            ("1e3", ImplicitValue::Float(1000.0)),
            (".5", ImplicitValue::Float(0.5)),
            ("5.", ImplicitValue::Float(5.0)),
            (".", ImplicitValue::Text),
            ("1e", ImplicitValue::Text),
            ("-.inf", ImplicitValue::Float(f64::NEG_INFINITY)),
            ("inf", ImplicitValue::Text),
            ("9223372036854775808", ImplicitValue::Float(9_223_372_036_854_775_808.0)),
            ("5m", ImplicitValue::Text),
        ];
        for (text, expected) in cases {
            assert_eq!(implicit_value(text), expected, "{text:?}");
        }
        assert!(matches!(implicit_value(".nan"), ImplicitValue::Float(value) if value.is_nan()));
    }
}
