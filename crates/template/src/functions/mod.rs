//! Which functions a template can call.
//!
//! [`FUNCTIONS`] is the one list: the parser takes the names from it, the linter the arities and types, the renderer
//! checks the call against it.

/// Who runs the template; it decides which functions and variables exist.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// Labels and annotations of alerting rules: `$labels`, `$externalLabels`, `$externalURL` and `$value` are set.
    Alert,
    /// Console pages: no variables are set, `tmpl` exists.
    Console,
}

impl Dialect {
    /// Variables that stand before the first action, with their `$`.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Dialect::Alert => &["$labels", "$externalLabels", "$externalURL", "$value"],
            Dialect::Console => &[],
        }
    }

    /// The function of that name, when this dialect has it.
    pub fn function(self, name: &str) -> Option<&'static FunctionSpec> {
        let found = FUNCTIONS.iter().find(|spec| spec.name == name)?;
        (found.availability == Everywhere || self == Dialect::Console).then_some(found)
    }
}

/// In which dialects a function exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Availability {
    /// In all.
    Everywhere,
    /// Only in console pages.
    ConsoleOnly,
}

/// What kind of value a parameter takes or a call gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParameterType {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// A float, an integer, a duration or a string holding a number.
    Numeric,
    /// What `query` gives.
    Samples,
    /// One sample of a query.
    Sample,
    /// A boolean.
    Bool,
    /// An integer.
    Int,
    /// A 64-bit float.
    Float,
    /// A map from names to anything.
    Map,
    /// A point in time.
    Time,
    /// A length of time.
    Duration,
}

/// One function.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FunctionSpec {
    /// Its name.
    pub name: &'static str,
    /// Types of the fixed parameters.
    pub parameters: &'static [ParameterType],
    /// Type of any number of further arguments.
    pub variadic: Option<ParameterType>,
    /// Type of the result.
    pub result: ParameterType,
    /// Where it exists.
    pub availability: Availability,
    /// Whether the template language itself brings it.
    pub origin: Origin,
    /// What it does, one sentence.
    pub summary: &'static str,
}

/// Who defines a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The template language.
    Language,
    /// Prometheus.
    Prometheus,
}

use Availability::{ConsoleOnly, Everywhere};
use Origin::{Language, Prometheus};
use ParameterType::{Any, Bool, Duration, Float, Int, Map, Numeric, Sample, Samples, Text, Time};

const fn builtin(
    name: &'static str,
    parameters: &'static [ParameterType],
    variadic: Option<ParameterType>,
    result: ParameterType,
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec { name, parameters, variadic, result, availability: Everywhere, origin: Language, summary }
}

const fn own(
    name: &'static str,
    parameters: &'static [ParameterType],
    result: ParameterType,
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec {
        name,
        parameters,
        variadic: None,
        result,
        availability: Everywhere,
        origin: Prometheus,
        summary,
    }
}

/// Every function, by name.
pub const FUNCTIONS: &[FunctionSpec] = &[
    builtin("and", &[Any], Some(Any), Any, "the first empty argument, else the last"),
    FunctionSpec {
        variadic: Some(Any),
        ..own("args", &[], Map, "the arguments as a map with the keys arg0, arg1, …")
    },
    builtin("call", &[Any], Some(Any), Any, "calls a function held in a field"),
    builtin("eq", &[Any], Some(Any), Bool, "whether the first argument equals one of the others"),
    own("externalURL", &[], Text, "the address under which the server is reached from outside"),
    own("first", &[Samples], Sample, "the first sample; an error when there is none"),
    builtin("ge", &[Any, Any], None, Bool, "whether the first argument is not below the second"),
    own("graphLink", &[Text], Text, "path of the graph of an expression"),
    builtin("gt", &[Any, Any], None, Bool, "whether the first argument is above the second"),
    builtin("html", &[], Some(Any), Text, "the printed arguments, escaped for HTML"),
    own("humanize", &[Numeric], Text, "four digits and a metric prefix: 1.235M"),
    own("humanize1024", &[Numeric], Text, "four digits and a binary prefix: 1.178Mi"),
    own("humanizeDuration", &[Numeric], Text, "seconds as days, hours, minutes and seconds: 1h 3m 20s"),
    own("humanizePercentage", &[Numeric], Text, "a ratio as a percentage: 12.35%"),
    own("humanizeTimestamp", &[Numeric], Text, "Unix seconds as a date and a time in UTC"),
    builtin("index", &[Any], Some(Any), Any, "the element of a map or a list under each key in turn"),
    builtin("js", &[], Some(Any), Text, "the printed arguments, escaped for JavaScript"),
    own("label", &[Text, Sample], Text, "the value of a label of a sample"),
    builtin("le", &[Any, Any], None, Bool, "whether the first argument is not above the second"),
    builtin("len", &[Any], None, Int, "the length of a string (in bytes), a list or a map"),
    builtin("lt", &[Any, Any], None, Bool, "whether the first argument is below the second"),
    own("match", &[Text, Text], Bool, "whether a regular expression matches anywhere in a text"),
    builtin("ne", &[Any, Any], None, Bool, "whether the arguments differ"),
    builtin("not", &[Any], None, Bool, "whether the argument is empty"),
    own("now", &[], Float, "the time of the evaluation in Unix seconds"),
    builtin("or", &[Any], Some(Any), Any, "the first argument that is not empty, else the last"),
    own("parseDuration", &[Text], Float, "a duration such as 1h30m in seconds"),
    own("pathPrefix", &[], Text, "the path of the external address"),
    builtin("print", &[], Some(Any), Text, "the arguments, a space between two that are not strings"),
    builtin("printf", &[Text], Some(Any), Text, "the arguments under a format"),
    builtin("println", &[], Some(Any), Text, "the arguments with spaces between and a line feed after"),
    own("query", &[Text], Samples, "the samples of an instant query"),
    own(
        "reReplaceAll",
        &[Text, Text, Text],
        Text,
        "a text with every match of a regular expression replaced",
    ),
    own("safeHtml", &[Text], Text, "a text marked as not to be escaped in HTML"),
    builtin("slice", &[Any], Some(Any), Any, "a part of a string or a list"),
    own("sortByLabel", &[Text, Samples], Samples, "samples in the order of a label's values"),
    own("stripDomain", &[Text], Text, "a host name without its domain, the port kept"),
    own("stripPort", &[Text], Text, "a host and port without the port"),
    own("strvalue", &[Sample], Text, "the value of the label __value__ of a sample"),
    own("tableLink", &[Text], Text, "path of the table of an expression"),
    own("title", &[Text], Text, "every word with its first letter in upper case"),
    FunctionSpec {
        availability: ConsoleOnly,
        ..own("tmpl", &[Text, Any], Text, "renders the template whose name is computed")
    },
    own("toDuration", &[Numeric], Duration, "seconds as a length of time"),
    own("toLower", &[Text], Text, "a text in lower case"),
    own("toTime", &[Numeric], Time, "Unix seconds as a point in time"),
    own("toUpper", &[Text], Text, "a text in upper case"),
    own("urlQueryEscape", &[Text], Text, "a text escaped for the query part of a URL"),
    builtin("urlquery", &[], Some(Any), Text, "the printed arguments, escaped for the query part of a URL"),
    own("value", &[Sample], Any, "the value of a sample"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_tmpl_is_for_consoles() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name.as_bytes() < b.name.as_bytes()));
        assert!(Dialect::Alert.function("tmpl").is_none());
        assert!(Dialect::Console.function("tmpl").is_some());
    }
}
