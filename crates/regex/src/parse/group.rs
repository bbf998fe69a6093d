//! Parentheses: groups, captures, names and flags.

use super::{Flags, Group, Parser};
use crate::error::{Error, ErrorKind};
use crate::tree::Kind;

impl Parser<'_> {
    /// Reads `(`, `(?flags)`, `(?flags:`, `(?P<name>` or `(?<name>`.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        if !rest.starts_with("(?") {
            self.at += 1;
            self.open_capture(None);
            return Ok(());
        }
        // As in Go, an opener that ends the pattern is not taken for a name.
        if rest.starts_with("(?P<") && rest.len() > 4 {
            self.open_named(4)
        } else if rest.starts_with("(?<") && rest.len() > 3 {
            self.open_named(3)
        } else {
            self.flags()
        }
    }

    fn open_capture(&mut self, name: Option<&str>) {
        self.tree.names.push(name.map(Into::into));
        let index = self.tree.names.len() as u32;
        self.open_group(Some(index));
    }

    fn open_group(&mut self, capture: Option<u32>) {
        self.join_literals();
        self.groups.push(Group {
            operands_before: self.operands.len(),
            branches_before: self.branches.len(),
            flags_before: self.flags,
            capture,
        });
    }

    fn open_named(&mut self, name_at: usize) -> Result<(), Error> {
        let rest = self.rest();
        let Some(end) = rest.find('>') else {
            return Err(self.error(ErrorKind::InvalidNamedCapture, self.at..self.pattern.len()));
        };
        let name = &rest[name_at..end];
        if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
            return Err(self.error(ErrorKind::InvalidNamedCapture, self.at..self.at + end + 1));
        }
        self.at += end + 1;
        self.open_capture(Some(name));
        Ok(())
    }

    fn flags(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 2;
        let mut flags = self.flags;
        let mut negated = false;
        let mut negated_any = false;
        while let Some(c) = self.next_char() {
            match c {
                '-' if !negated => negated = true,
                ':' | ')' if !negated || negated_any => {
                    if c == ':' {
                        self.open_group(None);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ if flags.set(c, !negated) => negated_any = negated,
                _ => break,
            }
        }
        Err(self.error(ErrorKind::InvalidPerlSyntax, start..self.at))
    }

    /// Reads `)`.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        if self.groups.is_empty() {
            return Err(self.error_at_whole(ErrorKind::UnexpectedParen));
        }
        self.at += 1;
        let inner = self.finish_alternation()?;
        let Some(group) = self.groups.pop() else {
            return Err(self.error_at_whole(ErrorKind::UnexpectedParen));
        };
        self.flags = group.flags_before;
        let id = match group.capture {
            Some(index) => self.tree.add_parent(Kind::Capture { index }, &[inner]),
            None => inner,
        };
        self.join_literals();
        self.push(id)
    }
}

impl Flags {
    /// Sets the flag written `letter` and reports whether there is one.
    fn set(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'i' => self.fold = on,
            'm' => self.multi_line = on,
            's' => self.dot_newline = on,
            'U' => self.ungreedy = on,
            _ => return false,
        }
        true
    }
}
