//! Repetition operators: `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}` and their lazy forms.

use super::Parser;
use crate::error::{Error, ErrorKind};
use crate::tree::Kind;

/// Most copies of one thing, nested repetitions multiplied.
const COPIES_MAX: u32 = 1000;

/// `{min,max}` as written; counts saturate.
struct Counts {
    min: u32,
    max: Option<u32>,
}

impl Parser<'_> {
    pub(super) fn repeat_operator(&mut self, operator: u8) -> Result<usize, Error> {
        let start = self.at;
        self.at += 1;
        let counts = match operator {
            b'*' => Counts { min: 0, max: None },
            b'+' => Counts { min: 1, max: None },
            _ => Counts { min: 0, max: Some(1) },
        };
        self.repeat(start, &counts)?;
        Ok(start)
    }

    /// Reads a counted repetition, or a `{` that is none and hence literal.
    pub(super) fn counted_repeat(&mut self) -> Result<Option<usize>, Error> {
        let start = self.at;
        let Some(counts) = self.counts() else {
            self.at = start + 1;
            self.push_char('{')?;
            return Ok(None);
        };
        let reversed = counts.max.is_some_and(|max| counts.min > max);
        if reversed || counts.min > COPIES_MAX || counts.max > Some(COPIES_MAX) {
            return Err(self.error(ErrorKind::InvalidRepeatCount, start..self.at));
        }
        let multiplies = counts.min >= 2 || counts.max >= Some(2);
        let copies = self.repeat(start, &counts)?;
        if multiplies && copies > COPIES_MAX {
            return Err(self.error(ErrorKind::InvalidRepeatCount, start..self.at));
        }
        Ok(Some(start))
    }

    /// Applies the repetition that began at `start` to the topmost operand; returns the copies made in the worst case.
    fn repeat(&mut self, start: usize, counts: &Counts) -> Result<u32, Error> {
        let lazy = self.eat(b'?');
        if let Some(from) = self.last_repeat {
            return Err(self.error(ErrorKind::NestedRepetition, from..self.at));
        }
        if self.operands.len() == self.operands_base() {
            return Err(self.error(ErrorKind::MissingRepeatArgument, start..self.at));
        }
        let Some(operand) = self.operands.pop() else {
            return Err(self.error(ErrorKind::MissingRepeatArgument, start..self.at));
        };
        let greedy = lazy == self.flags.ungreedy;
        let kind = Kind::Repeat { min: counts.min, max: counts.max, greedy };
        let id = self.tree.add_parent(kind, &[operand]);
        self.push(id)?;
        Ok(self.tree.node(id).copies)
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`; after a failure the position is anywhere.
    fn counts(&mut self) -> Option<Counts> {
        self.at += 1;
        let min = self.count()?;
        let max = if !self.eat(b',') {
            Some(min)
        } else if self.peek() == Some(b'}') {
            None
        } else {
            Some(self.count()?)
        };
        self.eat(b'}').then_some(Counts { min, max })
    }

    /// Reads a decimal number without leading zeros.
    fn count(&mut self) -> Option<u32> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let text = &rest[..digits];
        if text.is_empty() || (digits > 1 && text.starts_with('0')) {
            return None;
        }
        self.at += digits;
        Some(text.parse().unwrap_or(u32::MAX))
    }
}
