//! What a parsed template is made of; every node knows its bytes.

use narthex_diag::{Span, Spanned};

/// A parsed template together with the text its spans point into.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    /// The source text.
    pub text: String,
    /// What is rendered.
    pub root: Block,
    /// Bodies of `define` and `block`, in the order of the text.
    pub definitions: Vec<Definition>,
}

impl Template {
    /// The body that `template "name"` runs: the last non-empty definition of that name, else an empty one.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        let mut named = self.definitions.iter().filter(|one| one.name.value == name);
        let last = named.clone().next_back();
        named.rfind(|one| !one.body.is_blank(&self.text)).or(last)
    }
}

/// `{{define "name"}}…{{end}}`, or the body of a `{{block "name" …}}…{{end}}`.
#[derive(Clone, PartialEq, Debug)]
pub struct Definition {
    /// The name, spanned with its quotes.
    pub name: Spanned<String>,
    /// The body.
    pub body: Block,
}

/// A list of nodes up to the `end` or `else` that closes it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Block {
    /// The nodes in order.
    pub nodes: Vec<Node>,
    /// From the first byte after the opening action to the first byte of the closing one.
    pub span: Span,
}

impl Block {
    /// Whether the block holds nothing but white space and comments.
    pub fn is_blank(&self, text: &str) -> bool {
        self.nodes.iter().all(|node| match node {
            Node::Text(span) => span.slice(text).trim().is_empty(),
            Node::Comment(_) => true,
            _ => false,
        })
    }
}

/// One piece of a template.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// Text copied as it stands; trimming is already done.
    Text(Span),
    /// `{{/* … */}}`.
    Comment(Span),
    /// `{{pipeline}}`.
    Action(Pipeline),
    /// `{{if}}…{{else if}}…{{else}}…{{end}}`.
    If(Conditional),
    /// `{{with}}…{{else with}}…{{else}}…{{end}}`: like `if`, but the value becomes the dot.
    With(Conditional),
    /// `{{range}}…{{else}}…{{end}}`.
    Range(Range),
    /// `{{template "name" pipeline}}`, also left behind by `{{block}}`.
    Call(TemplateCall),
    /// `{{break}}`.
    Break(Span),
    /// `{{continue}}`.
    Continue(Span),
}

/// The branches of an `if` or a `with`.
#[derive(Clone, PartialEq, Debug)]
pub struct Conditional {
    /// From the opening `{{` to the closing `}}`.
    pub span: Span,
    /// Tried in order; the first whose pipeline is true is rendered. Never empty.
    pub branches: Vec<Branch>,
    /// Rendered when none is true.
    pub otherwise: Option<Block>,
}

/// A condition and what it guards.
#[derive(Clone, PartialEq, Debug)]
pub struct Branch {
    /// The condition.
    pub pipeline: Pipeline,
    /// The guarded nodes.
    pub body: Block,
}

/// A loop.
#[derive(Clone, PartialEq, Debug)]
pub struct Range {
    /// From the opening `{{` to the closing `}}`.
    pub span: Span,
    /// What is walked.
    pub pipeline: Pipeline,
    /// Rendered for each element.
    pub body: Block,
    /// Rendered when there is no element.
    pub otherwise: Option<Block>,
}

/// The rendering of a definition in place.
#[derive(Clone, PartialEq, Debug)]
pub struct TemplateCall {
    /// The bytes between the delimiters.
    pub span: Span,
    /// Name of the definition.
    pub name: Spanned<String>,
    /// What becomes its dot; nil when absent.
    pub argument: Option<Pipeline>,
}

/// `$a, $b := command | command | …`.
#[derive(Clone, PartialEq, Debug)]
pub struct Pipeline {
    /// From the first variable or command to the end of the last command.
    pub span: Span,
    /// Variables set from the value.
    pub declaration: Option<Declaration>,
    /// Each command's value is the last argument of the next. Empty only where the pipeline did not parse.
    pub commands: Vec<Command>,
}

/// The left side of `:=` or `=`.
#[derive(Clone, PartialEq, Debug)]
pub struct Declaration {
    /// One variable, or two in a `range`; names with their `$`.
    pub variables: Vec<Spanned<String>>,
    /// Whether it declares or assigns.
    pub kind: DeclarationKind,
}

/// `:=` or `=`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeclarationKind {
    /// `:=`, a new variable that lives until the end of the block.
    Declare,
    /// `=`, a new value for a variable that exists.
    Assign,
}

/// Operands beside each other: a call with its arguments, or one value.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// All operands.
    pub span: Span,
    /// Never empty; only the first can be called.
    pub operands: Vec<Expr>,
}

/// One operand.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    /// `.`
    Dot(Span),
    /// `nil`
    Nil(Span),
    /// `true`, `false`
    Bool(Spanned<bool>),
    /// A numeric or character constant.
    Number(Spanned<Number>),
    /// A quoted or raw string, decoded; the span covers the quotes.
    Text(Spanned<String>),
    /// `.a.b`
    Field(FieldPath),
    /// `$x.a.b`
    Variable(Variable),
    /// A function name.
    Function(Spanned<String>),
    /// `(pipeline)`, the span with the parentheses.
    Paren(Box<Spanned<Pipeline>>),
    /// `(pipeline).a.b` or `function.a.b`.
    Chain(Box<Chain>),
}

impl Expr {
    /// The bytes of the operand.
    pub fn span(&self) -> Span {
        match self {
            Expr::Dot(span) | Expr::Nil(span) => *span,
            Expr::Bool(value) => value.span,
            Expr::Number(value) => value.span,
            Expr::Text(value) | Expr::Function(value) => value.span,
            Expr::Field(path) => path.span,
            Expr::Variable(variable) => variable.span,
            Expr::Paren(inner) => inner.span,
            Expr::Chain(chain) => chain.span,
        }
    }
}

/// `.a.b` applied to the dot.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldPath {
    /// The whole path.
    pub span: Span,
    /// Names without their dots (their spans neither); never empty.
    pub names: Vec<Spanned<String>>,
}

/// A variable and the fields read from it.
#[derive(Clone, PartialEq, Debug)]
pub struct Variable {
    /// The name with its `$`; `$` alone is the data the template was given.
    pub name: Spanned<String>,
    /// Fields read from it, may be empty.
    pub fields: Vec<Spanned<String>>,
    /// Name and fields.
    pub span: Span,
}

/// Fields read from a call or a parenthesis.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    /// What is read from.
    pub base: Expr,
    /// Never empty.
    pub fields: Vec<Spanned<String>>,
    /// Base and fields.
    pub span: Span,
}

/// A constant, as Go types an untyped one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Number {
    /// Fits a signed 64-bit integer and is not written as a float.
    Int(i64),
    /// Written with a point or an exponent.
    Float(f64),
    /// Fits only an unsigned 64-bit integer; using it is an error, parsing it is not.
    Unsigned(u64),
    /// Real and imaginary part; parsed, never evaluated.
    Complex(f64, f64),
}
