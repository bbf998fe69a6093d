//! Everything that begins with a backslash.

use super::Parser;
use crate::error::{Error, ErrorKind};
use crate::tree::{ClassItem, Look};
use crate::unicode::Table;

impl Parser<'_> {
    /// Reads an escape outside of a class.
    pub(super) fn escape(&mut self) -> Result<(), Error> {
        match self.pattern.as_bytes().get(self.at + 1) {
            Some(b'A') => self.assertion(Look::TextStart, 2),
            Some(b'z') => self.assertion(Look::TextEnd, 2),
            Some(b'b') => self.assertion(Look::WordBoundary, 2),
            Some(b'B') => self.assertion(Look::NotWordBoundary, 2),
            Some(b'C') => Err(self.error(ErrorKind::InvalidEscape, self.at..self.at + 2)),
            Some(b'Q') => self.quoted(),
            _ => self.class_or_char_escape(),
        }
    }

    /// Reads `\Q…\E`; the end of the pattern closes it too.
    fn quoted(&mut self) -> Result<(), Error> {
        self.at += 2;
        let rest = self.rest();
        let (text, after) = rest.split_once(r"\E").unwrap_or((rest, ""));
        for c in text.chars() {
            self.push_char(c)?;
        }
        self.at = self.pattern.len() - after.len();
        Ok(())
    }

    fn class_or_char_escape(&mut self) -> Result<(), Error> {
        if let Some(item) = self.class_escape()? {
            return self.push_class(&[item], false);
        }
        let code = self.char_escape()?;
        self.push_code(code)
    }

    /// Adds the literal for a code point; a surrogate is a class that matches nothing.
    pub(super) fn push_code(&mut self, code: u32) -> Result<(), Error> {
        match char::from_u32(code) {
            Some(c) => self.push_char(c),
            None => self.push_class(&[], false),
        }
    }

    /// Reads `\d` and its kin or `\p{…}`, if one comes next.
    pub(super) fn class_escape(&mut self) -> Result<Option<ClassItem>, Error> {
        let &[b'\\', letter, ..] = &self.pattern.as_bytes()[self.at..] else {
            return Ok(None);
        };
        let ranges: &'static [(u8, u8)] = match letter {
            b'p' | b'P' => return self.unicode_class(letter == b'P').map(Some),
            b'd' | b'D' => &[(b'0', b'9')],
            b's' | b'S' => &[(b'\t', b'\n'), (0x0C, b'\r'), (b' ', b' ')],
            b'w' | b'W' => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
            _ => return Ok(None),
        };
        self.at += 2;
        Ok(Some(ClassItem::Ascii { ranges, negated: letter.is_ascii_uppercase() }))
    }

    fn unicode_class(&mut self, mut negated: bool) -> Result<ClassItem, Error> {
        let start = self.at;
        self.at += 2;
        let name_from = self.at;
        let mut name = match self.next_char() {
            Some('{') => match self.rest().find('}') {
                Some(end) => {
                    self.at += end + 1;
                    &self.pattern[name_from + 1..self.at - 1]
                }
                None => return Err(self.error(ErrorKind::InvalidCharRange, start..self.pattern.len())),
            },
            _ => &self.pattern[name_from..self.at],
        };
        if let Some(stripped) = name.strip_prefix('^') {
            name = stripped;
            negated = !negated;
        }
        match Table::named(name) {
            Some(table) => Ok(ClassItem::Unicode { table, negated }),
            None => Err(self.error(ErrorKind::InvalidCharRange, start..self.at)),
        }
    }

    /// Reads an escape that stands for one code point.
    pub(super) fn char_escape(&mut self) -> Result<u32, Error> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.next_char() else {
            return Err(self.error(ErrorKind::TrailingBackslash, self.at..self.at));
        };
        let code = match c {
            '1'..='7' if !matches!(self.peek(), Some(b'0'..=b'7')) => None,
            '0'..='7' => Some(self.octal(c)),
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        code.ok_or_else(|| self.error(ErrorKind::InvalidEscape, start..self.at))
    }

    fn octal(&mut self, first: char) -> u32 {
        let mut code = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit @ b'0'..=b'7') = self.peek() else { break };
            code = code * 8 + u32::from(digit - b'0');
            self.at += 1;
        }
        code
    }

    /// Reads what follows `\x`: two digits, or any number in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next_char()?;
        if first == '{' {
            return self.hexadecimal_in_braces();
        }
        // The second character is taken even after a bad first one, because Go quotes both.
        let second = self.next_char();
        Some(first.to_digit(16)? * 16 + second?.to_digit(16)?)
    }

    fn hexadecimal_in_braces(&mut self) -> Option<u32> {
        let mut code = None;
        loop {
            let c = self.next_char()?;
            if c == '}' {
                return code;
            }
            let wider = code.unwrap_or(0) * 16 + c.to_digit(16)?;
            if wider > u32::from(char::MAX) {
                return None;
            }
            code = Some(wider);
        }
    }
}
