//! The lines of a script: trimmed, comments emptied, read one after the other.

use narthex_diag::Span;

/// A line without the white space around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// 1-based.
    pub(super) number: usize,
    /// Empty for a comment.
    pub(super) text: &'a str,
    /// Where the text stands.
    pub(super) span: Span,
}

impl<'a> Line<'a> {
    /// The first word and what follows it, trimmed.
    pub(super) fn split_word(self) -> (Line<'a>, Line<'a>) {
        let end = self.text.find(char::is_whitespace).unwrap_or(self.text.len());
        (Line { text: &self.text[..end], span: self.starting_with(end), ..self }, self.after(end))
    }

    /// What follows `prefix`, trimmed, when the line starts with it.
    pub(super) fn strip(self, prefix: &str) -> Option<Line<'a>> {
        self.text.starts_with(prefix).then(|| self.after(prefix.len()))
    }

    fn starting_with(self, len: usize) -> Span {
        let start = self.span.start as usize;
        Span::new(start, start + len)
    }

    /// What follows the first `len` bytes, trimmed.
    fn after(self, len: usize) -> Line<'a> {
        let text = self.text[len..].trim_start();
        let end = self.span.start as usize + self.text.len();
        Line { text, span: Span::new(end - text.len(), end), ..self }
    }
}

/// All lines, and how far they are read.
pub(super) struct Lines<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Lines<'a> {
        let mut start = 0;
        let mut lines = Vec::new();
        for (index, raw) in text.split('\n').enumerate() {
            let trimmed = raw.trim();
            let text = if trimmed.starts_with('#') { "" } else { trimmed };
            let offset = start + (raw.len() - raw.trim_start().len());
            lines.push(Line { number: index + 1, text, span: Span::new(offset, offset + text.len()) });
            start += raw.len() + 1;
        }
        Lines { lines, at: 0 }
    }

    /// The next line that is not empty.
    pub(super) fn next_command(&mut self) -> Option<Line<'a>> {
        while self.lines.get(self.at).is_some_and(|line| line.text.is_empty()) {
            self.at += 1;
        }
        self.next_in_block()
    }

    /// The next line; `None` before an empty line and at the end.
    pub(super) fn next_in_block(&mut self) -> Option<Line<'a>> {
        let line = self.lines.get(self.at).copied().filter(|line| !line.text.is_empty())?;
        self.at += 1;
        Some(line)
    }

    /// Moves behind the lines up to the next empty one.
    pub(super) fn skip_block(&mut self) {
        while self.next_in_block().is_some() {}
    }

    /// Where the last line that was read stands.
    pub(super) fn last_span(&self) -> Span {
        self.at.checked_sub(1).and_then(|last| self.lines.get(last)).map_or(Span::default(), |line| line.span)
    }
}
