//! Which language queries are written in.

use narthex_promql::ParseOptions;
use narthex_promql::functions::{FUNCTIONS, FunctionSpec};

/// A version of the language with its switches.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The switches of the parser.
    pub options: ParseOptions,
    /// Functions of the table that this version does not have.
    pub unknown_functions: &'static [&'static str],
    /// `</` and `>/`.
    pub trim_operators: bool,
    /// Expressions in parentheses after `offset`, which end with the parenthesis.
    pub offset_expressions: bool,
    /// `step()`, `range()`, `min_of()` and `max_of()` as durations.
    pub duration_calls: bool,
}

impl Dialect {
    /// Everything that this version knows.
    pub const ALL: Dialect = Dialect {
        options: ParseOptions::ALL,
        unknown_functions: &[],
        trim_operators: true,
        offset_expressions: true,
        duration_calls: true,
    };

    /// What a server accepts when no feature is switched on.
    pub const STABLE: Dialect = Dialect { options: ParseOptions::STABLE, ..Dialect::ALL };

    /// What Prometheus 3.5 knows with `promql-experimental-functions` and `promql-duration-expr`.
    pub const PROMETHEUS_3_5: Dialect = Dialect {
        options: ParseOptions { extended_range_selectors: false, fill_modifiers: false, ..ParseOptions::ALL },
        unknown_functions: &[
            "end",
            "first_over_time",
            "histogram_quantiles",
            "max_of",
            "min_of",
            "range",
            "start",
            "start_timestamp",
            "step",
            "ts_of_first_over_time",
        ],
        trim_operators: false,
        // Known, but an operator behind the parenthesis is taken for a part of the duration.
        offset_expressions: false,
        duration_calls: false,
    };

    /// The functions of this dialect.
    pub fn functions(self) -> impl Iterator<Item = &'static FunctionSpec> {
        FUNCTIONS.iter().filter(move |spec| {
            let is_on = !spec.is_experimental || self.options.experimental_functions;
            is_on && !self.unknown_functions.contains(&spec.name)
        })
    }
}
