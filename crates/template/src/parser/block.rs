//! Text, actions and the control structures around them.

use narthex_diag::{Diagnostic, Span, Spanned};

use super::{DEPTH_MAX, Parsed, Parser, Reported, Scope, TEMPLATE_PARSE};
use crate::ast::{Block, Branch, Conditional, Definition, Node, Range, TemplateCall};
use crate::token::{Keyword, Token, TokenKind};

/// What ended a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// `{{end}}`.
    End,
    /// `{{else}}`.
    Else,
    /// `{{else` before an `if` or a `with`, which is the next token.
    ElseChain,
    /// The end of the text.
    Eof,
}

/// What an action turned out to be.
enum Item {
    Node(Node),
    /// It closes the block around it; the span covers it from `{{` on.
    Closing(Closing, Span),
    /// It did not parse, or was a definition.
    Nothing,
}

/// A control structure that takes a pipeline and a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Control {
    fn word(self) -> &'static str {
        match self {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        }
    }
}

impl Parser<'_> {
    /// The whole text.
    pub(super) fn root(&mut self) -> Block {
        let mut nodes = Vec::new();
        while self.peek().kind != TokenKind::Eof {
            if self.definition_starts() {
                self.definition();
                continue;
            }
            match self.item() {
                Item::Node(node) => nodes.push(node),
                Item::Closing(Closing::End, span) => self.report("unexpected {{end}}", span),
                Item::Closing(_, span) => {
                    self.report("unexpected {{else}}", span);
                    self.skip_chained_action();
                }
                Item::Nothing => {}
            }
        }
        Block { nodes, span: Span::new(0, self.text.len()) }
    }

    fn definition_starts(&mut self) -> bool {
        if self.peek().kind != TokenKind::LeftDelim {
            return false;
        }
        let at = self.at;
        self.at += 1;
        let found = self.at_keyword(Keyword::Define);
        self.at = at;
        found
    }

    /// Nodes up to what closes them. `open` is marked when nothing does.
    fn block(&mut self, open: Span) -> (Block, Closing, Span) {
        let start = self.peek().span.start as usize;
        let mut nodes = Vec::new();
        loop {
            let before = self.peek();
            if before.kind == TokenKind::Eof {
                self.unclosed(open, before);
                let span = Span::new(start, before.span.start as usize);
                return (Block { nodes, span }, Closing::Eof, before.span);
            }
            match self.item() {
                Item::Node(node) => nodes.push(node),
                Item::Closing(closing, span) => {
                    let body = Span::new(start, span.start as usize);
                    return (Block { nodes, span: body }, closing, span);
                }
                Item::Nothing => {}
            }
        }
    }

    fn unclosed(&mut self, open: Span, end: Token) {
        // An action that never ends hides the `{{end}}` that may stand in it.
        if self.tokens.iter().any(|token| matches!(token.kind, TokenKind::Error(_))) {
            return;
        }
        let message = "unexpected EOF";
        let diagnostic = Diagnostic::error(TEMPLATE_PARSE, message, end.span).with_label("expected {{end}}");
        self.diagnostics.push(diagnostic.with_secondary(open, "opened here"));
    }

    fn item(&mut self) -> Item {
        let token = self.next();
        match token.kind {
            TokenKind::Text => Item::Node(Node::Text(token.span)),
            TokenKind::Comment => Item::Node(Node::Comment(token.span)),
            TokenKind::LeftDelim => match self.action(token) {
                Ok(item) => item,
                Err(Reported) => {
                    self.skip_action();
                    Item::Nothing
                }
            },
            _ => {
                self.unexpected(token, "input");
                self.at = self.at.max(1);
                if self.peek().kind == TokenKind::RightDelim {
                    self.at += 1;
                }
                Item::Nothing
            }
        }
    }

    fn action(&mut self, open: Token) -> Parsed<Item> {
        let token = self.peek_significant();
        let TokenKind::Keyword(keyword) = token.kind else {
            return Ok(Item::Node(Node::Action(self.pipeline_to_end_of_action("command"))));
        };
        self.next();
        match keyword {
            Keyword::Block => self.block_definition(open),
            Keyword::Break => self.loop_exit(token, "{{break}}").map(Node::Break).map(Item::Node),
            Keyword::Continue => self.loop_exit(token, "{{continue}}").map(Node::Continue).map(Item::Node),
            Keyword::Else => self.else_clause(open),
            Keyword::End => {
                let close = self.expect(TokenKind::RightDelim, "end")?;
                Ok(Item::Closing(Closing::End, open.span.to(close.span)))
            }
            Keyword::If => self.nested(open, token, Control::If),
            Keyword::With => self.nested(open, token, Control::With),
            Keyword::Range => self.nested(open, token, Control::Range),
            Keyword::Template => self.template_call(token),
            Keyword::Define | Keyword::Dot | Keyword::Nil => {
                self.at -= 1;
                Ok(Item::Node(Node::Action(self.pipeline_to_end_of_action("command"))))
            }
        }
    }

    fn loop_exit(&mut self, token: Token, name: &str) -> Parsed<Span> {
        self.expect(TokenKind::RightDelim, name)?;
        if self.scope.loops == 0 {
            self.report(format!("{name} outside {{{{range}}}}"), token.span);
        }
        Ok(token.span)
    }

    fn else_clause(&mut self, open: Token) -> Parsed<Item> {
        if self.at_keyword(Keyword::If) || self.at_keyword(Keyword::With) {
            let span = open.span.to(self.peek().span);
            return Ok(Item::Closing(Closing::ElseChain, span));
        }
        let close = self.expect(TokenKind::RightDelim, "else")?;
        Ok(Item::Closing(Closing::Else, open.span.to(close.span)))
    }

    /// Past the `if …}}` after an `else` that has no place.
    fn skip_chained_action(&mut self) {
        if self.at_keyword(Keyword::If) || self.at_keyword(Keyword::With) {
            self.skip_action();
        }
    }

    fn nested(&mut self, open: Token, keyword: Token, control: Control) -> Parsed<Item> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fail("max nesting depth exceeded", keyword.span));
        }
        self.depth += 1;
        let variables = self.scope.variables.len();
        let opening = open.span.to(keyword.span);
        let node = match control {
            Control::Range => self.range(opening),
            Control::If => self.conditional(opening, control).map(Node::If),
            Control::With => self.conditional(opening, control).map(Node::With),
        };
        self.scope.variables.truncate(variables);
        self.depth -= 1;
        node.map(Item::Node)
    }

    fn range(&mut self, open: Span) -> Parsed<Node> {
        let pipeline = self.pipeline_to_end_of_action(Control::Range.word());
        self.scope.loops += 1;
        let (body, closing, mut close) = self.block(open);
        self.scope.loops -= 1;
        let otherwise = match closing {
            Closing::End | Closing::Eof => None,
            Closing::Else | Closing::ElseChain => {
                let (otherwise, end) = self.last_block(open, closing, close);
                close = end;
                Some(otherwise)
            }
        };
        Ok(Node::Range(Range { span: open.to(close), pipeline, body, otherwise }))
    }

    /// The block after an `else`, which only `end` may close. An `else if` that has no place is read as `else`.
    fn last_block(&mut self, open: Span, closing: Closing, else_span: Span) -> (Block, Span) {
        if closing == Closing::ElseChain {
            let token = self.peek();
            self.report(format!("unexpected <{}> in input", token.span.slice(self.text)), token.span);
            self.skip_action();
        }
        let (mut block, mut closing, mut close) = self.block(open);
        while matches!(closing, Closing::Else | Closing::ElseChain) {
            let span = close;
            let message = "expected end; found {{else}}";
            let diagnostic = Diagnostic::error(TEMPLATE_PARSE, message, span);
            self.diagnostics.push(diagnostic.with_secondary(else_span, "the first {{else}}"));
            self.skip_chained_action();
            let (more, next, end) = self.block(open);
            block.nodes.extend(more.nodes);
            block.span = block.span.to(more.span);
            (closing, close) = (next, end);
        }
        (block, close)
    }

    fn conditional(&mut self, open: Span, control: Control) -> Parsed<Conditional> {
        let keyword = if control == Control::If { Keyword::If } else { Keyword::With };
        let mut branches = Vec::new();
        loop {
            let pipeline = self.pipeline_to_end_of_action(control.word());
            let (body, closing, close) = self.block(open);
            branches.push(Branch { pipeline, body });
            let span = open.to(close);
            match closing {
                Closing::End | Closing::Eof => return Ok(Conditional { span, branches, otherwise: None }),
                Closing::ElseChain if self.at_keyword(keyword) => {
                    self.next();
                }
                Closing::Else | Closing::ElseChain => {
                    let (otherwise, end) = self.last_block(open, closing, close);
                    let otherwise = Some(otherwise);
                    return Ok(Conditional { span: open.to(end), branches, otherwise });
                }
            }
        }
    }

    fn template_call(&mut self, keyword: Token) -> Parsed<Item> {
        const CONTEXT: &str = "template clause";
        let name = self.definition_name(CONTEXT)?;
        let argument = if self.peek_significant().kind == TokenKind::RightDelim {
            self.next();
            None
        } else {
            Some(self.pipeline_to_end_of_action(CONTEXT))
        };
        Ok(Item::Node(Node::Call(call(keyword, name, argument))))
    }

    fn block_definition(&mut self, open: Token) -> Parsed<Item> {
        const CONTEXT: &str = "block clause";
        let keyword = Span::new(open.span.start as usize, self.peek().span.start as usize);
        let name = self.definition_name(CONTEXT)?;
        let argument = self.pipeline_to_end_of_action(CONTEXT);
        self.body_of(name.clone(), keyword, CONTEXT);
        Ok(Item::Node(Node::Call(call(open, name, Some(argument)))))
    }

    fn definition(&mut self) {
        const CONTEXT: &str = "define clause";
        let open = self.next();
        let keyword = self.next_significant();
        let name = self.definition_name(CONTEXT).and_then(|name| {
            self.expect(TokenKind::RightDelim, CONTEXT)?;
            Ok(name)
        });
        // The body is read even when its name is not, so that its `end` finds its partner.
        let name = name.unwrap_or_else(|Reported| {
            self.skip_action();
            Spanned::new(String::new(), keyword.span)
        });
        self.body_of(name, open.span.to(keyword.span), CONTEXT);
    }

    /// The body of a definition and its `end`.
    fn body_of(&mut self, name: Spanned<String>, open: Span, context: &str) {
        if self.depth >= DEPTH_MAX {
            return self.report("max nesting depth exceeded", open);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.scope, Scope::of_definition());
        let (body, closing, close) = self.block(open);
        if matches!(closing, Closing::Else | Closing::ElseChain) {
            self.report(format!("unexpected {{{{else}}}} in {context}"), close);
            self.skip_chained_action();
        }
        self.scope = outer;
        self.depth -= 1;
        self.add_definition(Definition { name, body });
    }

    fn add_definition(&mut self, definition: Definition) {
        let is_filled = |one: &Definition| !one.body.is_blank(self.text);
        let name = &definition.name;
        let earlier = self.definitions.iter().find(|one| one.name.value == name.value && is_filled(one));
        if let Some(earlier) = earlier.filter(|_| is_filled(&definition)) {
            let message = format!("multiple definition of template {:?}", name.value);
            let diagnostic = Diagnostic::error(TEMPLATE_PARSE, message, name.span);
            self.diagnostics.push(diagnostic.with_secondary(earlier.name.span, "the first definition"));
        }
        self.definitions.push(definition);
    }
}

fn call(keyword: Token, name: Spanned<String>, argument: Option<crate::ast::Pipeline>) -> TemplateCall {
    let end = argument.as_ref().map_or(name.span, |pipeline| pipeline.span);
    TemplateCall { span: keyword.span.to(name.span).to(end), name, argument }
}
