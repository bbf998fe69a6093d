//! JSON as upstream writes it.

mod labels;
mod times;
mod value;

use narthex_model::Timestamp;
use narthex_model::number::{push_integer, push_sample};

use crate::chunks::{ChunkSink, Chunks, Closed};
use labels::LastSet;
use times::Times;
pub(crate) use value::histogram_object;
pub use value::write_value;

/// Writes JSON into chunks. What stands between two checkpoints is in one chunk, however long.
pub struct JsonWriter<'a> {
    chunks: Chunks<'a>,
    times: Times,
    last_set: LastSet,
}

/// Which characters of a string are escaped besides those that must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Escape {
    /// None: names and values of labels.
    Plain,
    /// Those that mean something in HTML or end a line in JavaScript: all other texts.
    Html,
}

impl<'a> JsonWriter<'a> {
    /// Writes into `sink`.
    pub fn new(sink: &'a mut dyn ChunkSink) -> JsonWriter<'a> {
        JsonWriter { chunks: Chunks::new(sink), times: Times::default(), last_set: LastSet::default() }
    }

    /// Appends text that is JSON already.
    #[inline]
    pub fn raw(&mut self, text: &str) {
        self.chunks.buffer.extend_from_slice(text.as_bytes());
    }

    /// A place at which the chunk may end; it does if it is large enough.
    ///
    /// # Errors
    /// When nobody reads.
    #[inline]
    pub fn checkpoint(&mut self) -> Result<(), Closed> {
        self.chunks.checkpoint()
    }

    /// Hands over what is left.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn finish(self) -> Result<(), Closed> {
        self.chunks.finish()
    }

    /// A list in brackets, with a checkpoint behind each item.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), Closed>,
    ) -> Result<(), Closed> {
        self.chunks.buffer.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.chunks.buffer.push(b',');
            }
            write(self, item)?;
            self.checkpoint()?;
        }
        self.chunks.buffer.push(b']');
        Ok(())
    }

    /// A string with `"`, `\` and controls escaped: names and values of labels.
    pub fn string(&mut self, text: &str) {
        push_quoted(&mut self.chunks.buffer, text, Escape::Plain);
    }

    /// A string that is also safe within HTML, as upstream writes all texts but labels.
    pub fn html_string(&mut self, text: &str) {
        push_quoted(&mut self.chunks.buffer, text, Escape::Html);
    }

    /// Seconds: whole ones bare, otherwise with three decimals.
    pub fn seconds(&mut self, at_ms: Timestamp) {
        push_seconds(&mut self.chunks.buffer, at_ms);
    }

    /// `[seconds,"value"]`. The series of an answer mostly have points at the same times, whose texts are made once.
    #[inline]
    pub fn point(&mut self, at_ms: Timestamp, value: f64) {
        self.times.push(&mut self.chunks.buffer, at_ms);
        push_sample(&mut self.chunks.buffer, value);
        self.chunks.buffer.extend_from_slice(b"\"]");
    }
}

/// Appends a string in quotes.
#[inline]
fn push_quoted(out: &mut Vec<u8>, text: &str, escape: Escape) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if is_plain(bytes, escape) {
        push_short(out, bytes);
    } else {
        push_escaped(out, bytes, escape);
    }
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, bytes: &[u8], escape: Escape) {
    let mut written = 0;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|&byte| may_need_escape(byte, escape)) {
        at += found;
        let Some((escaped, length)) = escape_sequence(&bytes[at..], escape) else {
            at += 1;
            continue;
        };
        out.extend_from_slice(&bytes[written..at]);
        out.extend_from_slice(escaped.as_bytes());
        at += length;
        written = at;
    }
    out.extend_from_slice(&bytes[written..]);
}

pub(crate) fn push_seconds(out: &mut Vec<u8>, at_ms: Timestamp) {
    if at_ms < 0 {
        out.push(b'-');
    }
    let ms = at_ms.unsigned_abs();
    push_integer(out, ms / 1000);
    let rest = ms % 1000;
    if rest != 0 {
        let digit = |number: u64| b'0' + (number % 10) as u8;
        out.extend_from_slice(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
    }
}

/// Appends bytes of which there are mostly few, as two halves of fixed length that may overlap: cheaper than one copy of
/// any length.
#[inline]
fn push_short(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        4..8 => push_halves::<4>(out, bytes),
        8..=16 => push_halves::<8>(out, bytes),
        17..=32 => push_halves::<16>(out, bytes),
        _ => out.extend_from_slice(bytes),
    }
}

#[inline]
fn push_halves<const HALF: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    let (Some(first), Some(last)) = (bytes.first_chunk::<HALF>(), bytes.last_chunk::<HALF>()) else { return };
    let end = out.len() + bytes.len();
    out.extend_from_slice(first);
    out.truncate(end - HALF);
    out.extend_from_slice(last);
}

/// Whether no byte must be escaped, looking at eight of them at a time.
#[inline]
fn is_plain(bytes: &[u8], escape: Escape) -> bool {
    let Some(last) = bytes.last_chunk() else {
        return !bytes.iter().any(|&byte| may_need_escape(byte, escape));
    };
    // The last word covers what is left of whole ones.
    bytes.as_chunks().0.iter().chain([last]).all(|word| !has_escape(u64::from_ne_bytes(*word), escape))
}

/// Whether one of eight bytes may need escaping: a byte below `limit` is one whose high bit is clear, and set after
/// `limit` has been taken from it. (A borrow only comes from a byte that has been found.)
#[inline]
fn has_escape(word: u64, escape: Escape) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, limit: u64| word.wrapping_sub(EACH * limit) & !word;
    let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let mut found = below(word, 0x20) | equal(b'"') | equal(b'\\');
    if escape == Escape::Html {
        found |= equal(b'<') | equal(b'>') | equal(b'&') | equal(0xe2);
    }
    found & (EACH * 0x80) != 0
}

#[inline]
fn may_need_escape(byte: u8, escape: Escape) -> bool {
    let always = byte < 0x20 || byte == b'"' || byte == b'\\';
    always || (escape == Escape::Html && matches!(byte, b'<' | b'>' | b'&' | 0xe2))
}

/// What stands for the beginning of `bytes`, and how many of them it stands for.
fn escape_sequence(bytes: &[u8], escape: Escape) -> Option<(String, usize)> {
    let sequence = match bytes[0] {
        b'"' => "\\\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        0x08 if escape == Escape::Html => "\\b".to_owned(),
        0x0c if escape == Escape::Html => "\\f".to_owned(),
        // The line and paragraph separators U+2028 and U+2029.
        0xe2 => {
            let last =
                bytes.get(2).copied().filter(|last| bytes[1] == 0x80 && matches!(last, 0xa8 | 0xa9))?;
            return Some((format!("\\u202{}", last - 0xa0), 3));
        }
        byte => format!("\\u{byte:04x}"),
    };
    Some((sequence, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut JsonWriter<'_>)) -> String {
        let mut body = Vec::new();
        let mut out = JsonWriter::new(&mut body);
        write(&mut out);
        out.finish().unwrap();
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_upstream_does() {
        let text = "a\"\\\n\r\t\u{1}\u{8}\u{c}<>&\u{2028}\u{2029}\u{20ac}é\u{7f}";
        assert_eq!(
            written(|out| out.string(text)),
            "\"a\\\"\\\\\\n\\r\\t\\u0001\\u0008\\u000c<>&\u{2028}\u{2029}€é\u{7f}\""
        );
        assert_eq!(
            written(|out| out.html_string(text)),
            "\"a\\\"\\\\\\n\\r\\t\\u0001\\b\\f\\u003c\\u003e\\u0026\\u2028\\u2029€é\u{7f}\""
        );
    }

    #[test]
    fn bytes_of_any_number_are_copied() {
        let text: Vec<u8> = (0..50).collect();
        for length in 0..text.len() {
            let mut out = b"x".to_vec();
            push_short(&mut out, &text[..length]);
            assert_eq!(out[1..], text[..length], "{length}");
        }
    }

    #[test]
    fn words_are_searched_as_bytes_are() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                for filler in [b' ', b'!', b'#', b'=', b'[', b']', 0x7f, 0x80, 0xe1, 0xff] {
                    let mut word = [filler; 8];
                    word[place] = byte;
                    for escape in [Escape::Plain, Escape::Html] {
                        let expected = word.iter().any(|&byte| may_need_escape(byte, escape));
                        assert_eq!(has_escape(u64::from_ne_bytes(word), escape), expected, "{word:?}");
                    }
                }
            }
        }
        for length in 0..40 {
            let mut bytes = vec![b'x'; length];
            assert!(is_plain(&bytes, Escape::Plain));
            for place in 0..length {
                bytes[place] = b'"';
                assert!(!is_plain(&bytes, Escape::Plain), "{place} of {length}");
                bytes[place] = b'x';
            }
        }
    }

    #[test]
    fn seconds_have_three_decimals_or_none() {
        let rows = [
            (0, "0"),
            (1, "0.001"),
            (-1, "-0.001"),
            (1500, "1.500"),
            (-61_020, "-61.020"),
            (999, "0.999"),
            (i64::MIN, "-9223372036854775.808"),
            (i64::MAX, "9223372036854775.807"),
        ];
        for (at_ms, text) in rows {
            assert_eq!(written(|out| out.seconds(at_ms)), text);
        }
    }
}
