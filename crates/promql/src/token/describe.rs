//! How upstream's messages name a token.

use narthex_model::labels::quote;

use super::{Token, TokenKind};

/// Writes how upstream's messages name the token: `identifier "x"`, `<op:+>`, `<by>`, `end of input`.
pub(crate) fn describe(token: Token, text: &str) -> String {
    let written = token.span.slice(text);
    match token.kind {
        TokenKind::EndOfInput => "end of input".into(),
        TokenKind::Identifier => format!("identifier {}", quoted(written)),
        TokenKind::MetricIdentifier => format!("metric identifier {}", quoted(written)),
        TokenKind::Number => format!("number {}", shortened(written)),
        TokenKind::Duration => format!("duration {}", shortened(written)),
        TokenKind::String => format!("string {}", shortened(written)),
        kind if kind.is_keyword() => format!("<{written}>"),
        kind if kind.is_operator() => format!("<op:{written}>"),
        kind if kind.is_aggregation() => format!("<aggr:{written}>"),
        kind if kind as u8 >= TokenKind::SumKey as u8 => {
            format!("\"<Item {}>\" {}", upstream_number(kind), shortened(written))
        }
        _ => shortened(written),
    }
}

/// `text` in double quotes, escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, text.as_bytes());
    out
}

/// Quoted; what is longer than ten bytes is cut after ten characters.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 10;
    if text.len() <= CHARACTERS_MAX {
        return quoted(text);
    }
    let cut = text.char_indices().nth(CHARACTERS_MAX).map_or(text, |(end, _)| &text[..end]);
    quoted(cut) + "..."
}

/// Number of the token in upstream's parser, which its messages show for tokens that have no text of their own.
fn upstream_number(kind: TokenKind) -> u32 {
    const SUM_KEY: u32 = 57370;
    const HINT_UNKNOWN: u32 = 57383;
    if kind as u8 >= TokenKind::HintUnknown as u8 {
        HINT_UNKNOWN + u32::from(kind as u8 - TokenKind::HintUnknown as u8)
    } else {
        SUM_KEY + u32::from((kind as u8).saturating_sub(TokenKind::SumKey as u8))
    }
}
