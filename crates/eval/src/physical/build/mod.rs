//! Plan to operators: one dispatch by node here, one by function family in `call`, the rest in `combine`.

mod call;
mod combine;
mod shared;

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::StepGrid;
use narthex_plan::logical::TimeShift;
use narthex_plan::{LogicalNode, QueryParameters};
use narthex_promql::ValueType;
use narthex_storage::Querier;

use self::combine::{AggregateNode, BinaryNode};
use super::BoxedOperator;
use super::absent::{Absent, AbsentInput};
use super::histogram_stats::HistogramDetail;
use super::merge_duplicates::{Collision, MergeDuplicates};
use super::metered::{Metered, name_of};
use super::name_removal::NameRemoval;
use super::profiled::Profiled;
use super::scalar::{Number, ScalarInput};
use super::shared::Sharing;
use super::step_invariant::StepInvariant;
use super::subquery::{Nothing, SubquerySource, inner_grid};
use super::tally::{Counting, TalliedSelector, TalliedWindows, Tally};
use super::vector_selector::{Lookup, VectorSelector};
use super::window_source::{CountedBounds, MatrixSource, WindowLookup, WindowSource, window_bounds};
use crate::column::WindowBounds;
use crate::context::EvalOptions;
use crate::limits::LimitKind;
use crate::memory::Account;
use crate::{EvalError, EvalErrorKind, Limits, QueryContext};

/// Makes the operators of a plan.
#[derive(Clone)]
pub(crate) struct Builder<'a> {
    /// Where samples come from.
    pub(crate) querier: &'a dyn Querier,
    /// Switches that change meaning.
    pub(crate) options: EvalOptions,
    /// How much the query may use.
    pub(crate) limits: Limits,
    /// How much of histograms the parents of the node look at.
    pub(crate) histograms: HistogramDetail,
    /// For which steps the samples count that the node looks at, where samples are counted.
    pub(crate) counting: Counting,
    /// The times and defaults of the query.
    pub(crate) parameters: &'a QueryParameters,
    /// What the query holds.
    pub(crate) context: QueryContext,
    /// What operators share; `None` when each computes for itself.
    pub(crate) sharing: Option<Arc<Sharing<'a>>>,
}

/// An operator, or why there is none.
type Built<'a> = Result<BoxedOperator<'a>, EvalError>;

impl<'a> Builder<'a> {
    /// The operator of a whole query that yields a scalar or an instant vector.
    ///
    /// # Errors
    /// As [`Builder::operator`].
    pub(crate) fn root(&self, node: &'a LogicalNode) -> Built<'a> {
        let grid = self.parameters.grid;
        let operator = self.operator(node, grid)?;
        if !self.options.delayed_name_removal {
            return Ok(operator);
        }
        let unmarked = Box::new(NameRemoval::new(operator));
        Ok(Box::new(MergeDuplicates::new(unmarked, Collision::SameStep, grid.len, node.span())))
    }

    /// The operator of a node that yields scalars or instant vectors on `grid`.
    ///
    /// # Errors
    /// When an argument is invalid in itself, such as a regular expression, or a subquery has too many steps.
    pub(super) fn operator(&self, node: &'a LogicalNode, grid: StepGrid) -> Built<'a> {
        if let Some(shared) = self.shared(node, grid)? {
            return Ok(shared);
        }
        if let LogicalNode::Shared { expr, .. } = node {
            return self.operator(expr, grid);
        }
        if let Some(binary) = BinaryNode::of(node) {
            return self.looking_at(HistogramDetail::Full).binary(binary, grid);
        }
        Ok(self.metered(self.unmetered(node, grid)?, name_of(node), node.span(), grid))
    }

    /// An operator whose memory and time count.
    fn metered(
        &self,
        operator: BoxedOperator<'a>,
        name: &'static str,
        span: Span,
        grid: StepGrid,
    ) -> BoxedOperator<'a> {
        let context = self.context.for_part(name, span);
        let account = context.account().clone();
        self.profiled(Box::new(Metered::new(operator, context, grid.len)), grid, Some(account))
    }

    /// An operator that is measured, where operators are.
    fn profiled(
        &self,
        operator: BoxedOperator<'a>,
        grid: StepGrid,
        account: Option<Account>,
    ) -> BoxedOperator<'a> {
        match self.context.profile() {
            Some(profile) => Box::new(Profiled::new(operator, profile.clone(), grid.len, account)),
            None => operator,
        }
    }

    fn unmetered(&self, node: &'a LogicalNode, grid: StepGrid) -> Built<'a> {
        match node {
            LogicalNode::Number { value, .. } => Ok(Box::new(Number::new(*value, grid.len))),
            LogicalNode::VectorSelector { selector, part } => {
                let lookback_ms = self.parameters.lookback_ms;
                let (part, histograms) = (*part, self.histograms);
                let lookup = Lookup { selector, part, grid, lookback_ms, histograms };
                Ok(self.tallied_selector(Box::new(VectorSelector::new(lookup, self.querier))))
            }
            LogicalNode::Call { function, args, span } => {
                self.looking_at(self.histograms.below_call(*function)).call(*function, args, *span, grid)
            }
            LogicalNode::Absent { labels, expr, span } => {
                let input = match expr.value_type() {
                    ValueType::RangeVector => AbsentInput::Windows(self.windows(expr, grid)?),
                    _ => AbsentInput::Elements(self.operator(expr, grid)?),
                };
                Ok(Box::new(Absent::new(labels, input, grid.len, *span)))
            }
            LogicalNode::Aggregate { op, grouping, parameter, expr, span } => {
                let parameter = parameter.as_deref();
                self.aggregate(AggregateNode { op: *op, grouping, parameter, expr, span: *span }, grid)
            }
            LogicalNode::Negate { expr, span } => self.negate(expr, *span, grid),
            LogicalNode::StepInvariant { expr } => {
                let once = StepGrid { len: grid.len.min(1), ..grid };
                let input = self.repeated().operator(expr, once)?;
                Ok(Box::new(StepInvariant::new(input, grid.len)))
            }
            _ => Err(mistyped("an instant vector or scalar", node)),
        }
    }

    /// The windows of a node that yields range vectors, one per step of `grid`.
    ///
    /// # Errors
    /// As [`Builder::operator`].
    pub(super) fn windows(
        &self,
        node: &'a LogicalNode,
        grid: StepGrid,
    ) -> Result<Box<dyn WindowSource + 'a>, EvalError> {
        match node {
            LogicalNode::MatrixSelector { selector, range_ms, span } => {
                let lookback_ms = self.parameters.lookback_ms;
                let lookup = WindowLookup {
                    selector,
                    range_ms: *range_ms,
                    lookback_ms,
                    span: *span,
                    histograms: self.histograms,
                };
                let bounds = self.bounds(node, grid, selector.shift, *range_ms)?;
                Ok(self.tallied_windows(Box::new(MatrixSource::new(lookup, bounds, self.querier))))
            }
            LogicalNode::Subquery { expr, range_ms, step_ms, shift, span } => {
                let inner = inner_grid(grid, *shift, *range_ms, *step_ms);
                self.check_steps(inner, *span)?;
                // Without steps nothing is evaluated, and no mistake in an argument is seen.
                let operator = match inner.len {
                    0 => Box::new(Nothing) as BoxedOperator<'a>,
                    _ => self.looking_at(HistogramDetail::AlwaysFull).uncounted().operator(expr, inner)?,
                };
                let bounds = self.bounds(node, grid, *shift, *range_ms)?;
                let source = SubquerySource::new(operator, inner, bounds, *shift, *range_ms);
                Ok(self.tallied_windows(Box::new(source)))
            }
            // A window is the same at every step when its reference time is: nothing to repeat.
            LogicalNode::StepInvariant { expr } => self.windows(expr, grid),
            _ => Err(mistyped("a range vector", node)),
        }
    }

    /// The window of each step for a node that yields range vectors, within the memory of the query.
    fn bounds(
        &self,
        node: &LogicalNode,
        grid: StepGrid,
        shift: TimeShift,
        range_ms: i64,
    ) -> Result<CountedBounds, EvalError> {
        let part = self.context.for_part(name_of(node), node.span());
        // Collected first, then shared.
        let held = part.reserve(2 * grid.len * size_of::<WindowBounds>())?;
        Ok(CountedBounds::new(window_bounds(grid, shift, range_ms), held))
    }

    /// For the nodes below one that looks at so much of histograms.
    fn looking_at(&self, histograms: HistogramDetail) -> Builder<'a> {
        Builder { histograms, ..self.clone() }
    }

    /// For nodes whose samples do not count.
    fn uncounted(&self) -> Builder<'a> {
        Builder { counting: Counting::Nothing, ..self.clone() }
    }

    /// For nodes of one step that is repeated.
    fn repeated(&self) -> Builder<'a> {
        match self.counting {
            Counting::EachStep => Builder { counting: Counting::Repeated, ..self.clone() },
            Counting::Repeated | Counting::Nothing => self.clone(),
        }
    }

    /// A selector whose samples are counted, where samples are.
    fn tallied_selector(&self, selector: BoxedOperator<'a>) -> BoxedOperator<'a> {
        match self.tally() {
            Some(tally) => Box::new(TalliedSelector::new(selector, tally, self.counting)),
            None => selector,
        }
    }

    /// Windows whose samples are counted, where samples are.
    fn tallied_windows(&self, source: Box<dyn WindowSource + 'a>) -> Box<dyn WindowSource + 'a> {
        match self.tally() {
            Some(tally) => Box::new(TalliedWindows::new(source, tally, self.counting)),
            None => source,
        }
    }

    fn tally(&self) -> Option<Arc<Tally>> {
        let counts = self.counting != Counting::Nothing;
        self.context.tally().filter(|_| counts).map(Arc::clone)
    }

    /// Refuses the steps of a subquery when there are too many, before anything is made for each of them.
    fn check_steps(&self, grid: StepGrid, span: Span) -> Result<(), EvalError> {
        let (steps, max) = (grid.len, self.limits.steps_max);
        if steps <= max {
            return Ok(());
        }
        let message = format!("subquery would be evaluated at {steps} steps, more than the limit of {max}");
        Err(EvalError::limit(LimitKind::Steps, message, span))
    }

    /// A scalar argument.
    pub(super) fn scalar(&self, node: &'a LogicalNode, grid: StepGrid) -> Result<ScalarInput<'a>, EvalError> {
        Ok(ScalarInput::new(self.operator(node, grid)?, grid.len, node.span()))
    }

    /// An operator that takes names away; where they go at once, series may become identical.
    pub(super) fn without_names(
        &self,
        operator: BoxedOperator<'a>,
        collision: Collision,
        grid: StepGrid,
        span: Span,
    ) -> BoxedOperator<'a> {
        if self.options.delayed_name_removal {
            return operator;
        }
        let operator = self.profiled(operator, grid, None);
        Box::new(MergeDuplicates::new(operator, collision, grid.len, span))
    }
}

/// The error of something that has no operator.
fn not_implemented(name: &str, span: Span) -> EvalError {
    EvalError::new(EvalErrorKind::NotImplemented, format!("{name}() is not implemented yet"), span)
}

/// The error of a node that yields something else than its place needs; plans of checked expressions have none.
fn mistyped(expected: &str, node: &LogicalNode) -> EvalError {
    let found = node.value_type().as_str();
    EvalError::new(EvalErrorKind::Plan, format!("expected {expected}, got {found}"), node.span())
}
