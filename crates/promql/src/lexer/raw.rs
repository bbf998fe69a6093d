//! What a piece of text looks like, before modes and look-ahead decide what it is.

use logos::Logos;

/// Pieces outside braces: expressions, and durations after their first number.
#[derive(Logos, Clone, Copy, PartialEq, Debug)]
#[rustfmt::skip]
pub(super) enum Outside {
    #[regex(r"[ \t\r\n]+")] Space,
    #[regex(r"#[^\r\n]*", allow_greedy = true)] Comment,
    #[regex(r"[A-Za-z_:][A-Za-z0-9_:]*")] Word,
    #[regex(r"\.?[0-9]")] Number,
    #[regex("[\"'`]")] Quote,
    #[token("(")] LeftParen,
    #[token(")")] RightParen,
    #[token("{")] LeftBrace,
    #[token("[")] LeftBracket,
    #[token("]")] RightBracket,
    #[token(",")] Comma,
    #[token("=")] Assign,
    #[token("@")] At,
    #[token("+")] Add,
    #[token("-")] Sub,
    #[token("*")] Mul,
    #[token("/")] Div,
    #[token("%")] Mod,
    #[token("^")] Pow,
    #[token("==")] Equal,
    #[token("!=")] NotEqual,
    #[token("<")] Less,
    #[token("<=")] LessOrEqual,
    #[token(">")] Greater,
    #[token(">=")] GreaterOrEqual,
    #[token("</")] TrimUpper,
    #[token(">/")] TrimLower,
}

/// Pieces inside braces, where every word is a plain name.
#[derive(Logos, Clone, Copy, PartialEq, Debug)]
#[rustfmt::skip]
pub(super) enum Inside {
    #[regex(r"[ \t\r\n]+")] Space,
    #[regex(r"#[^\r\n]*", allow_greedy = true)] Comment,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")] Name,
    #[regex("[\"'`]")] Quote,
    #[token("{")] LeftBrace,
    #[token("}")] RightBrace,
    #[token(",")] Comma,
    #[token("=")] Assign,
    #[token("!=")] NotEqual,
    #[token("=~")] RegexMatch,
    #[token("!~")] RegexNoMatch,
}

/// Pieces inside brackets up to the first number.
#[derive(Logos, Clone, Copy, PartialEq, Debug)]
#[rustfmt::skip]
pub(super) enum Bracketed {
    #[regex(r"[ \t\r\n]+")] Space,
    #[regex(r"[A-Za-z_]+")] Word,
    #[regex(r"\.?[0-9]")] Number,
    #[token("(")] LeftParen,
    #[token(")")] RightParen,
    #[token("]")] RightBracket,
    #[token(",")] Comma,
    #[token(":")] Colon,
    #[token("+")] Add,
    #[token("-")] Sub,
    #[token("*")] Mul,
    #[token("/")] Div,
    #[token("%")] Mod,
    #[token("^")] Pow,
}
