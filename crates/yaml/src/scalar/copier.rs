//! Building a decoded text together with the map back.

use std::ops::Range;

use narthex_diag::SpanMap;

/// A notation being decoded. Offsets given to it are into the notation.
pub(super) struct Copier<'a> {
    pub(super) raw: &'a str,
    pub(super) text: String,
    pub(super) map: SpanMap,
    base: usize,
}

impl<'a> Copier<'a> {
    /// Nothing decoded yet of `raw`, which stands at `base` in the file.
    pub(super) fn new(raw: &'a str, base: usize) -> Copier<'a> {
        Copier { raw, base, text: String::new(), map: SpanMap::with_end(base + raw.len()) }
    }

    /// Takes bytes over as they are.
    pub(super) fn copy(&mut self, range: Range<usize>) {
        let part = self.raw.get(range.clone()).unwrap_or("");
        if !part.is_empty() {
            self.map.push_run(self.text.len(), self.base + range.start);
            self.text.push_str(part);
        }
    }

    /// Takes a character that what stands at `at` means.
    pub(super) fn put(&mut self, meant: char, at: usize) {
        self.map.push_run(self.text.len(), self.base + at);
        self.text.push(meant);
    }

    /// Says that the value ends where the notation does, however long its last escape is.
    pub(super) fn end(&mut self) {
        self.map.push_run(self.text.len(), self.base + self.raw.len());
    }

    /// The byte at `at`.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.raw.as_bytes().get(at).copied()
    }

    /// The first offset from `at` on whose byte is not one of `bytes`.
    pub(super) fn skip(&self, at: usize, bytes: &[u8]) -> usize {
        let rest = self.raw.as_bytes().get(at..).unwrap_or(&[]);
        at + rest.iter().take_while(|byte| bytes.contains(byte)).count()
    }

    /// Just past the line break at `at`; `None` when there is none.
    pub(super) fn past_break(&self, at: usize) -> Option<usize> {
        match (self.byte(at)?, self.byte(at + 1)) {
            (b'\r', Some(b'\n')) => Some(at + 2),
            (b'\n' | b'\r', _) => Some(at + 1),
            _ => None,
        }
    }
}
