//! Text to tokens: which mode the text is in, and where a lexical error ends the stream.
//!
//! The modes are upstream's: outside braces, inside braces (where every word is a name), inside brackets up to the
//! first number (where only durations stand), and the two of series descriptions.

mod bracket;
mod number;
mod raw;
mod series;
mod string;

use logos::Logos;
use narthex_diag::Span;

use crate::features::TOKEN_LIMIT;
use crate::interrupt::Interrupt;
use crate::token::{Token, TokenKind, quoted};
use bracket::Bracket;
use number::{Dialect, Scanned};
use raw::{Inside, Outside};

pub(crate) use string::unquote;

/// Why the stream of tokens ends before the text does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LexError {
    /// Upstream's text.
    pub message: String,
    /// From the fault to the end of the text.
    pub span: Span,
}

/// The tokens of a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lexed {
    /// Never empty: the last is [`TokenKind::EndOfInput`] or [`TokenKind::Error`].
    pub tokens: Vec<Token>,
    /// Where comments stand.
    pub comments: Vec<Span>,
    /// What is wrong at the final [`TokenKind::Error`].
    pub error: Option<LexError>,
}

/// The tokens of an expression.
pub fn lex(text: &str) -> Lexed {
    lex_interruptible(text, None)
}

/// As [`lex`]; the tokens end early when `interrupt` says so.
pub(crate) fn lex_interruptible(text: &str, interrupt: Option<&Interrupt>) -> Lexed {
    // A little less than one token per four bytes is usual.
    let tokens = Vec::with_capacity((text.len() / 3 + 2).min(TOKEN_LIMIT + 1));
    let mut lexer = Lexer { interrupt, ..Lexer::new(text, Lexed { tokens, ..Lexed::default() }) };
    let end = lexer.run(Next::Outside);
    lexer.finish(end)
}

/// The tokens of a series description: a metric, then values.
pub fn lex_series(text: &str) -> Lexed {
    series::lex(text)
}

/// Where to go on.
enum Next {
    Outside,
    Inside,
    Bracketed,
    End,
}

/// A lexical error; the offset is where it starts.
struct Stop {
    message: String,
    start: usize,
}

type Step = Result<Next, Stop>;

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    lexed: Lexed,
    paren_depth: usize,
    bracket: Option<Bracket>,
    /// Whether any bracket so far began with a number: what upstream asks before it allows a colon.
    has_duration: bool,
    interrupt: Option<&'a Interrupt>,
}

fn stop(message: impl Into<String>, start: usize) -> Stop {
    Stop { message: message.into(), start }
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, lexed: Lexed) -> Lexer<'a> {
        Lexer { text, at: 0, lexed, paren_depth: 0, bracket: None, has_duration: false, interrupt: None }
    }

    fn run(&mut self, mut next: Next) -> Result<(), Stop> {
        loop {
            next = match next {
                Next::Outside => self.outside()?,
                Next::Inside => self.inside()?,
                Next::Bracketed => self.bracketed()?,
                Next::End => return Ok(()),
            };
        }
    }

    fn finish(mut self, end: Result<(), Stop>) -> Lexed {
        let len = self.text.len();
        let kind = match end {
            Ok(()) => TokenKind::EndOfInput,
            Err(fault) => {
                let span = Span::new(fault.start, len);
                self.lexed.error = Some(LexError { message: fault.message, span });
                TokenKind::Error
            }
        };
        self.lexed.tokens.push(Token { kind, span: Span::empty_at(len) });
        self.lexed
    }

    fn push(&mut self, kind: TokenKind, start: usize, end: usize) {
        self.lexed.tokens.push(Token { kind, span: Span::new(start, end) });
    }

    /// Ends the tokens of a text that has too many, or that nobody waits for.
    fn go_on(&self) -> Result<(), Stop> {
        if self.lexed.tokens.len() + self.lexed.comments.len() > TOKEN_LIMIT {
            return Err(stop(format!("expression has more than {TOKEN_LIMIT} tokens"), self.at));
        }
        if self.interrupt.is_some_and(Interrupt::is_set) {
            return Err(stop("interrupted", self.at));
        }
        Ok(())
    }

    fn outside(&mut self) -> Step {
        let base = self.at;
        let mut pieces = Outside::lexer(&self.text[base..]);
        while let Some(piece) = pieces.next() {
            let span = pieces.span();
            let (start, end) = (base + span.start, base + span.end);
            self.at = end;
            self.go_on()?;
            let Ok(piece) = piece else { return Err(self.unexpected_outside(start)) };
            match piece {
                Outside::Space => {}
                Outside::Comment => self.lexed.comments.push(Span::new(start, end)),
                Outside::Word if self.bracket.is_some() => {
                    self.word_in_bracket(start)?;
                    return Ok(Next::Outside);
                }
                Outside::Word => self.word(start, end),
                Outside::Number => {
                    self.number(start)?;
                    pieces.bump(self.at - end);
                }
                Outside::Quote => {
                    self.string(start)?;
                    pieces.bump(self.at - end);
                }
                Outside::LeftBrace => {
                    self.push(TokenKind::LeftBrace, start, end);
                    return Ok(Next::Inside);
                }
                Outside::LeftBracket => return self.open_bracket(start),
                Outside::RightBracket => self.close_bracket(start)?,
                Outside::LeftParen => self.open_paren(start),
                Outside::RightParen => self.close_paren(start)?,
                Outside::Assign if self.text[end..].starts_with('~') => {
                    return Err(stop("unexpected character after '=': '~'", start));
                }
                other => self.push(plain(other), start, end),
            }
        }
        self.end_outside()
    }

    fn end_outside(&mut self) -> Step {
        let len = self.text.len();
        if self.paren_depth > 0 {
            return Err(stop("unclosed left parenthesis", len));
        }
        if self.bracket.is_some() {
            return Err(stop("unclosed left bracket", len));
        }
        Ok(Next::End)
    }

    /// A text that no piece fits. A `!` consumes the character after it, which cannot be `=`.
    fn unexpected_outside(&self, start: usize) -> Stop {
        let mut characters = self.text[start..].chars();
        match characters.next() {
            Some('!') => stop(format!("unexpected character after '!': {}", rune(characters.next())), start),
            first => stop(format!("unexpected character: {}", rune(first)), start),
        }
    }

    fn word(&mut self, start: usize, end: usize) {
        let word = &self.text[start..end];
        let kind = match TokenKind::of_word(word) {
            Some(TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight)
                if !self.paren_follows(end) =>
            {
                TokenKind::Identifier
            }
            Some(kind) => kind,
            None if word.contains(':') => TokenKind::MetricIdentifier,
            None => TokenKind::Identifier,
        };
        self.push(kind, start, end);
    }

    fn paren_follows(&self, end: usize) -> bool {
        self.text[end..].trim_start_matches([' ', '\t', '\n', '\r']).starts_with('(')
    }

    fn number(&mut self, start: usize) -> Result<(), Stop> {
        let (kind, end) = match number::scan(self.text, start, Dialect::Expression) {
            Scanned::Number(end) => (TokenKind::Number, end),
            Scanned::Duration(end) => (TokenKind::Duration, end),
            Scanned::Neither(end) => {
                let seen = quoted(&self.text[start..end]);
                return Err(stop(format!("bad number or duration syntax: {seen}"), start));
            }
        };
        self.push(kind, start, end);
        self.at = end;
        Ok(())
    }

    fn string(&mut self, start: usize) -> Result<(), Stop> {
        let end = string::scan(self.text, start).map_err(|fault| stop(fault, start))?;
        self.push(TokenKind::String, start, end);
        self.at = end;
        Ok(())
    }

    fn open_paren(&mut self, start: usize) {
        self.paren_depth += 1;
        self.push(TokenKind::LeftParen, start, start + 1);
    }

    /// Upstream has consumed the parenthesis when it finds that none was open.
    fn close_paren(&mut self, start: usize) -> Result<(), Stop> {
        let Some(depth) = self.paren_depth.checked_sub(1) else {
            return Err(stop("unexpected right parenthesis ')'", start + 1));
        };
        self.paren_depth = depth;
        self.push(TokenKind::RightParen, start, start + 1);
        Ok(())
    }

    fn inside(&mut self) -> Step {
        let base = self.at;
        let mut pieces = Inside::lexer(&self.text[base..]);
        while let Some(piece) = pieces.next() {
            let span = pieces.span();
            let (start, end) = (base + span.start, base + span.end);
            self.at = end;
            self.go_on()?;
            let Ok(piece) = piece else { return Err(self.unexpected_inside(start)) };
            let kind = match piece {
                Inside::Space => continue,
                Inside::Comment => {
                    self.lexed.comments.push(Span::new(start, end));
                    continue;
                }
                Inside::Quote => {
                    self.string(start)?;
                    pieces.bump(self.at - end);
                    continue;
                }
                Inside::LeftBrace => return Err(stop("unexpected left brace '{'", start)),
                Inside::RightBrace => {
                    self.push(TokenKind::RightBrace, start, end);
                    return Ok(Next::Outside);
                }
                Inside::Name => TokenKind::Identifier,
                Inside::Comma => TokenKind::Comma,
                Inside::Assign => TokenKind::Assign,
                Inside::NotEqual => TokenKind::NotEqual,
                Inside::RegexMatch => TokenKind::RegexMatch,
                Inside::RegexNoMatch => TokenKind::RegexNoMatch,
            };
            self.push(kind, start, end);
        }
        Err(stop("unexpected end of input inside braces", self.text.len()))
    }

    fn unexpected_inside(&self, start: usize) -> Stop {
        let mut characters = self.text[start..].chars();
        let message = match characters.next() {
            Some('!') => format!("unexpected character after '!' inside braces: {}", rune(characters.next())),
            first => format!("unexpected character inside braces: {}", rune(first)),
        };
        stop(message, start)
    }
}

/// The token of a piece that needs no further look.
fn plain(piece: Outside) -> TokenKind {
    match piece {
        Outside::Comma => TokenKind::Comma,
        Outside::Assign => TokenKind::Assign,
        Outside::At => TokenKind::At,
        Outside::Add => TokenKind::Add,
        Outside::Sub => TokenKind::Sub,
        Outside::Mul => TokenKind::Mul,
        Outside::Div => TokenKind::Div,
        Outside::Mod => TokenKind::Mod,
        Outside::Pow => TokenKind::Pow,
        Outside::Equal => TokenKind::Equal,
        Outside::NotEqual => TokenKind::NotEqual,
        Outside::Less => TokenKind::Less,
        Outside::LessOrEqual => TokenKind::LessOrEqual,
        Outside::Greater => TokenKind::Greater,
        Outside::GreaterOrEqual => TokenKind::GreaterOrEqual,
        Outside::TrimUpper => TokenKind::TrimUpper,
        Outside::TrimLower => TokenKind::TrimLower,
        _ => TokenKind::Error,
    }
}

/// Go's `%q` of a character; the end of the text shows as U+FFFD.
fn rune(character: Option<char>) -> String {
    match character.unwrap_or('\u{fffd}') {
        '\'' => r"'\''".into(),
        '"' => "'\"'".into(),
        character => {
            let text = quoted(character.encode_utf8(&mut [0; 4]));
            format!("'{}'", &text[1..text.len() - 1])
        }
    }
}
