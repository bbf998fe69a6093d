//! The words of the language: kinds of tokens, and where one stands.

mod describe;
mod tokens;

use narthex_diag::Span;

use crate::aggregations::AggregateOp;
use crate::operators::BinaryOp;

pub(crate) use describe::{describe, quoted};
pub(crate) use tokens::Tokens;

/// A kind of token. Payload-free, so that a token is three small numbers and its text stays in the query.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is named for the text it stands for")]
pub enum TokenKind {
    // What ends every stream.
    EndOfInput,
    Error,
    // Punctuation.
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    Assign,
    // Operators.
    RegexMatch,
    RegexNoMatch,
    At,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    TrimUpper,
    TrimLower,
    And,
    Or,
    Unless,
    Atan2,
    // Aggregations.
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    CountValues,
    Quantile,
    Limitk,
    LimitRatio,
    // Keywords.
    Bool,
    By,
    Without,
    On,
    Ignoring,
    GroupLeft,
    GroupRight,
    Offset,
    Anchored,
    Smoothed,
    Fill,
    FillLeft,
    FillRight,
    // Words that are functions, durations or times.
    Start,
    End,
    Step,
    Range,
    MinOf,
    MaxOf,
    // Names and literals.
    Identifier,
    MetricIdentifier,
    Number,
    Duration,
    String,
    // Series descriptions.
    Space,
    Blank,
    Times,
    OpenHistogram,
    CloseHistogram,
    SumKey,
    CountKey,
    SchemaKey,
    OffsetKey,
    NegativeOffsetKey,
    BucketsKey,
    NegativeBucketsKey,
    ZeroBucketKey,
    ZeroBucketWidthKey,
    CustomValuesKey,
    CounterResetHintKey,
    HintUnknown,
    HintReset,
    HintNotReset,
    HintGauge,
}

/// Makes [`KEYWORDS`] and their look-up out of one list.
macro_rules! keywords {
    ($($word:literal $kind:ident,)*) => {
        /// The keywords, in lower case, with the tokens they make. Keywords are found in any case.
        pub const KEYWORDS: &[(&str, TokenKind)] = &[$(($word, TokenKind::$kind),)*];

        /// The keyword that a word in lower case is; `inf` and `nan` are numbers.
        fn of_lower(word: &str) -> Option<TokenKind> {
            match word {
                $($word => Some(TokenKind::$kind),)*
                "inf" | "nan" => Some(TokenKind::Number),
                _ => None,
            }
        }
    };
}

keywords! {
    "and" And,
    "or" Or,
    "unless" Unless,
    "atan2" Atan2,
    "sum" Sum,
    "avg" Avg,
    "count" Count,
    "min" Min,
    "max" Max,
    "group" Group,
    "stddev" Stddev,
    "stdvar" Stdvar,
    "topk" Topk,
    "bottomk" Bottomk,
    "count_values" CountValues,
    "quantile" Quantile,
    "limitk" Limitk,
    "limit_ratio" LimitRatio,
    "bool" Bool,
    "by" By,
    "without" Without,
    "on" On,
    "ignoring" Ignoring,
    "group_left" GroupLeft,
    "group_right" GroupRight,
    "offset" Offset,
    "anchored" Anchored,
    "smoothed" Smoothed,
    "fill" Fill,
    "fill_left" FillLeft,
    "fill_right" FillRight,
    "start" Start,
    "end" End,
    "step" Step,
    "range" Range,
    "min_of" MinOf,
    "max_of" MaxOf,
}

/// Length of the longest keyword.
const KEYWORD_LEN_MAX: usize = 12;

impl TokenKind {
    /// The keyword that `word` is in any case; `inf` and `nan` are numbers.
    pub fn of_word(word: &str) -> Option<TokenKind> {
        let mut lower = [0u8; KEYWORD_LEN_MAX];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        of_lower(std::str::from_utf8(lower).ok()?)
    }

    /// Whether it may stand in a duration.
    pub(crate) fn is_duration_word(self) -> bool {
        matches!(self, TokenKind::Step | TokenKind::Range | TokenKind::MinOf | TokenKind::MaxOf)
    }

    /// The binary operator it is, outside braces.
    pub fn binary_op(self) -> Option<BinaryOp> {
        Some(match self {
            TokenKind::Add => BinaryOp::Add,
            TokenKind::Sub => BinaryOp::Sub,
            TokenKind::Mul => BinaryOp::Mul,
            TokenKind::Div => BinaryOp::Div,
            TokenKind::Mod => BinaryOp::Mod,
            TokenKind::Pow => BinaryOp::Pow,
            TokenKind::Atan2 => BinaryOp::Atan2,
            TokenKind::Equal => BinaryOp::Equal,
            TokenKind::NotEqual => BinaryOp::NotEqual,
            TokenKind::Less => BinaryOp::Less,
            TokenKind::LessOrEqual => BinaryOp::LessOrEqual,
            TokenKind::Greater => BinaryOp::Greater,
            TokenKind::GreaterOrEqual => BinaryOp::GreaterOrEqual,
            TokenKind::TrimUpper => BinaryOp::TrimUpper,
            TokenKind::TrimLower => BinaryOp::TrimLower,
            TokenKind::And => BinaryOp::And,
            TokenKind::Or => BinaryOp::Or,
            TokenKind::Unless => BinaryOp::Unless,
            _ => return None,
        })
    }

    /// The aggregation it names.
    pub fn aggregate_op(self) -> Option<AggregateOp> {
        Some(match self {
            TokenKind::Sum => AggregateOp::Sum,
            TokenKind::Avg => AggregateOp::Avg,
            TokenKind::Count => AggregateOp::Count,
            TokenKind::Min => AggregateOp::Min,
            TokenKind::Max => AggregateOp::Max,
            TokenKind::Group => AggregateOp::Group,
            TokenKind::Stddev => AggregateOp::Stddev,
            TokenKind::Stdvar => AggregateOp::Stdvar,
            TokenKind::Topk => AggregateOp::Topk,
            TokenKind::Bottomk => AggregateOp::Bottomk,
            TokenKind::CountValues => AggregateOp::CountValues,
            TokenKind::Quantile => AggregateOp::Quantile,
            TokenKind::Limitk => AggregateOp::Limitk,
            TokenKind::LimitRatio => AggregateOp::LimitRatio,
            _ => return None,
        })
    }

    fn is_word_operator(self) -> bool {
        matches!(self, TokenKind::And | TokenKind::Or | TokenKind::Unless)
    }

    fn is_start_or_duration_word(self) -> bool {
        TokenKind::Start as u8 <= self as u8 && self as u8 <= TokenKind::MaxOf as u8
    }

    pub(crate) fn is_operator(self) -> bool {
        TokenKind::RegexMatch as u8 <= self as u8 && self as u8 <= TokenKind::Atan2 as u8
    }

    pub(crate) fn is_aggregation(self) -> bool {
        TokenKind::Sum as u8 <= self as u8 && self as u8 <= TokenKind::LimitRatio as u8
    }

    pub(crate) fn is_keyword(self) -> bool {
        TokenKind::Bool as u8 <= self as u8 && self as u8 <= TokenKind::FillRight as u8
    }

    /// Whether it may name a metric outside braces.
    pub fn is_metric_name(self) -> bool {
        use TokenKind::{Anchored, By, Identifier, MetricIdentifier, Offset, Smoothed, Without};
        matches!(self, Identifier | MetricIdentifier | By | Without | Offset | Anchored | Smoothed)
            || self.is_aggregation()
            || self.is_word_operator()
            || self.is_start_or_duration_word()
    }

    /// Whether it may stand unquoted in the label list of `by`, `without`, `on`, `ignoring` and `group_*`.
    pub fn is_grouping_label(self) -> bool {
        let is_keyword = self.is_keyword() && self != TokenKind::Without;
        self.is_metric_name() && self != TokenKind::Without || is_keyword || self == TokenKind::Atan2
    }

    /// Whether an expression may begin with it.
    pub(crate) fn begins_expression(self) -> bool {
        use TokenKind::{Add, Duration, LeftBrace, LeftParen, Number, String, Sub};
        matches!(self, Number | Duration | String | LeftParen | LeftBrace | Add | Sub)
            || self.is_metric_name()
    }
}

/// A token: what and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// Which kind.
    pub kind: TokenKind,
    /// Where.
    pub span: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_in_any_case() {
        for &(word, kind) in KEYWORDS {
            assert_eq!(TokenKind::of_word(word), Some(kind));
            assert_eq!(TokenKind::of_word(&word.to_uppercase()), Some(kind));
        }
        assert_eq!(TokenKind::of_word("rate"), None);
        assert_eq!(TokenKind::of_word("a_word_longer_than_any_keyword"), None);
    }

    #[test]
    fn usable_names_are_as_documented() {
        let refused = |may: fn(TokenKind) -> bool| {
            let words = KEYWORDS.iter().filter(|row| !may(row.1)).map(|row| row.0);
            words.collect::<Vec<_>>().join(" ")
        };
        let metric = "atan2 bool on ignoring group_left group_right fill fill_left fill_right";
        assert_eq!(refused(TokenKind::is_metric_name), metric);
        assert_eq!(refused(TokenKind::is_grouping_label), "without");
    }
}
