//! How label names and values are written.

/// Whether `name` may stand unquoted as a label: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_label_name(name: &str) -> bool {
    is_word(name, |byte| byte == b'_')
}

/// Whether `name` may stand unquoted as a metric: a label name that may also hold colons.
pub fn is_legacy_metric_name(name: &str) -> bool {
    is_word(name, |byte| matches!(byte, b'_' | b':'))
}

fn is_word(name: &str, is_mark: impl Fn(u8) -> bool) -> bool {
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || is_mark(byte));
    starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

/// Appends a label name, quoted when it has to be.
pub fn write_label_name(out: &mut String, name: &str) {
    if is_legacy_label_name(name) { out.push_str(name) } else { quote(out, name.as_bytes()) }
}

/// Appends `bytes` in double quotes as Go's `strconv.Quote` does: printable characters as they are, the short escapes,
/// `\xhh` for bytes that are no UTF-8 and for controls, `\u`/`\U` for other unprintable characters.
pub fn quote(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            quote_char(out, character);
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
}

fn quote_char(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{07}' => out.push_str("\\a"),
        '\u{08}' => out.push_str("\\b"),
        '\u{0c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0b}' => out.push_str("\\v"),
        ' '..='~' => out.push(character),
        '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
        _ if is_printable(character) => out.push(character),
        '\u{80}'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
        _ => out.push_str(&format!("\\U{:08x}", u32::from(character))),
    }
}

/// Go prints letters, marks, numbers, punctuation, symbols and the ASCII space. Rust's escaping leaves out the same
/// rest (controls, other spaces, formats, private use, unassigned), once combining marks stand behind a base.
fn is_printable(character: char) -> bool {
    if character.is_whitespace() || character.is_control() {
        return false;
    }
    let mut text = String::from("a");
    text.push(character);
    text.escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_follows_go() {
        let quoted = |bytes: &[u8]| {
            let mut out = String::new();
            quote(&mut out, bytes);
            out
        };
        assert_eq!(quoted(b"a\"b\\c\n\x07"), r#""a\"b\\c\n\a""#);
        assert_eq!(quoted(b"\xff\x01\x7f"), r#""\xff\x01\x7f""#);
        assert_eq!(quoted("é日\u{a0}\u{feff}\u{fffd}".as_bytes()), "\"é日\\u00a0\\ufeff\u{fffd}\"");
        assert_eq!(quoted("\u{10ffff}e\u{301}".as_bytes()), "\"\\U0010ffffe\u{301}\"");
    }

    #[test]
    fn legacy_names() {
        assert!(is_legacy_label_name("_a1") && is_legacy_metric_name("a:b"));
        assert!(!is_legacy_label_name("a:b") && !is_legacy_label_name("1a") && !is_legacy_label_name(""));
    }
}
