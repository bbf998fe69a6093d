//! The tree of a plan.

pub mod build;
mod explain;
mod visit;

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::{Labels, Matcher, StepGrid, Text, TimeRange, Timestamp};
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::{GroupSide, RangeExtension, ValueType};
use narthex_promql::functions::FunctionId;
use narthex_promql::operators::BinaryOp;

/// Whether a query asks for one instant or for a range; they differ in order, root types and `step()`, not in how
/// they are computed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum QueryKind {
    /// One evaluation.
    Instant,
    /// Evaluations from a start to an end.
    Range,
}

/// The times of a query and the defaults its meaning depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryParameters {
    /// What is asked for.
    pub kind: QueryKind,
    /// When to evaluate.
    pub grid: StepGrid,
    /// End of the query as given; the last step may lie before it.
    pub end_ms: Timestamp,
    /// How far back an instant selector looks.
    pub lookback_ms: i64,
    /// Step of a subquery that names none.
    pub subquery_step_ms: i64,
}

impl QueryParameters {
    /// How far back a selector looks unless a server is told otherwise (`--query.lookback-delta`).
    pub const LOOKBACK_MS: i64 = 300_000;
    /// Step of a subquery that names none unless a server is told otherwise (`global.evaluation_interval`).
    pub const SUBQUERY_STEP_MS: i64 = 60_000;

    /// An evaluation at `at_ms`.
    pub fn instant(at_ms: Timestamp, lookback_ms: i64, subquery_step_ms: i64) -> QueryParameters {
        let grid = StepGrid::instant(at_ms);
        QueryParameters { kind: QueryKind::Instant, grid, end_ms: at_ms, lookback_ms, subquery_step_ms }
    }

    /// Evaluations from the range's first to its last instant.
    pub fn range(range: TimeRange, step_ms: i64, lookback_ms: i64, subquery_step_ms: i64) -> QueryParameters {
        let grid = StepGrid::range(range.min_ms, range.max_ms, step_ms);
        QueryParameters { kind: QueryKind::Range, grid, end_ms: range.max_ms, lookback_ms, subquery_step_ms }
    }

    /// Step of a range query as given, 0 for an instant query.
    pub fn step_ms(&self) -> i64 {
        match self.kind {
            QueryKind::Instant => 0,
            QueryKind::Range => self.grid.step_ms,
        }
    }
}

/// A plan: what to compute and when.
#[derive(Clone, PartialEq, Debug)]
pub struct LogicalPlan {
    /// The result.
    pub root: LogicalNode,
    /// The times.
    pub parameters: QueryParameters,
}

/// From which instant a selector or subquery looks back: the step time, or `at_ms` if fixed, minus the offset.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TimeShift {
    /// A fixed instant (`@`).
    pub at_ms: Option<Timestamp>,
    /// How far back (`offset`); negative for the future.
    pub offset_ms: i64,
}

impl TimeShift {
    /// The instant looked from when evaluating at `step_ms`.
    pub fn reference(self, step_ms: Timestamp) -> Timestamp {
        self.at_ms.unwrap_or(step_ms).saturating_sub(self.offset_ms)
    }
}

/// Which series, seen from when.
#[derive(Clone, PartialEq, Debug)]
pub struct Selector {
    /// Where it stands in the query.
    pub span: Span,
    /// All conditions, the metric name's included.
    pub matchers: Arc<[Matcher]>,
    /// From when.
    pub shift: TimeShift,
    /// How window borders are treated.
    pub extension: Option<RangeExtension>,
    /// Number of the scan that reads it together with other selectors of the plan, or of its group; `None` when it is
    /// read by itself.
    pub scan: Option<u32>,
}

impl Selector {
    /// The metric name, when exactly one is asked for.
    pub fn metric_name(&self) -> Option<&str> {
        let is_name = |matcher: &&Matcher| {
            matcher.name() == narthex_model::labels::METRIC_NAME
                && matcher.op() == narthex_model::MatchOp::Equal
        };
        self.matchers.iter().find(is_name).and_then(|matcher| matcher.value().as_str())
    }
}

/// What an instant selector yields of the sample it finds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SelectedPart {
    /// The sample.
    Value,
    /// When it was taken, in seconds: `timestamp(selector)`.
    Timestamp,
    /// When its counter started, in seconds: `start_timestamp(selector)`.
    StartTimestamp,
}

/// A node. Each yields one value per step of the grid it is evaluated on; only [`LogicalNode::Subquery`] (inner steps)
/// and [`LogicalNode::StepInvariant`] (one step) evaluate their child on another grid than their own.
#[derive(Clone, PartialEq, Debug)]
pub enum LogicalNode {
    /// A constant.
    Number {
        /// The value.
        value: f64,
        /// Where it stands.
        span: Span,
    },
    /// A string.
    Text {
        /// The value.
        value: Text,
        /// Where it stands.
        span: Span,
    },
    /// The newest sample of each series within the lookback.
    VectorSelector {
        /// Which series.
        selector: Selector,
        /// What of the sample.
        part: SelectedPart,
    },
    /// The samples of each series in a window.
    MatrixSelector {
        /// Which series.
        selector: Selector,
        /// Length of the window.
        range_ms: i64,
        /// The whole node; the selector's span leaves the brackets out.
        span: Span,
    },
    /// The values of an expression in a window of inner steps: the multiples of `step_ms` since the epoch.
    Subquery {
        /// What is evaluated.
        expr: Box<LogicalNode>,
        /// Length of the window.
        range_ms: i64,
        /// Distance of the inner steps.
        step_ms: i64,
        /// From when.
        shift: TimeShift,
        /// Where it stands.
        span: Span,
    },
    /// A function of its arguments.
    Call {
        /// Which function.
        function: FunctionId,
        /// The arguments in order.
        args: Vec<LogicalNode>,
        /// Where it stands.
        span: Span,
    },
    /// `absent` or `absent_over_time`: 1 with `labels` where the argument has nothing.
    Absent {
        /// Labels of the result.
        labels: Labels,
        /// A vector, or a window whose series count as there when they have a sample.
        expr: Box<LogicalNode>,
        /// Where it stands.
        span: Span,
    },
    /// An aggregation.
    Aggregate {
        /// Which operator.
        op: AggregateOp,
        /// Which groups.
        grouping: Grouping,
        /// `k`, φ, the ratio or the label.
        parameter: Option<Box<LogicalNode>>,
        /// What is aggregated.
        expr: Box<LogicalNode>,
        /// Where it stands.
        span: Span,
    },
    /// Two operands.
    Binary {
        /// Which operator.
        op: BinaryOp,
        /// Whether a comparison says 0 or 1 instead of filtering.
        returns_bool: bool,
        /// How elements of two vectors find their partners; not used when a side is scalar.
        matching: Matching,
        /// Left operand.
        lhs: Box<LogicalNode>,
        /// Right operand.
        rhs: Box<LogicalNode>,
        /// Where it stands.
        span: Span,
    },
    /// The operand with the opposite sign.
    Negate {
        /// The operand.
        expr: Box<LogicalNode>,
        /// Where it stands.
        span: Span,
    },
    /// A value that is the same at every step: computed once, then repeated.
    StepInvariant {
        /// What is computed.
        expr: Box<LogicalNode>,
    },
    /// A value that is computed once for all nodes of the same number, which are equal but for where they stand.
    Shared {
        /// The number, counted from 1 in the plan or its group.
        number: u32,
        /// What is computed.
        expr: Box<LogicalNode>,
    },
}

/// Which labels make a group.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Grouping {
    /// The listed labels, sorted, each once; none of them for one group of all.
    By(Vec<Box<str>>),
    /// All labels but the metric name and the listed ones, sorted, each once.
    Without(Vec<Box<str>>),
}

/// How elements of two vectors find their partners, and what the results carry.
#[derive(Clone, PartialEq, Debug)]
pub struct Matching {
    /// Which labels are compared.
    pub labels: MatchingLabels,
    /// How many partners there may be.
    pub cardinality: Cardinality,
    /// Stands in for a missing left partner.
    pub fill_left: Option<f64>,
    /// Stands in for a missing right partner.
    pub fill_right: Option<f64>,
}

/// Which labels are compared. Sorted, each once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum MatchingLabels {
    /// Only these.
    On(Vec<Box<str>>),
    /// All but the metric name and these.
    Ignoring(Vec<Box<str>>),
}

/// How many partners an element may have.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Cardinality {
    /// One on each side.
    OneToOne,
    /// `group_left`, `group_right`: many on the named side; the labels are copied from the other.
    Grouped {
        /// The side with many.
        many: GroupSide,
        /// Labels copied from the "one" side, in the order written.
        include: Vec<Box<str>>,
    },
    /// Set operators.
    ManyToMany,
}

impl LogicalNode {
    /// Where it stands in the query.
    pub fn span(&self) -> Span {
        match self {
            LogicalNode::VectorSelector { selector, .. } => selector.span,
            LogicalNode::StepInvariant { expr } | LogicalNode::Shared { expr, .. } => expr.span(),
            LogicalNode::Number { span, .. }
            | LogicalNode::Text { span, .. }
            | LogicalNode::MatrixSelector { span, .. }
            | LogicalNode::Subquery { span, .. }
            | LogicalNode::Call { span, .. }
            | LogicalNode::Absent { span, .. }
            | LogicalNode::Aggregate { span, .. }
            | LogicalNode::Binary { span, .. }
            | LogicalNode::Negate { span, .. } => *span,
        }
    }

    /// What it yields.
    pub fn value_type(&self) -> ValueType {
        match self {
            LogicalNode::Number { .. } => ValueType::Scalar,
            LogicalNode::Text { .. } => ValueType::String,
            LogicalNode::MatrixSelector { .. } | LogicalNode::Subquery { .. } => ValueType::RangeVector,
            LogicalNode::Call { function, .. } => function.spec().returns,
            LogicalNode::VectorSelector { .. }
            | LogicalNode::Absent { .. }
            | LogicalNode::Aggregate { .. } => ValueType::InstantVector,
            LogicalNode::Binary { lhs, rhs, .. } => match (lhs.value_type(), rhs.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::InstantVector,
            },
            LogicalNode::Negate { expr, .. }
            | LogicalNode::StepInvariant { expr }
            | LogicalNode::Shared { expr, .. } => expr.value_type(),
        }
    }
}
