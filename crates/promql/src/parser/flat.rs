//! Rules without recursion: nom parsers over the token slice, with misses that know what upstream would say.

use narthex_diag::Spanned;
use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Parser};

use crate::token::{Token, TokenKind, Tokens};

/// What was expected where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Expected {
    /// The construct, as upstream names it; empty for none.
    pub(crate) context: &'static str,
    /// The expectation, as upstream words it; empty for none.
    pub(crate) what: &'static str,
}

/// A rule that did not fit: where, and what would have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed<'a> {
    pub(crate) at: Tokens<'a>,
    pub(crate) expected: Expected,
}

impl<'a> ParseError<Tokens<'a>> for Missed<'a> {
    fn from_error_kind(at: Tokens<'a>, _: ErrorKind) -> Missed<'a> {
        Missed { at, expected: Expected::default() }
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Missed<'a>) -> Missed<'a> {
        other
    }
}

/// What a flat rule yields.
pub(crate) type Flat<'a, T> = IResult<Tokens<'a>, T, Missed<'a>>;

/// A token that `is_wanted` wants.
pub(crate) fn matching<'a>(
    is_wanted: impl Fn(TokenKind) -> bool,
    expected: Expected,
) -> impl FnMut(Tokens<'a>) -> Flat<'a, Token> {
    move |tokens| match tokens.0 {
        [token, rest @ ..] if is_wanted(token.kind) => Ok((Tokens(rest), *token)),
        _ => Err(nom::Err::Error(Missed { at: tokens, expected })),
    }
}

/// A token of one kind.
pub(crate) fn kind<'a>(wanted: TokenKind, expected: Expected) -> impl FnMut(Tokens<'a>) -> Flat<'a, Token> {
    matching(move |kind| kind == wanted, expected)
}

const GROUPING_PAREN: Expected = Expected { context: "grouping opts", what: "\"(\"" };
pub(crate) const GROUPING_LABEL: Expected = Expected { context: "grouping opts", what: "label" };
const GROUPING_NEXT: Expected = Expected { context: "grouping opts", what: "\",\" or \")\"" };

/// The opening parenthesis of a label list.
pub(crate) fn open_labels(tokens: Tokens<'_>) -> Flat<'_, Token> {
    kind(TokenKind::LeftParen, GROUPING_PAREN)(tokens)
}

/// A label of a label list.
pub(crate) fn grouping_label(tokens: Tokens<'_>) -> Flat<'_, Token> {
    matching(|kind| kind.is_grouping_label() || kind == TokenKind::String, GROUPING_LABEL)(tokens)
}

/// What may follow a label of a label list.
pub(crate) fn after_label(tokens: Tokens<'_>) -> Flat<'_, Token> {
    matching(|kind| matches!(kind, TokenKind::Comma | TokenKind::RightParen), GROUPING_NEXT)(tokens)
}

const MATCHER_NAME: Expected = Expected { context: "label matching", what: "identifier or \"}\"" };
const MATCHER_OPERATOR: Expected = Expected { context: "label matching", what: "label matching operator" };
const MATCHER_VALUE: Expected = Expected { context: "label matching", what: "string" };
const MATCHER_NEXT: Expected = Expected { context: "label matching", what: "\",\" or \"}\"" };

fn is_match_operator(kind: TokenKind) -> bool {
    use TokenKind::{Assign, NotEqual, RegexMatch, RegexNoMatch};
    matches!(kind, Assign | NotEqual | RegexMatch | RegexNoMatch)
}

/// What stands between commas inside braces.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MatcherTokens {
    /// `label op "value"`
    Matcher { name: Token, op: Token, value: Token },
    /// `"metric"`
    Name(Token),
}

/// A matcher or a quoted metric name.
pub(crate) fn matcher(tokens: Tokens<'_>) -> Flat<'_, MatcherTokens> {
    let is_name = |kind| matches!(kind, TokenKind::Identifier | TokenKind::String);
    let (rest, name) = matching(is_name, MATCHER_NAME)(tokens)?;
    if name.kind == TokenKind::String && !is_match_operator(rest.peek().kind) {
        return Ok((rest, MatcherTokens::Name(name)));
    }
    let op = matching(is_match_operator, MATCHER_OPERATOR);
    let value = kind(TokenKind::String, MATCHER_VALUE);
    let mut condition = (op, value).map(|(op, value)| MatcherTokens::Matcher { name, op, value });
    condition.parse(rest)
}

/// What may follow a matcher.
pub(crate) fn after_matcher(tokens: Tokens<'_>) -> Flat<'_, Token> {
    matching(|kind| matches!(kind, TokenKind::Comma | TokenKind::RightBrace), MATCHER_NEXT)(tokens)
}

const LABEL_NAME: Expected = Expected { context: "label set", what: "identifier or \"}\"" };
const LABEL_ASSIGN: Expected = Expected { context: "label set", what: "\"=\"" };
const LABEL_VALUE: Expected = Expected { context: "label set", what: "string" };
const LABEL_NEXT: Expected = Expected { context: "label set", what: "\",\" or \"}\"" };

/// A label of a series, or its quoted metric name: name and, for a label, value.
pub(crate) fn label(tokens: Tokens<'_>) -> Flat<'_, (Token, Option<Token>)> {
    let is_name = |kind| matches!(kind, TokenKind::Identifier | TokenKind::String);
    let (rest, name) = matching(is_name, LABEL_NAME)(tokens)?;
    if name.kind == TokenKind::String && rest.peek().kind != TokenKind::Assign {
        return Ok((rest, (name, None)));
    }
    let assign = kind(TokenKind::Assign, LABEL_ASSIGN);
    let value = kind(TokenKind::String, LABEL_VALUE);
    (assign, value).map(|(_, value)| (name, Some(value))).parse(rest)
}

/// What may follow a label of a series.
pub(crate) fn after_label_set_item(tokens: Tokens<'_>) -> Flat<'_, Token> {
    matching(|kind| matches!(kind, TokenKind::Comma | TokenKind::RightBrace), LABEL_NEXT)(tokens)
}

/// A number or duration with an optional sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedTokens {
    pub(crate) is_negative: bool,
    pub(crate) number: Token,
}

/// A sign: whether it is a minus.
pub(crate) fn sign(tokens: Tokens<'_>) -> Flat<'_, Spanned<bool>> {
    let is_sign = |kind| matches!(kind, TokenKind::Add | TokenKind::Sub);
    let token = matching(is_sign, Expected::default());
    token.map(|token: Token| Spanned::new(token.kind == TokenKind::Sub, token.span)).parse(tokens)
}

/// A number or duration.
pub(crate) fn number(tokens: Tokens<'_>) -> Flat<'_, Token> {
    matching(|kind| matches!(kind, TokenKind::Number | TokenKind::Duration), Expected::default())(tokens)
}

/// A number or duration with an optional sign.
pub(crate) fn signed_number(tokens: Tokens<'_>) -> Flat<'_, SignedTokens> {
    let parts = (nom::combinator::opt(sign), number);
    let join = |(sign, number): (Option<Spanned<bool>>, Token)| SignedTokens {
        is_negative: sign.is_some_and(|sign| sign.value),
        number,
    };
    parts.map(join).parse(tokens)
}

/// The value of a fill modifier, parentheses included.
pub(crate) fn fill_value(tokens: Tokens<'_>) -> Flat<'_, SignedTokens> {
    let open = kind(TokenKind::LeftParen, Expected::default());
    let close = kind(TokenKind::RightParen, Expected::default());
    nom::sequence::delimited(open, signed_number, close).parse(tokens)
}

/// `start()` or `end()` after `@`: the word and the closing parenthesis.
pub(crate) fn at_word(tokens: Tokens<'_>) -> Flat<'_, (Token, Token)> {
    let word = matching(|kind| matches!(kind, TokenKind::Start | TokenKind::End), Expected::default());
    let open = kind(TokenKind::LeftParen, Expected::default());
    let close = kind(TokenKind::RightParen, Expected::default());
    (word, open, close).map(|(word, _, close)| (word, close)).parse(tokens)
}

/// What a rule yields, a miss saying that `expected` was.
pub(crate) fn or_else<T>(result: Flat<'_, T>, expected: Expected) -> Flat<'_, T> {
    result.map_err(|error| error.map(|missed| Missed { expected, ..missed }))
}
