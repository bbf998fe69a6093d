//! How a linter walks a template: every branch, every call, every field read.

use crate::ast::{
    Block, Command, Conditional, Definition, Expr, Node, Pipeline, Range, Template, TemplateCall,
};

/// Called for the nodes of a template in the order of the text. Every method's default walks on; one that is
/// overridden calls the `walk_` function of the same name to go deeper.
pub trait Visitor<'t> {
    /// A list of nodes.
    fn block(&mut self, block: &'t Block) {
        walk_block(self, block);
    }

    /// One node of a list.
    fn node(&mut self, node: &'t Node) {
        walk_node(self, node);
    }

    /// An `if`: the dot stays.
    fn conditional(&mut self, conditional: &'t Conditional) {
        walk_conditional(self, conditional);
    }

    /// A `with`: in the body of each branch the dot is the branch's value, in the last `else` it stays.
    fn with(&mut self, conditional: &'t Conditional) {
        walk_conditional(self, conditional);
    }

    /// A loop: in the body the dot is the element, in the `else` it stays.
    fn range(&mut self, range: &'t Range) {
        walk_range(self, range);
    }

    /// A `template` action.
    fn template_call(&mut self, call: &'t TemplateCall) {
        walk_template_call(self, call);
    }

    /// The body of a `define` or `block`: the dot is what the call passes, no variable but `$` is set.
    fn definition(&mut self, definition: &'t Definition) {
        walk_definition(self, definition);
    }

    /// A pipeline, also a parenthesized one.
    fn pipeline(&mut self, pipeline: &'t Pipeline) {
        walk_pipeline(self, pipeline);
    }

    /// A command; `piped` is the command whose value is its last argument.
    fn command(&mut self, command: &'t Command, piped: Option<&'t Command>) {
        let _ = piped;
        walk_command(self, command);
    }

    /// An operand.
    fn expr(&mut self, expr: &'t Expr) {
        walk_expr(self, expr);
    }
}

/// Walks the root and then the definitions.
pub fn walk_template<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, template: &'t Template) {
    visitor.block(&template.root);
    for definition in &template.definitions {
        visitor.definition(definition);
    }
}

/// Walks the nodes of a block.
pub fn walk_block<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, block: &'t Block) {
    for node in &block.nodes {
        visitor.node(node);
    }
}

/// Walks what a node holds.
pub fn walk_node<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, node: &'t Node) {
    match node {
        Node::Text(_) | Node::Comment(_) | Node::Break(_) | Node::Continue(_) => {}
        Node::Action(pipeline) => visitor.pipeline(pipeline),
        Node::If(conditional) => visitor.conditional(conditional),
        Node::With(conditional) => visitor.with(conditional),
        Node::Range(range) => visitor.range(range),
        Node::Call(call) => visitor.template_call(call),
    }
}

/// Walks all branches.
pub fn walk_conditional<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, conditional: &'t Conditional) {
    for branch in &conditional.branches {
        visitor.pipeline(&branch.pipeline);
        visitor.block(&branch.body);
    }
    if let Some(otherwise) = &conditional.otherwise {
        visitor.block(otherwise);
    }
}

/// Walks the pipeline, the body and the `else` of a loop.
pub fn walk_range<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, range: &'t Range) {
    visitor.pipeline(&range.pipeline);
    visitor.block(&range.body);
    if let Some(otherwise) = &range.otherwise {
        visitor.block(otherwise);
    }
}

/// Walks the argument of a `template` action.
pub fn walk_template_call<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, call: &'t TemplateCall) {
    if let Some(argument) = &call.argument {
        visitor.pipeline(argument);
    }
}

/// Walks the body of a definition.
pub fn walk_definition<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, definition: &'t Definition) {
    visitor.block(&definition.body);
}

/// Walks the commands of a pipeline.
pub fn walk_pipeline<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, pipeline: &'t Pipeline) {
    let mut piped = None;
    for command in &pipeline.commands {
        visitor.command(command, piped);
        piped = Some(command);
    }
}

/// Walks the operands of a command.
pub fn walk_command<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, command: &'t Command) {
    for operand in &command.operands {
        visitor.expr(operand);
    }
}

/// Walks what an operand holds.
pub fn walk_expr<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, expr: &'t Expr) {
    match expr {
        Expr::Paren(inner) => visitor.pipeline(&inner.value),
        Expr::Chain(chain) => visitor.expr(&chain.base),
        _ => {}
    }
}
