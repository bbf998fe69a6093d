//! How tokens become a tree: entry point, token stream and error reports.
//!
//! The first diagnostic is the one a server would stop at. What follows is found by going on after the action that
//! did not parse, with its broken part left out.

mod block;
mod literal;
mod pipeline;

use narthex_diag::{Code, Diagnostic, Span};

use crate::ast::{Definition, Template};
use crate::functions::Dialect;
use crate::lexer::tokenize;
use crate::token::{Keyword, LexError, Token, TokenKind};

/// The code of every parse error.
pub const TEMPLATE_PARSE: Code = Code("TPL001");

/// How deep parentheses and blocks may nest together.
pub const DEPTH_MAX: usize = 128;

/// What to parse for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseOptions {
    /// Decides which functions and variables exist.
    pub dialect: Dialect,
}

/// A tree and what is wrong with it. The tree holds all that could be read when there are diagnostics.
#[derive(Clone, PartialEq, Debug)]
pub struct Parse {
    /// The tree.
    pub template: Template,
    /// Errors, in the order they were met; none means a server loads the template.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parse {
    /// The template, or all that is wrong with it.
    pub fn into_result(self) -> Result<Template, Vec<Diagnostic>> {
        if self.diagnostics.is_empty() { Ok(self.template) } else { Err(self.diagnostics) }
    }
}

/// Parses the template of an alerting rule.
pub fn parse(text: &str) -> Parse {
    parse_with(text, ParseOptions { dialect: Dialect::Alert })
}

/// Parses a template of any dialect.
pub fn parse_with(text: &str, options: ParseOptions) -> Parse {
    let mut parser = Parser {
        text,
        dialect: options.dialect,
        tokens: tokenize(text),
        at: 0,
        scope: Scope::of_template(options.dialect),
        depth: 0,
        definitions: Vec::new(),
        diagnostics: Vec::new(),
    };
    let root = parser.root();
    let template = Template { text: text.to_owned(), root, definitions: parser.definitions };
    Parse { template, diagnostics: parser.diagnostics }
}

/// Says that a diagnostic was made and that the rest of the action makes no sense.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// What a template body can refer to.
struct Scope {
    /// Variables in the order of their declaration.
    variables: Vec<String>,
    /// Number of loops around the current node.
    loops: usize,
}

impl Scope {
    fn of_template(dialect: Dialect) -> Scope {
        let set = dialect.variables().iter().map(|&name| name.to_owned());
        Scope { variables: std::iter::once("$".to_owned()).chain(set).collect(), loops: 0 }
    }

    /// Bodies of definitions see nothing but `$`.
    fn of_definition() -> Scope {
        Scope { variables: vec!["$".to_owned()], loops: 0 }
    }
}

struct Parser<'a> {
    text: &'a str,
    dialect: Dialect,
    tokens: Vec<Token>,
    at: usize,
    scope: Scope,
    depth: usize,
    definitions: Vec<Definition>,
    diagnostics: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        let eof = Token { kind: TokenKind::Eof, span: Span::empty_at(self.text.len()) };
        self.tokens.get(self.at).copied().unwrap_or(eof)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::Eof {
            self.at += 1;
        }
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == TokenKind::Space {
            self.at += 1;
        }
    }

    fn peek_significant(&mut self) -> Token {
        self.skip_space();
        self.peek()
    }

    fn next_significant(&mut self) -> Token {
        self.skip_space();
        self.next()
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Parsed<Token> {
        let token = self.next_significant();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(token, context)) }
    }

    /// Past the end of the current action.
    fn skip_action(&mut self) {
        while !matches!(self.peek().kind, TokenKind::RightDelim | TokenKind::Eof | TokenKind::Text) {
            self.at += 1;
        }
        if self.peek().kind == TokenKind::RightDelim {
            self.at += 1;
        }
    }

    fn report(&mut self, message: impl Into<String>, span: Span) {
        self.diagnostics.push(Diagnostic::error(TEMPLATE_PARSE, message, span));
    }

    fn fail(&mut self, message: impl Into<String>, span: Span) -> Reported {
        self.report(message, span);
        Reported
    }

    /// Reports a token that cannot stand where it does. The token is put back when it ends the action.
    fn unexpected(&mut self, token: Token, context: &str) -> Reported {
        if matches!(token.kind, TokenKind::RightDelim) {
            self.at -= 1;
        }
        if let TokenKind::Error(error) = token.kind {
            return self.fail(lex_message(error, token.span.slice(self.text)), token.span);
        }
        let message = format!("unexpected {} in {context}", describe(token, self.text));
        self.fail(message, token.span)
    }
}

/// A token as errors quote it.
fn describe(token: Token, text: &str) -> String {
    let text = token.span.slice(text);
    match token.kind {
        TokenKind::Eof => "EOF".to_owned(),
        TokenKind::Keyword(_) => format!("<{text}>"),
        _ if text.len() > 10 => format!("{:?}...", text.chars().take(10).collect::<String>()),
        _ => format!("{text:?}"),
    }
}

fn lex_message(error: LexError, text: &str) -> String {
    let fixed = match error {
        LexError::UnclosedAction => "unclosed action",
        LexError::UnclosedComment => "unclosed comment",
        LexError::CommentEndsEarly => "comment ends before closing delimiter",
        LexError::UnclosedParen => "unclosed left paren",
        LexError::UnexpectedRightParen => "unexpected right paren",
        LexError::ExpectedDeclare => "expected :=",
        LexError::UnterminatedCharConstant => "unterminated character constant",
        LexError::UnterminatedString => "unterminated quoted string",
        LexError::UnterminatedRawString => "unterminated raw quoted string",
        LexError::BadNumber => return format!("bad number syntax: {text:?}"),
        LexError::BadCharacter(c) => return format!("bad character {}", code_point(c)),
        LexError::UnrecognizedCharacter(c) => {
            return format!("unrecognized character in action: {}", code_point(c));
        }
    };
    fixed.to_owned()
}

fn code_point(c: char) -> String {
    let number = u32::from(c);
    if c.is_control() { format!("U+{number:04X}") } else { format!("U+{number:04X} '{c}'") }
}

/// Whether the token is that keyword.
fn is_keyword(token: Token, keyword: Keyword) -> bool {
    token.kind == TokenKind::Keyword(keyword)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nesting_is_bounded() {
        for (open, close) in [("{{if 1}}", "{{end}}"), ("{{define \"a\"}}{{with 1}}", "{{end}}{{end}}")] {
            let deep = open.repeat(100_000) + &close.repeat(100_000);
            assert!(!parse(&deep).diagnostics.is_empty());
        }
        let parens = format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&parens).diagnostics[0].message, "max expression depth exceeded");
        let chain = format!("{{{{if 1}}}}{}{{{{end}}}}", "{{else if 2}}x".repeat(10_000));
        assert!(parse(&chain).diagnostics.is_empty());
    }

    /// Pieces that make actions likely.
    const PIECES: &str = r#"(\{\{-? |\}\}| -\}\}|if |else |end|range |with |define "a"|block "b" \.|template "a"|break|\$|\$x|\.a| := |=|,|\||\(|\)|"s"|'c'|`r`|1|0x|\.|/\*|\*/|nil|true|len |é| )*"#;

    proptest! {
        #[test]
        fn no_text_brings_the_parser_down(text in PIECES, other in "\\PC*") {
            for text in [text, other] {
                let parsed = parse(&text);
                for diagnostic in &parsed.diagnostics {
                    prop_assert!(text.get(diagnostic.span().range()).is_some(), "{:?}", diagnostic.span());
                }
            }
        }
    }
}
