//! How a template becomes text.

mod call;
mod eval;
mod field;
mod walk;

use std::fmt;

use narthex_diag::{Code, Diagnostic, Span};
use narthex_model::Timestamp;

use crate::ast::Template;
use crate::format::Output;
use crate::functions::Context;
use crate::value::{Data, Sample, Value};

/// The code of an error met while rendering.
pub const TEMPLATE_EXECUTION: Code = Code("TPL004");

/// How deep blocks, parentheses and template calls may nest while rendering.
pub const EXECUTION_DEPTH_MAX: usize = 256;

/// Answers the queries of a template.
pub trait QuerySource {
    /// The samples of the instant query `expression` at `at_ms` (Unix milliseconds). A scalar is one sample without
    /// labels.
    ///
    /// # Errors
    /// What the engine says; it becomes part of the rendering error.
    fn query(&self, expression: &str, at_ms: Timestamp) -> Result<Vec<Sample>, String>;
}

/// For templates that must not query: every query is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoQueries;

impl QuerySource for NoQueries {
    fn query(&self, _: &str, _: Timestamp) -> Result<Vec<Sample>, String> {
        Err("queries are not available here".to_owned())
    }
}

/// What a rendering may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Longest output, and longest text a function may make, in bytes.
    pub output_bytes_max: usize,
    /// Nodes and commands run; every 64 bytes of text that a function makes count as one more.
    pub steps_max: u64,
}

impl Limits {
    /// Far above any real alert text: 1 MiB, a million steps.
    pub const GENEROUS: Limits = Limits { output_bytes_max: 1 << 20, steps_max: 1_000_000 };
}

/// Why rendering stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecError {
    /// What happened.
    pub message: String,
    /// The node it happened at.
    pub span: Span,
    /// The definition it happened in; `None` outside of all.
    pub definition: Option<String>,
}

/// Bytes of the declarations of `$labels`, `$externalLabels`, `$externalURL` and `$value` that a server puts before the
/// text of an alert template, and that its columns count.
const DECLARATIONS_BYTES: usize = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
    {{$externalURL := .ExternalURL}}{{$value := .Value}}"
    .len();

impl ExecError {
    /// The error as a server words it for a template called `name`:
    /// `template: name:line:column: executing "name" at <node>: message`.
    ///
    /// The node is the source text with single spaces. Errors about fields of a parenthesis, assignments to unknown
    /// variables and template calls are placed at that node; a server places them at a part of it.
    pub fn to_server_text(&self, template: &Template, name: &str) -> String {
        let text = &template.text;
        let node = self.span.slice(text);
        // A server places a chain of fields at the first field after its base.
        let field =
            node.get(1..).filter(|_| node.starts_with(['$', '.'])).and_then(|rest| rest.find(['.', ' ']));
        let field = field.map(|at| at + 1).filter(|&at| node.as_bytes().get(at) == Some(&b'.')).unwrap_or(0);
        let before = text.get(..self.span.start as usize + field).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = match before.rsplit_once('\n') {
            Some((_, last)) => last.len(),
            None => DECLARATIONS_BYTES + before.len(),
        };
        let executing = self.definition.as_deref().unwrap_or(name);
        let shown = node.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = &self.message;
        format!("template: {name}:{line}:{column}: executing {executing:?} at <{shown}>: {message}")
    }

    /// The error as a diagnostic of the template's text.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(TEMPLATE_EXECUTION, self.message.clone(), self.span)
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExecError {}

/// Renders the template of an alerting rule.
///
/// # Errors
/// The first error met; what was rendered before it is lost. A template that did not parse without diagnostics may
/// fail anywhere.
pub fn render(
    template: &Template,
    data: &Data,
    queries: &dyn QuerySource,
    limits: Limits,
) -> Result<String, ExecError> {
    let dot = data.to_record();
    let mut variables = vec![("$", dot.clone())];
    let set = [("$labels", "Labels"), ("$externalLabels", "ExternalLabels"), ("$externalURL", "ExternalURL")];
    if let Value::Record(record) = &dot {
        for (name, field) in set.into_iter().chain([("$value", "Value")]) {
            let value =
                record.fields.iter().find(|(known, _)| *known == field).map(|(_, value)| value.clone());
            variables.push((name, value.unwrap_or(Value::Nil)));
        }
    }
    let mut state = State {
        template,
        context: Context { data, queries, text_bytes_max: limits.output_bytes_max },
        out: Output::with_limit(limits.output_bytes_max),
        variables,
        steps_left: limits.steps_max,
        depth: 0,
    };
    state.block(&dot, &template.root)?;
    let end = Span::empty_at(template.text.len());
    state.out.finish().ok_or_else(|| ExecError {
        message: "output is too long".to_owned(),
        span: end,
        definition: None,
    })
}

type Executed<T> = Result<T, ExecError>;

/// A rendering under way.
struct State<'t> {
    template: &'t Template,
    context: Context<'t>,
    out: Output,
    /// The innermost and latest last.
    variables: Vec<(&'t str, Value)>,
    steps_left: u64,
    depth: usize,
}

/// An error at `span`.
fn fail<T>(message: impl Into<String>, span: Span) -> Executed<T> {
    Err(ExecError { message: message.into(), span, definition: None })
}

impl<'t> State<'t> {
    /// The text under a span.
    fn text(&self, span: Span) -> &'t str {
        span.slice(&self.template.text)
    }

    /// Counts `steps`; an error when there have been too many.
    fn charge(&mut self, steps: usize, span: Span) -> Executed<()> {
        match self.steps_left.checked_sub(steps as u64) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => fail("template takes too many steps", span),
        }
    }

    /// One level deeper for the time of `inner`.
    fn nested<T>(&mut self, span: Span, inner: impl FnOnce(&mut Self) -> Executed<T>) -> Executed<T> {
        if self.depth >= EXECUTION_DEPTH_MAX {
            return fail(format!("exceeded maximum template depth ({EXECUTION_DEPTH_MAX})"), span);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn variable(&mut self, name: &str, span: Span) -> Executed<Value> {
        let found = self.variables.iter().rev().enumerate().find(|(_, (known, _))| *known == name);
        match found.map(|(distance, (_, value))| (distance, value.clone())) {
            Some((distance, value)) => self.charge(distance / 64, span).map(|()| value),
            None => fail(format!("undefined variable: {name}"), span),
        }
    }

    fn assign(&mut self, name: &str, value: Value, span: Span) -> Executed<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(variable) => {
                variable.1 = value;
                Ok(())
            }
            None => fail(format!("undefined variable: {name}"), span),
        }
    }
}
