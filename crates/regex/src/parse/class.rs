//! Bracketed character classes.

use super::Parser;
use crate::error::{Error, ErrorKind};
use crate::tree::ClassItem;

impl Parser<'_> {
    /// Reads `[…]`.
    pub(super) fn class(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let negated = self.eat(b'^');
        let mut items = std::mem::take(&mut self.class);
        items.clear();
        // A `]` is an ordinary member where the class begins.
        while items.is_empty() || self.peek() != Some(b']') {
            let item = self.class_item(start)?;
            items.push(item);
        }
        self.at += 1;
        let pushed = match items[..] {
            [ClassItem::Range(lo, hi)] if lo == hi && !negated => self.push_code(lo),
            _ => self.push_class(&items, negated),
        };
        self.class = items;
        pushed
    }

    fn class_item(&mut self, class_start: usize) -> Result<ClassItem, Error> {
        if let Some(item) = self.named_class()? {
            return Ok(item);
        }
        if let Some(item) = self.class_escape()? {
            return Ok(item);
        }
        self.class_range(class_start)
    }

    fn class_range(&mut self, class_start: usize) -> Result<ClassItem, Error> {
        let start = self.at;
        let lo = self.class_char(class_start)?;
        // In `[a-]` the hyphen is a member.
        let is_range = matches!(self.pattern.as_bytes()[self.at..], [b'-', next, ..] if next != b']');
        if !is_range {
            return Ok(ClassItem::Range(lo, lo));
        }
        self.at += 1;
        let hi = self.class_char(class_start)?;
        if hi < lo {
            return Err(self.error(ErrorKind::InvalidCharRange, start..self.at));
        }
        Ok(ClassItem::Range(lo, hi))
    }

    fn class_char(&mut self, class_start: usize) -> Result<u32, Error> {
        if self.peek() == Some(b'\\') {
            return self.char_escape();
        }
        self.next_char()
            .map(u32::from)
            .ok_or_else(|| self.error(ErrorKind::MissingBracket, class_start..self.pattern.len()))
    }

    /// Reads `[:name:]` or `[:^name:]`, if one comes next.
    fn named_class(&mut self) -> Result<Option<ClassItem>, Error> {
        let rest = self.rest();
        let Some(end) = rest.strip_prefix("[:").and_then(|name| name.find(":]")) else {
            return Ok(None);
        };
        let name = &rest[2..2 + end];
        let bare = name.strip_prefix('^');
        let known = NAMED_CLASSES.iter().find(|(known, _)| *known == bare.unwrap_or(name));
        let Some(&(_, ranges)) = known else {
            return Err(self.error(ErrorKind::InvalidCharRange, self.at..self.at + end + 4));
        };
        self.at += end + 4;
        Ok(Some(ClassItem::Ascii { ranges, negated: bare.is_some() }))
    }
}

/// POSIX class names and their members.
const NAMED_CLASSES: &[(&str, &[(u8, u8)])] = &[
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("ascii", &[(0x00, 0x7F)]),
    ("blank", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("cntrl", &[(0x00, 0x1F), (0x7F, 0x7F)]),
    ("digit", &[(b'0', b'9')]),
    ("graph", &[(b'!', b'~')]),
    ("lower", &[(b'a', b'z')]),
    ("print", &[(b' ', b'~')]),
    ("punct", &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
    ("space", &[(b'\t', b'\r'), (b' ', b' ')]),
    ("upper", &[(b'A', b'Z')]),
    ("word", &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')]),
    ("xdigit", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];
