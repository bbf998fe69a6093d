//! How bytes become what a target wants: text, or a few numbers.

use narthex_diag::{Diagnostic, Span};

/// Longer texts only repeat what shorter ones show.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// The bytes as text, unless they are none or too many.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok().filter(|text| text.len() <= TEXT_BYTES_MAX)
}

/// Whether a span lies in the text, at borders of characters.
pub fn fits(span: Span, text: &str) -> bool {
    text.get(span.range()).is_some()
}

/// That all places of a diagnostic lie in the text.
pub fn check_places(found: &Diagnostic, text: &str) {
    assert!(fits(found.span(), text), "{found:?}");
    assert!(found.secondary.iter().all(|other| fits(other.span, text)), "{found:?}");
    let edits = found.suggestions.iter().flat_map(|suggestion| &suggestion.edits);
    assert!(edits.into_iter().all(|edit| fits(edit.span, text)), "{found:?}");
}

/// Takes numbers off the front of bytes; zeros when there are none left.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    left: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// From the first byte on.
    pub fn new(data: &'a [u8]) -> Numbers<'a> {
        Numbers { left: data }
    }

    /// Whether all bytes are taken.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The next byte.
    pub fn next_u8(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    /// The next two bytes, big-endian.
    pub fn next_u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    /// The next eight bytes, big-endian.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    /// A number in `0..end`, 0 when `end` is 0, from one byte.
    pub fn below(&mut self, end: u8) -> u8 {
        self.next_u8().checked_rem(end).unwrap_or(0)
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (front, rest) = self.left.split_at(N.min(self.left.len()));
        self.left = rest;
        let mut bytes = [0; N];
        bytes[..front.len()].copy_from_slice(front);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_in_zeros() {
        let mut numbers = Numbers::new(&[7, 1, 2, 3]);
        assert_eq!((numbers.next_u8(), numbers.next_u16(), numbers.next_u16()), (7, 0x0102, 0x0300));
        assert!(numbers.is_empty() && numbers.next_u64() == 0 && numbers.below(0) == 0);
    }
}
