//! Decoding plain and quoted scalars: escapes and line folding.

use super::ScalarStyle;
use super::copier::Copier;

const BLANKS: &[u8] = b" \t";

/// Decodes what stands between the quotes, or the whole of a plain scalar.
pub(super) fn decode(mut copier: Copier<'_>, style: ScalarStyle) -> Copier<'_> {
    let mut at = 0;
    while let Some(byte) = copier.byte(at) {
        at = match byte {
            b' ' | b'\t' => blanks(&mut copier, at),
            b'\n' | b'\r' => fold(&mut copier, at),
            b'\'' if style == ScalarStyle::SingleQuoted => {
                copier.put('\'', at);
                at + 2
            }
            b'\\' if style == ScalarStyle::DoubleQuoted => escape(&mut copier, at),
            _ => verbatim(&mut copier, at),
        };
    }
    copier.end();
    copier
}

fn verbatim(copier: &mut Copier<'_>, at: usize) -> usize {
    let rest = copier.raw.as_bytes().iter().skip(at + 1);
    let plain = rest.take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\'' | b'\\')).count();
    let end = at + 1 + plain;
    copier.copy(at..end);
    end
}

/// Blanks before a line break belong to the break.
fn blanks(copier: &mut Copier<'_>, at: usize) -> usize {
    let end = copier.skip(at, BLANKS);
    if copier.past_break(end).is_none() {
        copier.copy(at..end);
    }
    end
}

/// One break is a blank; of several, all but the first stay breaks.
fn fold(copier: &mut Copier<'_>, at: usize) -> usize {
    let after_first = copier.past_break(at).unwrap_or(at + 1);
    let length = copier.text.len();
    let end = further_breaks(copier, after_first);
    if copier.text.len() == length {
        copier.put(' ', at);
    }
    end
}

fn further_breaks(copier: &mut Copier<'_>, at: usize) -> usize {
    let mut at = copier.skip(at, BLANKS);
    while let Some(next) = copier.past_break(at) {
        copier.put('\n', at);
        at = copier.skip(next, BLANKS);
    }
    at
}

fn escape(copier: &mut Copier<'_>, at: usize) -> usize {
    if let Some(next) = copier.past_break(at + 1) {
        return further_breaks(copier, next);
    }
    let (meant, digits) = match copier.byte(at + 1) {
        Some(b'0') => ('\0', 0),
        Some(b'a') => ('\x07', 0),
        Some(b'b') => ('\x08', 0),
        Some(b't' | b'\t') => ('\t', 0),
        Some(b'n') => ('\n', 0),
        Some(b'v') => ('\x0b', 0),
        Some(b'f') => ('\x0c', 0),
        Some(b'r') => ('\r', 0),
        Some(b'e') => ('\x1b', 0),
        Some(b'N') => ('\u{85}', 0),
        Some(b'_') => ('\u{a0}', 0),
        Some(b'L') => ('\u{2028}', 0),
        Some(b'P') => ('\u{2029}', 0),
        Some(b'x') => (code_point(copier, at + 2, 2), 2),
        Some(b'u') => (code_point(copier, at + 2, 4), 4),
        Some(b'U') => (code_point(copier, at + 2, 8), 8),
        Some(byte) => (char::from(byte), 0),
        None => return at + 1,
    };
    copier.put(meant, at);
    at + 2 + digits
}

fn code_point(copier: &Copier<'_>, at: usize, digits: usize) -> char {
    let text = copier.raw.get(at..at + digits).unwrap_or("");
    u32::from_str_radix(text, 16).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
