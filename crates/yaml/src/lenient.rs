//! What Go's YAML library (as libyaml) reads and the event parser refuses, where rule files hold it.
//!
//! - Quoted scalars whose lines go on further left than they may: libyaml never looks at the indentation of the lines
//!   inside quotes. Such a scalar is shown to the event parser as a single line, and its value is then taken from our
//!   own decoding.
//! - Comments that follow a quote or bracket without a blank: they are shown starting one byte later.
//!
//! What is shown is as long as the text, so that all offsets stay.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::layout::quoted_end;
use crate::limits::REREAD_BYTES_MAX;

/// A text as it is shown to the event parser.
pub(crate) struct Shown<'t> {
    pub(crate) text: Cow<'t, str>,
    /// Offsets of the opening quotes of the scalars that were joined to one line.
    pub(crate) joined: HashSet<usize>,
    reread_bytes: usize,
}

impl<'t> Shown<'t> {
    pub(crate) fn new(text: &'t str) -> Shown<'t> {
        Shown { text: Cow::Borrowed(text), joined: HashSet::new(), reread_bytes: 0 }
    }

    /// What to show differently at `offset`, where the event parser found an error, if that may avoid it.
    pub(crate) fn mend(&self, offset: usize) -> Option<Mend> {
        let bytes = self.text.as_bytes();
        if self.reread_bytes.saturating_add(offset) > REREAD_BYTES_MAX {
            return None;
        }
        match bytes.get(offset)? {
            b'#' => moved_comment(&self.text, offset),
            b'"' | b'\'' => joined_lines(&self.text, offset),
            _ => None,
        }
    }

    /// Shows it.
    pub(crate) fn apply(&mut self, mend: Mend) {
        let Mend { offset, replacement, kind } = mend;
        if kind == MendKind::JoinedLines {
            self.joined.insert(offset);
        }
        let (before, rest) = self.text.split_at(offset);
        let after = rest.get(replacement.len()..).unwrap_or("");
        self.text = Cow::Owned([before, &replacement, after].concat());
        self.reread_bytes = self.reread_bytes.saturating_add(offset);
    }
}

/// What to show from an offset on, in place of as many bytes.
pub(crate) struct Mend {
    offset: usize,
    replacement: String,
    kind: MendKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MendKind {
    JoinedLines,
    MovedComment,
}

/// The quoted scalar at `offset` without its line breaks, if it has any.
fn joined_lines(text: &str, offset: usize) -> Option<Mend> {
    let bytes = text.as_bytes();
    let end = quoted_end(bytes, offset);
    let inside = bytes.get(offset + 1..end)?;
    let is_closed = inside.last() == bytes.get(offset);
    let ends_document = inside.windows(4).any(|window| matches!(window, b"\n---" | b"\n..."));
    let scalar = text.get(offset..end).filter(|scalar| scalar.contains(['\n', '\r']))?;
    (is_closed && !ends_document).then(|| Mend {
        offset,
        replacement: scalar.replace(['\n', '\r'], " "),
        kind: MendKind::JoinedLines,
    })
}

/// The start of the comment at `offset` one byte later, if it follows something closely.
fn moved_comment(text: &str, offset: usize) -> Option<Mend> {
    let before = *text.as_bytes().get(offset.checked_sub(1)?)?;
    if !matches!(before, b'"' | b'\'' | b']' | b'}' | b',') {
        return None;
    }
    let replacement = match text.as_bytes().get(offset + 1) {
        None | Some(b'\n' | b'\r') => " ",
        Some(byte) if byte.is_ascii() => " #",
        Some(_) => return None,
    };
    Some(Mend { offset, replacement: replacement.to_owned(), kind: MendKind::MovedComment })
}
