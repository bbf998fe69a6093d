//! Inside brackets: durations, and at most one colon.

use logos::Logos;

use super::raw::Bracketed;
use super::{Lexer, Next, Step, Stop, rune, stop};
use crate::token::TokenKind;

/// An open bracket.
#[derive(Clone, Copy, Default)]
pub(super) struct Bracket {
    has_colon: bool,
}

impl Lexer<'_> {
    pub(super) fn open_bracket(&mut self, start: usize) -> Step {
        if self.bracket.is_some() {
            return Err(stop("unexpected left bracket '['", start));
        }
        self.bracket = Some(Bracket::default());
        self.push(TokenKind::LeftBracket, start, start + 1);
        Ok(Next::Bracketed)
    }

    pub(super) fn close_bracket(&mut self, start: usize) -> Result<(), Stop> {
        if self.bracket.take().is_none() {
            return Err(stop("unexpected right bracket ']'", start));
        }
        self.push(TokenKind::RightBracket, start, start + 1);
        Ok(())
    }

    pub(super) fn bracketed(&mut self) -> Step {
        let base = self.at;
        let mut pieces = Bracketed::lexer(&self.text[base..]);
        while let Some(piece) = pieces.next() {
            let span = pieces.span();
            let (start, end) = (base + span.start, base + span.end);
            self.at = end;
            let character = || rune(self.text[start..].chars().next());
            let unexpected =
                || stop(format!("unexpected character in duration expression: {}", character()), start);
            let Ok(piece) = piece else { return Err(unexpected()) };
            match piece {
                Bracketed::Space => {}
                Bracketed::Word => {
                    let kind = duration_word(&self.text[start..end]).ok_or_else(unexpected)?;
                    self.push(kind, start, end);
                }
                // What follows a number is read as outside brackets, colons and words excepted.
                Bracketed::Number => {
                    self.has_duration = true;
                    self.number(start)?;
                    return Ok(Next::Outside);
                }
                Bracketed::LeftParen => self.open_paren(start),
                Bracketed::RightParen => self.close_paren(start)?,
                Bracketed::RightBracket => {
                    self.close_bracket(start)?;
                    return Ok(Next::Outside);
                }
                Bracketed::Colon => self.colon_in_bracket(end)?,
                Bracketed::Comma => self.push(TokenKind::Comma, start, end),
                Bracketed::Add => self.push(TokenKind::Add, start, end),
                Bracketed::Sub => self.push(TokenKind::Sub, start, end),
                Bracketed::Mul => self.push(TokenKind::Mul, start, end),
                Bracketed::Div => self.push(TokenKind::Div, start, end),
                Bracketed::Mod => self.push(TokenKind::Mod, start, end),
                Bracketed::Pow => self.push(TokenKind::Pow, start, end),
            }
        }
        Err(stop("unexpected end of input in duration expression", self.text.len()))
    }

    fn colon_in_bracket(&mut self, end: usize) -> Result<(), Stop> {
        let bracket = self.bracket.get_or_insert_default();
        if !self.has_duration {
            return Err(stop("unexpected colon before duration in duration expression", end));
        }
        if bracket.has_colon {
            return Err(stop("unexpected repeated colon in duration expression", end));
        }
        bracket.has_colon = true;
        self.push(TokenKind::Colon, end - 1, end);
        Ok(())
    }

    /// After the first number in brackets: a colon, a duration word, or an error.
    pub(super) fn word_in_bracket(&mut self, start: usize) -> Result<(), Stop> {
        let bracket = self.bracket.get_or_insert_default();
        if self.text[start..].starts_with(':') {
            if bracket.has_colon {
                return Err(stop("unexpected colon ':'", start));
            }
            bracket.has_colon = true;
            self.push(TokenKind::Colon, start, start + 1);
            self.at = start + 1;
            return Ok(());
        }
        let end = word_end(self.text, start);
        let Some(kind) = duration_word(&self.text[start..end]) else {
            let character = rune(self.text[start..].chars().next());
            return Err(stop(format!("unexpected character: {character}, expected ':'"), start));
        };
        self.push(kind, start, end);
        self.at = end;
        Ok(())
    }
}

/// End of the run of letters and underscores at `start`.
fn word_end(text: &str, start: usize) -> usize {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    start + text.as_bytes()[start..].iter().take_while(|byte| is_letter(byte)).count()
}

fn duration_word(word: &str) -> Option<TokenKind> {
    TokenKind::of_word(word).filter(|kind| kind.is_duration_word())
}
