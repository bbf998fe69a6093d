//! The inner form of a label set: strings, each behind its length.

/// Longest name or value in bytes; what is longer is cut at a character. Far beyond any ingestion limit.
pub const LABEL_TEXT_MAX: usize = 0x10_0000;

/// Pairs of a [`Labels`](super::Labels) in name order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Iter<'a> {
    pub(super) fn take_text(&mut self) -> Option<&'a str> {
        let mut chars = self.rest.chars();
        let length = length_of(chars.next()?);
        let (text, rest) = chars.as_str().split_at_checked(length)?;
        self.rest = rest;
        Some(text)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        Some((self.take_text()?, self.take_text()?))
    }
}

/// Number of code points taken by surrogates, which no `char` can be.
const SURROGATES: u32 = 0x800;
const SURROGATES_START: u32 = 0xd800;

fn length_of(mark: char) -> usize {
    let code = u32::from(mark);
    (if code < SURROGATES_START { code } else { code - SURROGATES }) as usize
}

fn mark_of(length: usize) -> char {
    let length = length as u32;
    let code = if length < SURROGATES_START { length } else { length + SURROGATES };
    char::from_u32(code).expect("lengths up to LABEL_TEXT_MAX have a code point")
}

/// Appends one string in the inner form.
#[inline]
pub(super) fn push_text(out: &mut String, text: &str) {
    // Nearly all are that short: their mark is one byte.
    if text.len() < 0x80 {
        out.reserve(text.len() + 1);
        out.push(char::from(text.len() as u8));
        out.push_str(text);
    } else {
        push_long_text(out, text);
    }
}

#[cold]
fn push_long_text(out: &mut String, text: &str) {
    let text = &text[..text.floor_char_boundary(LABEL_TEXT_MAX)];
    out.push(mark_of(text.len()));
    out.push_str(text);
}
