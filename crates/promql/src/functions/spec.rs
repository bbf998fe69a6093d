//! What the language knows of a function: its name, its parameters, what it yields.

use crate::ast::ValueType;

use super::FunctionId;

/// A row of the function table.
#[derive(Clone, Copy, Debug)]
pub struct FunctionSpec {
    /// The function.
    pub id: FunctionId,
    /// As written; case-sensitive.
    pub name: &'static str,
    /// Types of the arguments; the last repeats when more are allowed.
    pub parameters: &'static [ValueType],
    /// Fewest arguments.
    pub args_min: usize,
    /// Most arguments; `None` for any number.
    pub args_max: Option<usize>,
    /// What it yields.
    pub returns: ValueType,
    /// Whether it needs `promql-experimental-functions`.
    pub is_experimental: bool,
    /// What it yields, in one sentence.
    pub summary: &'static str,
}

impl FunctionSpec {
    /// The type that argument number `at` must have.
    pub fn parameter(&self, at: usize) -> Option<ValueType> {
        self.parameters.get(at).or(self.parameters.last()).copied()
    }
}
