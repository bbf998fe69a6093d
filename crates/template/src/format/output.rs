//! Text that stops growing at a limit.

/// A text under construction.
#[derive(Debug)]
pub(crate) struct Output {
    text: String,
    max: usize,
    overflowed: bool,
}

impl Output {
    /// An empty text of at most `max` bytes.
    pub(crate) fn with_limit(max: usize) -> Output {
        Output { text: String::new(), max, overflowed: false }
    }

    /// Appends all of `text`, or nothing when that is too much.
    pub(crate) fn push(&mut self, text: &str) {
        if self.text.len() + text.len() > self.max {
            self.overflowed = true;
        }
        if !self.overflowed {
            self.text.push_str(text);
        }
    }

    /// Appends a character.
    pub(crate) fn push_char(&mut self, c: char) {
        self.push(c.encode_utf8(&mut [0; 4]));
    }

    /// Appends `count` times an ASCII character.
    pub(crate) fn fill(&mut self, c: char, count: usize) {
        if count > self.max {
            self.overflowed = true;
        }
        for _ in 0..count {
            if self.overflowed {
                return;
            }
            self.push_char(c);
        }
    }

    /// The text, or `None` when it met the limit.
    pub(crate) fn finish(self) -> Option<String> {
        (!self.overflowed).then_some(self.text)
    }

    /// Whether the limit was met.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }
}
