//! What each kind of node makes of the values of its operands.

use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::{Aggregate, Binary, Call, UnaryOp, ValueType, VectorSelector};
use narthex_promql::functions::{
    ConversionFunction, DateFunction, FunctionId, MathFunction, OverTimeFunction, RateFunction,
    ScalarFunction, TrigonometryFunction,
};
use narthex_promql::operators::BinaryOp;

use super::correlation::compares_the_same;
use super::interval::Interval;
use super::operands::Operands;
use super::reason::{Reason, Why};
use super::values::{Basis, ValueFacts};

/// The values of `expr`; of a range vector, those of its samples.
pub(super) fn values_of<'e>(expr: &'e Expr, operands: Operands<'_, 'e>) -> ValueFacts {
    let inner = || operands.last().map_or_else(|| ValueFacts::any(expr.span()), |node| node.values);
    match expr {
        Expr::Number(node) => ValueFacts::constant(node.value, node.span),
        Expr::String(node) => ValueFacts::any(node.span),
        Expr::Error(span) => ValueFacts::any(*span),
        Expr::Selector(node) => of_selector(node),
        Expr::Matrix(node) => of_selector(&node.selector),
        Expr::Subquery(_) | Expr::Paren(_) => inner(),
        Expr::Unary(node) if node.op.value == UnaryOp::Plus => inner(),
        Expr::Unary(_) => {
            let values = inner();
            ValueFacts { floats: values.floats.negated(), ..values }
        }
        Expr::Call(node) => of_call(node, operands),
        Expr::Aggregate(node) => of_aggregate(node, operands),
        Expr::Binary(node) => of_binary(node, operands),
    }
}

/// Metrics whose values the server itself writes.
const WELL_KNOWN: [(&str, Interval); 2] = [("up", Interval::BOOL), ("ALERTS", Interval::ONE)];

fn of_selector(node: &VectorSelector) -> ValueFacts {
    let name = node.name.as_ref().map(|name| &*name.value);
    match WELL_KNOWN.iter().find(|(known, _)| Some(*known) == name) {
        Some((_, floats)) => ValueFacts {
            basis: Basis::Declared,
            ..ValueFacts::within(*floats, Reason::new(node.span, Why::WellKnown))
        },
        None => ValueFacts::any(node.span),
    }
}

fn of_call<'e>(node: &'e Call, operands: Operands<'_, 'e>) -> ValueFacts {
    let Some(function) = node.function else { return ValueFacts::any(node.span) };
    let input = |at| operands.argument(node, at).map_or_else(|| ValueFacts::any(node.span), |arg| arg.values);
    let reason = |why| Reason::new(node.span, why);
    match function {
        FunctionId::Rate(which) => of_rate(node, which, &input(0)),
        FunctionId::OverTime(which) => of_window(node, which, &input),
        FunctionId::Absent(_) => ValueFacts::within(Interval::ONE, reason(Why::One)),
        FunctionId::Math(which) => of_math(node, which, &input),
        FunctionId::Trigonometry(which) => of_angle(node, which),
        FunctionId::Date(which) => of_date(node, which),
        FunctionId::Scalar(ScalarFunction::Pi) => ValueFacts::constant(std::f64::consts::PI, node.span),
        FunctionId::Conversion(which) => of_conversion(node, which, &input(0)),
        FunctionId::Label(_) | FunctionId::Sort(_) | FunctionId::Info(_) => input(0),
        FunctionId::Scalar(_) | FunctionId::Regression(_) | FunctionId::Histogram(_) => {
            ValueFacts::any_float(node.span)
        }
    }
}

fn of_rate(node: &Call, which: RateFunction, input: &ValueFacts) -> ValueFacts {
    let any = ValueFacts { may_be_histogram: input.may_be_histogram, ..ValueFacts::any(node.span) };
    match which {
        RateFunction::Delta | RateFunction::Idelta => any,
        RateFunction::Rate | RateFunction::Increase | RateFunction::Irate => ValueFacts {
            floats: Interval::NON_NEGATIVE,
            basis: Basis::Declared,
            reason: Reason::new(node.span, Why::Counter),
            ..any
        },
    }
}

fn of_window(node: &Call, which: OverTimeFunction, input: &dyn Fn(usize) -> ValueFacts) -> ValueFacts {
    let reason = |why| Reason::new(node.span, why);
    let fixed = |floats, why| ValueFacts::within(floats, reason(why));
    match which {
        OverTimeFunction::Count => fixed(Interval::POSITIVE_COUNT, Why::Count),
        OverTimeFunction::Changes | OverTimeFunction::Resets => fixed(Interval::NATURAL, Why::EventCount),
        OverTimeFunction::Present => fixed(Interval::ONE, Why::One),
        OverTimeFunction::First | OverTimeFunction::Last => input(0),
        OverTimeFunction::Max | OverTimeFunction::Min => ValueFacts { may_be_histogram: false, ..input(0) },
        OverTimeFunction::Avg => mean(&input(0)),
        OverTimeFunction::Sum => sum(&input(0)),
        OverTimeFunction::Quantile => quantile(&input(0), &input(1)),
        OverTimeFunction::Stddev | OverTimeFunction::Stdvar | OverTimeFunction::Mad => {
            ValueFacts { may_be_nan: true, ..fixed(Interval::NON_NEGATIVE, Why::Spread) }
        }
        OverTimeFunction::TsOfFirst
        | OverTimeFunction::TsOfLast
        | OverTimeFunction::TsOfMax
        | OverTimeFunction::TsOfMin => ValueFacts::any_float(node.span),
    }
}

fn mean(input: &ValueFacts) -> ValueFacts {
    let is_undefined = input.floats.has_infinity() && input.floats.is_mixed();
    ValueFacts { floats: input.floats.blurred(), may_be_nan: input.may_be_nan || is_undefined, ..*input }
}

fn sum(input: &ValueFacts) -> ValueFacts {
    ValueFacts {
        floats: input.floats.summed(),
        may_be_nan: input.may_be_nan || input.floats.is_mixed(),
        ..*input
    }
}

fn quantile(phi: &ValueFacts, input: &ValueFacts) -> ValueFacts {
    let is_proper = phi.as_constant().is_some_and(|phi| (0.0..=1.0).contains(&phi));
    let floats = if is_proper { input.floats.blurred() } else { Interval::ALL };
    ValueFacts { floats, may_be_nan: true, may_be_histogram: false, ..*input }
}

fn of_math(node: &Call, which: MathFunction, input: &dyn Fn(usize) -> ValueFacts) -> ValueFacts {
    let values = ValueFacts { may_be_histogram: false, ..input(0) };
    let floats = values.floats;
    let with = |floats| ValueFacts { floats, ..values };
    let defined_from = |lowest: f64, image: Interval| ValueFacts {
        floats: image,
        may_be_nan: values.may_be_nan || floats.lo < lowest,
        ..values
    };
    let rising = |function: fn(f64) -> f64, lowest: f64| {
        let domain = floats.intersection(&Interval::closed(lowest, f64::INFINITY));
        defined_from(lowest, domain.mapped(function).blurred())
    };
    match which {
        MathFunction::Abs => with(absolute(&floats)),
        MathFunction::Ceil => with(floats.mapped(f64::ceil).whole()),
        MathFunction::Floor => with(floats.mapped(f64::floor).whole()),
        MathFunction::Round if node.args.len() == 1 => with(floats.mapped(|x| (x + 0.5).floor()).whole()),
        MathFunction::Round => ValueFacts::any_float(node.span),
        MathFunction::Sgn => ValueFacts {
            reason: Reason::new(node.span, Why::Bounded),
            ..with(floats.mapped(f64::signum).hull(&Interval::closed(0.0, 0.0)).whole())
        },
        MathFunction::Exp => with(floats.mapped(f64::exp).blurred()),
        MathFunction::Sqrt => rising(f64::sqrt, 0.0),
        MathFunction::Ln => rising(f64::ln, 0.0),
        MathFunction::Log2 => rising(f64::log2, 0.0),
        MathFunction::Log10 => rising(f64::log10, 0.0),
        MathFunction::Clamp => clamped(node, &values, Some(input(1)), Some(input(2))),
        MathFunction::ClampMin => clamped(node, &values, Some(input(1)), None),
        MathFunction::ClampMax => clamped(node, &values, None, Some(input(1))),
    }
}

fn absolute(floats: &Interval) -> Interval {
    if floats.is_empty() || floats.lo >= 0.0 {
        return *floats;
    }
    if floats.hi <= 0.0 {
        return floats.negated();
    }
    let hi = floats.hi.max(-floats.lo);
    Interval { is_integer: floats.is_integer, ..Interval::closed(0.0, hi) }
}

/// Results lie within the bounds, and within what the values reach; a bound that is NaN makes everything NaN.
fn clamped(node: &Call, values: &ValueFacts, min: Option<ValueFacts>, max: Option<ValueFacts>) -> ValueFacts {
    let constants = [min, max].map(|bound| bound.map(|bound| bound.as_constant().filter(|b| !b.is_nan())));
    let [min, max] = constants;
    if min == Some(None) || max == Some(None) {
        return ValueFacts::any_float(node.span);
    }
    let (min, max) = (min.flatten(), max.flatten());
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return ValueFacts { floats: Interval::EMPTY, may_be_nan: false, ..*values };
    }
    let (lowest, highest) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
    let within = |value: f64| value.max(lowest).min(highest);
    let floats = values.floats.mapped(within);
    let is_narrower = floats.lo != values.floats.lo || floats.hi != values.floats.hi;
    let reason = if is_narrower { Reason::new(node.span, Why::Bounded) } else { values.reason };
    ValueFacts { floats, reason, ..*values }
}

fn of_angle(node: &Call, which: TrigonometryFunction) -> ValueFacts {
    let unit = Interval::closed(-1.0, 1.0);
    match which {
        TrigonometryFunction::Sin | TrigonometryFunction::Cos | TrigonometryFunction::Tanh => {
            ValueFacts { may_be_nan: true, ..ValueFacts::within(unit, Reason::new(node.span, Why::Bounded)) }
        }
        _ => ValueFacts::any_float(node.span),
    }
}

fn of_date(node: &Call, which: DateFunction) -> ValueFacts {
    let (lo, hi) = match which {
        DateFunction::DayOfMonth => (1.0, 31.0),
        DateFunction::DayOfWeek => (0.0, 6.0),
        DateFunction::DayOfYear => (1.0, 366.0),
        DateFunction::DaysInMonth => (28.0, 31.0),
        DateFunction::Hour => (0.0, 23.0),
        DateFunction::Minute => (0.0, 59.0),
        DateFunction::Month => (1.0, 12.0),
        DateFunction::Year => return ValueFacts::any_float(node.span),
    };
    ValueFacts::within(Interval::closed(lo, hi).whole(), Reason::new(node.span, Why::Bounded))
}

fn of_conversion(node: &Call, which: ConversionFunction, input: &ValueFacts) -> ValueFacts {
    match which {
        ConversionFunction::Scalar => ValueFacts { may_be_nan: true, may_be_histogram: false, ..*input },
        ConversionFunction::Vector => *input,
        ConversionFunction::Timestamp | ConversionFunction::StartTimestamp => {
            ValueFacts::any_float(node.span)
        }
    }
}

fn of_aggregate<'e>(node: &'e Aggregate, operands: Operands<'_, 'e>) -> ValueFacts {
    let Some(input) = operands.last().map(|node| &node.values) else { return ValueFacts::any(node.span) };
    let fixed = |floats, why| ValueFacts::within(floats, Reason::new(node.op_span, why));
    match node.op {
        AggregateOp::Count | AggregateOp::CountValues => fixed(Interval::POSITIVE_COUNT, Why::Count),
        AggregateOp::Group => fixed(Interval::ONE, Why::One),
        AggregateOp::Sum => sum(input),
        AggregateOp::Avg => mean(input),
        AggregateOp::Min | AggregateOp::Max => ValueFacts { may_be_histogram: false, ..*input },
        AggregateOp::Stddev | AggregateOp::Stdvar => {
            ValueFacts { may_be_nan: true, ..fixed(Interval::NON_NEGATIVE, Why::Spread) }
        }
        AggregateOp::Quantile => {
            let phi = operands.pair().map(|(phi, _)| phi.values);
            quantile(&phi.unwrap_or_else(|| ValueFacts::any(node.span)), input)
        }
        AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio => *input,
    }
}

fn of_binary<'e>(node: &'e Binary, operands: Operands<'_, 'e>) -> ValueFacts {
    let Some((lhs, rhs)) = operands.pair() else { return ValueFacts::any(node.span) };
    let fill = |values: ValueFacts, fill: Option<narthex_diag::Spanned<f64>>| match fill {
        Some(fill) => values.union(&ValueFacts::constant(fill.value, fill.span)),
        None => values,
    };
    let (left, right) = (fill(lhs.values, node.fill.left), fill(rhs.values, node.fill.right));
    match node.op {
        BinaryOp::And if compares_the_same(node, lhs, rhs) => left.intersection(&right),
        BinaryOp::And | BinaryOp::Unless => left,
        BinaryOp::Or => left.union(&right),
        op if op.is_comparison() => compared(node, &left, &right),
        op => arithmetic(node, op, &left, &right),
    }
}

fn compared(node: &Binary, left: &ValueFacts, right: &ValueFacts) -> ValueFacts {
    if node.bool_modifier.is_some() {
        let bool_span = node.bool_modifier.unwrap_or(node.span);
        return ValueFacts::within(Interval::BOOL, Reason::new(bool_span, Why::Bool));
    }
    match node.lhs.value_type() {
        Some(ValueType::Scalar) => right.narrowed(mirrored(node.op), left, node.span),
        _ => left.narrowed(node.op, right, node.span),
    }
}

/// The comparison that says the same with its sides exchanged.
pub fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        same => same,
    }
}

fn arithmetic(node: &Binary, op: BinaryOp, left: &ValueFacts, right: &ValueFacts) -> ValueFacts {
    let (a, b) = (&left.floats, &right.floats);
    let both_infinite = a.has_infinity() && b.has_infinity();
    let is_whole = a.is_integer && b.is_integer;
    let (floats, is_undefined) = match op {
        BinaryOp::Add => (whole_if(is_whole, a.combined(b, |x, y| x + y)), both_infinite),
        BinaryOp::Sub => (whole_if(is_whole, a.combined(b, |x, y| x - y)), both_infinite),
        BinaryOp::Mul => {
            let is_undefined = (a.has_infinity() && b.contains(0.0)) || (b.has_infinity() && a.contains(0.0));
            (whole_if(is_whole, product(a, b)), is_undefined)
        }
        BinaryOp::Div => (quotient(a, b), both_infinite || (a.contains(0.0) && b.contains(0.0))),
        _ => (Interval::ALL, true),
    };
    let is_nothing = a.is_empty() && b.is_empty();
    ValueFacts {
        floats: if is_nothing { Interval::EMPTY } else { floats },
        may_be_nan: left.may_be_nan || right.may_be_nan || is_undefined,
        may_be_histogram: left.may_be_histogram || right.may_be_histogram,
        basis: left.basis.max(right.basis),
        reason: match (right.as_constant(), left.as_constant()) {
            (Some(_), _) => left.reason,
            (_, Some(_)) => right.reason,
            _ => Reason::new(node.span, Why::Derived),
        },
    }
}

fn whole_if(is_whole: bool, interval: Interval) -> Interval {
    if is_whole { interval.whole() } else { interval }
}

/// Zero times infinity is NaN, so that an end of zero times an infinite end gives no bound but zero.
fn product(a: &Interval, b: &Interval) -> Interval {
    a.combined(b, |x, y| if x == 0.0 || y == 0.0 { 0.0 } else { x * y })
}

fn quotient(a: &Interval, b: &Interval) -> Interval {
    if a.is_empty() || b.is_empty() {
        return Interval::EMPTY;
    }
    if b.lo > 0.0 || b.hi < 0.0 {
        return a.combined(b, |x, y| if y.is_infinite() { 0.0 } else { x / y });
    }
    let signs = (a.lo >= 0.0, b.lo >= 0.0 && !b.contains(-0.0));
    match signs {
        (true, true) => Interval::NON_NEGATIVE,
        _ => Interval::ALL,
    }
}
