//! A slice of tokens as the input of nom parsers.

use narthex_diag::Span;
use nom::{Input, Needed};

use super::{Token, TokenKind};

/// The tokens that are left; never empty, for the last is [`TokenKind::EndOfInput`] or [`TokenKind::Error`] and is
/// never consumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a>(pub(crate) &'a [Token]);

impl Tokens<'_> {
    /// The next token.
    pub(crate) fn peek(self) -> Token {
        self.0.first().copied().unwrap_or(Token { kind: TokenKind::EndOfInput, span: Span::default() })
    }

    /// The kind of the token after the next one.
    pub(crate) fn peek_second(self) -> TokenKind {
        self.0.get(1).map_or(TokenKind::EndOfInput, |token| token.kind)
    }
}

impl<'a> Input for Tokens<'a> {
    type Item = Token;
    type Iter = std::iter::Copied<std::slice::Iter<'a, Token>>;
    type IterIndices = std::iter::Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.0.len()
    }

    fn take(&self, index: usize) -> Self {
        Tokens(&self.0[..index])
    }

    fn take_from(&self, index: usize) -> Self {
        Tokens(&self.0[index..])
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        let (taken, rest) = self.0.split_at(index);
        (Tokens(rest), Tokens(taken))
    }

    fn position<P: Fn(Token) -> bool>(&self, predicate: P) -> Option<usize> {
        self.0.iter().position(|token| predicate(*token))
    }

    fn iter_elements(&self) -> Self::Iter {
        self.0.iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if count <= self.0.len() { Ok(count) } else { Err(Needed::new(count - self.0.len())) }
    }
}
