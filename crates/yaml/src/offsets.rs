//! Which byte a character index is: the event parser counts characters, spans count bytes.

/// A cursor over a text that turns character indices into byte offsets. Indices arrive nearly in order, so it walks
/// from the last answer; a text of ASCII only needs no walking.
pub(crate) struct CharCursor<'t> {
    bytes: &'t [u8],
    ascii: bool,
    /// Byte where character 0 of the current run is.
    base: usize,
    char_index: usize,
    byte: usize,
}

impl<'t> CharCursor<'t> {
    pub(crate) fn new(text: &'t str) -> CharCursor<'t> {
        CharCursor { bytes: text.as_bytes(), ascii: text.is_ascii(), base: 0, char_index: 0, byte: 0 }
    }

    /// Counts characters from `byte` on, which must be a character boundary.
    pub(crate) fn restart_at(&mut self, byte: usize) {
        self.base = byte;
        self.char_index = 0;
        self.byte = byte;
    }

    /// Byte offset of the character with this index; the end of the text when there is none.
    pub(crate) fn byte_of(&mut self, char_index: usize) -> usize {
        if self.ascii {
            return (self.base + char_index).min(self.bytes.len());
        }
        while self.char_index < char_index && self.byte < self.bytes.len() {
            self.byte += 1;
            while self.is_continuation(self.byte) {
                self.byte += 1;
            }
            self.char_index += 1;
        }
        while self.char_index > char_index && self.byte > self.base {
            self.byte -= 1;
            while self.is_continuation(self.byte) {
                self.byte -= 1;
            }
            self.char_index -= 1;
        }
        self.byte
    }

    fn is_continuation(&self, byte: usize) -> bool {
        self.bytes.get(byte).is_some_and(|&value| value & 0xC0 == 0x80)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_every_width_in_any_order() {
        let text = "aé漢🦀b";
        let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut cursor = CharCursor::new(text);
        for index in [0, 5, 3, 4, 1, 2, 0, 99, 4] {
            assert_eq!(cursor.byte_of(index), bytes[index.min(5)], "character {index}");
        }
        cursor.restart_at(3);
        assert_eq!((cursor.byte_of(1), cursor.byte_of(0)), (6, 3));
    }
}
