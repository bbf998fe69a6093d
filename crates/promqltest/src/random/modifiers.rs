//! Durations, `@`, `offset` and the extended modifiers.

use super::QueryGenerator;

const RANGES: [&str; 12] =
    ["10s", "30s", "1m", "90s", "2m", "5m", "10m", "30m", "1h", "1m30s", "45", "200.5"];
const RANGE_EXPRESSIONS: [&str; 7] =
    ["1m + 30s", "2 * 45s", "(5m)", "1h / 12", "2 ^ 7", "-30s + 3m", "10m % 4m"];
const RANGE_CALLS: [&str; 4] = ["step() + 1m", "max_of(1m, range())", "min_of(5m, 100s)", "range() + 45"];
const STEPS: [&str; 7] = ["", "", "10s", "15s", "25s", "1m", "7m"];
const OFFSETS: [&str; 7] = ["20s", "-35s", "1m", "6m", "-10m", "0.5", "45"];
const OFFSET_EXPRESSIONS: [&str; 4] = ["(1m + 10s)", "-(2 * 20s)", "(3m % 100s)", "(-30s)"];
const OFFSET_CALLS: [&str; 4] = ["step()", "-range()", "min_of(1m, 30s)", "(step() * 2)"];
const TIMES: [&str; 9] = ["0", "300", "1000", "1234.5", "-60", "2400", "1e4", "start()", "end()"];

impl QueryGenerator<'_> {
    /// A duration: a literal, mostly.
    fn duration<'b>(&mut self, plain: &[&'b str], expressions: &[&'b str], calls: &[&'b str]) -> &'b str {
        match self.below(10) {
            0 if self.dialect.options.duration_expressions => self.one_of(expressions),
            1 if self.dialect.duration_calls => self.one_of(calls),
            _ => self.one_of(plain),
        }
    }

    /// What is between brackets after a selector.
    pub(super) fn range(&mut self) -> &'static str {
        self.duration(&RANGES, &RANGE_EXPRESSIONS, &RANGE_CALLS)
    }

    /// What is between brackets after the operand of a subquery.
    pub(super) fn subquery_range(&mut self) -> String {
        let range = self.range();
        // A duration expression after a colon is one more form that is rarely written.
        let step = match self.below(20) {
            0 if self.dialect.options.duration_expressions => "2 * 15s",
            _ => self.one_of(&STEPS),
        };
        format!("{range}:{step}")
    }

    /// `@` and `offset`, in either order; nothing, mostly.
    pub(super) fn modifiers(&mut self) -> String {
        let offset = if self.once_in(5) {
            let expressions =
                if self.dialect.offset_expressions { &OFFSET_EXPRESSIONS[..] } else { &OFFSETS };
            format!(" offset {}", self.duration(&OFFSETS, expressions, &OFFSET_CALLS))
        } else {
            String::new()
        };
        let at = if self.once_in(8) { format!(" @ {}", self.one_of(&TIMES)) } else { String::new() };
        if self.once_in(2) { format!("{at}{offset}") } else { format!("{offset}{at}") }
    }
}
