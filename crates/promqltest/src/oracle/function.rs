//! Functions: which arguments they take and what happens to each element.

use std::collections::BTreeMap;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, MatchOp, Matcher, SampleValue, Timestamp};
use narthex_promql::Expr;
use narthex_promql::ast::{Call, ValueType};
use narthex_promql::functions::{
    AbsentFunction, ConversionFunction, DateFunction, FunctionId, MathFunction, OverTimeFunction,
    RegressionFunction, ScalarFunction, TrigonometryFunction,
};

use super::rate::{self, Change};
use super::{Element, Oracle, OracleError, SAME_LABELS, Value, Window, date, extended, failed};
use super::{regression, seconds, unsupported, window};

impl Oracle<'_> {
    pub(super) fn call(&self, node: &Call, times: &[Timestamp]) -> Result<Value, OracleError> {
        let Some(function) = node.function else { return unsupported("an unknown function") };
        Oracle { detail: self.detail.below_call(function), ..*self }.call_of(function, node, times)
    }

    fn call_of(&self, function: FunctionId, node: &Call, times: &[Timestamp]) -> Result<Value, OracleError> {
        match function {
            FunctionId::Rate(_) | FunctionId::OverTime(_) | FunctionId::Regression(_) => {
                self.window_function(function, node, times)
            }
            FunctionId::Absent(function) => self.absent(function, node, times),
            FunctionId::Math(function) => self.math(function, node, times),
            FunctionId::Trigonometry(function) => {
                let steps = self.vectors(&node.args[0], times)?;
                self.changed(&steps, |one| Some(one.with(trigonometry(function, one.float()?))))
            }
            FunctionId::Date(function) => self.date(function, node, times),
            FunctionId::Scalar(function) => self.scalar_function(function, node, times).map(Value::Scalars),
            FunctionId::Conversion(function) => self.conversion(function, node, times),
            FunctionId::Histogram(function) => self.histogram_function(function, node, times),
            FunctionId::Label(function) => self.label_function(function, node, times),
            FunctionId::Sort(function) => self.sort(function, node, times),
            FunctionId::Info(_) => self.info(node, times),
        }
    }

    fn window_function(
        &self,
        function: FunctionId,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let is_range = |arg: &&Expr| arg.value_type() == Some(ValueType::RangeVector);
        let Some(arg) = node.args.iter().find(is_range) else { return unsupported(function.as_str()) };
        extended::check(function, arg)?;
        let mut parameters = Vec::new();
        for arg in node.args.iter().filter(|arg| arg.value_type() == Some(ValueType::Scalar)) {
            parameters.push(self.scalars(arg, times)?);
        }
        let mut sources: BTreeMap<Labels, Labels> = BTreeMap::new();
        let mut steps = Vec::new();
        for (at, windows) in self.windows(arg, times)?.iter().enumerate() {
            let parameters: Vec<f64> = parameters.iter().map(|values| values[at]).collect();
            let mut elements = Vec::new();
            for window in windows {
                let Some(element) = self.window_element(function, window, times[at], &parameters)? else {
                    continue;
                };
                let source = sources.entry(element.labels.clone()).or_insert(window.labels.clone());
                if *source != window.labels {
                    // Even if the two never have a value at the same time.
                    return failed(SAME_LABELS);
                }
                elements.push(element);
            }
            steps.push(elements);
        }
        Ok(Value::Vectors(steps))
    }

    fn window_element(
        &self,
        function: FunctionId,
        window: &Window,
        at_ms: Timestamp,
        parameters: &[f64],
    ) -> Result<Option<Element>, OracleError> {
        let parameter = parameters.first().copied().unwrap_or(f64::NAN);
        let uses_starts = self.options.start_timestamps;
        let keeps_name =
            matches!(function, FunctionId::OverTime(OverTimeFunction::First | OverTimeFunction::Last));
        let floats = window::floats(window);
        let float = |value: Option<f64>| value.map(SampleValue::from);
        let value = match function {
            FunctionId::Rate(function) => rate::value(Change { function, uses_starts }, window),
            FunctionId::OverTime(function) => window::over_time(function, window, parameter, uses_starts),
            FunctionId::Regression(RegressionFunction::Deriv) => {
                let first_ms = floats.first().map_or(0, |sample| sample.0);
                float(regression::line(&floats, first_ms).map(|line| line.0))
            }
            FunctionId::Regression(RegressionFunction::PredictLinear) => {
                // The line is continued from the evaluation time, wherever the window ends.
                float(regression::line(&floats, at_ms).map(|line| line.0 * parameter + line.1))
            }
            _ if window.samples.is_empty() => None,
            _ => {
                let trend = parameters.get(1).copied().unwrap_or(f64::NAN);
                regression::check_factors(parameter, trend)?;
                let values: Vec<f64> = floats.iter().map(|sample| sample.1).collect();
                float(regression::smoothed(&values, parameter, trend))
            }
        };
        Ok(value.map(|value| {
            let drops_name = window.drops_name || !keeps_name;
            let mut element = Element { drops_name, ..Element::new(window.labels.clone(), value) };
            self.drop_name(&mut element);
            element
        }))
    }

    fn absent(
        &self,
        function: AbsentFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let is_empty: Vec<bool> = match function {
            AbsentFunction::Absent => {
                self.vectors(&node.args[0], times)?.iter().map(|step| step.is_empty()).collect()
            }
            AbsentFunction::AbsentOverTime => {
                extended::check(FunctionId::Absent(function), &node.args[0])?;
                let windows = self.windows(&node.args[0], times)?;
                let is_empty = |step: &Vec<Window>| step.iter().all(|window| window.samples.is_empty());
                windows.iter().map(is_empty).collect()
            }
        };
        let labels = absent_labels(node.args[0].without_parens());
        let one = || Element { drops_name: true, ..Element::new(labels.clone(), 1.0) };
        self.settled(is_empty.into_iter().map(|is_empty| is_empty.then(one).into_iter().collect()).collect())
    }

    fn math(&self, function: MathFunction, node: &Call, times: &[Timestamp]) -> Result<Value, OracleError> {
        let rest = node.args.iter().skip(1).map(|arg| self.scalars(arg, times));
        let parameters: Vec<Vec<f64>> = rest.collect::<Result<_, _>>()?;
        let mut steps = self.vectors(&node.args[0], times)?;
        for (at, step) in steps.iter_mut().enumerate() {
            let parameters: Vec<f64> = parameters.iter().map(|values| values[at]).collect();
            let changed = |one: &Element| Some(one.with(math_value(function, one.float()?, &parameters)?));
            *step = step.iter().filter_map(changed).collect();
        }
        self.settled(steps)
    }

    fn date(&self, function: DateFunction, node: &Call, times: &[Timestamp]) -> Result<Value, OracleError> {
        let steps = match node.args.first() {
            Some(arg) => self.vectors(arg, times)?,
            None => {
                let now = |&at_ms: &Timestamp| vec![Element::new(Labels::empty(), seconds(at_ms))];
                times.iter().map(now).collect()
            }
        };
        self.changed(&steps, |one| Some(one.with(date::part(function, one.float()?))))
    }

    fn scalar_function(
        &self,
        function: ScalarFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Vec<f64>, OracleError> {
        let scope = self.scope();
        let constant = |value: f64| Ok(vec![value; times.len()]);
        match function {
            ScalarFunction::Time => Ok(times.iter().map(|&at_ms| seconds(at_ms)).collect()),
            ScalarFunction::Pi => constant(std::f64::consts::PI),
            ScalarFunction::Start => constant(seconds(self.parameters.grid.start_ms)),
            ScalarFunction::End => constant(seconds(self.parameters.end_ms)),
            ScalarFunction::Range => constant(seconds(scope.range_ms)),
            // An instant query has no step, nor has a range query of one instant.
            ScalarFunction::Step if scope.range_ms == 0 => constant(0.0),
            ScalarFunction::Step => constant(seconds(scope.step_ms)),
            ScalarFunction::MinOf | ScalarFunction::MaxOf => {
                let sides = (self.scalars(&node.args[0], times)?, self.scalars(&node.args[1], times)?);
                let pairs = sides.0.into_iter().zip(sides.1);
                let is_min = function == ScalarFunction::MinOf;
                Ok(pairs.map(|(a, b)| if is_min { smaller(a, b) } else { -smaller(-a, -b) }).collect())
            }
        }
    }

    fn conversion(
        &self,
        function: ConversionFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let arg = &node.args[0];
        let is_sample = matches!(arg.without_parens(), Expr::Selector(_));
        if function == ConversionFunction::Vector {
            let values = self.scalars(arg, times)?.into_iter();
            return self.settled(values.map(|value| vec![Element::new(Labels::empty(), value)]).collect());
        }
        let mut steps = match arg.without_parens() {
            // Times are those of samples, even where a value lies between two of them.
            Expr::Selector(node) if function != ConversionFunction::Scalar => {
                let mut plain = node.clone();
                plain.modifiers.extension = None;
                self.instant_selector(&plain, times)?
            }
            _ => self.vectors(arg, times)?,
        };
        if function == ConversionFunction::Scalar {
            let only = |step: &Vec<Element>| {
                let floats: Vec<f64> = step.iter().filter_map(Element::float).collect();
                if let [value] = *floats { value } else { f64::NAN }
            };
            return Ok(Value::Scalars(steps.iter().map(only).collect()));
        }
        let is_start = function == ConversionFunction::StartTimestamp;
        for (step, &at_ms) in steps.iter_mut().zip(times) {
            let time = |one: &Element| match is_start {
                true if !is_sample || !self.options.start_timestamps => None,
                true => Some(one.with(seconds(one.started_ms))),
                false => Some(one.with(seconds(if is_sample { one.taken_ms } else { at_ms }))),
            };
            *step = step.iter().filter_map(time).collect();
        }
        self.settled(steps)
    }
}

/// −Inf, whatever the other is, else NaN if either is; −0 is smaller than +0.
fn smaller(a: f64, b: f64) -> f64 {
    match a.partial_cmp(&b) {
        None if [a, b].contains(&f64::NEG_INFINITY) => f64::NEG_INFINITY,
        None => f64::NAN,
        Some(std::cmp::Ordering::Equal) if a.is_sign_negative() => a,
        Some(std::cmp::Ordering::Less) => a,
        _ => b,
    }
}

fn math_value(function: MathFunction, value: f64, parameters: &[f64]) -> Option<f64> {
    let at_most = |value: f64, max: f64| smaller(value, max);
    let at_least = |value: f64, min: f64| -smaller(-value, -min);
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
        (MathFunction::Clamp, [min, max]) => at_least(at_most(value, *max), *min),
        (MathFunction::ClampMin, [min]) => at_least(value, *min),
        (MathFunction::ClampMax, [max]) => at_most(value, *max),
        _ => return None,
    })
}

fn trigonometry(function: TrigonometryFunction, value: f64) -> f64 {
    match function {
        TrigonometryFunction::Acos => value.acos(),
        TrigonometryFunction::Acosh => value.acosh(),
        TrigonometryFunction::Asin => value.asin(),
        TrigonometryFunction::Asinh => value.asinh(),
        TrigonometryFunction::Atan => value.atan(),
        TrigonometryFunction::Atanh => value.atanh(),
        TrigonometryFunction::Cos => value.cos(),
        TrigonometryFunction::Cosh => value.cosh(),
        TrigonometryFunction::Deg => value * 180.0 / std::f64::consts::PI,
        TrigonometryFunction::Rad => value * std::f64::consts::PI / 180.0,
        TrigonometryFunction::Sin => value.sin(),
        TrigonometryFunction::Sinh => value.sinh(),
        TrigonometryFunction::Tan => value.tan(),
        TrigonometryFunction::Tanh => value.tanh(),
    }
}

/// The labels that the selector's equalities fix; a label mentioned twice is not fixed.
fn absent_labels(arg: &Expr) -> Labels {
    let selector = match arg {
        Expr::Selector(node) => node,
        Expr::Matrix(node) => &node.selector,
        _ => return Labels::empty(),
    };
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
