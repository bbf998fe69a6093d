//! The functions: one table of names, parameters and meanings.
//!
//! A function is identified by its family and its place there; kernels match exhaustively on a family's enum, so that a
//! row without a kernel does not compile.

mod spec;

pub use spec::FunctionSpec;

use crate::ast::ValueType;
use crate::reference::{FUNCTIONS_PAGE, section};

/// Makes the family enums, [`FunctionId`] and [`FUNCTIONS`] out of rows
/// `Variant "name" [parameters] min..max -> type, "summary"`.
macro_rules! functions {
    ($($(#[$family_doc:meta])* $family:ident($kind:ident) {
        $($variant:ident $name:literal [$($parameter:ident)*] $min:literal $(to $max:literal)? $(up $any:ident)?
            -> $returns:ident $(experimental $experimental:ident)?, $summary:literal;)*
    })*) => {
        $(
            $(#[$family_doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
            pub enum $kind {
                $(#[doc = concat!("`", $name, "`: ", $summary, ".")] $variant,)*
            }
        )*

        /// A function: its family and which of it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum FunctionId {
            $($(#[$family_doc])* $family($kind),)*
        }

        /// Every function, by family.
        pub const FUNCTIONS: &[FunctionSpec] = &[
            $($(FunctionSpec {
                id: FunctionId::$family($kind::$variant),
                name: $name,
                parameters: &[$(ValueType::$parameter),*],
                args_min: $min,
                args_max: functions!(@max $($max)? $($any)?),
                returns: ValueType::$returns,
                is_experimental: functions!(@is $($experimental)?),
                summary: $summary,
            },)*)*
        ];

        impl FunctionId {
            /// The row of this function.
            pub fn spec(self) -> &'static FunctionSpec {
                match self {
                    $($(FunctionId::$family($kind::$variant) => {
                        const AT: usize = place($name);
                        &FUNCTIONS[AT]
                    })*)*
                }
            }

            /// The function called `name`, in exactly this case.
            pub fn by_name(name: &str) -> Option<FunctionId> {
                match name {
                    $($($name => Some(FunctionId::$family($kind::$variant)),)*)*
                    _ => None,
                }
            }
        }
    };
    (@max any) => { None };
    (@max $max:literal) => { Some($max) };
    (@is yes) => { true };
    (@is) => { false };
}

/// Place of a row in [`FUNCTIONS`], found at compile time.
const fn place(name: &str) -> usize {
    let mut at = 0;
    while !is_same(FUNCTIONS[at].name.as_bytes(), name.as_bytes()) {
        at += 1;
    }
    at
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

functions! {
    /// Change over a window, from its first and last samples.
    Rate(RateFunction) {
        Rate "rate" [RangeVector] 1 to 1 -> InstantVector,
            "the per-second increase of a counter over the window, extrapolated to its borders";
        Increase "increase" [RangeVector] 1 to 1 -> InstantVector,
            "the increase of a counter over the window, extrapolated to its borders";
        Delta "delta" [RangeVector] 1 to 1 -> InstantVector,
            "the difference of a gauge between the borders of the window, extrapolated";
        Irate "irate" [RangeVector] 1 to 1 -> InstantVector,
            "the per-second increase of a counter between the last two samples";
        Idelta "idelta" [RangeVector] 1 to 1 -> InstantVector,
            "the difference of a gauge between the last two samples";
    }
    /// One value from all samples of a window.
    OverTime(OverTimeFunction) {
        Avg "avg_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the mean of all values in the window";
        Changes "changes" [RangeVector] 1 to 1 -> InstantVector,
            "how often the value changed within the window";
        Count "count_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the number of samples in the window";
        First "first_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the oldest sample in the window";
        Last "last_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the newest sample in the window";
        Mad "mad_over_time" [RangeVector] 1 to 1 -> InstantVector experimental yes,
            "the median absolute deviation of all values in the window";
        Max "max_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the largest value in the window";
        Min "min_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the smallest value in the window";
        Present "present_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "1 for every series with a sample in the window";
        Quantile "quantile_over_time" [Scalar RangeVector] 2 to 2 -> InstantVector,
            "the φ-quantile of all values in the window";
        Resets "resets" [RangeVector] 1 to 1 -> InstantVector,
            "the number of counter resets within the window";
        Stddev "stddev_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the population standard deviation of all values in the window";
        Stdvar "stdvar_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the population variance of all values in the window";
        Sum "sum_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "the sum of all values in the window";
        TsOfFirst "ts_of_first_over_time" [RangeVector] 1 to 1 -> InstantVector experimental yes,
            "when the oldest sample of the window was taken, in seconds";
        TsOfLast "ts_of_last_over_time" [RangeVector] 1 to 1 -> InstantVector experimental yes,
            "when the newest sample of the window was taken, in seconds";
        TsOfMax "ts_of_max_over_time" [RangeVector] 1 to 1 -> InstantVector experimental yes,
            "when the window's largest value was last seen, in seconds";
        TsOfMin "ts_of_min_over_time" [RangeVector] 1 to 1 -> InstantVector experimental yes,
            "when the window's smallest value was last seen, in seconds";
    }
    /// A line or curve through the samples of a window.
    Regression(RegressionFunction) {
        Deriv "deriv" [RangeVector] 1 to 1 -> InstantVector,
            "the per-second slope of a gauge by least squares";
        DoubleExponentialSmoothing "double_exponential_smoothing" [RangeVector Scalar Scalar] 3 to 3 -> InstantVector experimental yes,
            "the window's values smoothed by a level and a trend factor";
        PredictLinear "predict_linear" [RangeVector Scalar] 2 to 2 -> InstantVector,
            "the value so many seconds from now by least squares";
    }
    /// What is missing.
    Absent(AbsentFunction) {
        Absent "absent" [InstantVector] 1 to 1 -> InstantVector,
            "1 when the vector is empty, nothing otherwise";
        AbsentOverTime "absent_over_time" [RangeVector] 1 to 1 -> InstantVector,
            "1 when no series has a sample in the window, nothing otherwise";
    }
    /// One float from one float.
    Math(MathFunction) {
        Abs "abs" [InstantVector] 1 to 1 -> InstantVector,
            "the absolute value";
        Ceil "ceil" [InstantVector] 1 to 1 -> InstantVector,
            "the next integer up";
        Clamp "clamp" [InstantVector Scalar Scalar] 3 to 3 -> InstantVector,
            "the value, at least the minimum and at most the maximum";
        ClampMax "clamp_max" [InstantVector Scalar] 2 to 2 -> InstantVector,
            "the value, at most the maximum";
        ClampMin "clamp_min" [InstantVector Scalar] 2 to 2 -> InstantVector,
            "the value, at least the minimum";
        Exp "exp" [InstantVector] 1 to 1 -> InstantVector,
            "e raised to the value";
        Floor "floor" [InstantVector] 1 to 1 -> InstantVector,
            "the next integer down";
        Ln "ln" [InstantVector] 1 to 1 -> InstantVector,
            "the natural logarithm";
        Log10 "log10" [InstantVector] 1 to 1 -> InstantVector,
            "the decimal logarithm";
        Log2 "log2" [InstantVector] 1 to 1 -> InstantVector,
            "the binary logarithm";
        Round "round" [InstantVector Scalar] 1 to 2 -> InstantVector,
            "the nearest multiple of the second argument (1 by default), ties up";
        Sgn "sgn" [InstantVector] 1 to 1 -> InstantVector,
            "1, 0 or -1 by the sign of the value";
        Sqrt "sqrt" [InstantVector] 1 to 1 -> InstantVector,
            "the square root";
    }
    /// Angles, in radians.
    Trigonometry(TrigonometryFunction) {
        Acos "acos" [InstantVector] 1 to 1 -> InstantVector,
            "the arc cosine";
        Acosh "acosh" [InstantVector] 1 to 1 -> InstantVector,
            "the inverse hyperbolic cosine";
        Asin "asin" [InstantVector] 1 to 1 -> InstantVector,
            "the arc sine";
        Asinh "asinh" [InstantVector] 1 to 1 -> InstantVector,
            "the inverse hyperbolic sine";
        Atan "atan" [InstantVector] 1 to 1 -> InstantVector,
            "the arc tangent";
        Atanh "atanh" [InstantVector] 1 to 1 -> InstantVector,
            "the inverse hyperbolic tangent";
        Cos "cos" [InstantVector] 1 to 1 -> InstantVector,
            "the cosine";
        Cosh "cosh" [InstantVector] 1 to 1 -> InstantVector,
            "the hyperbolic cosine";
        Deg "deg" [InstantVector] 1 to 1 -> InstantVector,
            "radians as degrees";
        Rad "rad" [InstantVector] 1 to 1 -> InstantVector,
            "degrees as radians";
        Sin "sin" [InstantVector] 1 to 1 -> InstantVector,
            "the sine";
        Sinh "sinh" [InstantVector] 1 to 1 -> InstantVector,
            "the hyperbolic sine";
        Tan "tan" [InstantVector] 1 to 1 -> InstantVector,
            "the tangent";
        Tanh "tanh" [InstantVector] 1 to 1 -> InstantVector,
            "the hyperbolic tangent";
    }
    /// A part of the UTC date of a time in seconds; of the evaluation time without an argument.
    Date(DateFunction) {
        DayOfMonth "day_of_month" [InstantVector] 0 to 1 -> InstantVector,
            "the day of the month, from 1";
        DayOfWeek "day_of_week" [InstantVector] 0 to 1 -> InstantVector,
            "the day of the week, Sunday being 0";
        DayOfYear "day_of_year" [InstantVector] 0 to 1 -> InstantVector,
            "the day of the year, from 1";
        DaysInMonth "days_in_month" [InstantVector] 0 to 1 -> InstantVector,
            "the number of days of the month";
        Hour "hour" [InstantVector] 0 to 1 -> InstantVector,
            "the hour of the day, from 0";
        Minute "minute" [InstantVector] 0 to 1 -> InstantVector,
            "the minute of the hour, from 0";
        Month "month" [InstantVector] 0 to 1 -> InstantVector,
            "the month of the year, from 1";
        Year "year" [InstantVector] 0 to 1 -> InstantVector,
            "the year";
    }
    /// One float per step, from no series.
    Scalar(ScalarFunction) {
        End "end" [] 0 to 0 -> Scalar experimental yes,
            "the end of the query, in seconds";
        MaxOf "max_of" [Scalar Scalar] 2 to 2 -> Scalar experimental yes,
            "the larger of two numbers";
        MinOf "min_of" [Scalar Scalar] 2 to 2 -> Scalar experimental yes,
            "the smaller of two numbers";
        Pi "pi" [] 0 to 0 -> Scalar,
            "π";
        Range "range" [] 0 to 0 -> Scalar experimental yes,
            "the length of the query, in seconds";
        Start "start" [] 0 to 0 -> Scalar experimental yes,
            "the start of the query, in seconds";
        Step "step" [] 0 to 0 -> Scalar experimental yes,
            "the step of the query, in seconds";
        Time "time" [] 0 to 0 -> Scalar,
            "the evaluation time, in seconds";
    }
    /// Between scalars, vectors and times.
    Conversion(ConversionFunction) {
        Scalar "scalar" [InstantVector] 1 to 1 -> Scalar,
            "the value of the only float element, NaN unless there is exactly one";
        StartTimestamp "start_timestamp" [InstantVector] 1 to 1 -> InstantVector experimental yes,
            "when each sample's counter started, in seconds";
        Timestamp "timestamp" [InstantVector] 1 to 1 -> InstantVector,
            "when each sample was taken, in seconds";
        Vector "vector" [Scalar] 1 to 1 -> InstantVector,
            "one element without labels";
    }
    /// Distributions.
    Histogram(HistogramFunction) {
        Avg "histogram_avg" [InstantVector] 1 to 1 -> InstantVector,
            "the mean observation of a native histogram";
        Count "histogram_count" [InstantVector] 1 to 1 -> InstantVector,
            "the number of observations of a native histogram";
        Fraction "histogram_fraction" [Scalar Scalar InstantVector] 3 to 3 -> InstantVector,
            "the share of observations between two bounds";
        Quantile "histogram_quantile" [Scalar InstantVector] 2 to 2 -> InstantVector,
            "the φ-quantile of the observations";
        Quantiles "histogram_quantiles" [InstantVector String Scalar] 3 to 12 -> InstantVector experimental yes,
            "several φ-quantiles, told apart by a label";
        Stddev "histogram_stddev" [InstantVector] 1 to 1 -> InstantVector,
            "the estimated standard deviation of the observations of a native histogram";
        Stdvar "histogram_stdvar" [InstantVector] 1 to 1 -> InstantVector,
            "the estimated variance of the observations of a native histogram";
        Sum "histogram_sum" [InstantVector] 1 to 1 -> InstantVector,
            "the sum of the observations of a native histogram";
    }
    /// Labels rewritten.
    Label(LabelFunction) {
        Join "label_join" [InstantVector String String String] 3 up any -> InstantVector,
            "a label set to the values of others, joined by a separator";
        Replace "label_replace" [InstantVector String String String String] 5 to 5 -> InstantVector,
            "a label set from another through a regular expression";
    }
    /// Order of the result of an instant query.
    Sort(SortFunction) {
        Sort "sort" [InstantVector] 1 to 1 -> InstantVector,
            "the elements by rising value";
        SortByLabel "sort_by_label" [InstantVector String] 1 up any -> InstantVector experimental yes,
            "the elements by rising label values in natural order";
        SortByLabelDesc "sort_by_label_desc" [InstantVector String] 1 up any -> InstantVector experimental yes,
            "the elements by falling label values in natural order";
        SortDesc "sort_desc" [InstantVector] 1 to 1 -> InstantVector,
            "the elements by falling value";
    }
    /// Labels from info metrics.
    Info(InfoFunction) {
        Info "info" [InstantVector InstantVector] 1 to 2 -> InstantVector experimental yes,
            "the elements with the data labels of matching info series";
    }
}

impl FunctionId {
    /// As written.
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// Its section of the reference, in Markdown: signature, meaning, edge cases, examples.
    pub fn documentation(self) -> &'static str {
        section(FUNCTIONS_PAGE, self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_each_row_finds_itself() {
        assert_eq!(FUNCTIONS.len(), 90);
        assert_eq!(FUNCTIONS.iter().filter(|row| row.is_experimental).count(), 17);
        for row in FUNCTIONS {
            assert_eq!(FunctionId::by_name(row.name), Some(row.id));
            assert_eq!(row.id.spec().name, row.name);
            assert!(row.args_max.is_none_or(|max| row.args_min <= max));
        }
        assert_eq!(FunctionId::by_name("Rate"), None);
    }
}
