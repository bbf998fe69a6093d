//! Which functions a template can call.
//!
//! [`FUNCTIONS`] is the one list: the parser takes the names from it, the linter the arities and types, the renderer
//! checks the call against it and runs the function found there.

mod compare;
mod humanize;
mod language;
mod link;
mod query;
mod strings;

use narthex_model::Timestamp;

use crate::exec::QuerySource;
use crate::value::{Data, Value};

/// What a running function may use.
pub(crate) struct Context<'a> {
    pub(crate) data: &'a Data,
    pub(crate) queries: &'a dyn QuerySource,
    /// Longest text a function may make, in bytes.
    pub(crate) text_bytes_max: usize,
}

impl Context<'_> {
    pub(crate) fn now_ms(&self) -> Timestamp {
        self.data.now_ms
    }
}

/// Computes a function from arguments whose number and types are checked; the error is the message.
pub(crate) type Run = fn(&Context<'_>, &[Value]) -> Result<Value, String>;

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
#[derive(Clone, Copy, Debug)]
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
    pub(crate) run: Run,
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
    run: Run,
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec {
        name,
        parameters,
        variadic,
        result,
        availability: Everywhere,
        origin: Language,
        summary,
        run,
    }
}

const fn own(
    name: &'static str,
    parameters: &'static [ParameterType],
    result: ParameterType,
    run: Run,
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec {
        name,
        run,
        parameters,
        variadic: None,
        result,
        availability: Everywhere,
        origin: Prometheus,
        summary,
    }
}

/// Every function, by name.
#[rustfmt::skip]
pub const FUNCTIONS: &[FunctionSpec] = &[
    builtin("and", &[Any], Some(Any), Any, language::last, "the first empty argument, else the last"),
    FunctionSpec { variadic: Some(Any), ..own("args", &[], Map, query::args, "the arguments as a map with the keys arg0, arg1, …") },
    builtin("call", &[Any], Some(Any), Any, language::call, "calls a function held in a field"),
    builtin("eq", &[Any], Some(Any), Bool, compare::eq, "whether the first argument equals one of the others"),
    own("externalURL", &[], Text, link::external_url, "the address under which the server is reached from outside"),
    own("first", &[Samples], Sample, query::first, "the first sample; an error when there is none"),
    builtin("ge", &[Any, Any], None, Bool, compare::ge, "whether the first argument is not below the second"),
    own("graphLink", &[Text], Text, link::graph_link, "path of the graph of an expression"),
    builtin("gt", &[Any, Any], None, Bool, compare::gt, "whether the first argument is above the second"),
    builtin("html", &[], Some(Any), Text, language::html, "the printed arguments, escaped for HTML"),
    own("humanize", &[Numeric], Text, humanize::humanize, "four digits and a metric prefix: 1.235M"),
    own("humanize1024", &[Numeric], Text, humanize::humanize_1024, "four digits and a binary prefix: 1.178Mi"),
    own("humanizeDuration", &[Numeric], Text, humanize::humanize_duration, "seconds as days, hours, minutes and seconds: 1h 3m 20s"),
    own("humanizePercentage", &[Numeric], Text, humanize::humanize_percentage, "a ratio as a percentage: 12.35%"),
    own("humanizeTimestamp", &[Numeric], Text, humanize::humanize_timestamp, "Unix seconds as a date and a time in UTC"),
    builtin("index", &[Any], Some(Any), Any, language::index, "the element of a map or a list under each key in turn"),
    builtin("js", &[], Some(Any), Text, language::js, "the printed arguments, escaped for JavaScript"),
    own("label", &[Text, Sample], Text, query::label, "the value of a label of a sample"),
    builtin("le", &[Any, Any], None, Bool, compare::le, "whether the first argument is not above the second"),
    builtin("len", &[Any], None, Int, language::len, "the length of a string (in bytes), a list or a map"),
    builtin("lt", &[Any, Any], None, Bool, compare::lt, "whether the first argument is below the second"),
    own("match", &[Text, Text], Bool, strings::matches, "whether a regular expression matches anywhere in a text"),
    builtin("ne", &[Any, Any], None, Bool, compare::ne, "whether the arguments differ"),
    builtin("not", &[Any], None, Bool, language::not, "whether the argument is empty"),
    own("now", &[], Float, humanize::now, "the time of the evaluation in Unix seconds"),
    builtin("or", &[Any], Some(Any), Any, language::last, "the first argument that is not empty, else the last"),
    own("parseDuration", &[Text], Float, humanize::parse_duration, "a duration such as 1h30m in seconds"),
    own("pathPrefix", &[], Text, link::path_prefix, "the path of the external address"),
    builtin("print", &[], Some(Any), Text, language::print, "the arguments, a space between two that are not strings"),
    builtin("printf", &[Text], Some(Any), Text, language::printf, "the arguments under a format"),
    builtin("println", &[], Some(Any), Text, language::println, "the arguments with spaces between and a line feed after"),
    own("query", &[Text], Samples, query::query, "the samples of an instant query"),
    own("reReplaceAll", &[Text, Text, Text], Text, strings::replace_all, "a text with every match of a regular expression replaced"),
    own("safeHtml", &[Text], Text, strings::safe_html, "a text marked as not to be escaped in HTML"),
    builtin("slice", &[Any], Some(Any), Any, language::slice, "a part of a string or a list"),
    own("sortByLabel", &[Text, Samples], Samples, query::sort_by_label, "samples in the order of a label's values"),
    own("stripDomain", &[Text], Text, strings::strip_domain, "a host name without its domain, the port kept"),
    own("stripPort", &[Text], Text, strings::strip_port, "a host and port without the port"),
    own("strvalue", &[Sample], Text, query::strvalue, "the value of the label __value__ of a sample"),
    own("tableLink", &[Text], Text, link::table_link, "path of the table of an expression"),
    own("title", &[Text], Text, strings::title, "every word with its first letter in upper case"),
    FunctionSpec { availability: ConsoleOnly, ..own("tmpl", &[Text, Any], Text, language::last, "renders the template whose name is computed") },
    own("toDuration", &[Numeric], Duration, humanize::to_duration, "seconds as a length of time"),
    own("toLower", &[Text], Text, strings::to_lower, "a text in lower case"),
    own("toTime", &[Numeric], Time, humanize::to_time, "Unix seconds as a point in time"),
    own("toUpper", &[Text], Text, strings::to_upper, "a text in upper case"),
    own("urlQueryEscape", &[Text], Text, strings::url_query_escape, "a text escaped for the query part of a URL"),
    builtin("urlquery", &[], Some(Any), Text, language::urlquery, "the printed arguments, escaped for the query part of a URL"),
    own("value", &[Sample], Any, query::value, "the value of a sample"),
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
