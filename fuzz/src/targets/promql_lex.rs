//! Tokens of any text: in order, inside the text, ended by exactly one end or error.

use narthex_promql::lexer::{Lexed, lex, lex_series};
use narthex_promql::token::TokenKind;

use crate::input::{fits, text};

/// See the module.
pub fn target(data: &[u8]) {
    if let Some(text) = text(data) {
        check(&lex(text), text);
        check(&lex_series(text), text);
    }
}

fn check(lexed: &Lexed, text: &str) {
    let last = if lexed.error.is_some() { TokenKind::Error } else { TokenKind::EndOfInput };
    let ends = |kind| matches!(kind, TokenKind::Error | TokenKind::EndOfInput);
    let first_end = lexed.tokens.iter().position(|token| ends(token.kind));
    assert_eq!(first_end.map(|at| at + 1), Some(lexed.tokens.len()));
    assert_eq!(lexed.tokens.last().map(|token| token.kind), Some(last));
    assert!(lexed.tokens.windows(2).all(|two| two[0].span.end <= two[1].span.start));
    let spans = lexed.tokens.iter().map(|token| token.span).chain(lexed.comments.iter().copied());
    for span in spans.chain(lexed.error.iter().map(|error| error.span)) {
        assert!(fits(span, text), "{span:?}");
    }
}
