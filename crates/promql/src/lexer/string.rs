//! Strings: where one ends, what is wrong inside it, and its value.

use narthex_model::Text;

/// What is wrong in a string.
pub(super) type Fault = String;

/// Offset just past the string whose opening quote is at `start`.
pub(super) fn scan(text: &str, start: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None if quote == b'`' => return Err("unterminated raw string".into()),
            None => return Err("unterminated quoted string".into()),
            Some(&byte) if byte == quote => return Ok(at + 1),
            Some(b'\n') if quote != b'`' => return Err("unterminated quoted string".into()),
            Some(b'\\') if quote != b'`' => at = escape(text, at + 1, quote)?.end,
            // U+FFFD is what upstream's decoder yields for broken bytes, so that the character itself is refused too.
            Some(0xef) if text[at..].starts_with('\u{fffd}') => return Err("invalid UTF-8 rune".into()),
            Some(_) => at += 1,
        }
    }
}

/// What an escape sequence stands for.
#[derive(Clone, Copy)]
enum Meaning {
    Byte(u8),
    Character(char),
}

struct Escape {
    meaning: Meaning,
    /// Offset just past the sequence.
    end: usize,
}

/// The escape sequence whose backslash stands before `at`.
fn escape(text: &str, at: usize, quote: u8) -> Result<Escape, Fault> {
    let Some(first) = text[at..].chars().next() else { return Err(not_terminated()) };
    let simple = |byte| Ok(Escape { meaning: Meaning::Byte(byte), end: at + 1 });
    match first {
        'a' => simple(0x07),
        'b' => simple(0x08),
        'f' => simple(0x0c),
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        'v' => simple(0x0b),
        '\\' => simple(b'\\'),
        '0'..='7' => numeric(text, at, Numeric { digits: 3, radix: 8, is_byte: true }),
        'x' => numeric(text, at + 1, Numeric { digits: 2, radix: 16, is_byte: true }),
        'u' => numeric(text, at + 1, Numeric { digits: 4, radix: 16, is_byte: false }),
        'U' => numeric(text, at + 1, Numeric { digits: 8, radix: 16, is_byte: false }),
        _ if u32::from(first) == u32::from(quote) => simple(quote),
        _ => Err(format!("unknown escape sequence {}", code_point(first))),
    }
}

#[derive(Clone, Copy)]
struct Numeric {
    digits: usize,
    radix: u32,
    is_byte: bool,
}

fn numeric(text: &str, start: usize, form: Numeric) -> Result<Escape, Fault> {
    let mut value: u32 = 0;
    let mut characters = text[start..].chars();
    for _ in 0..form.digits {
        let Some(character) = characters.next() else { return Err(not_terminated()) };
        let Some(digit) = character.to_digit(form.radix) else {
            return Err(format!("illegal character {} in escape sequence", code_point(character)));
        };
        // Eight hexadecimal digits just fit.
        value = value.wrapping_mul(form.radix).wrapping_add(digit);
    }
    let meaning = if form.is_byte {
        u8::try_from(value).ok().map(Meaning::Byte)
    } else {
        char::from_u32(value).map(Meaning::Character)
    };
    match meaning {
        Some(meaning) => Ok(Escape { meaning, end: start + form.digits }),
        None => Err("escape sequence is an invalid Unicode code point".into()),
    }
}

fn not_terminated() -> Fault {
    "escape sequence not terminated".into()
}

/// Go's `%#U`: `U+0063 'c'`, without the character when it cannot be shown.
fn code_point(character: char) -> String {
    let number = u32::from(character);
    if character.is_control() || (character.is_whitespace() && character != ' ') {
        format!("U+{number:04X}")
    } else {
        format!("U+{number:04X} '{character}'")
    }
}

/// The value of a string that the lexer accepted, quotes included in `written`.
pub(crate) fn unquote(written: &str) -> Text {
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
    if written.starts_with('`') || !inner.contains('\\') {
        return Text::from(inner);
    }
    let quote = written.as_bytes()[0];
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = 0;
    while let Some(found) = inner[rest..].find('\\') {
        bytes.extend_from_slice(&inner.as_bytes()[rest..rest + found]);
        let Ok(escape) = escape(inner, rest + found + 1, quote) else { break };
        match escape.meaning {
            Meaning::Byte(byte) => bytes.push(byte),
            Meaning::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = escape.end;
    }
    bytes.extend_from_slice(&inner.as_bytes()[rest..]);
    Text::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_resolve() {
        let value = |written: &str| {
            assert_eq!(scan(written, 0), Ok(written.len()), "{written}");
            unquote(written).as_bytes().to_vec()
        };
        assert_eq!(value(r#""a\x41\101\u0042\U00000043\n\"""#), b"aAABC\n\"");
        assert_eq!(value(r#""\xff""#), [0xff]);
        assert_eq!(value("`a\\n\n`"), b"a\\n\n");
        assert_eq!(value(r"'it\'s'"), b"it's");
    }

    #[test]
    fn faults_have_upstreams_texts() {
        let fault = |written| scan(written, 0).unwrap_err();
        assert_eq!(fault(r#""\'""#), "unknown escape sequence U+0027 '''");
        assert_eq!(fault(r#""\400""#), "escape sequence is an invalid Unicode code point");
        assert_eq!(fault(r#""\ud800""#), "escape sequence is an invalid Unicode code point");
        assert_eq!(fault(r#""\x4""#), "illegal character U+0022 '\"' in escape sequence");
        assert_eq!(fault("\"a\nb\""), "unterminated quoted string");
        assert_eq!(fault("\"\u{fffd}\""), "invalid UTF-8 rune");
    }
}
