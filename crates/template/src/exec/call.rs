//! Calls: number and types of the arguments, then the function of the table.

use narthex_diag::{Span, Spanned};

use super::eval::Arguments;
use super::{Executed, State, fail};
use crate::ast::Expr;
use crate::functions::{Dialect, FunctionSpec, ParameterType};
use crate::value::Value;

impl<'t> State<'t> {
    pub(super) fn function(
        &mut self,
        dot: &Value,
        name: &Spanned<String>,
        span: Span,
        arguments: Arguments<'t, '_>,
    ) -> Executed<Value> {
        let Some(spec) = Dialect::Alert.function(&name.value) else {
            return fail(format!("{:?} is not a defined function", name.value), name.span);
        };
        check_count(spec, arguments, name.span)?;
        if matches!(spec.name, "and" | "or") {
            return self.short_circuit(dot, spec.name == "or", arguments);
        }
        let mut values = Vec::with_capacity(arguments.written.len() + 1);
        for argument in arguments.written {
            let wanted = parameter_type(spec, values.len());
            values.push(self.argument(dot, argument, wanted)?);
        }
        if let Some(piped) = arguments.piped {
            let wanted = parameter_type(spec, values.len());
            values.push(checked(piped.clone(), wanted, name.span)?);
        }
        let value = (spec.run)(&self.context, &values)
            .or_else(|message| fail(format!("error calling {}: {message}", spec.name), span))?;
        self.charge(value.as_text().map_or(0, str::len) / 64, span)?;
        Ok(value)
    }

    /// `and` and `or` leave the arguments after the deciding one alone.
    fn short_circuit(&mut self, dot: &Value, wanted: bool, arguments: Arguments<'t, '_>) -> Executed<Value> {
        let mut last = Value::Nil;
        for argument in arguments.written {
            last = self.operand(dot, argument)?;
            if last.is_true() == wanted {
                return Ok(last);
            }
        }
        Ok(arguments.piped.cloned().unwrap_or(last))
    }

    fn argument(&mut self, dot: &Value, argument: &'t Expr, wanted: ParameterType) -> Executed<Value> {
        let span = argument.span();
        let go_type = type_name(wanted);
        match argument {
            Expr::Nil(_) if !can_be_nil(wanted) => fail(format!("cannot assign nil to {go_type}"), span),
            Expr::Nil(_) => Ok(Value::Nil),
            Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) => match wanted {
                ParameterType::Text if !matches!(argument, Expr::Text(_)) => {
                    fail(format!("expected string; found {}", self.text(span)), span)
                }
                ParameterType::Samples | ParameterType::Sample => {
                    fail(format!("can't handle {} for arg of type {go_type}", self.text(span)), span)
                }
                _ => self.operand(dot, argument),
            },
            _ => {
                let value = self.operand(dot, argument)?;
                checked(value, wanted, span)
            }
        }
    }
}

/// The type of the argument at `at`.
fn parameter_type(spec: &FunctionSpec, at: usize) -> ParameterType {
    spec.parameters.get(at).copied().or(spec.variadic).unwrap_or(ParameterType::Any)
}

fn check_count(spec: &FunctionSpec, arguments: Arguments<'_, '_>, span: Span) -> Executed<()> {
    let written = arguments.written.len();
    let count = written + usize::from(arguments.piped.is_some());
    let fixed = spec.parameters.len();
    let name = spec.name;
    if spec.variadic.is_some() && count < fixed {
        return fail(format!("wrong number of args for {name}: want at least {fixed} got {written}"), span);
    }
    if spec.variadic.is_none() && count != fixed {
        return fail(format!("wrong number of args for {name}: want {fixed} got {count}"), span);
    }
    Ok(())
}

/// The value, when a parameter of that type takes it.
fn checked(value: Value, wanted: ParameterType, span: Span) -> Executed<Value> {
    let fits = match wanted {
        ParameterType::Text => matches!(value, Value::Text(_)),
        ParameterType::Samples => matches!(value, Value::Samples(_) | Value::Nil),
        ParameterType::Sample => matches!(value, Value::Sample(_) | Value::Nil),
        _ => true,
    };
    let go_type = type_name(wanted);
    match value {
        _ if fits => Ok(value),
        Value::Nil => fail(format!("invalid value; expected {go_type}"), span),
        _ => fail(format!("wrong type for value; expected {go_type}; got {}", value.type_name()), span),
    }
}

fn can_be_nil(wanted: ParameterType) -> bool {
    wanted != ParameterType::Text
}

fn type_name(wanted: ParameterType) -> &'static str {
    match wanted {
        ParameterType::Text => "string",
        ParameterType::Samples => "template.queryResult",
        ParameterType::Sample => "*template.sample",
        _ => "interface {}",
    }
}
