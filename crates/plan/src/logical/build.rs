//! Expression to plan: what the times of the query make of it.

use std::fmt;

use narthex_diag::{Code, Diagnostic, Span, Spanned};
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, MatchOp, Matcher};
use narthex_promql::Expr;
use narthex_promql::ast::{
    self, AtValue, DurationError, DurationExpr, DurationScope, GroupingKind, MatchingKind, UnaryOp, ValueType,
};
use narthex_promql::functions::{AbsentFunction, ConversionFunction, FunctionId};

use super::{
    Cardinality, Grouping, LogicalNode, LogicalPlan, Matching, MatchingLabels, QueryKind, QueryParameters,
    SelectedPart, Selector, TimeShift,
};

/// Why an expression has no plan at these times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuildError {
    message: String,
    span: Span,
}

impl BuildError {
    /// The fault at its place.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(Code("SYN002"), self.message.clone(), self.span)
    }

    /// Where the fault is.
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BuildError {}

impl From<DurationError> for BuildError {
    fn from(error: DurationError) -> BuildError {
        BuildError { message: error.to_string(), span: error.span }
    }
}

/// Makes the plan of an expression that was parsed without errors.
///
/// # Errors
/// When a duration expression has no usable value at these times, when a range query's expression is no scalar or
/// instant vector, or when the tree has an unreadable part.
pub fn build(expr: &Expr, parameters: QueryParameters) -> Result<LogicalPlan, BuildError> {
    let builder = Builder { parameters };
    let root = builder.node(expr)?;
    let root_type = root.value_type();
    if parameters.kind == QueryKind::Range
        && !matches!(root_type, ValueType::Scalar | ValueType::InstantVector)
    {
        let found = root_type.as_str();
        let message =
            format!("invalid expression type {found:?} for range query, must be Scalar or instant Vector");
        return Err(BuildError { message, span: expr.span() });
    }
    Ok(LogicalPlan { root, parameters })
}

struct Builder {
    parameters: QueryParameters,
}

impl Builder {
    /// Parentheses are stepped over and leaves made elsewhere: a level of nesting is to cost little stack.
    fn node(&self, expr: &Expr) -> Result<LogicalNode, BuildError> {
        match expr.without_parens() {
            Expr::Subquery(node) => self.subquery(node),
            Expr::Call(node) => self.call(node),
            Expr::Aggregate(node) => self.aggregate(node),
            Expr::Binary(node) => self.binary(node),
            Expr::Unary(node) => self.unary(node),
            leaf => self.leaf(leaf),
        }
    }

    fn leaf(&self, expr: &Expr) -> Result<LogicalNode, BuildError> {
        Ok(match expr {
            Expr::Number(node) => LogicalNode::Number { value: node.value, span: node.span },
            Expr::String(node) => LogicalNode::Text { value: node.value.clone(), span: node.span },
            Expr::Selector(node) => {
                LogicalNode::VectorSelector { selector: self.selector(node)?, part: SelectedPart::Value }
            }
            Expr::Matrix(node) => LogicalNode::MatrixSelector {
                selector: self.selector(&node.selector)?,
                range_ms: self.positive_ms(&node.range)?,
                span: node.span,
            },
            other => return Err(unreadable(other.span())),
        })
    }

    fn boxed(&self, expr: &Expr) -> Result<Box<LogicalNode>, BuildError> {
        self.node(expr).map(Box::new)
    }

    fn scope(&self) -> DurationScope {
        let range_ms = self.parameters.end_ms.saturating_sub(self.parameters.grid.start_ms);
        DurationScope { step_ms: self.parameters.step_ms(), range_ms }
    }

    fn positive_ms(&self, duration: &DurationExpr) -> Result<i64, BuildError> {
        Ok(duration.evaluate_positive_ms(self.scope())?)
    }

    fn selector(&self, node: &ast::VectorSelector) -> Result<Selector, BuildError> {
        let named = node.name.as_ref().map(|name| Matcher::equal(METRIC_NAME, &*name.value));
        let written = node.matchers.iter().map(|one| one.matcher.clone());
        Ok(Selector {
            span: node.span,
            matchers: written.chain(named).collect(),
            shift: self.shift(&node.modifiers)?,
            extension: node.modifiers.extension.map(|extension| extension.value),
            scan: None,
        })
    }

    fn shift(&self, modifiers: &ast::Modifiers) -> Result<TimeShift, BuildError> {
        let at_ms = modifiers.at.map(|at| match at.value {
            AtValue::Timestamp(at_ms) => at_ms,
            AtValue::Start => self.parameters.grid.start_ms,
            AtValue::End => self.parameters.end_ms,
        });
        let offset_ms =
            modifiers.offset.as_ref().map_or(Ok(0), |offset| offset.value.evaluate_ms(self.scope()))?;
        Ok(TimeShift { at_ms, offset_ms })
    }

    fn subquery(&self, node: &ast::Subquery) -> Result<LogicalNode, BuildError> {
        let step_ms = match &node.step {
            Some(step) => self.positive_ms(step)?,
            None => self.parameters.subquery_step_ms,
        };
        Ok(LogicalNode::Subquery {
            expr: self.boxed(&node.expr)?,
            range_ms: self.positive_ms(&node.range)?,
            step_ms: step_ms.max(1),
            shift: self.shift(&node.modifiers)?,
            span: node.span,
        })
    }

    fn call(&self, node: &ast::Call) -> Result<LogicalNode, BuildError> {
        let Some(function) = node.function else { return Err(unreadable(node.name)) };
        match (function, node.args.as_slice()) {
            (FunctionId::Absent(AbsentFunction::Absent | AbsentFunction::AbsentOverTime), [arg]) => {
                Ok(LogicalNode::Absent {
                    labels: absent_labels(arg),
                    expr: self.boxed(arg)?,
                    span: node.span,
                })
            }
            (FunctionId::Conversion(conversion), [arg]) => self.conversion(conversion, arg, node.span),
            (_, args) => {
                let args = args.iter().map(|arg| self.node(arg)).collect::<Result<_, _>>()?;
                Ok(LogicalNode::Call { function, args, span: node.span })
            }
        }
    }

    /// `timestamp` and `start_timestamp` of a selector read the sample's own times, of anything else, and be it the
    /// selector with a sign, the step's.
    fn conversion(
        &self,
        conversion: ConversionFunction,
        arg: &Expr,
        span: Span,
    ) -> Result<LogicalNode, BuildError> {
        let part = match conversion {
            ConversionFunction::Timestamp => Some(SelectedPart::Timestamp),
            ConversionFunction::StartTimestamp => Some(SelectedPart::StartTimestamp),
            ConversionFunction::Scalar | ConversionFunction::Vector => None,
        };
        let function = FunctionId::Conversion(conversion);
        let mut input = self.node(arg)?;
        let is_direct = matches!(arg.without_parens(), Expr::Selector(_));
        if let (Some(wanted), true, LogicalNode::VectorSelector { part, .. }) = (part, is_direct, &mut input)
        {
            *part = wanted;
        }
        Ok(LogicalNode::Call { function, args: vec![input], span })
    }

    fn aggregate(&self, node: &ast::Aggregate) -> Result<LogicalNode, BuildError> {
        let grouping = match &node.grouping {
            None => Grouping::By(Vec::new()),
            Some(grouping) => match grouping.keyword.value {
                GroupingKind::By => Grouping::By(sorted_names(&grouping.labels)),
                GroupingKind::Without => Grouping::Without(sorted_names(&grouping.labels)),
            },
        };
        Ok(LogicalNode::Aggregate {
            op: node.op,
            grouping,
            parameter: node.parameter.as_ref().map(|parameter| self.boxed(parameter)).transpose()?,
            expr: self.boxed(&node.expr)?,
            span: node.span,
        })
    }

    /// Chains lean to the left and may be long: they are walked, not recursed into.
    fn binary(&self, node: &ast::Binary) -> Result<LogicalNode, BuildError> {
        let mut chain = vec![node];
        let mut leftmost = node.lhs.without_parens();
        while let Expr::Binary(next) = leftmost {
            chain.push(next);
            leftmost = next.lhs.without_parens();
        }
        let mut built = self.node(leftmost)?;
        for node in chain.into_iter().rev() {
            built = LogicalNode::Binary {
                op: node.op,
                returns_bool: node.bool_modifier.is_some(),
                matching: matching(node),
                lhs: Box::new(built),
                rhs: self.boxed(&node.rhs)?,
                span: node.span,
            };
        }
        Ok(built)
    }

    fn unary(&self, node: &ast::Unary) -> Result<LogicalNode, BuildError> {
        let expr = self.boxed(&node.expr)?;
        Ok(match node.op.value {
            UnaryOp::Plus => *expr,
            UnaryOp::Minus => LogicalNode::Negate { expr, span: node.span },
        })
    }
}

fn unreadable(span: Span) -> BuildError {
    BuildError { message: "this part of the expression could not be read".into(), span }
}

fn matching(node: &ast::Binary) -> Matching {
    let labels = match &node.matching {
        None => MatchingLabels::Ignoring(Vec::new()),
        Some(matching) => match matching.keyword.value {
            MatchingKind::On => MatchingLabels::On(sorted_names(&matching.labels)),
            MatchingKind::Ignoring => MatchingLabels::Ignoring(sorted_names(&matching.labels)),
        },
    };
    let group = node.matching.as_ref().and_then(|matching| matching.group.as_ref());
    let cardinality = match group {
        _ if node.op.is_set() => Cardinality::ManyToMany,
        None => Cardinality::OneToOne,
        Some(group) => Cardinality::Grouped {
            many: group.keyword.value,
            include: group.labels.iter().map(|label| label.value.clone()).collect(),
        },
    };
    let fill = |value: Option<Spanned<f64>>| value.map(|value| value.value);
    Matching { labels, cardinality, fill_left: fill(node.fill.left), fill_right: fill(node.fill.right) }
}

fn sorted_names(labels: &[Spanned<Box<str>>]) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = labels.iter().map(|label| label.value.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The labels that a missing series would have had: each `=` matcher of a direct selector, unless its label is
/// mentioned twice. The metric name is left out.
fn absent_labels(arg: &Expr) -> Labels {
    let selector = match arg.without_parens() {
        Expr::Selector(selector) => selector,
        Expr::Matrix(matrix) => &matrix.selector,
        _ => return Labels::empty(),
    };
    let matchers: Vec<&Matcher> = selector.matchers.iter().map(|one| &one.matcher).collect();
    let mut builder = LabelsBuilder::new();
    for matcher in &matchers {
        let mentions = matchers.iter().filter(|other| other.name() == matcher.name()).count();
        if matcher.op() == MatchOp::Equal && mentions == 1 && matcher.name() != METRIC_NAME {
            builder.set(matcher.name(), &matcher.value().to_str_lossy());
        }
    }
    builder.build()
}
