//! Queries over the metrics of [`METRICS`] whose results are integers wherever they are compared.

use super::Random;

/// The metrics of the store; `x` and `job` are their labels.
pub const METRICS: [&str; 3] = ["a_total", "b", "c"];

/// Whether the values of an expression are integers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exactness {
    Integer,
    Any,
}

/// Makes queries.
pub struct Generator<'a> {
    random: &'a mut dyn Random,
}

impl<'a> Generator<'a> {
    /// A generator that chooses by these numbers.
    pub fn new(random: &'a mut dyn Random) -> Generator<'a> {
        Generator { random }
    }

    /// A query for any purpose.
    pub fn query(&mut self) -> String {
        self.vector(4, Exactness::Any)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    fn one_of<'b>(&mut self, choices: &[&'b str]) -> &'b str {
        choices[self.below(choices.len())]
    }

    fn vector(&mut self, depth: u32, exactness: Exactness) -> String {
        if depth == 0 {
            return self.selector();
        }
        match (self.below(10), exactness) {
            (0, _) => self.selector(),
            (1, _) => format!("({})", self.vector(depth - 1, exactness)),
            (2, _) => format!("-{}", self.selector()),
            (3, _) => self.set_operation(depth, exactness),
            (4, _) => self.comparison(depth),
            (5, _) => self.integer_aggregation(depth),
            (6, _) => self.integer_function(depth),
            (_, Exactness::Integer) => self.integer_arithmetic(depth),
            (7, _) => self.aggregation(depth),
            (8, _) => self.function(depth),
            _ => self.arithmetic(depth),
        }
    }

    fn selector(&mut self) -> String {
        if self.below(12) == 0 {
            // Series that differ by their names only until these are removed.
            return format!("{{__name__=~\"b|c\", x=\"1\"}}{}", self.modifiers());
        }
        let metric = self.one_of(&METRICS);
        let matchers = self.one_of(&[
            "",
            "",
            "{}",
            "{x=\"1\"}",
            "{x!=\"1\"}",
            "{job=~\"p.*\"}",
            "{job!~\"p|q\", x=~\"1|2\"}",
            "{y=\"\"}",
            "{x=\"none\"}",
        ]);
        let modifiers = self.modifiers();
        format!("{metric}{matchers}{modifiers}")
    }

    fn modifiers(&mut self) -> String {
        let offset = self.one_of(&["", "", "", "", " offset 20s", " offset -35s", " offset 6m"]);
        let at = self.one_of(&["", "", "", "", "", " @ 300", " @ start()", " @ end()"]);
        format!("{at}{offset}")
    }

    /// A window over integers.
    fn window(&mut self, depth: u32) -> String {
        let range = self.one_of(&["10s", "30s", "1m", "90s", "5m", "10m"]);
        if depth == 0 || self.below(3) > 0 {
            let metric = self.one_of(&METRICS);
            let modifiers = self.modifiers();
            return format!("{metric}[{range}]{modifiers}");
        }
        let step = self.one_of(&["", "10s", "25s", "1m"]);
        let inner = self.vector(depth - 1, Exactness::Integer);
        let modifiers = self.modifiers();
        format!("({inner})[{range}:{step}]{modifiers}")
    }

    fn grouping(&mut self) -> &'static str {
        self.one_of(&[
            "",
            "by (job) ",
            "by (x) ",
            "by (x, job) ",
            "without (x) ",
            "without (nothing) ",
            "by (y) ",
        ])
    }

    fn integer_aggregation(&mut self, depth: u32) -> String {
        let op = self.one_of(&["sum", "min", "max", "count", "group"]);
        let (grouping, inner) = (self.grouping(), self.vector(depth - 1, Exactness::Integer));
        format!("{op} {grouping}({inner})")
    }

    fn aggregation(&mut self, depth: u32) -> String {
        let grouping = self.grouping();
        match self.below(3) {
            0 => {
                let op = self.one_of(&["sum", "avg", "stddev", "stdvar", "min", "max", "count"]);
                format!("{op} {grouping}({})", self.vector(depth - 1, Exactness::Any))
            }
            1 => {
                let q = self.one_of(&["0", "0.25", "0.5", "0.9", "1", "1.5", "-1", "NaN"]);
                format!("quantile {grouping}({q}, {})", self.vector(depth - 1, Exactness::Any))
            }
            // Which of equal elements are chosen is open; their sum is not. With k = 0 it would be open whether the
            // operand is evaluated, and so whether its failure is seen.
            _ => {
                let (op, k) = (self.one_of(&["topk", "bottomk"]), 1 + self.below(3));
                format!("sum({op} {grouping}({k}, {}))", self.vector(depth - 1, Exactness::Integer))
            }
        }
    }

    fn integer_function(&mut self, depth: u32) -> String {
        let window = ["sum", "min", "max", "count", "last", "first", "present", "ts_of_last", "ts_of_max"];
        match self.below(6) {
            0 => format!("{}({})", self.one_of(&["changes", "resets"]), self.window(depth - 1)),
            1 => format!(
                "{}({})",
                self.one_of(&["abs", "sgn", "ceil"]),
                self.vector(depth - 1, Exactness::Integer)
            ),
            2 => format!("absent({})", self.vector(depth - 1, Exactness::Integer)),
            3 => format!("absent_over_time({})", self.window(depth - 1)),
            _ => format!("{}_over_time({})", self.one_of(&window), self.window(depth - 1)),
        }
    }

    fn function(&mut self, depth: u32) -> String {
        match self.below(7) {
            0 | 1 => {
                let name = self.one_of(&["rate", "increase", "delta", "irate", "idelta", "deriv"]);
                format!("{name}({})", self.window(depth - 1))
            }
            2 => {
                let name = self.one_of(&["avg", "stddev", "stdvar", "mad"]);
                format!("{name}_over_time({})", self.window(depth - 1))
            }
            3 => {
                let q = self.one_of(&["0", "0.3", "1", "2"]);
                format!("quantile_over_time({q}, {})", self.window(depth - 1))
            }
            4 => format!("predict_linear({}, 30)", self.window(depth - 1)),
            5 => {
                let bounds = self.one_of(&["-1, 3", "2, 1", "NaN, 1"]);
                format!("clamp({}, {bounds})", self.vector(depth - 1, Exactness::Any))
            }
            _ => {
                let name = self.one_of(&["sqrt", "exp", "floor", "timestamp", "round"]);
                // Rounding turns the smallest difference into a large one.
                format!("{name}({})", self.vector(depth - 1, Exactness::Integer))
            }
        }
    }

    fn matching(&mut self) -> &'static str {
        self.one_of(&[
            "",
            "",
            "on (x, job) ",
            "ignoring (y) ",
            "on (job) ",
            "on (x) group_left () ",
            "ignoring (x) group_left () ",
            "on (job) group_right () ",
            "on (job, x) group_left (y) ",
        ])
    }

    fn comparison(&mut self, depth: u32) -> String {
        let op = self.one_of(&["==", "!=", "<", "<=", ">", ">=", "== bool", "< bool", ">= bool"]);
        let left = self.vector(depth - 1, Exactness::Integer);
        if self.below(2) == 0 {
            return format!("({left} {op} {})", self.below(6));
        }
        let (matching, right) = (self.matching(), self.vector(depth - 1, Exactness::Integer));
        format!("({left} {op} {matching}{right})")
    }

    fn integer_arithmetic(&mut self, depth: u32) -> String {
        let op = self.one_of(&["+", "-", "*"]);
        self.operation(depth, op, Exactness::Integer)
    }

    fn arithmetic(&mut self, depth: u32) -> String {
        let op = self.one_of(&["+", "-", "*", "/", "^", "atan2"]);
        self.operation(depth, op, Exactness::Any)
    }

    fn operation(&mut self, depth: u32, op: &str, exactness: Exactness) -> String {
        let left = self.vector(depth - 1, exactness);
        match self.below(4) {
            0 => format!("({left} {op} {})", self.below(4)),
            1 => format!("({} {op} {left})", self.below(4)),
            _ => {
                let (matching, right) = (self.matching(), self.vector(depth - 1, exactness));
                format!("({left} {op} {matching}{right})")
            }
        }
    }

    fn set_operation(&mut self, depth: u32, exactness: Exactness) -> String {
        let op = self.one_of(&["and", "or", "unless"]);
        let matching = self.one_of(&["", "on (x) ", "ignoring (job) ", "on () "]);
        let (left, right) = (self.vector(depth - 1, exactness), self.vector(depth - 1, exactness));
        format!("({left} {op} {matching}{right})")
    }
}
