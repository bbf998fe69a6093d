//! Tokens as upstream's lexer makes them.

use narthex_promql::lexer::{Lexed, lex, lex_series};
use narthex_promql::token::{KEYWORDS, TokenKind};
use serde_json::{Value, json};

use crate::{finish, rows};

/// Upstream's name of a kind: its text, or the number of the token in upstream's parser.
fn name(kind: TokenKind) -> &'static str {
    if let Some((word, _)) = KEYWORDS.iter().find(|row| row.1 == kind) {
        return word;
    }
    match kind {
        TokenKind::LeftParen => "(",
        TokenKind::RightParen => ")",
        TokenKind::LeftBrace => "{",
        TokenKind::RightBrace => "}",
        TokenKind::LeftBracket => "[",
        TokenKind::RightBracket => "]",
        TokenKind::Comma => ",",
        TokenKind::Colon => ":",
        TokenKind::Assign => "=",
        TokenKind::RegexMatch => "=~",
        TokenKind::RegexNoMatch => "!~",
        TokenKind::At => "@",
        TokenKind::Add => "+",
        TokenKind::Sub => "-",
        TokenKind::Mul => "*",
        TokenKind::Div => "/",
        TokenKind::Mod => "%",
        TokenKind::Pow => "^",
        TokenKind::Equal => "==",
        TokenKind::NotEqual => "!=",
        TokenKind::Less => "<",
        TokenKind::LessOrEqual => "<=",
        TokenKind::Greater => ">",
        TokenKind::GreaterOrEqual => ">=",
        TokenKind::TrimUpper => "</",
        TokenKind::TrimLower => ">/",
        TokenKind::Space => "<space>",
        TokenKind::Blank => "_",
        TokenKind::Times => "x",
        TokenKind::OpenHistogram => "{{",
        TokenKind::CloseHistogram => "}}",
        TokenKind::Duration => "<Item 57351>",
        TokenKind::Error => "<Item 57353>",
        TokenKind::Identifier => "<Item 57354>",
        TokenKind::MetricIdentifier => "<Item 57360>",
        TokenKind::Number => "<Item 57361>",
        TokenKind::String => "<Item 57367>",
        TokenKind::SumKey => "<Item 57370>",
        TokenKind::CountKey => "<Item 57371>",
        TokenKind::SchemaKey => "<Item 57372>",
        TokenKind::BucketsKey => "<Item 57375>",
        other => panic!("no name for {other:?}"),
    }
}

/// `[name, offset, text]` of each token and comment; an error token ends the list with its message.
fn shown(lexed: &Lexed, text: &str) -> Vec<Value> {
    let mut all: Vec<(u32, &str, &str)> = Vec::new();
    for token in lexed.tokens.iter().filter(|token| token.kind != TokenKind::EndOfInput) {
        if token.kind != TokenKind::Error {
            all.push((token.span.start, name(token.kind), token.span.slice(text)));
        }
    }
    all.extend(lexed.comments.iter().map(|comment| (comment.start, "<Item 57350>", comment.slice(text))));
    if let Some(error) = &lexed.error {
        all.push((error.span.start, name(TokenKind::Error), &error.message));
    }
    all.sort_by_key(|one| one.0);
    all.into_iter().map(|(start, name, text)| json!([name, start, text])).collect()
}

#[test]
fn tokens_are_alike() {
    let mut failures = Vec::new();
    for row in rows("lex_dev") {
        let input = row["input"].as_str().unwrap();
        let lexed = if row["series_desc"] == true { lex_series(input) } else { lex(input) };
        let mut got = shown(&lexed, input);
        let mut expected = row["tokens"].as_array().cloned().unwrap_or_default();
        // Upstream goes on after a bad escape sequence; the parser stops there all the same.
        let error = expected.iter().position(|token| token[0] == "<Item 57353>");
        expected.truncate(error.map_or(expected.len(), |at| at + 1));
        let fails = row["ok"] == false;
        if fails {
            got.clear();
        }
        if lexed.error.is_some() != (fails || error.is_some()) || got != expected {
            failures.push(format!("{input}\n  expected {expected:?}\n  got      {got:?}, {:?}", lexed.error));
        }
    }
    finish("lex", &failures);
}
