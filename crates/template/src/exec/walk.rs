//! Nodes: text, control structures, template calls.

use narthex_diag::Span;

use super::{Executed, State, fail};
use crate::ast::{Block, Conditional, DeclarationKind, Node, Pipeline, Range, TemplateCall};
use crate::format::{Directive, Output, Shape, print_value};
use crate::value::Value;

/// How to go on after a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

/// What becomes of the dot in the branch taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dot {
    Kept,
    Replaced,
}

impl<'t> State<'t> {
    pub(super) fn block(&mut self, dot: &Value, block: &'t Block) -> Executed<Flow> {
        for node in &block.nodes {
            let flow = self.node(dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, dot: &Value, node: &'t Node) -> Executed<Flow> {
        match node {
            Node::Text(span) => {
                self.charge(1, *span)?;
                self.out.push(self.text(*span));
                self.check_output(*span)?;
            }
            Node::Comment(_) => {}
            Node::Action(pipeline) => self.action(dot, pipeline)?,
            Node::If(conditional) => return self.conditional(dot, conditional, Dot::Kept),
            Node::With(conditional) => return self.conditional(dot, conditional, Dot::Replaced),
            Node::Range(range) => return self.range(dot, range),
            Node::Call(call) => self.template_call(dot, call)?,
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn check_output(&self, span: Span) -> Executed<()> {
        if self.out.overflowed() { fail("output is too long", span) } else { Ok(()) }
    }

    fn action(&mut self, dot: &Value, pipeline: &'t Pipeline) -> Executed<()> {
        let value = self.pipeline(dot, pipeline)?;
        if pipeline.declaration.is_some() {
            return Ok(());
        }
        print_value(&mut self.out, &value, 'v', &Directive::default(), Shape::Action);
        self.check_output(pipeline.span)
    }

    fn conditional(&mut self, dot: &Value, conditional: &'t Conditional, mode: Dot) -> Executed<Flow> {
        let mark = self.variables.len();
        let flow = self.nested(conditional.span, |state| {
            for branch in &conditional.branches {
                let value = state.pipeline(dot, &branch.pipeline)?;
                if value.is_true() {
                    let dot = if mode == Dot::Replaced { &value } else { dot };
                    return state.block(dot, &branch.body);
                }
            }
            conditional.otherwise.as_ref().map_or(Ok(Flow::Next), |otherwise| state.block(dot, otherwise))
        });
        self.variables.truncate(mark);
        flow
    }

    fn range(&mut self, dot: &Value, range: &'t Range) -> Executed<Flow> {
        let mark = self.variables.len();
        let flow = self.nested(range.span, |state| {
            let value = state.pipeline(dot, &range.pipeline)?;
            if state.iterate(&value, range)? {
                return Ok(Flow::Next);
            }
            range.otherwise.as_ref().map_or(Ok(Flow::Next), |otherwise| state.block(dot, otherwise))
        });
        self.variables.truncate(mark);
        flow
    }

    /// Runs the body for each element; false when there is none.
    fn iterate(&mut self, value: &Value, range: &'t Range) -> Executed<bool> {
        let index = |at: usize| Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
        match value {
            Value::Nil => Ok(false),
            Value::Int(count) => self.count(*count, range),
            Value::Labels(labels) => {
                let entries = labels.iter().map(|(name, text)| (Value::from(name), Value::from(text)));
                self.elements(entries, range)
            }
            Value::Map(map) => {
                let entries = map.iter().map(|(key, value)| (Value::from(key.as_str()), value.clone()));
                self.elements(entries, range)
            }
            Value::Samples(samples) => {
                let entries = samples.iter().enumerate();
                self.elements(entries.map(|(at, sample)| (index(at), Value::Sample(sample.clone()))), range)
            }
            Value::List(items) => {
                self.elements(items.iter().enumerate().map(|(at, item)| (index(at), item.clone())), range)
            }
            other => fail(format!("range can't iterate over {}", shown(other)), range.pipeline.span),
        }
    }

    fn count(&mut self, count: i64, range: &'t Range) -> Executed<bool> {
        if range.pipeline.declaration.as_ref().is_some_and(|one| one.variables.len() > 1) {
            let message = format!("can't use {count} to iterate over more than one variable");
            return fail(message, range.pipeline.span);
        }
        self.elements((0..count.max(0)).map(|at| (Value::Nil, Value::Int(at))), range)
    }

    fn elements(
        &mut self,
        entries: impl Iterator<Item = (Value, Value)>,
        range: &'t Range,
    ) -> Executed<bool> {
        let mark = self.variables.len();
        let mut ran = false;
        for (key, element) in entries {
            ran = true;
            self.charge(1, range.pipeline.span)?;
            self.set_loop_variables(key, &element, range)?;
            let flow = self.block(&element, &range.body)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(ran)
    }

    /// One variable takes the element, two take index and element. Declared ones were pushed by the pipeline.
    fn set_loop_variables(&mut self, key: Value, element: &Value, range: &'t Range) -> Executed<()> {
        let Some(declaration) = &range.pipeline.declaration else { return Ok(()) };
        let values = match declaration.variables.len() {
            1 => vec![element.clone()],
            _ => vec![key, element.clone()],
        };
        if declaration.kind == DeclarationKind::Assign {
            for (name, value) in declaration.variables.iter().zip(values) {
                self.assign(&name.value, value, name.span)?;
            }
            return Ok(());
        }
        let first = self.variables.len().saturating_sub(values.len());
        for (variable, value) in self.variables.iter_mut().skip(first).zip(values) {
            variable.1 = value;
        }
        Ok(())
    }

    /// Runs a definition with its own variables.
    fn template_call(&mut self, dot: &Value, call: &'t TemplateCall) -> Executed<()> {
        self.charge(1 + self.template.definitions.len() / 8, call.span)?;
        let Some(definition) = self.template.definition(&call.name.value) else {
            return fail(format!("template {:?} not defined", call.name.value), call.span);
        };
        let dot = match &call.argument {
            Some(argument) => self.pipeline(dot, argument)?,
            None => Value::Nil,
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let flow = self.nested(call.span, |state| state.block(&dot, &definition.body));
        self.variables = outer;
        flow.map(|_| ()).map_err(|mut error| {
            error.definition.get_or_insert_with(|| call.name.value.clone());
            error
        })
    }
}

fn shown(value: &Value) -> String {
    let mut out = Output::with_limit(1000);
    print_value(&mut out, value, 'v', &Directive::default(), Shape::Argument);
    out.finish().unwrap_or_default()
}
