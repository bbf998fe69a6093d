//! Pipelines, commands and operands: from a tree to a value.

use narthex_diag::{Span, Spanned};

use super::{Executed, State, fail};
use crate::ast::{Command, DeclarationKind, Expr, Number, Pipeline, Variable};
use crate::value::Value;

/// What a command is applied to beside its dot.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'t, 'v> {
    /// The operands after the first.
    pub(super) written: &'t [Expr],
    /// The value of the stage before, the last argument.
    pub(super) piped: Option<&'v Value>,
}

impl Arguments<'_, '_> {
    pub(super) const NONE: Arguments<'static, 'static> = Arguments { written: &[], piped: None };

    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.piped.is_none()
    }
}

impl<'t> State<'t> {
    pub(super) fn pipeline(&mut self, dot: &Value, pipeline: &'t Pipeline) -> Executed<Value> {
        let mut value = None;
        for command in &pipeline.commands {
            self.charge(1, command.span)?;
            value = Some(self.command(dot, command, value.as_ref())?);
        }
        let value = value.unwrap_or(Value::Nil);
        let Some(declaration) = &pipeline.declaration else { return Ok(value) };
        for name in &declaration.variables {
            match declaration.kind {
                DeclarationKind::Declare => self.variables.push((&name.value, value.clone())),
                // In a range the assignment happens for each element.
                DeclarationKind::Assign => self.assign(&name.value, value.clone(), name.span)?,
            }
        }
        Ok(value)
    }

    fn command(&mut self, dot: &Value, command: &'t Command, piped: Option<&Value>) -> Executed<Value> {
        let Some((first, written)) = command.operands.split_first() else {
            return fail("empty command", command.span);
        };
        let arguments = Arguments { written, piped };
        match first {
            Expr::Function(name) => self.function(dot, name, command.span, arguments),
            Expr::Field(path) => self.field_chain(dot, dot.clone(), &path.names, path.span, arguments),
            Expr::Variable(variable) => self.variable_chain(dot, variable, arguments),
            Expr::Chain(chain) => {
                let base = self.operand(dot, &chain.base)?;
                self.field_chain(dot, base, &chain.fields, chain.span, arguments)
            }
            Expr::Nil(span) if arguments.is_empty() => fail("nil is not a command", *span),
            _ if arguments.is_empty() => self.operand(dot, first),
            _ => self.not_a_function(first.span()),
        }
    }

    fn not_a_function<T>(&self, span: Span) -> Executed<T> {
        fail(format!("can't give argument to non-function {}", self.text(span)), span)
    }

    fn variable_chain(
        &mut self,
        dot: &Value,
        variable: &'t Variable,
        arguments: Arguments<'t, '_>,
    ) -> Executed<Value> {
        let value = self.variable(&variable.name.value, variable.span)?;
        if variable.fields.is_empty() && !arguments.is_empty() {
            return self.not_a_function(variable.span);
        }
        self.field_chain(dot, value, &variable.fields, variable.span, arguments)
    }

    /// Reads field after field; the last takes the arguments, in case it is a method.
    fn field_chain(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        names: &'t [Spanned<String>],
        span: Span,
        arguments: Arguments<'t, '_>,
    ) -> Executed<Value> {
        for (at, name) in names.iter().enumerate() {
            let is_last = at + 1 == names.len();
            let arguments = if is_last { arguments } else { Arguments::NONE };
            let value = self.field(dot, &receiver, &name.value, span, arguments)?;
            // An empty entry of a map of anything is a nil interface, which unlike nil itself has no fields.
            if let (Value::Map(_), Value::Nil, Some(next)) = (&receiver, &value, names.get(at + 1)) {
                return fail(format!("nil pointer evaluating interface {{}}.{}", next.value), span);
            }
            receiver = value;
        }
        Ok(receiver)
    }

    /// An operand that is not called: an argument, a value in parentheses.
    pub(super) fn operand(&mut self, dot: &Value, operand: &'t Expr) -> Executed<Value> {
        match operand {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Nil(_) => Ok(Value::Nil),
            Expr::Bool(flag) => Ok(Value::Bool(flag.value)),
            Expr::Text(text) => Ok(Value::from(text.value.as_str())),
            Expr::Number(number) => self.constant(*number),
            Expr::Field(path) => self.field_chain(dot, dot.clone(), &path.names, path.span, Arguments::NONE),
            Expr::Variable(variable) => self.variable_chain(dot, variable, Arguments::NONE),
            Expr::Function(name) => self.function(dot, name, name.span, Arguments::NONE),
            Expr::Paren(inner) => self.nested(inner.span, |state| state.pipeline(dot, &inner.value)),
            Expr::Chain(chain) => {
                let base = self.operand(dot, &chain.base)?;
                self.field_chain(dot, base, &chain.fields, chain.span, Arguments::NONE)
            }
        }
    }

    fn constant(&self, number: Spanned<Number>) -> Executed<Value> {
        match number.value {
            Number::Int(value) => Ok(Value::Int(value)),
            Number::Float(value) => Ok(Value::Float(value)),
            Number::Unsigned(_) => fail(format!("{} overflows int", self.text(number.span)), number.span),
            Number::Complex(..) => fail("complex numbers are not supported", number.span),
        }
    }
}
