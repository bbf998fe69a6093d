//! Quoted scalars that go on further left than they may.
//!
//! Go's YAML library (as libyaml) never looks at the indentation of the lines inside quotes, and public rule files rely
//! on it; the event parser refuses lines left of the parent. Such a scalar is shown to it as a single line of the same
//! length, so that all offsets stay, and its value is then taken from our own decoding.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::layout::quoted_end;
use crate::limits::REREAD_BYTES_MAX;

/// A text as it is shown to the event parser.
pub(crate) struct Shown<'t> {
    pub(crate) text: Cow<'t, str>,
    /// Offsets of the opening quotes of the scalars that were joined to one line.
    pub(crate) joined: HashSet<usize>,
}

impl<'t> Shown<'t> {
    pub(crate) fn new(text: &'t str) -> Shown<'t> {
        Shown { text: Cow::Borrowed(text), joined: HashSet::new() }
    }

    /// Whether an error at `offset` may be due to the lines of a quoted scalar that starts there.
    pub(crate) fn can_join(&self, offset: usize) -> bool {
        let bytes = self.text.as_bytes();
        if !matches!(bytes.get(offset), Some(b'"' | b'\'')) || self.joined.contains(&offset) {
            return false;
        }
        let end = quoted_end(bytes, offset);
        let inside = bytes.get(offset + 1..end).unwrap_or(&[]);
        let is_closed = inside.last() == bytes.get(offset);
        let ends_document = |window: &[u8]| matches!(window, b"\n---" | b"\n...");
        let rereads = self.joined.len() + 1;
        is_closed
            && inside.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
            && !inside.windows(4).any(ends_document)
            && rereads.saturating_mul(bytes.len()) <= REREAD_BYTES_MAX
    }

    /// Joins the lines of the quoted scalar at `offset`.
    pub(crate) fn join(&mut self, offset: usize) {
        let end = quoted_end(self.text.as_bytes(), offset);
        let (before, rest) = self.text.split_at(offset);
        let (scalar, after) = rest.split_at(end - offset);
        let line = scalar.replace(['\n', '\r'], " ");
        self.text = Cow::Owned([before, &line, after].concat());
        self.joined.insert(offset);
    }
}
