//! Functions.

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, MatchOp, Matcher, Timestamp};
use narthex_promql::Expr;
use narthex_promql::ast::{Call, ValueType};
use narthex_promql::functions::{
    AbsentFunction, ConversionFunction, FunctionId, MathFunction, OverTimeFunction, RegressionFunction,
    ScalarFunction, SortFunction,
};

use super::{Element, Oracle, OracleError, Value, unsupported, window};

impl Oracle<'_> {
    pub(super) fn call(&self, node: &Call, at_ms: Timestamp) -> Result<Value, OracleError> {
        let Some(function) = node.function else { return unsupported("an unknown function") };
        match function {
            FunctionId::Absent(function) => self.absent(function, node, at_ms),
            FunctionId::Math(function) => self.math(function, node, at_ms),
            FunctionId::Scalar(function) => self.scalar_function(function, node, at_ms).map(Value::Scalar),
            FunctionId::Conversion(function) => self.conversion(function, node, at_ms),
            FunctionId::Sort(SortFunction::Sort | SortFunction::SortDesc) => self.value(&node.args[0], at_ms),
            _ => self.window_function(function, node, at_ms),
        }
    }

    fn window_function(
        &self,
        function: FunctionId,
        node: &Call,
        at_ms: Timestamp,
    ) -> Result<Value, OracleError> {
        let is_range = |arg: &&Expr| arg.value_type() == Some(ValueType::RangeVector);
        let is_scalar = |arg: &&Expr| arg.value_type() == Some(ValueType::Scalar);
        let Some(arg) = node.args.iter().find(is_range) else { return unsupported(function.as_str()) };
        let parameter = match node.args.iter().find(is_scalar) {
            Some(parameter) => self.scalar(parameter, at_ms)?,
            None => f64::NAN,
        };
        let keeps_name =
            matches!(function, FunctionId::OverTime(OverTimeFunction::First | OverTimeFunction::Last));
        let mut elements = Vec::new();
        for mut window in self.windows(arg, at_ms)? {
            if function == FunctionId::Regression(RegressionFunction::PredictLinear) {
                // The line is continued from the evaluation time, wherever the window ends.
                window.end_ms = at_ms;
            }
            let Some(value) = window::value(function, &window, parameter) else {
                return unsupported(function.as_str());
            };
            elements.extend(value.map(|value| Element {
                labels: window.labels.clone(),
                drops_name: window.drops_name || !keeps_name,
                value,
                taken_ms: 0,
            }));
        }
        Ok(Value::Vector(elements))
    }

    fn absent(&self, function: AbsentFunction, node: &Call, at_ms: Timestamp) -> Result<Value, OracleError> {
        let is_empty = match function {
            AbsentFunction::Absent => self.vector(&node.args[0], at_ms)?.is_empty(),
            AbsentFunction::AbsentOverTime => {
                self.windows(&node.args[0], at_ms)?.iter().all(|window| window.samples.is_empty())
            }
        };
        let labels = absent_labels(node.args[0].without_parens());
        let element = Element { labels, ..Element::unlabelled(1.0) };
        Ok(Value::Vector(if is_empty { vec![element] } else { Vec::new() }))
    }

    fn math(&self, function: MathFunction, node: &Call, at_ms: Timestamp) -> Result<Value, OracleError> {
        let rest = node.args.iter().skip(1).map(|arg| self.scalar(arg, at_ms));
        let parameters: Vec<f64> = rest.collect::<Result<_, _>>()?;
        let elements = self.vector(&node.args[0], at_ms)?.into_iter();
        let changed =
            elements.filter_map(|one| Some(one.with(math_value(function, one.value, &parameters)?)));
        Ok(Value::Vector(changed.collect()))
    }

    fn scalar_function(
        &self,
        function: ScalarFunction,
        node: &Call,
        at_ms: Timestamp,
    ) -> Result<f64, OracleError> {
        let scope = self.scope();
        Ok(match function {
            ScalarFunction::Time => at_ms as f64 / 1000.0,
            ScalarFunction::Pi => std::f64::consts::PI,
            ScalarFunction::Start => self.parameters.grid.start_ms as f64 / 1000.0,
            ScalarFunction::End => self.parameters.end_ms as f64 / 1000.0,
            ScalarFunction::Range => scope.range_ms as f64 / 1000.0,
            ScalarFunction::Step => scope.step_ms as f64 / 1000.0,
            ScalarFunction::MinOf | ScalarFunction::MaxOf => {
                let (a, b) = (self.scalar(&node.args[0], at_ms)?, self.scalar(&node.args[1], at_ms)?);
                let takes_first = if function == ScalarFunction::MinOf { a < b } else { a > b };
                if a.is_nan() || b.is_nan() { f64::NAN } else { [b, a][usize::from(takes_first)] }
            }
        })
    }

    fn conversion(
        &self,
        function: ConversionFunction,
        node: &Call,
        at_ms: Timestamp,
    ) -> Result<Value, OracleError> {
        let arg = &node.args[0];
        Ok(match function {
            ConversionFunction::Vector => Value::Vector(vec![Element::unlabelled(self.scalar(arg, at_ms)?)]),
            ConversionFunction::Scalar => match self.vector(arg, at_ms)?.as_slice() {
                [one] => Value::Scalar(one.value),
                _ => Value::Scalar(f64::NAN),
            },
            ConversionFunction::Timestamp => {
                let is_sample = matches!(arg.without_parens(), Expr::Selector(_));
                let time_ms = |one: &Element| if is_sample { one.taken_ms } else { at_ms };
                let elements = self.vector(arg, at_ms)?.into_iter();
                Value::Vector(elements.map(|one| one.with(time_ms(&one) as f64 / 1000.0)).collect())
            }
            ConversionFunction::StartTimestamp => return unsupported("start timestamps"),
        })
    }
}

fn math_value(function: MathFunction, value: f64, parameters: &[f64]) -> Option<f64> {
    let low = |value: f64, min: f64| if min.is_nan() || min > value { min } else { value };
    let high = |value: f64, max: f64| if max.is_nan() || max < value { max } else { value };
    Some(match (function, parameters) {
        (MathFunction::Abs, _) => value.abs(),
        (MathFunction::Ceil, _) => value.ceil(),
        (MathFunction::Floor, _) => value.floor(),
        (MathFunction::Exp, _) => value.exp(),
        (MathFunction::Ln, _) => value.ln(),
        (MathFunction::Log2, _) => value.log2(),
        (MathFunction::Log10, _) => value.log10(),
        (MathFunction::Sqrt, _) => value.sqrt(),
        (MathFunction::Sgn, _) if value > 0.0 => 1.0,
        (MathFunction::Sgn, _) if value < 0.0 => -1.0,
        (MathFunction::Sgn, _) => value,
        (MathFunction::Round, [to]) => (value * (1.0 / to) + 0.5).floor() / (1.0 / to),
        (MathFunction::Round, _) => (value + 0.5).floor(),
        (MathFunction::Clamp, [min, max]) if max < min => return None,
        (MathFunction::Clamp, [min, max]) => high(low(value, *min), *max),
        (MathFunction::ClampMin, [min]) => low(value, *min),
        (MathFunction::ClampMax, [max]) => high(value, *max),
        _ => return None,
    })
}

/// The labels that the selector's equalities fix; a label mentioned twice is not fixed.
fn absent_labels(arg: &Expr) -> Labels {
    let Some(selector) = arg.selector() else { return Labels::empty() };
    let matchers: Vec<Matcher> = selector.all_matchers().filter(|one| one.name() != METRIC_NAME).collect();
    let mut builder = LabelsBuilder::new();
    for matcher in &matchers {
        let is_only = matchers.iter().filter(|one| one.name() == matcher.name()).count() == 1;
        if let (true, MatchOp::Equal, Some(value)) = (is_only, matcher.op(), matcher.value().as_str()) {
            builder.set(matcher.name(), value);
        }
    }
    builder.build()
}
