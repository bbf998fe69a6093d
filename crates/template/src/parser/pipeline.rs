//! Pipelines, commands and operands.

use narthex_diag::{Span, Spanned};

use super::literal::{number, unquote};
use super::{DEPTH_MAX, Parsed, Parser, Reported, is_keyword};
use crate::ast::{Chain, Command, Declaration, DeclarationKind, Expr, FieldPath, Pipeline, Variable};
use crate::functions::FUNCTIONS;
use crate::token::{Keyword, Token, TokenKind};

impl Parser<'_> {
    /// A pipeline up to and with `end`. After an error the action is skipped and what was read is returned.
    pub(super) fn pipeline_to_end_of_action(&mut self, context: &str) -> Pipeline {
        let start = self.peek_significant().span.start as usize;
        let mut pipeline = Pipeline { span: Span::empty_at(start), declaration: None, commands: Vec::new() };
        if let Err(Reported) = self.fill_pipeline(&mut pipeline, context, TokenKind::RightDelim) {
            self.skip_action();
        }
        pipeline
    }

    fn fill_pipeline(&mut self, pipeline: &mut Pipeline, context: &str, end: TokenKind) -> Parsed<()> {
        pipeline.declaration = self.declaration(context)?;
        if let Some(last) = pipeline.declaration.as_ref().and_then(|one| one.variables.last()) {
            pipeline.span = pipeline.span.to(last.span);
        }
        loop {
            let token = self.peek_significant();
            if token.kind == end {
                self.at += 1;
                return self.check_pipeline(pipeline, token, context);
            }
            if !starts_operand(token.kind) {
                self.next();
                return Err(self.unexpected(token, context));
            }
            let command = self.command()?;
            pipeline.span = pipeline.span.to(command.span);
            pipeline.commands.push(command);
        }
    }

    /// `$x :=`, `$x =` or, in a range, `$i, $x :=`; nothing is consumed when there is none.
    fn declaration(&mut self, context: &str) -> Parsed<Option<Declaration>> {
        let mut variables = Vec::new();
        loop {
            let before = self.at;
            let token = self.peek_significant();
            if token.kind != TokenKind::Variable {
                return Ok(None);
            }
            self.next();
            let after = self.peek_significant();
            let name = Spanned::new(token.span.slice(self.text).to_owned(), token.span);
            let kind = match after.kind {
                TokenKind::Declare => DeclarationKind::Declare,
                TokenKind::Assign => DeclarationKind::Assign,
                TokenKind::Char if after.span.slice(self.text) == "," => {
                    self.next();
                    variables.push(self.declare(name));
                    self.check_second_variable(context, variables.len(), after)?;
                    if self.peek().kind == TokenKind::Variable {
                        continue;
                    }
                    return Ok(None);
                }
                _ => {
                    self.at = before;
                    return Ok(None);
                }
            };
            self.next();
            variables.push(self.declare(name));
            return Ok(Some(Declaration { variables, kind }));
        }
    }

    /// Whether a comma may stand here; `count` variables stand before it.
    fn check_second_variable(&mut self, context: &str, count: usize, comma: Token) -> Parsed<()> {
        if context != "range" || count >= 2 {
            return Err(self.fail(format!("too many declarations in {context}"), comma.span));
        }
        let next = self.peek_significant();
        match next.kind {
            TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => Ok(()),
            _ => Err(self.fail("range can only initialize variables", next.span)),
        }
    }

    fn declare(&mut self, name: Spanned<String>) -> Spanned<String> {
        self.scope.variables.push(name.value.clone());
        name
    }

    fn check_pipeline(&mut self, pipeline: &Pipeline, end: Token, context: &str) -> Parsed<()> {
        if pipeline.commands.is_empty() {
            self.report(format!("missing value for {context}"), pipeline.span.to(end.span));
        }
        for (at, command) in pipeline.commands.iter().enumerate().skip(1) {
            let first = command.operands.first();
            if first.is_some_and(|first| !is_executable(first)) {
                self.report(format!("non executable command in pipeline stage {}", at + 1), command.span);
            }
        }
        Ok(())
    }

    /// Operands up to a pipe, which is consumed, or the end of the pipeline, which is not.
    fn command(&mut self) -> Parsed<Command> {
        let mut operands: Vec<Expr> = Vec::new();
        loop {
            let ahead = self.peek_significant();
            if starts_operand(ahead.kind) {
                operands.push(self.operand()?);
            }
            let token = self.next();
            match token.kind {
                TokenKind::Space => {}
                TokenKind::RightDelim | TokenKind::RightParen => {
                    self.at -= 1;
                    break;
                }
                TokenKind::Pipe => break,
                _ => return Err(self.unexpected(token, "operand")),
            }
        }
        let spans = operands.iter().map(Expr::span).reduce(Span::to);
        match spans {
            Some(span) => Ok(Command { span, operands }),
            None => Err(self.fail("empty command", self.peek().span)),
        }
    }

    fn operand(&mut self) -> Parsed<Expr> {
        let base = self.term()?;
        let fields = self.fields();
        let Some(last) = fields.last() else { return Ok(base) };
        let span = base.span().to(last.span);
        match base {
            Expr::Field(mut path) => {
                path.names.extend(fields);
                Ok(Expr::Field(FieldPath { span, names: path.names }))
            }
            Expr::Variable(variable) => Ok(Expr::Variable(Variable { name: variable.name, fields, span })),
            Expr::Paren(_) | Expr::Function(_) => Ok(Expr::Chain(Box::new(Chain { base, fields, span }))),
            _ => {
                let message = format!("unexpected . after term {:?}", base.span().slice(self.text));
                Err(self.fail(message, span))
            }
        }
    }

    fn fields(&mut self) -> Vec<Spanned<String>> {
        let mut fields = Vec::new();
        while self.peek().kind == TokenKind::Field {
            let token = self.next();
            fields.push(field_name(token, self.text));
        }
        fields
    }

    fn term(&mut self) -> Parsed<Expr> {
        let token = self.next();
        let span = token.span;
        let text = span.slice(self.text);
        Ok(match token.kind {
            TokenKind::Identifier => self.function(token),
            TokenKind::Keyword(Keyword::Dot) => Expr::Dot(span),
            TokenKind::Keyword(Keyword::Nil) => Expr::Nil(span),
            TokenKind::Variable => self.variable(token),
            TokenKind::Field => Expr::Field(FieldPath { span, names: vec![field_name(token, self.text)] }),
            TokenKind::Bool => Expr::Bool(Spanned::new(text == "true", span)),
            TokenKind::Number | TokenKind::Complex | TokenKind::CharConstant => {
                let value = number(text, token.kind).map_err(|message| self.fail(message, span))?;
                Expr::Number(Spanned::new(value, span))
            }
            TokenKind::String | TokenKind::RawString => Expr::Text(self.string(token)?),
            TokenKind::LeftParen => return self.parenthesis(token),
            _ => return Err(self.unexpected(token, "operand")),
        })
    }

    pub(super) fn string(&mut self, token: Token) -> Parsed<Spanned<String>> {
        match unquote(token.span.slice(self.text)) {
            Some(value) => Ok(Spanned::new(value, token.span)),
            None => Err(self.fail("invalid syntax", token.span)),
        }
    }

    fn function(&mut self, token: Token) -> Expr {
        let name = token.span.slice(self.text);
        if self.dialect.function(name).is_none() {
            self.report(format!("function {name:?} not defined"), token.span);
            let elsewhere = FUNCTIONS.iter().any(|spec| spec.name == name);
            if let Some(last) = self.diagnostics.last_mut().filter(|_| elsewhere) {
                last.notes.push(format!("{name} exists only in console templates"));
            }
        }
        Expr::Function(Spanned::new(name.to_owned(), token.span))
    }

    fn variable(&mut self, token: Token) -> Expr {
        let name = token.span.slice(self.text);
        if !self.scope.variables.iter().any(|known| known == name) {
            self.report(format!("undefined variable {name:?}"), token.span);
        }
        let name = Spanned::new(name.to_owned(), token.span);
        Expr::Variable(Variable { name, fields: Vec::new(), span: token.span })
    }

    fn parenthesis(&mut self, open: Token) -> Parsed<Expr> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fail("max expression depth exceeded", open.span));
        }
        let start = self.peek_significant().span.start as usize;
        let mut inner = Pipeline { span: Span::empty_at(start), declaration: None, commands: Vec::new() };
        self.depth += 1;
        let filled = self.fill_pipeline(&mut inner, "parenthesized pipeline", TokenKind::RightParen);
        self.depth -= 1;
        filled?;
        let close =
            self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(open.span, |one| one.span);
        Ok(Expr::Paren(Box::new(Spanned::new(inner, open.span.to(close)))))
    }

    /// The name of a definition.
    pub(super) fn definition_name(&mut self, context: &str) -> Parsed<Spanned<String>> {
        let token = self.next_significant();
        match token.kind {
            TokenKind::String | TokenKind::RawString => self.string(token),
            _ => Err(self.unexpected(token, context)),
        }
    }

    pub(super) fn at_keyword(&mut self, keyword: Keyword) -> bool {
        is_keyword(self.peek_significant(), keyword)
    }
}

fn field_name(token: Token, text: &str) -> Spanned<String> {
    let span = Span { start: token.span.start + 1, end: token.span.end };
    Spanned::new(span.slice(text).to_owned(), span)
}

fn starts_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Bool
            | TokenKind::CharConstant
            | TokenKind::Complex
            | TokenKind::Keyword(Keyword::Dot | Keyword::Nil)
            | TokenKind::Field
            | TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::RawString
            | TokenKind::String
            | TokenKind::Variable
            | TokenKind::LeftParen
    )
}

/// Whether a command that starts with `first` can take the value of the stage before it.
fn is_executable(first: &Expr) -> bool {
    !matches!(first, Expr::Bool(_) | Expr::Dot(_) | Expr::Nil(_) | Expr::Number(_) | Expr::Text(_))
}
