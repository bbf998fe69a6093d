//! Tokens to a tree: the entry points, and the state that all rules share.
//!
//! Flat parts (label lists, matchers, times, fill values) are nom parsers over the token slice. Operators are read with
//! an explicit stack, so that the depth of recursion is the number of open parentheses and brackets and nothing else.
//! Reading order: `expr`, `selector`, `aggregate`, `call`, `duration`, `literal`, `recovery`.

mod advice;
mod aggregate;
mod binary;
mod call;
mod duration;
mod expr;
mod flat;
mod literal;
mod postfix;
mod recovery;
mod selector;

use narthex_diag::{Diagnostic, LineColumn, Span};
use narthex_model::{Labels, LabelsBuilder, Matcher};

use crate::ast::Expr;
use crate::check;
use crate::error::{ParseError, first_place, syntax, too_large};
use crate::features::{DIAGNOSTIC_LIMIT, ParseOptions, TEXT_BYTES_LIMIT};
use crate::interrupt::{Interrupt, StopReason};
use crate::lexer::{LexError, Lexed, lex, lex_interruptible};
use crate::token::{Token, TokenKind, Tokens};

pub(crate) use flat::Flat;
pub(crate) use literal::number_value;

/// What became of a text: a tree, perhaps with [`Expr::Error`] in places, and everything that is wrong with it.
#[derive(Clone, PartialEq, Debug)]
pub struct Parse {
    /// The tree of what could be read.
    pub expr: Expr,
    /// Syntax errors in the order upstream finds them, then type errors; empty when the expression is valid.
    pub diagnostics: Vec<Diagnostic>,
    /// Where comments stand.
    pub comments: Vec<Span>,
    /// Where the first diagnostic is.
    place: LineColumn,
}

impl Parse {
    /// The tree, when nothing is wrong.
    ///
    /// # Errors
    /// All diagnostics, when there is one.
    pub fn into_result(self) -> Result<Expr, ParseError> {
        match ParseError::at(self.place, self.diagnostics) {
            Some(error) => Err(error),
            None => Ok(self.expr),
        }
    }
}

/// Reads an expression. Never fails: what cannot be read becomes [`Expr::Error`] and a diagnostic.
pub fn parse(text: &str, options: &ParseOptions) -> Parse {
    read(text, options, None)
}

/// As [`parse`], but stops when `interrupt` says so.
///
/// # Errors
/// Why it stopped.
pub fn parse_interruptible(
    text: &str,
    options: &ParseOptions,
    interrupt: &Interrupt,
) -> Result<Parse, StopReason> {
    let parse = read(text, options, Some(interrupt));
    interrupt.reason().map_or(Ok(parse), Err)
}

fn read(text: &str, options: &ParseOptions, interrupt: Option<&Interrupt>) -> Parse {
    let bytes_max = options.text_bytes_max.min(TEXT_BYTES_LIMIT);
    if text.len() > bytes_max {
        let diagnostics = vec![too_large(bytes_max, text)];
        let place = LineColumn { line: 1, column: 1 };
        return Parse { expr: Expr::Error(Span::default()), diagnostics, comments: Vec::new(), place };
    }
    let lexed = lex_interruptible(text, interrupt);
    let mut parser = Parser { interrupt, ..Parser::new(text, options, &lexed) };
    let expr = parser.whole_expression();
    let diagnostics = parser.finish(Some(&expr));
    let place = first_place(text, &diagnostics);
    Parse { expr, diagnostics, comments: lexed.comments, place }
}

/// Reads a selector such as `up{job="x"}` without modifiers, as series APIs take it: its matchers, that of the name
/// included.
///
/// # Errors
/// When the text is anything else. A selector that may match everything is not refused here.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    refuse_large(text)?;
    let lexed = lex(text);
    let mut parser = Parser::new(text, &ParseOptions::STABLE, &lexed);
    let mut matchers = Vec::new();
    if parser.peek().kind.is_metric_name() || parser.peek().kind == TokenKind::LeftBrace {
        let selector = parser.selector();
        matchers.extend(selector.all_matchers());
        parser.expect_end();
    } else {
        parser.unexpected("", "");
    }
    ParseError::new(text, parser.finish(None)).map_or(Ok(matchers), Err)
}

/// Reads a series such as `up{job="x"}`: labels, not matchers.
///
/// # Errors
/// When the text is anything else.
pub fn parse_metric(text: &str) -> Result<Labels, ParseError> {
    refuse_large(text)?;
    let lexed = lex(text);
    let mut parser = Parser::new(text, &ParseOptions::STABLE, &lexed);
    let labels = parser.metric();
    parser.expect_end();
    ParseError::new(text, parser.finish(None)).map_or(Ok(labels), Err)
}

/// Refuses texts longer than [`TEXT_BYTES_LIMIT`].
pub(crate) fn refuse_large(text: &str) -> Result<(), ParseError> {
    if text.len() <= TEXT_BYTES_LIMIT {
        return Ok(());
    }
    ParseError::new("", vec![too_large(TEXT_BYTES_LIMIT, text)]).map_or(Ok(()), Err)
}

/// What the parser is inside of, beyond what the call stack says.
#[derive(Default)]
struct Depth {
    /// Open parentheses, calls, signs and powers.
    nesting: usize,
    /// Open aggregations; inside them upstream's generic message names the aggregation.
    aggregations: usize,
}

/// The state that all rules share.
pub(crate) struct Parser<'a> {
    text: &'a str,
    options: &'a ParseOptions,
    tokens: Tokens<'a>,
    /// All tokens, for looking back.
    all: &'a [Token],
    lex_error: Option<&'a LexError>,
    diagnostics: Vec<Diagnostic>,
    /// A chain beyond the limit, which upstream does not have; it comes last.
    limits: Vec<Diagnostic>,
    /// Expressions that found no place in the tree but are checked nonetheless.
    set_aside: Vec<Expr>,
    /// Where the last syntax error was, for one fault yields one message.
    last_error_start: Option<u32>,
    /// End of the last token consumed.
    last_end: usize,
    depth: Depth,
    /// Operands, matchers and labels so far.
    parts: usize,
    interrupt: Option<&'a Interrupt>,
}

/// An expression and how deep its tree is.
pub(crate) struct Node {
    expr: Expr,
    height: usize,
}

impl Node {
    fn leaf(expr: Expr) -> Node {
        Node { expr, height: 1 }
    }
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, options: &'a ParseOptions, lexed: &'a Lexed) -> Parser<'a> {
        Parser {
            text,
            options,
            tokens: Tokens(&lexed.tokens),
            all: &lexed.tokens,
            lex_error: lexed.error.as_ref(),
            diagnostics: Vec::new(),
            limits: Vec::new(),
            set_aside: Vec::new(),
            last_error_start: None,
            last_end: 0,
            depth: Depth::default(),
            parts: 0,
            interrupt: None,
        }
    }

    fn whole_expression(&mut self) -> Expr {
        if self.peek().kind == TokenKind::EndOfInput {
            self.diagnostics.push(syntax("no expression found in input", Span::default()));
            return Expr::Error(Span::empty_at(self.text.len()));
        }
        let expr = self.expr().expr;
        self.expect_end();
        expr
    }

    /// All diagnostics: syntax first, then types, then limits.
    pub(crate) fn finish(mut self, expr: Option<&Expr>) -> Vec<Diagnostic> {
        let read = expr.into_iter().chain(&self.set_aside);
        check::check(read, self.text, self.interrupt, &mut self.diagnostics);
        self.diagnostics.append(&mut self.limits);
        self.diagnostics
    }

    /// The next token.
    pub(crate) fn peek(&self) -> Token {
        self.tokens.peek()
    }

    /// Whether the next token is of this kind.
    pub(crate) fn at(&self, kind: TokenKind) -> bool {
        self.peek().kind == kind
    }

    /// Consumes the next token; the last one stays.
    pub(crate) fn advance(&mut self) -> Token {
        let token = self.peek();
        if self.must_stop() {
            self.skip_rest();
            return token;
        }
        if let [_, rest @ ..] = self.tokens.0
            && !rest.is_empty()
        {
            self.tokens = Tokens(rest);
            self.last_end = token.span.end as usize;
        }
        token
    }

    /// Whether the rest of the text is not worth reading, or not wanted.
    fn must_stop(&self) -> bool {
        self.interrupt.is_some_and(Interrupt::is_set) || self.diagnostics.len() >= DIAGNOSTIC_LIMIT
    }

    /// Consumes the next token if it is of this kind.
    pub(crate) fn accept(&mut self, kind: TokenKind) -> Option<Token> {
        self.at(kind).then(|| self.advance())
    }

    /// Runs a nom parser and moves past what it read; on a miss says what was expected and stays.
    pub(crate) fn run<T>(&mut self, mut parser: impl FnMut(Tokens<'a>) -> Flat<'a, T>) -> Option<T> {
        match parser(self.tokens) {
            Ok((rest, value)) => {
                self.move_to(rest);
                Some(value)
            }
            Err(nom::Err::Error(missed) | nom::Err::Failure(missed)) => {
                self.move_to(missed.at);
                self.unexpected(missed.expected.context, missed.expected.what);
                None
            }
            Err(nom::Err::Incomplete(_)) => None,
        }
    }

    fn move_to(&mut self, rest: Tokens<'a>) {
        let consumed = self.tokens.0.len() - rest.0.len();
        if let Some(last) = consumed.checked_sub(1).and_then(|at| self.tokens.0.get(at)) {
            self.last_end = last.span.end as usize;
        }
        self.tokens = rest;
    }

    /// Runs `rule` one level deeper; refuses beyond the limit, consuming what is in the parentheses or brackets.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth.nesting >= self.options.nest_limit {
            self.report_too_deep();
            return None;
        }
        self.depth.nesting += 1;
        let value = rule(self);
        self.depth.nesting -= 1;
        Some(value)
    }

    /// A series: a name, braces with labels, or both.
    pub(crate) fn metric(&mut self) -> Labels {
        let mut builder = LabelsBuilder::new();
        let name = self.peek();
        if name.kind.is_metric_name() {
            self.advance();
        }
        self.label_set(&mut builder);
        if name.kind.is_metric_name() {
            builder.set(narthex_model::labels::METRIC_NAME, name.span.slice(self.text));
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_selectors_are_read_without_an_expression_around_them() {
        let labels = parse_metric(r#"up{job="x", "k8s.pod"='y',}"#).unwrap();
        assert_eq!(labels, Labels::from_pairs([("__name__", "up"), ("job", "x"), ("k8s.pod", "y")]));
        assert_eq!(parse_metric(r#"{"a b"}"#).unwrap().metric_name(), "a b");
        let message = parse_metric("up{job=~\"x\"}").unwrap_err().to_string();
        assert_eq!(message, "1:7: parse error: unexpected <op:=~> in label set, expected \"=\"");

        let matchers = parse_selector(r#"up{job=~"x|y"}"#).unwrap();
        assert_eq!(format!("{matchers:?}"), r#"[job=~"x|y", __name__="up"]"#);
        assert_eq!(parse_selector("{}"), Ok(vec![]));
        assert!(
            parse_selector("up[5m]").is_err() && parse_selector("1").is_err() && parse_selector("").is_err()
        );
    }

    #[test]
    fn a_parse_is_all_or_nothing_when_asked() {
        let broken = parse("sum(up) + {a=}\n+ rate(", &ParseOptions::STABLE);
        assert!(matches!(broken.expr, Expr::Binary(_)));
        let error = broken.into_result().unwrap_err();
        assert!(error.diagnostics.len() >= 2);
        assert!(error.to_string().starts_with("1:14: parse error: unexpected \"}\""), "{error}");
        assert!(parse("sum(up)", &ParseOptions::STABLE).into_result().is_ok());
    }

    #[test]
    fn the_nesting_limit_is_an_option() {
        let options = ParseOptions { nest_limit: 2, ..ParseOptions::STABLE };
        assert_eq!(parse("((1))", &options).diagnostics, []);
        let first = parse("(((1)))", &options).diagnostics.swap_remove(0);
        assert_eq!(first.message, "expression nests deeper than the limit of 2");
    }
}
