//! Calls of functions, as the table lists them.

use narthex_promql::ValueType;
use narthex_promql::functions::{FunctionId, FunctionSpec};

use super::QueryGenerator;
use super::wish::{Exactness, Kind, Wish};

/// Functions that yield integers when they are given integers.
const KEEPS_INTEGERS: &[&str] = &[
    "abs",
    "absent",
    "absent_over_time",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "count_over_time",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "end",
    "first_over_time",
    "floor",
    "histogram_count",
    "hour",
    "info",
    "label_join",
    "label_replace",
    "last_over_time",
    "max_of",
    "max_over_time",
    "min_of",
    "min_over_time",
    "minute",
    "month",
    "present_over_time",
    "range",
    "resets",
    "scalar",
    "sgn",
    "sort",
    "sort_by_label",
    "sort_by_label_desc",
    "sort_desc",
    "start",
    "step",
    "sum_over_time",
    "time",
    "timestamp",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "ts_of_max_over_time",
    "ts_of_min_over_time",
    "vector",
    "year",
];

/// Functions whose result changes as little as their arguments do. All others are given integers.
const CONTINUOUS: &[&str] = &[
    "abs",
    "absent",
    "clamp",
    "clamp_max",
    "clamp_min",
    "deg",
    "histogram_avg",
    "histogram_count",
    "histogram_sum",
    "info",
    "label_join",
    "label_replace",
    "rad",
    "scalar",
    "sort_by_label",
    "sort_by_label_desc",
    "sqrt",
    "vector",
];

/// Arguments that mean something, by function and place; others come from anywhere.
const ARGUMENTS: &[(&str, usize, &[&str])] = &[
    ("clamp", 1, &["0", "2", "-5", "NaN"]),
    ("clamp", 2, &["3", "100", "-1"]),
    ("double_exponential_smoothing", 1, &["0.1", "0.5", "0.9", "0.3", "0.7", "1", "0"]),
    ("double_exponential_smoothing", 2, &["0.1", "0.5", "0.9", "0.3", "0.7", "1.5"]),
    ("histogram_fraction", 0, &["0", "-Inf", "0.5", "1", "3", "NaN"]),
    ("histogram_fraction", 1, &["0.5", "1", "2", "+Inf", "10"]),
    ("histogram_quantile", 0, &["0.5", "0.9", "0.1", "0.99", "0", "1", "-1", "1.5", "NaN"]),
    ("histogram_quantiles", 1, &["\"q\"", "\"quantile\"", "\"job\""]),
    ("histogram_quantiles", 2, &["0.5", "0.9", "0", "1"]),
    ("histogram_quantiles", 3, &["0.25", "0.99", "NaN"]),
    (
        "info",
        1,
        &["{__name__=\"build_info\"}", "{version=~\".+\"}", "{region=\"eu\"}", "{__name__=~\".+_info\"}"],
    ),
    ("label_join", 1, &["\"joined\"", "\"job\"", "\"instance\"", "\"__name__\"", "\"\""]),
    ("label_join", 2, &["\"-\"", "\"\"", "\", \""]),
    ("label_join", 3, &["\"job\"", "\"instance\"", "\"missing\"", "\"__name__\""]),
    ("label_replace", 1, &["\"copy\"", "\"copy\"", "\"job\"", "\"instance\"", "\"__name__\"", "\"\""]),
    ("label_replace", 2, &["\"$1\"", "\"x-$1\"", "\"\"", "\"${1}y\"", "\"fixed\"", "\"$0$$\"", "\"$2x\""]),
    ("label_replace", 3, &["\"job\"", "\"instance\"", "\"code\"", "\"missing\"", "\"__name__\""]),
    ("label_replace", 4, &["\"(.*)\"", "\"(a.*)\"", "\"(?P<n>a|d).*\"", "\"\"", "\"[\"", "\"(.)(.)?.*\""]),
    ("predict_linear", 1, &["30", "-60", "3600", "0"]),
    ("quantile_over_time", 0, &["0", "0.3", "0.5", "0.99", "1", "2", "-1", "NaN"]),
    ("round", 1, &["1", "5", "10", "-3", "0.5", "0"]),
    ("sort_by_label", 1, &["\"job\"", "\"instance\"", "\"missing\""]),
    ("sort_by_label_desc", 1, &["\"job\"", "\"instance\"", "\"code\""]),
];

impl QueryGenerator<'_> {
    /// A call that yields an instant vector.
    pub(super) fn call(&mut self, depth: u32, wish: Wish) -> String {
        self.call_of(ValueType::InstantVector, depth, wish)
    }

    /// A call that yields such a value.
    pub(super) fn call_of(&mut self, returns: ValueType, depth: u32, wish: Wish) -> String {
        let spec = self.function(returns, wish);
        let kind = self.kind_for(spec.id);
        let count = self.argument_count(spec);
        let args: Vec<String> =
            (0..count).map(|at| self.call_argument(spec, at, depth, wish.of(kind))).collect();
        format!("{}({})", spec.name, args.join(", "))
    }

    fn function(&mut self, returns: ValueType, wish: Wish) -> &'static FunctionSpec {
        let fits = |spec: &&FunctionSpec| {
            spec.returns == returns && (!wish.is_exact() || KEEPS_INTEGERS.contains(&spec.name))
        };
        let count = self.dialect.functions().filter(fits).count();
        let number = self.below(count);
        self.dialect.functions().filter(fits).nth(number).expect("the number is below the count")
    }

    fn argument_count(&mut self, spec: &FunctionSpec) -> usize {
        let max = spec.args_max.unwrap_or(spec.args_min + 2).min(spec.args_min + 2);
        let count = spec.args_min + self.below(max - spec.args_min + 1);
        if self.errs() { count + 1 } else { count }
    }

    fn call_argument(&mut self, spec: &FunctionSpec, at: usize, depth: u32, wish: Wish) -> String {
        let listed = ARGUMENTS.iter().filter(|row| row.0 == spec.name && row.1 <= at).max_by_key(|row| row.1);
        let is_text = spec.parameter(at) == Some(ValueType::String);
        let is_listed = listed.is_some_and(|row| row.1 == at || is_text);
        if let Some((_, _, choices)) = listed.filter(|_| is_listed && !self.errs())
            && (is_text || spec.id == INFO || !self.once_in(6))
        {
            self.count_leaf();
            return self.one_of(choices).to_owned();
        }
        let exactness = if CONTINUOUS.contains(&spec.name) { wish.exactness } else { Exactness::Integer };
        let value_type = spec.parameter(at).unwrap_or(ValueType::Scalar);
        if value_type == ValueType::RangeVector {
            return self.call_window(spec, depth, wish);
        }
        self.argument(value_type, depth - 1, Wish { exactness, ..wish })
    }

    /// The window of a function; its samples are as exact as its result has to be.
    fn call_window(&mut self, spec: &FunctionSpec, depth: u32, wish: Wish) -> String {
        let extends = matches!(spec.id, FunctionId::Rate(_)) || matches!(spec.name, "changes" | "resets");
        if extends && self.dialect.options.extended_range_selectors && self.once_in(5) {
            return self.extended_window(wish);
        }
        let wish = if wish.kind == Kind::Float && self.once_in(16) { wish.of(Kind::Buckets) } else { wish };
        self.argument(ValueType::RangeVector, depth - 1, wish)
    }
}

const INFO: FunctionId = FunctionId::Info(narthex_promql::functions::InfoFunction::Info);
