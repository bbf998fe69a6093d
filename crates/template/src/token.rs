//! What tokens a template has.

use narthex_diag::Span;

/// Kinds of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    Text,
    Comment,
    LeftDelim,
    RightDelim,
    LeftParen,
    RightParen,
    Pipe,
    Assign,
    Declare,
    Space,
    /// Any other printable ASCII character, such as a comma.
    Char,
    Identifier,
    Field,
    Variable,
    Bool,
    Number,
    Complex,
    CharConstant,
    String,
    RawString,
    Keyword(Keyword),
    Error(LexError),
    Eof,
}

/// Reserved words; the dot and `nil` are among them because errors quote them the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keyword {
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// Reserved words as they are written; the dot is none of them.
pub(crate) const KEYWORDS: [(&str, Keyword); 11] = [
    ("block", Keyword::Block),
    ("break", Keyword::Break),
    ("continue", Keyword::Continue),
    ("define", Keyword::Define),
    ("else", Keyword::Else),
    ("end", Keyword::End),
    ("if", Keyword::If),
    ("nil", Keyword::Nil),
    ("range", Keyword::Range),
    ("template", Keyword::Template),
    ("with", Keyword::With),
];

/// Why no token could be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LexError {
    UnclosedAction,
    UnclosedComment,
    CommentEndsEarly,
    UnclosedParen,
    UnexpectedRightParen,
    ExpectedDeclare,
    BadCharacter(char),
    UnrecognizedCharacter(char),
    BadNumber,
    UnterminatedCharConstant,
    UnterminatedString,
    UnterminatedRawString,
}

/// A piece of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// White space inside actions, and what trim markers eat.
pub(crate) const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether `inside`, the text after a `{{`, starts with a trim marker.
pub(crate) fn trim_marker_leads(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

/// Whether a character parts tokens.
pub(crate) fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

/// Whether a character belongs to names.
pub(crate) fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
