//! Which tokens a template consists of.
//!
//! The whole text is cut at once. Inside an action an error token is followed by the tokens after the next `}}`, so
//! that the parser can go on.

use narthex_diag::Span;

use crate::token::{
    KEYWORDS, Keyword, LexError, SPACES, Token, TokenKind, is_alphanumeric, is_space, trim_marker_leads,
};

/// Cuts `text`; the last token is `Eof`.
pub(crate) fn tokenize(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, start: 0, at: 0, open_parens: Vec::new(), tokens: Vec::new() };
    lexer.run();
    lexer.tokens
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
/// The trim marker and the space that belongs to it.
const TRIM_LEN: usize = 2;

struct Lexer<'a> {
    text: &'a str,
    /// Where the current token begins.
    start: usize,
    at: usize,
    /// Where the parentheses open now were opened.
    open_parens: Vec<usize>,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) {
        while let Some(open) = self.rest().find(LEFT) {
            self.copied_text(open);
            if self.comment_follows() {
                self.comment();
            } else {
                self.action();
            }
        }
        self.at = self.text.len();
        if self.at > self.start {
            self.emit(TokenKind::Text);
        }
        self.emit(TokenKind::Eof);
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn accept(&mut self, wanted: &str) -> bool {
        let found = self.peek().is_some_and(|next| wanted.contains(next));
        if found {
            self.at += 1;
        }
        found
    }

    fn accept_run(&mut self, wanted: &str) {
        while self.accept(wanted) {}
    }

    fn emit(&mut self, kind: TokenKind) {
        self.tokens.push(Token { kind, span: Span::new(self.start, self.at) });
        self.start = self.at;
    }

    /// An error token, then on to the end of the action. An unterminated string is taken to end with the action.
    fn fail(&mut self, error: LexError) {
        let end = self.text.get(self.start..).and_then(|rest| rest.find(RIGHT));
        let end = end.map_or(self.text.len(), |len| self.start + len);
        self.at = self.at.min(end);
        self.emit(TokenKind::Error(error));
        self.at = end;
        self.start = end;
        if !self.rest().is_empty() {
            self.right_delim(0);
        }
    }

    /// The text before the delimiter `len` bytes ahead, without the white space a `{{-` eats.
    fn copied_text(&mut self, len: usize) {
        let open = self.at + len;
        let before = self.text.get(self.at..open).unwrap_or("");
        let trims = trim_marker_leads(self.text.get(open + LEFT.len()..).unwrap_or(""));
        let kept = if trims { before.trim_end_matches(SPACES) } else { before };
        self.at += kept.len();
        if !kept.is_empty() {
            self.emit(TokenKind::Text);
        }
        self.at = open;
        self.start = open;
    }

    /// Bytes of the `{{` here with its trim marker.
    fn left_len(&self) -> usize {
        let trims = trim_marker_leads(self.rest().get(LEFT.len()..).unwrap_or(""));
        LEFT.len() + if trims { TRIM_LEN } else { 0 }
    }

    fn comment_follows(&self) -> bool {
        self.rest().get(self.left_len()..).is_some_and(|rest| rest.starts_with("/*"))
    }

    fn comment(&mut self) {
        self.at += self.left_len() + "/*".len();
        let Some(len) = self.rest().find("*/") else {
            return self.broken_comment(LexError::UnclosedComment);
        };
        self.at += len + "*/".len();
        let Some(marker) = self.right_delim_here() else {
            return self.broken_comment(LexError::CommentEndsEarly);
        };
        self.emit(TokenKind::Comment);
        self.skip_right_delim(marker);
    }

    fn broken_comment(&mut self, error: LexError) {
        if error == LexError::UnclosedComment {
            self.at = self.text.len();
        }
        self.emit(TokenKind::Error(error));
        let resume = self.rest().find(RIGHT).map_or(self.text.len(), |end| self.at + end + RIGHT.len());
        self.at = resume;
        self.start = resume;
    }

    /// At a `}}`, or at a ` -}}`: the number of bytes of the trim marker.
    fn right_delim_here(&self) -> Option<usize> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let marked = bytes.first().is_some_and(|&byte| is_space(byte as char))
            && bytes.get(1) == Some(&b'-')
            && bytes.get(TRIM_LEN..).is_some_and(|tail| tail.starts_with(RIGHT.as_bytes()));
        match marked {
            true => Some(TRIM_LEN),
            false => rest.starts_with(RIGHT).then_some(0),
        }
    }

    fn right_delim(&mut self, marker: usize) {
        self.start = self.at + marker;
        self.at = self.start + RIGHT.len();
        self.emit(TokenKind::RightDelim);
        self.at -= RIGHT.len() + marker;
        self.skip_right_delim(marker);
    }

    /// Past the delimiter and, with a trim marker, past the white space after it.
    fn skip_right_delim(&mut self, marker: usize) {
        self.at += marker + RIGHT.len();
        if marker > 0 {
            self.at += self.rest().len() - self.rest().trim_start_matches(SPACES).len();
        }
        self.start = self.at;
    }

    fn action(&mut self) {
        let open = self.at;
        let inside = open + self.left_len();
        self.at += LEFT.len();
        self.emit(TokenKind::LeftDelim);
        self.at = inside;
        self.start = inside;
        self.open_parens.clear();
        loop {
            if let Some(marker) = self.right_delim_here() {
                if let Some(&open) = self.open_parens.last() {
                    self.start = open;
                    self.at = open + 1;
                    return self.fail(LexError::UnclosedParen);
                }
                return self.right_delim(marker);
            }
            if self.rest().is_empty() {
                self.start = open;
                self.at = open + LEFT.len();
                self.emit(TokenKind::Error(LexError::UnclosedAction));
                self.at = self.text.len();
                self.start = self.at;
                return;
            }
            if let Err(error) = self.token() {
                return self.fail(error);
            }
        }
    }

    /// One token inside an action; the rest is not empty.
    fn token(&mut self) -> Result<(), LexError> {
        let Some(first) = self.bump() else { return Ok(()) };
        let kind = match first {
            _ if is_space(first) => return self.space(),
            '=' => TokenKind::Assign,
            ':' if self.accept("=") => TokenKind::Declare,
            ':' => return Err(LexError::ExpectedDeclare),
            '|' => TokenKind::Pipe,
            '"' => self.quoted('"', TokenKind::String, LexError::UnterminatedString)?,
            '\'' => self.quoted('\'', TokenKind::CharConstant, LexError::UnterminatedCharConstant)?,
            '`' => self.raw_string()?,
            '$' => self.name(TokenKind::Variable)?,
            '.' if self.peek().is_some_and(|next| !next.is_ascii_digit()) => self.name(TokenKind::Field)?,
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            '(' => {
                self.open_parens.push(self.start);
                TokenKind::LeftParen
            }
            ')' => {
                self.open_parens.pop().ok_or(LexError::UnexpectedRightParen)?;
                TokenKind::RightParen
            }
            _ if is_alphanumeric(first) => self.identifier()?,
            ' '..='~' => TokenKind::Char,
            _ => return Err(LexError::UnrecognizedCharacter(first)),
        };
        self.emit(kind);
        Ok(())
    }

    /// A run of spaces; the last one may belong to a trim marker.
    fn space(&mut self) -> Result<(), LexError> {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.at -= 1;
        if self.right_delim_here().is_none() {
            self.at += 1;
        }
        if self.at > self.start {
            self.emit(TokenKind::Space);
        }
        Ok(())
    }

    fn quoted(
        &mut self,
        quote: char,
        kind: TokenKind,
        unterminated: LexError,
    ) -> Result<TokenKind, LexError> {
        loop {
            match self.peek() {
                None | Some('\n') => return Err(unterminated),
                Some('\\') => {
                    self.at += 1;
                    if self.peek().is_none_or(|next| next == '\n') {
                        return Err(unterminated);
                    }
                    self.bump();
                }
                Some(next) => {
                    self.bump();
                    if next == quote {
                        return Ok(kind);
                    }
                }
            }
        }
    }

    fn raw_string(&mut self) -> Result<TokenKind, LexError> {
        match self.rest().find('`') {
            Some(len) => {
                self.at += len + 1;
                Ok(TokenKind::RawString)
            }
            None => {
                self.at = self.text.len();
                Err(LexError::UnterminatedRawString)
            }
        }
    }

    /// A field or a variable whose `.` or `$` is read.
    fn name(&mut self, kind: TokenKind) -> Result<TokenKind, LexError> {
        if self.at_terminator() {
            return Ok(if kind == TokenKind::Variable { kind } else { TokenKind::Keyword(Keyword::Dot) });
        }
        self.alphanumerics()?;
        Ok(kind)
    }

    fn identifier(&mut self) -> Result<TokenKind, LexError> {
        self.alphanumerics()?;
        let word = self.text.get(self.start..self.at).unwrap_or("");
        if matches!(word, "true" | "false") {
            return Ok(TokenKind::Bool);
        }
        let keyword = KEYWORDS.iter().find(|(name, _)| *name == word);
        Ok(keyword.map_or(TokenKind::Identifier, |&(_, keyword)| TokenKind::Keyword(keyword)))
    }

    fn alphanumerics(&mut self) -> Result<(), LexError> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.bump();
        }
        if self.at_terminator() {
            return Ok(());
        }
        self.bump().map_or(Ok(()), |bad| Err(LexError::BadCharacter(bad)))
    }

    /// Whether a name may end here.
    fn at_terminator(&self) -> bool {
        self.peek().is_none_or(|next| is_space(next) || ".,|:)(".contains(next))
            || self.rest().starts_with(RIGHT)
    }

    fn number(&mut self) -> Result<TokenKind, LexError> {
        self.at = self.start;
        self.scan_number()?;
        if !self.peek().is_some_and(|next| next == '+' || next == '-') {
            return Ok(TokenKind::Number);
        }
        self.scan_number()?;
        let ends_imaginary = self.text.get(..self.at).is_some_and(|text| text.ends_with('i'));
        if ends_imaginary { Ok(TokenKind::Complex) } else { Err(LexError::BadNumber) }
    }

    /// Anything that looks like a number; the parser judges it.
    fn scan_number(&mut self) -> Result<(), LexError> {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = if digits.len() > 11 { "pP" } else { "eE" };
        if digits.len() >= 11 && self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.bump();
            return Err(LexError::BadNumber);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(TokenKind, &str)> {
        let significant = tokenize(text).into_iter().filter(|token| token.kind != TokenKind::Space);
        significant.map(|token| (token.kind, token.span.slice(text))).collect()
    }

    #[test]
    fn trim_markers_eat_white_space_outside_the_action() {
        let expected = [
            (TokenKind::Text, "a"),
            (TokenKind::LeftDelim, "{{"),
            (TokenKind::Field, ".x"),
            (TokenKind::RightDelim, "}}"),
            (TokenKind::Text, "b"),
            (TokenKind::Eof, ""),
        ];
        assert_eq!(pieces("a \n{{- .x -}}\t b"), expected);
        assert_eq!(pieces("{{-3}}")[1], (TokenKind::Number, "-3"));
    }

    #[test]
    fn an_error_ends_the_action_but_not_the_text() {
        let expected = [
            (TokenKind::LeftDelim, "{{"),
            (TokenKind::Error(LexError::UnterminatedString), "\"a "),
            (TokenKind::RightDelim, "}}"),
            (TokenKind::Text, "b"),
            (TokenKind::Eof, ""),
        ];
        assert_eq!(pieces("{{\"a }}b"), expected);
        assert_eq!(pieces("{{ ~é }}x")[4], (TokenKind::Text, "x"));
    }
}
