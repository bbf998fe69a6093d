//! Go's `regexp/syntax` grammar with Perl flags: text → [`Tree`], or the error Go reports.
//!
//! The parser keeps its own stacks, so its depth does not depend on the pattern.

mod class;
mod escape;
mod group;
mod repeat;

use std::ops::Range;

use crate::error::{Error, ErrorKind};
use crate::tree::{ClassItem, HEIGHT_MAX, Kind, Look, NodeId, Tree};

/// Longest pattern looked at; Go's own limits on the program make longer ones useless.
const PATTERN_BYTES_MAX: usize = 4 << 20;

/// Most nodes of a tree: room for an alternation of a quarter of a million names.
const NODES_MAX: usize = 1 << 18;

/// Syntax flags in force at some point of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Flags {
    /// `(?i)`
    pub(crate) fold: bool,
    /// `(?m)`
    pub(crate) multi_line: bool,
    /// `(?s)`
    pub(crate) dot_newline: bool,
    /// `(?U)`
    pub(crate) ungreedy: bool,
}

/// Parses `pattern` with `flags` set at its beginning.
pub(crate) fn parse(pattern: &str, flags: Flags) -> Result<Tree, Error> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, pattern, 0..pattern.len()));
    }
    let mut parser = Parser::new(pattern, flags);
    while let Some(byte) = parser.peek() {
        parser.last_repeat = parser.step(byte)?;
    }
    parser.finish()
}

struct Parser<'p> {
    pattern: &'p str,
    at: usize,
    flags: Flags,
    tree: Tree,
    /// Operands of the concatenations being parsed, innermost last.
    operands: Vec<NodeId>,
    /// Finished branches of the alternations being parsed, innermost last.
    branches: Vec<NodeId>,
    /// Groups still open.
    groups: Vec<Group>,
    /// Where the repetition operator just read begins, if one was.
    last_repeat: Option<usize>,
    /// Members of the class being parsed.
    class: Vec<ClassItem>,
}

/// An open parenthesis and what has to be restored when it closes.
struct Group {
    operands_before: usize,
    branches_before: usize,
    flags_before: Flags,
    capture: Option<u32>,
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p str, flags: Flags) -> Parser<'p> {
        Parser {
            pattern,
            at: 0,
            flags,
            tree: Tree::with_capacity(pattern.len()),
            operands: Vec::with_capacity(pattern.len().min(8)),
            branches: Vec::new(),
            groups: Vec::new(),
            last_repeat: None,
            class: Vec::new(),
        }
    }

    /// Reads one token; for a repetition operator returns where it began.
    fn step(&mut self, byte: u8) -> Result<Option<usize>, Error> {
        match byte {
            b'(' => self.open()?,
            b')' => self.close()?,
            b'|' => {
                self.at += 1;
                self.finish_branch()?;
            }
            b'[' => self.class()?,
            b'\\' => self.escape()?,
            b'*' | b'+' | b'?' => return self.repeat_operator(byte).map(Some),
            b'{' => return self.counted_repeat(),
            b'^' if self.flags.multi_line => self.assertion(Look::LineStart, 1)?,
            b'^' => self.assertion(Look::TextStart, 1)?,
            b'$' if self.flags.multi_line => self.assertion(Look::LineEnd, 1)?,
            b'$' => self.assertion(Look::TextEnd, 1)?,
            b'.' => {
                self.at += 1;
                self.push_leaf(Kind::Any { newline: self.flags.dot_newline })?;
            }
            _ => self.literal()?,
        }
        Ok(None)
    }

    fn rest(&self) -> &'p str {
        &self.pattern[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.pattern.as_bytes().get(self.at).copied()
    }

    /// Takes the next character.
    fn next_char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes the next byte if it is `byte`.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn error(&self, kind: ErrorKind, span: Range<usize>) -> Error {
        Error::new(kind, self.pattern, span)
    }

    fn error_at_whole(&self, kind: ErrorKind) -> Error {
        self.error(kind, 0..self.pattern.len())
    }

    fn literal(&mut self) -> Result<(), Error> {
        match self.next_char() {
            Some(c) => self.push_char(c),
            None => Ok(()),
        }
    }

    fn assertion(&mut self, look: Look, bytes: usize) -> Result<(), Error> {
        self.at += bytes;
        self.push_leaf(Kind::Look(look))
    }

    fn push_char(&mut self, c: char) -> Result<(), Error> {
        self.join_literals();
        let fold = self.flags.fold && (c.is_ascii_alphabetic() || !c.is_ascii());
        let id = self.tree.add_char(c, fold);
        self.push(id)
    }

    fn push_leaf(&mut self, kind: Kind) -> Result<(), Error> {
        self.join_literals();
        let id = self.tree.add_leaf(kind);
        self.push(id)
    }

    fn push_class(&mut self, items: &[ClassItem], negated: bool) -> Result<(), Error> {
        self.join_literals();
        let id = self.tree.add_class(items, negated, self.flags.fold);
        self.push(id)
    }

    /// Puts a finished operand on the stack, within the limits on the tree.
    fn push(&mut self, id: NodeId) -> Result<(), Error> {
        self.operands.push(id);
        if self.tree.node(id).height > HEIGHT_MAX {
            return Err(self.error_at_whole(ErrorKind::NestingDepth));
        }
        if self.tree.len() > NODES_MAX {
            return Err(self.error_at_whole(ErrorKind::TooLarge));
        }
        Ok(())
    }

    /// Joins the two topmost operands if both are literals: no operator can reach the lower one any more.
    fn join_literals(&mut self) {
        if let [.., left, right] = self.operands[self.operands_base()..]
            && self.tree.join_literals(left, right)
        {
            self.operands.pop();
        }
    }

    fn operands_base(&self) -> usize {
        self.groups.last().map_or(0, |group| group.operands_before)
    }

    fn branches_base(&self) -> usize {
        self.groups.last().map_or(0, |group| group.branches_before)
    }

    /// Turns the operands of the current branch into one node among the branches.
    fn finish_branch(&mut self) -> Result<(), Error> {
        self.join_literals();
        let base = self.operands_base();
        let id = match self.operands[base..] {
            [] => self.tree.add_leaf(Kind::Empty),
            [only] => only,
            _ => self.tree.add_parent(Kind::Concat, &self.operands[base..]),
        };
        self.operands.truncate(base);
        self.push(id)?;
        self.operands.pop();
        self.branches.push(id);
        Ok(())
    }

    /// Turns the branches of the current group into one node.
    fn finish_alternation(&mut self) -> Result<NodeId, Error> {
        let base = self.branches_base();
        // Most groups have one branch of one operand, which is the result as it is.
        if let [only] = self.operands[self.operands_base()..]
            && self.branches.len() == base
        {
            self.operands.pop();
            return Ok(only);
        }
        self.finish_branch()?;
        let id = match self.branches[base..] {
            [only] => only,
            _ => self.tree.add_parent(Kind::Alternate, &self.branches[base..]),
        };
        self.branches.truncate(base);
        Ok(id)
    }

    fn finish(mut self) -> Result<Tree, Error> {
        let id = self.finish_alternation()?;
        if !self.groups.is_empty() {
            return Err(self.error_at_whole(ErrorKind::MissingParen));
        }
        self.push(id)?;
        self.tree.set_root(id);
        Ok(self.tree)
    }
}
