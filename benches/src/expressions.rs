//! Expressions to parse, from a word to an alert.

/// An expression and what it is called in reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expression {
    /// Name in reports.
    pub name: &'static str,
    /// The expression.
    pub text: &'static str,
}

const fn named(name: &'static str, text: &'static str) -> Expression {
    Expression { name, text }
}

/// Expressions with a goal: `sum_up` within 1 µs, the alerts within 4 µs.
pub const GOALS: &[Expression] = &[
    named("sum_up", "sum(up)"),
    named(
        "alert_errors",
        r#"sum by (job, cluster) (rate(http_requests_total{job="api",code=~"5.."}[5m])) / sum by (job, cluster) (rate(http_requests_total{job="api"}[5m])) > 0.05"#,
    ),
    named(
        "alert_quantile",
        r#"histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket{job=~"api|web",handler!="/health"}[5m]))) > 0.5 and on (job) sum by (job) (rate(http_requests_total[5m])) > 10"#,
    ),
];

/// The valid expressions of Prometheus' `BenchmarkParser`.
pub const UPSTREAM_VALID: &[Expression] = &[
    named("letter", "a"),
    named("metric", "metric"),
    named("number", "1"),
    named("bool_comparison", "1 >= bool 1"),
    named("arithmetic", "1 + 2/(3*1)"),
    named("or", "foo or bar"),
    named("set_chain", "foo and bar unless baz or qux"),
    named("on_group_right", "bar + on(foo) bla / on(baz, buz) group_right(test) blub"),
    named("ignoring_group_left", "foo / ignoring(test,blub) group_left(blub) bar"),
    named("ignoring_group_right", "foo - ignoring(test,blub) group_right(bar,foo) bar"),
    named("matchers", r#"foo{a="b", foo!="bar", test=~"test", bar!~"baz"}"#),
    named("subqueries", r#"min_over_time(rate(foo{bar="baz"}[2s])[5m:])[4m:3s]"#),
    named(
        "keywords_as_labels",
        "sum without(and, by, avg, count, alert, annotations)(some_metric) [30m:10s]",
    ),
    named("sort_by_label", r#"sort_by_label(metric, "foo", "bar")"#),
];

/// The invalid expressions of Prometheus' `BenchmarkParser`.
pub const UPSTREAM_INVALID: &[Expression] = &[
    named("invalid_open_paren", "("),
    named("invalid_brace", "}"),
    named("invalid_scalar_or", "1 or 1"),
    named("invalid_scalar_or_on", "1 or on(bar) foo"),
    named("invalid_on_scalar", "foo == on(bar) 10"),
    named("invalid_group_left_alone", "foo unless on(bar) group_left(baz) bar"),
];
