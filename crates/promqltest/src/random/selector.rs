//! Selectors of instants and of windows.

use super::QueryGenerator;
use super::wish::{Exactness, Kind, Wish};

/// Metrics of integers.
const INTEGERS: [&str; 9] = [
    "requests_total",
    "requests_total",
    "errors_total",
    "memory",
    "memory",
    "odd",
    "once",
    "latency_count",
    "target_info",
];
/// Further metrics of floats.
const FRACTIONS: [&str; 3] = ["temperature", "temperature", "latency_sum"];
const BUCKETS: [&str; 4] = ["latency_bucket", "latency_bucket", "latency_bucket", "broken_bucket"];
const NATIVES: [&str; 7] =
    ["native", "native", "native", "native_gauge", "custom", "custom_changing", "mixed"];
/// Several metrics at once: labels that differ by the name only until it is removed.
const NAMELESS: [&str; 4] = [
    "{__name__=~\"requests_total|memory\", job=\"api\"}",
    "{__name__=~\"memory|odd\"}",
    "{__name__=~\".+_total\", instance=\"a\"}",
    "{job=\"db\", __name__!~\".*_bucket|native.*|custom.*|mixed|temperature|latency_sum\"}",
];
const MATCHERS: [&str; 17] = [
    "",
    "",
    "",
    "",
    "{}",
    "{job=\"api\"}",
    "{job!=\"api\"}",
    "{instance=\"a\"}",
    "{instance=~\"a|b\"}",
    "{job=~\"a.*\"}",
    "{job!~\"api\", instance=~\".\"}",
    "{missing=\"\"}",
    "{instance=~\"[b-z]\",}",
    "{code=~\"5..\"}",
    "{job=\"db\", job!=\"\"}",
    "{job=\"none\"}",
    "{job=~\".*\", instance!=\"c\", instance!=\"c\"}",
];

impl QueryGenerator<'_> {
    fn metric(&mut self, wish: Wish) -> &'static str {
        match (wish.kind, wish.exactness) {
            (Kind::Buckets, _) => self.one_of(&BUCKETS),
            (Kind::Native, _) => self.one_of(&NATIVES),
            (Kind::Float, Exactness::Any) if self.once_in(4) => self.one_of(&FRACTIONS),
            (Kind::Float, _) => self.one_of(&INTEGERS),
        }
    }

    /// A selector without modifiers.
    fn series(&mut self, wish: Wish) -> String {
        self.count_leaf();
        if wish.kind == Kind::Float && self.once_in(16) {
            return self.one_of(&NAMELESS).to_owned();
        }
        if self.errs() {
            return self
                .one_of(&["{}", "memory{job=~\"(\"}", "memory{job==\"api\"}", "memory{\"odd\"}"])
                .to_owned();
        }
        let metric = self.metric_again(wish).unwrap_or_else(|| self.metric(wish));
        self.selected.push((wish, metric));
        format!("{metric}{}", self.one_of(&MATCHERS))
    }

    /// Now and then the metric that was selected last.
    fn metric_again(&mut self, wish: Wish) -> Option<&'static str> {
        let last = self.selected.iter().rev().find(|(other, _)| *other == wish)?.1;
        self.once_in(3).then_some(last)
    }

    /// An instant vector selector.
    pub(super) fn selector(&mut self, wish: Wish) -> String {
        let smoothed =
            if self.dialect.options.extended_range_selectors && self.once_in(20) { " smoothed" } else { "" };
        let (series, modifiers) = (self.series(wish), self.modifiers());
        format!("{series}{smoothed}{modifiers}")
    }

    /// A range vector: samples as stored, or a subquery.
    pub(super) fn window(&mut self, depth: u32, wish: Wish) -> String {
        if depth > 0 && self.once_in(4) {
            // Windows are compared and counted.
            let inner = self.vector(depth - 1, Wish { exactness: Exactness::Integer, ..wish });
            let (range, modifiers) = (self.subquery_range(), self.modifiers());
            return format!("({inner})[{range}]{modifiers}");
        }
        let (series, range, modifiers) = (self.series(wish), self.range(), self.modifiers());
        format!("{series}[{range}]{modifiers}")
    }

    /// A range vector with `anchored` or `smoothed`.
    pub(super) fn extended_window(&mut self, wish: Wish) -> String {
        let (series, range, modifiers) = (self.series(wish), self.range(), self.modifiers());
        format!("{series}[{range}] {}{modifiers}", self.one_of(&["anchored", "smoothed"]))
    }
}
