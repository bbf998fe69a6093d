//! What of a foreign text may reach a terminal.

use std::borrow::Cow;

/// `text` on one line: line breaks, tabs and everything a terminal would obey become spaces.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_obeyed) {
        Cow::Owned(text.chars().map(|c| if is_obeyed(c) { ' ' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// `text` with its line breaks and without anything else that a terminal would obey.
pub(crate) fn paragraph(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.lines().map(one_line).collect();
    lines.join("\n")
}

/// Appends `text` byte for byte as long, but each character that a terminal would obey replaced by a harmless one of
/// the same length. Tabs stay.
pub(crate) fn push_harmless(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte)) {
        out.push_str(text);
        return;
    }
    out.extend(text.chars().map(|c| match c {
        '\t' => c,
        _ if !is_obeyed(c) => c,
        _ => match c.len_utf8() {
            1 => ' ',
            2 => '\u{b7}',
            _ => '\u{fffd}',
        },
    }));
}

/// Control characters, line separators and the marks that reorder text.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_defused_and_lengths_kept() {
        let foreign = "a\u{1b}[31m\tb\u{85}c\u{2028}d\u{202e}é";
        let mut out = String::new();
        push_harmless(&mut out, foreign);
        assert_eq!(out, "a [31m\tb·c\u{fffd}d\u{fffd}é");
        assert_eq!(out.len(), foreign.len());
        assert_eq!(one_line("a\r\nb\u{1b}"), "a  b ");
        assert_eq!(paragraph("a\nb\u{7}\n"), "a\nb ");
    }
}
