//! Random valid trees.

use narthex_diag::{Span, Spanned};
use narthex_model::{MatchOp, Matcher};
use narthex_promql::ValueType;
use narthex_promql::aggregations::AGGREGATIONS;
use narthex_promql::ast::{
    Aggregate, At, AtValue, Binary, Call, DurationExpr, DurationOp, Expr, Fill, GroupModifier, GroupSide,
    Grouping, GroupingKind, LabelMatcher, MatchingKind, MatrixSelector, Modifiers, NumberLiteral, Offset,
    Paren, RangeExtension, StringLiteral, Subquery, Unary, UnaryOp, VectorMatching, VectorSelector,
};
use narthex_promql::functions::{FUNCTIONS, FunctionId, InfoFunction};
use narthex_promql::operators::{BinaryOp, OPERATORS, UNARY_PRECEDENCE};
use narthex_testkit::SplitMix64;

const NONE: Span = Span { start: 0, end: 0 };
const NAMES: [&str; 9] = ["up", "a:b", "sum", "by", "start", "offset", "step", "fill", "le_x1"];
const LABELS: [&str; 6] = ["job", "le", "on", "and", "a b", "bool"];
const TEXTS: [&str; 6] = ["x", "", "a.*", "é\"\\", "\n", "1|2"];

/// Makes trees out of a seed.
pub(crate) struct Generator {
    random: SplitMix64,
    depth: usize,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        Generator { random: SplitMix64::new(seed), depth: 0 }
    }

    /// An expression of any type.
    pub(crate) fn expr(&mut self) -> Expr {
        let types =
            [ValueType::InstantVector, ValueType::InstantVector, ValueType::Scalar, ValueType::RangeVector];
        let wanted = self.pick(&types);
        self.of(wanted)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *self.random.pick(items).unwrap()
    }

    fn maybe<T>(&mut self, chance: f64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.random.chance(chance).then(|| make(self))
    }

    fn of(&mut self, wanted: ValueType) -> Expr {
        self.depth += 1;
        let is_leaf = self.depth > 5 || self.random.chance(0.2);
        let expr = match wanted {
            ValueType::String => Expr::String(StringLiteral { value: self.pick(&TEXTS).into(), span: NONE }),
            ValueType::Scalar if is_leaf => self.number(),
            ValueType::InstantVector if is_leaf => Expr::Selector(Box::new(self.selector())),
            ValueType::RangeVector if is_leaf || self.random.chance(0.5) => self.matrix(),
            ValueType::RangeVector => self.subquery(),
            wanted => self.compound(wanted),
        };
        self.depth -= 1;
        expr
    }

    fn compound(&mut self, wanted: ValueType) -> Expr {
        match self.random.below(6) {
            0 => Expr::Paren(Box::new(Paren { span: NONE, expr: self.of(wanted) })),
            1 => self.unary(wanted),
            2 if wanted == ValueType::InstantVector => self.aggregate(),
            2 | 3 => self.call(wanted),
            _ => self.binary(wanted),
        }
    }

    fn number(&mut self) -> Expr {
        let is_duration = self.random.chance(0.3);
        let value = if is_duration {
            self.random.between(-100_000_000, 100_000_000) as f64 / 1000.0
        } else {
            self.pick(&[0.0, 1.0, -2.0, 0.05, 1e21, f64::INFINITY, 1e-7])
        };
        Expr::Number(NumberLiteral { value, is_duration, span: NONE })
    }

    fn label(&mut self) -> Spanned<Box<str>> {
        Spanned::new(self.pick(&LABELS).into(), NONE)
    }

    fn labels(&mut self) -> Vec<Spanned<Box<str>>> {
        (0..self.random.below(3)).map(|_| self.label()).collect()
    }

    fn selector(&mut self) -> VectorSelector {
        let matchers = (0..self.random.below(3)).map(|_| self.matcher()).collect();
        VectorSelector {
            span: NONE,
            name: Some(Spanned::new(self.pick(&NAMES).into(), NONE)),
            braces: None,
            matchers,
            modifiers: self.modifiers(true),
        }
    }

    fn matcher(&mut self) -> LabelMatcher {
        let op = self.pick(&[MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
        let (label, value) = (self.pick(&LABELS), self.pick(&["x", "", "a.*", "1|2"]));
        let matcher = Matcher::new(label, op, value.into()).unwrap();
        LabelMatcher { span: NONE, name: NONE, op: NONE, value: NONE, matcher }
    }

    fn modifiers(&mut self, has_extension: bool) -> Modifiers {
        let extensions = [RangeExtension::Anchored, RangeExtension::Smoothed];
        Modifiers {
            offset: self.maybe(0.2, |random| Offset { span: NONE, keyword: NONE, value: random.offset() }),
            at: self.maybe(0.2, |random| At { span: NONE, value: random.at() }),
            extension: self
                .maybe(0.1, |random| Spanned::new(random.pick(&extensions), NONE))
                .filter(|_| has_extension),
        }
    }

    fn at(&mut self) -> AtValue {
        let ms = self.random.between(-1_000_000, 2_000_000_000_000);
        self.pick(&[AtValue::Start, AtValue::End, AtValue::Timestamp(ms)])
    }

    fn offset(&mut self) -> DurationExpr {
        match self.random.below(4) {
            0 => DurationExpr::Paren { expr: Box::new(self.duration(3)), span: NONE },
            1 => DurationExpr::Step(NONE),
            2 => DurationExpr::Signed {
                is_negative: true,
                expr: Box::new(DurationExpr::Range(NONE)),
                span: NONE,
            },
            _ => {
                let ms = self.random.between(1, 1_000_000_000);
                let seconds = if self.random.chance(0.3) { -(ms as f64) } else { ms as f64 } / 1000.0;
                DurationExpr::Literal { seconds, is_duration: true, span: NONE }
            }
        }
    }

    fn whole_duration(&mut self) -> DurationExpr {
        if self.random.chance(0.2) { self.computed(3) } else { self.duration(0) }
    }

    fn duration(&mut self, depth: usize) -> DurationExpr {
        if depth == 0 || self.random.chance(0.5) {
            let seconds = self.random.between(1, 1_000_000_000) as f64 / 1000.0;
            DurationExpr::Literal { seconds, is_duration: true, span: NONE }
        } else {
            self.computed(depth - 1)
        }
    }

    /// Operands are literals or in parentheses, whatever the operator.
    fn computed(&mut self, depth: usize) -> DurationExpr {
        let ops = [DurationOp::Add, DurationOp::Sub, DurationOp::Div, DurationOp::Pow, DurationOp::MinOf];
        let op = self.pick(&ops);
        let mut operand = |wraps: bool| match self.duration(depth) {
            literal @ DurationExpr::Literal { .. } => Box::new(literal),
            other if wraps => Box::new(DurationExpr::Paren { expr: Box::new(other), span: NONE }),
            other => Box::new(other),
        };
        let wraps = !op.is_call();
        DurationExpr::Binary { op, lhs: operand(wraps), rhs: operand(wraps), span: NONE }
    }

    fn matrix(&mut self) -> Expr {
        let selector = self.selector();
        Expr::Matrix(Box::new(MatrixSelector {
            span: NONE,
            selector,
            brackets: NONE,
            range: self.whole_duration(),
        }))
    }

    fn subquery(&mut self) -> Expr {
        let expr = match self.of(ValueType::InstantVector) {
            bare @ (Expr::Binary(_) | Expr::Unary(_)) => {
                Expr::Paren(Box::new(Paren { span: NONE, expr: bare }))
            }
            other => other,
        };
        let (range, step) = (self.whole_duration(), self.maybe(0.5, Self::whole_duration));
        let modifiers = self.modifiers(false);
        Expr::Subquery(Box::new(Subquery { span: NONE, expr, brackets: NONE, range, step, modifiers }))
    }

    fn call(&mut self, wanted: ValueType) -> Expr {
        let info = FunctionId::Info(InfoFunction::Info);
        let usable: Vec<_> = FUNCTIONS.iter().filter(|row| row.returns == wanted && row.id != info).collect();
        let spec = *self.random.pick(&usable).unwrap();
        let extra = spec.args_max.unwrap_or(spec.args_min + 2) - spec.args_min;
        let count = spec.args_min + self.random.below(extra + 1);
        let args = (0..count).map(|at| self.of(spec.parameter(at).unwrap())).collect();
        Expr::Call(Box::new(Call { span: NONE, function: Some(spec.id), name: NONE, parens: NONE, args }))
    }

    fn aggregate(&mut self) -> Expr {
        let spec = self.pick(&AGGREGATIONS);
        let grouping = self.maybe(0.5, Self::grouping).filter(|grouping| {
            // An empty `by` is not printed.
            grouping.keyword.value == GroupingKind::Without || !grouping.labels.is_empty()
        });
        let parameter = spec.parameter.map(|wanted| self.of(wanted));
        let expr = self.of(ValueType::InstantVector);
        let op = spec.op;
        Expr::Aggregate(Box::new(Aggregate {
            span: NONE,
            op,
            op_span: NONE,
            grouping,
            parens: NONE,
            parameter,
            expr,
        }))
    }

    fn grouping(&mut self) -> Grouping {
        let kind = self.pick(&[GroupingKind::By, GroupingKind::Without]);
        Grouping { span: NONE, keyword: Spanned::new(kind, NONE), labels: self.labels() }
    }

    fn unary(&mut self, wanted: ValueType) -> Expr {
        let operand = self.of(wanted);
        let binds = match &operand {
            Expr::Binary(node) => node.op.precedence() > UNARY_PRECEDENCE,
            // The sign would become part of the number.
            Expr::Number(_) => false,
            _ => true,
        };
        let expr = if binds { operand } else { Expr::Paren(Box::new(Paren { span: NONE, expr: operand })) };
        let op = Spanned::new(self.pick(&[UnaryOp::Plus, UnaryOp::Minus]), NONE);
        Expr::Unary(Box::new(Unary { span: NONE, op, expr }))
    }

    fn binary(&mut self, wanted: ValueType) -> Expr {
        let (left, right) = match wanted {
            ValueType::Scalar => (ValueType::Scalar, ValueType::Scalar),
            _ => self.pick(&[
                (ValueType::InstantVector, ValueType::InstantVector),
                (ValueType::InstantVector, ValueType::Scalar),
                (ValueType::Scalar, ValueType::InstantVector),
            ]),
        };
        let is_vectors = left == ValueType::InstantVector && right == left;
        let usable: Vec<BinaryOp> =
            OPERATORS.iter().filter(|row| is_vectors || !row.op.is_set()).map(|row| row.op).collect();
        let op = self.pick(&usable);
        let needs_bool = wanted == ValueType::Scalar && op.is_comparison();
        let (lhs, rhs) = (self.of(left), self.of(right));
        Expr::Binary(Box::new(Binary {
            span: NONE,
            op,
            op_span: NONE,
            bool_modifier: (needs_bool || op.is_comparison() && self.random.chance(0.3)).then_some(NONE),
            matching: if is_vectors { self.matching(op) } else { None },
            fill: if is_vectors && !op.is_set() { self.fill() } else { Fill::default() },
            lhs: operand(lhs, op, Side::Left),
            rhs: operand(rhs, op, Side::Right),
        }))
    }

    fn matching(&mut self, op: BinaryOp) -> Option<VectorMatching> {
        let kind = self.pick(&[MatchingKind::On, MatchingKind::Ignoring]);
        let labels = vec![Spanned::new("job".into(), NONE)];
        let copied = self.maybe(0.5, |_| Spanned::new("copied".into(), NONE)).into_iter().collect();
        let group = self.maybe(0.4, |random| GroupModifier {
            keyword: Spanned::new(random.pick(&[GroupSide::Left, GroupSide::Right]), NONE),
            labels: copied,
        });
        let group = group.filter(|_| !op.is_set());
        self.maybe(0.4, |_| VectorMatching { keyword: Spanned::new(kind, NONE), labels, group })
    }

    fn fill(&mut self) -> Fill {
        let mut side = || self.maybe(0.2, |random| Spanned::new(random.pick(&[0.0, -23.0, 0.5]), NONE));
        Fill { left: side(), right: side() }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

/// The operand, in parentheses where the operator would take it apart.
fn operand(expr: Expr, op: BinaryOp, side: Side) -> Expr {
    let binds = match &expr {
        Expr::Binary(node) => {
            let (inner, outer) = (node.op.precedence(), op.precedence());
            let is_own_side = (side == Side::Right) == op.is_right_associative();
            inner > outer || (inner == outer && is_own_side)
        }
        Expr::Unary(_) => side == Side::Right || op.precedence() <= UNARY_PRECEDENCE,
        Expr::Number(node) if side == Side::Left => !node.value.is_sign_negative() || op != BinaryOp::Pow,
        _ => true,
    };
    if binds { expr } else { Expr::Paren(Box::new(Paren { span: NONE, expr })) }
}
