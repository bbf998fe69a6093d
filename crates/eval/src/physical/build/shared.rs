//! Nodes whose values others take too: where they are produced, and who takes them.

use std::sync::{Arc, Mutex};

use narthex_model::StepGrid;
use narthex_plan::LogicalNode;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::functions::FunctionId;

use super::Builder;
use super::combine::AggregateNode;
use crate::EvalError;
use crate::physical::BoxedOperator;
use crate::physical::aggregate_state::AggregateState;
use crate::physical::metered::name_of;
use crate::physical::range_function::RangeFunction;
use crate::physical::selector_text;
use crate::physical::shared::{
    Fed, Kernel, Key, Outline, RangeKernel, SharedAggregate, SharedReader, Sharing, Source, constant_column,
    selector_of,
};
use crate::physical::vector_selector::Lookup;
use crate::physical::window_source::has_few_segments;

/// A producer, and what it does where that is to be described.
type Found<'a> = (Source<'a>, Option<Outline>);

/// Windows from this length on, that of a block, have chunks in them as a whole.
const SUMMED_UP_MIN_MS: i64 = 2 * 3_600_000;

impl<'a> Builder<'a> {
    /// The operator of a node whose value others may take too.
    pub(super) fn shared(
        &self,
        node: &'a LogicalNode,
        grid: StepGrid,
    ) -> Result<Option<BoxedOperator<'a>>, EvalError> {
        let Some((source, outline)) = self.source(node, grid)? else { return Ok(None) };
        let node = unshared(node);
        let link = source.join(node, &self.context);
        let builder = self.alone();
        let alone = Box::new(move || builder.operator(node, grid));
        let reader = Box::new(SharedReader::new(link, alone, source.line, outline));
        Ok(Some(self.metered(reader, name_of(node), node.span(), grid)))
    }

    /// An aggregation that is handed its input while others are.
    pub(super) fn fed(
        &self,
        node: AggregateNode<'a>,
        grid: StepGrid,
    ) -> Result<Option<BoxedOperator<'a>>, EvalError> {
        let AggregateNode { op, grouping, parameter, expr, span } = node;
        // The one with a parameter keeps all samples anyway.
        if op == AggregateOp::Quantile || parameter.is_some() {
            return Ok(None);
        }
        let Some((source, outline)) = self.source(expr, grid)? else { return Ok(None) };
        let state = AggregateState::new(op, grouping, grid.len, expr.span());
        let fed = Arc::new(Mutex::new(Fed::new(state, self.context.for_part(op.as_str(), span))));
        let link = source.join_sink(fed.clone(), unshared(expr), &self.context);
        let builder = self.alone();
        let alone = Box::new(move || builder.aggregate(node, grid));
        let input = Outline::new(source.line, outline);
        Ok(Some(Box::new(SharedAggregate::new(link, fed, alone, input))))
    }

    /// For nodes that are computed by themselves.
    fn alone(&self) -> Builder<'a> {
        Builder { sharing: None, ..self.clone() }
    }

    /// Where the value of a node is produced, if others take it too.
    fn source(&self, node: &'a LogicalNode, grid: StepGrid) -> Result<Option<Found<'a>>, EvalError> {
        let Some(sharing) = &self.sharing else { return Ok(None) };
        let LogicalNode::Shared { number, expr } = node else {
            return Ok(self.tap(sharing, node, grid)?.map(|source| (source, None)));
        };
        let key: Key = (*number, grid, self.histograms);
        if let Some(source) = sharing.find(&key) {
            return Ok(Some((source, None)));
        }
        let (source, outline) = match self.tap(sharing, expr, grid)? {
            Some(source) => (source, None),
            None => self.hub(sharing, *number, expr, grid)?,
        };
        sharing.insert(key, &source);
        Ok(Some((source, outline)))
    }

    /// A tree of operators that several read from.
    fn hub(
        &self,
        sharing: &Arc<Sharing<'a>>,
        number: u32,
        node: &'a LogicalNode,
        grid: StepGrid,
    ) -> Result<Found<'a>, EvalError> {
        let listeners = Arc::default();
        let context = sharing.heard_by(&listeners);
        let operator = Builder { context, ..self.clone() }.operator(node, grid)?;
        Ok(sharing.hub(number, node, operator, listeners, grid.len))
    }

    /// An outlet of the scan that a node is computed from.
    fn tap(
        &self,
        sharing: &Arc<Sharing<'a>>,
        node: &'a LogicalNode,
        grid: StepGrid,
    ) -> Result<Option<Source<'a>>, EvalError> {
        let Some((selector, scan)) = selector_of(node).and_then(|one| Some((one, one.scan?))) else {
            return Ok(None);
        };
        let (kernel, line) = match node {
            _ if self.leaves_gaps(node, grid) || is_summed_up(node, grid) => return Ok(None),
            LogicalNode::VectorSelector { part, .. } => {
                let (lookback_ms, part) = (self.parameters.lookback_ms, *part);
                let lookup = Lookup { selector, part, grid, lookback_ms, histograms: self.histograms };
                (Kernel::Instant(lookup), format!("select {}", selector_text(selector)))
            }
            LogicalNode::Call { function, args, .. } => {
                let Some(function) = range_function(*function) else { return Ok(None) };
                let kernel = self.range_kernel(function, node, args, grid)?;
                let window = super::super::window_text(kernel.range_ms, selector);
                (Kernel::Range(kernel), format!("{} over {window}", function.id().as_str()))
            }
            _ => return Ok(None),
        };
        Ok(sharing.tap((scan, grid), self.querier, node, kernel, &line))
    }

    /// Whether steps are so far apart that samples between them need not be read: stores are told where to look, which a
    /// scan of everything is not.
    fn leaves_gaps(&self, node: &LogicalNode, grid: StepGrid) -> bool {
        let range_ms = match node {
            LogicalNode::Call { args, .. } => args.iter().find_map(window_ms),
            _ => Some(self.parameters.lookback_ms),
        };
        grid.len > 1 && range_ms.is_some_and(|range_ms| grid.step_ms > range_ms)
    }

    fn range_kernel(
        &self,
        function: RangeFunction,
        node: &'a LogicalNode,
        args: &'a [LogicalNode],
        grid: StepGrid,
    ) -> Result<RangeKernel, EvalError> {
        let mut parameters = Vec::new();
        let mut window = None;
        for arg in args {
            match arg {
                LogicalNode::Number { value, .. } => parameters.push(constant_column(*value, grid.len)),
                LogicalNode::MatrixSelector { selector, range_ms, .. } => {
                    window = Some((selector, *range_ms, arg));
                }
                _ => {}
            }
        }
        let (selector, range_ms, arg) = window.ok_or_else(|| super::call::too_few_arguments(node.span()))?;
        let bounds = self.bounds(arg, grid, selector.shift, range_ms)?;
        let (call_span, arg_span) = (node.span(), args.first().map_or(node.span(), LogicalNode::span));
        let histograms = self.histograms.below_call(function.id());
        Ok(RangeKernel { function, range_ms, bounds, parameters, call_span, arg_span, histograms })
    }
}

/// Whether a store that knows what samples amount to need not decode most of them: a scan decodes all.
fn is_summed_up(node: &LogicalNode, grid: StepGrid) -> bool {
    let LogicalNode::Call { function, args, .. } = node else { return false };
    let is_known = range_function(*function).is_some_and(|function| function.need().is_some());
    let range_ms = args.iter().find_map(window_ms).filter(|range_ms| *range_ms >= SUMMED_UP_MIN_MS);
    let step_ms = if grid.len > 1 { grid.step_ms } else { 0 };
    is_known && range_ms.is_some_and(|range_ms| has_few_segments(range_ms, step_ms))
}

fn window_ms(node: &LogicalNode) -> Option<i64> {
    match node {
        LogicalNode::MatrixSelector { range_ms, .. } => Some(*range_ms),
        _ => None,
    }
}

/// The node that is computed.
fn unshared(node: &LogicalNode) -> &LogicalNode {
    match node {
        LogicalNode::Shared { expr, .. } => expr,
        other => other,
    }
}

fn range_function(function: FunctionId) -> Option<RangeFunction> {
    match function {
        FunctionId::Rate(function) => Some(RangeFunction::Rate(function)),
        FunctionId::OverTime(function) => Some(RangeFunction::OverTime(function)),
        FunctionId::Regression(function) => Some(RangeFunction::Regression(function)),
        _ => None,
    }
}
