//! Whether what the analysis proves holds: random expressions over random samples never leave their facts.

use narthex_eval::engine::EngineOptions;
use narthex_eval::{Engine, QueryValue};
use narthex_model::{Labels, SampleValue};
use narthex_plan::QueryParameters;
use narthex_plan::analysis::{Analysis, Basis, Presence};
use narthex_promql::{ParseOptions, parse};
use narthex_storage::Appender;
use narthex_storage::memory::MemoryStorage;
use narthex_testkit::SplitMix64;

/// Expressions of one run.
const EXPRESSIONS: usize = 6000;
/// Of them so many must have a result with elements; else the generator tests nothing.
const WITH_ELEMENTS_MIN: usize = 1500;

/// Series that lack some of the labels, with values that arithmetic treats specially.
fn store(random: &mut SplitMix64) -> MemoryStorage {
    let mut store = MemoryStorage::new();
    let values = [-2.0, -1.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 7.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for metric in ["a", "b", "c_bucket"] {
        for job in ["", "p", "q"] {
            for x in ["", "1", "2"] {
                let labels = Labels::from_pairs([("__name__", metric), ("job", job), ("x", x)]);
                for step in 0..6 {
                    let value = values[random.below(values.len())];
                    if random.below(4) > 0 {
                        let sample = SampleValue::Float(value);
                        store.append(&labels, step * 60_000, sample, 0).expect("samples come in order");
                    }
                }
            }
        }
    }
    store
}

struct Generator<'a>(&'a mut SplitMix64);

impl Generator<'_> {
    fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.0.below(choices.len())]
    }

    fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.selector();
        }
        match self.0.below(9) {
            0 => self.selector(),
            1 => self.aggregation(depth),
            2 | 3 => self.binary(depth),
            4 | 5 => self.comparison(depth),
            6 => self.window(depth),
            7 => self.label_function(depth),
            _ => self.function(depth),
        }
    }

    fn selector(&mut self) -> String {
        let metric = self.one_of(&["a", "a", "b", "c_bucket", "vector(1)", "vector(0)", "vector(NaN)"]);
        if metric.starts_with("vector") {
            return metric.to_owned();
        }
        let labels = self.one_of(&[
            "",
            "",
            "{job=\"p\"}",
            "{job=\"q\", x!=\"\"}",
            "{x=~\"|1\"}",
            "{x=~\"1|2\", job=\"\"}",
            "{x=\"1\", x!~\"1|2\"}",
            "{job!~\"p.*\"}",
            "{y=\"\"}",
            "{job=~\"p.*\", job!=\"p\"}",
        ]);
        format!("{metric}{labels}")
    }

    fn grouping(&mut self) -> &'static str {
        self.one_of(&["", "by (job) ", "by (x, job) ", "without (x) ", "by (y) ", "without (job, y) "])
    }

    fn aggregation(&mut self, depth: u32) -> String {
        let op = self
            .one_of(&["sum", "avg", "count", "min", "max", "group", "stddev", "quantile", "topk", "values"]);
        let (grouping, inner) = (self.grouping(), self.vector(depth - 1));
        match op {
            "quantile" => format!("quantile {grouping}({}, {inner})", self.one_of(&["0.5", "1", "2", "NaN"])),
            "topk" => format!("topk {grouping}({}, {inner})", self.one_of(&["0", "1", "2"])),
            "values" => format!("count_values {grouping}(\"x\", {inner})"),
            op => format!("{op} {grouping}({inner})"),
        }
    }

    fn matching(&mut self, is_set: bool) -> &'static str {
        let grouped = ["on (job) group_left () ", "on (job) group_left (x) ", "ignoring (x) group_right () "];
        let plain = ["", "", "on (job) ", "on (x, job) ", "ignoring (x) ", "on () ", "on (y) "];
        if is_set || self.0.below(3) > 0 { self.one_of(&plain) } else { self.one_of(&grouped) }
    }

    fn binary(&mut self, depth: u32) -> String {
        let op = self.one_of(&["+", "-", "*", "/", "%", "^", "and", "or", "unless", "and", "unless"]);
        let is_set = op.len() > 1;
        let (left, right) = (self.vector(depth - 1), self.vector(depth - 1));
        if !is_set && self.0.below(3) == 0 {
            return format!("({left} {op} {})", self.one_of(&["0", "2", "-1", "Inf"]));
        }
        // Often both sides are conditions on one vector.
        let right =
            if is_set && self.0.below(3) == 0 { format!("{left} > {}", self.0.below(3)) } else { right };
        format!("({left} {op} {}({right}))", self.matching(is_set))
    }

    fn comparison(&mut self, depth: u32) -> String {
        let op = self.one_of(&["==", "!=", "<", "<=", ">", ">=", "> bool", "== bool"]);
        let left = self.vector(depth - 1);
        let limit = self.one_of(&["0", "1", "2", "0.5", "-1", "NaN", "Inf", "-Inf"]);
        match self.0.below(4) {
            0 => format!("({limit} {op} {left})"),
            1 => format!("({left} {op} {}{})", self.matching(false), self.vector(depth - 1)),
            _ => format!("({left} {op} {limit})"),
        }
    }

    fn window(&mut self, depth: u32) -> String {
        let name = self.one_of(&["sum", "avg", "min", "max", "count", "last", "present", "stddev"]);
        let name = match self.0.below(4) {
            0 => self.one_of(&["changes", "resets", "rate", "delta", "absent_over_time"]).to_owned(),
            _ => format!("{name}_over_time"),
        };
        let inner = self.vector(depth - 1);
        format!("{name}(({inner})[{}:1m])", self.one_of(&["30s", "3m", "5m"]))
    }

    fn label_function(&mut self, depth: u32) -> String {
        let inner = self.vector(depth - 1);
        let arguments = self.one_of(&[
            "\"x\", \"$1\", \"job\", \"(.*)\"",
            "\"x\", \"z\", \"job\", \"p|q\"",
            "\"x\", \"$1\", \"job\", \"(.+)\"",
            "\"job\", \"\", \"\", \"\"",
            "\"y\", \"v\", \"x\", \"1\"",
            "\"__name__\", \"a\", \"\", \"\"",
        ]);
        match self.0.below(3) {
            0 => format!("label_join({inner}, \"y\", \"{}\", \"job\", \"x\")", self.one_of(&["", "-"])),
            _ => format!("label_replace({inner}, {arguments})"),
        }
    }

    fn function(&mut self, depth: u32) -> String {
        let inner = self.vector(depth - 1);
        let name = self.one_of(&[
            "abs",
            "ceil",
            "floor",
            "round",
            "sgn",
            "sqrt",
            "ln",
            "exp",
            "sin",
            "hour",
            "timestamp",
            "absent",
            "-",
            "sort",
            "clamp",
            "clamp_min",
            "scalar",
            "histogram_quantile",
        ]);
        match name {
            "clamp" => format!("clamp({inner}, {})", self.one_of(&["0, 1", "2, 1", "-1, 3", "NaN, 1"])),
            "clamp_min" => format!("clamp_min({inner}, {})", self.one_of(&["0", "5", "NaN"])),
            "scalar" => format!("vector(scalar({inner}))"),
            "histogram_quantile" => format!("histogram_quantile(0.5, {inner})"),
            name => format!("{name}({inner})"),
        }
    }
}

/// What is wrong with the facts of an expression, and whether it had elements.
fn check(store: &MemoryStorage, text: &str) -> (Option<String>, bool) {
    let parse = parse(text, &ParseOptions::ALL);
    assert!(parse.diagnostics.is_empty(), "{text}: {:?}", parse.diagnostics);
    let parameters = QueryParameters::instant(300_000, 300_000, 60_000);
    let Ok(result) = Engine::new(EngineOptions::STABLE).evaluate(store, &parse.expr, parameters) else {
        return (None, false);
    };
    let QueryValue::Vector(elements) = result.value else { return (None, false) };
    let analysis = Analysis::new(&parse.expr);
    let root = analysis.root();
    if root.presence.is_never() && root.values.basis == Basis::Proof && !elements.is_empty() {
        return (Some(format!("{} elements, but {}", elements.len(), root.presence)), true);
    }
    if root.presence == Presence::Always && elements.is_empty() {
        return (Some("no element, but always one".to_owned()), false);
    }
    for element in &elements {
        let named = root.labels.named().iter().map(|fact| (fact.name, element.labels.value(fact.name)));
        for (name, value) in named.chain(element.labels.iter()) {
            if !root.labels.get(name).values.accepts(value) {
                return (Some(format!("{name}={value:?} of {}, but {}", element.labels, root.labels)), true);
            }
        }
        if let SampleValue::Float(value) = element.value
            && root.values.basis == Basis::Proof
            && !root.values.contains(value)
        {
            return (Some(format!("value {value}, but {}", root.values)), true);
        }
    }
    (None, !elements.is_empty())
}

#[test]
fn results_never_leave_the_facts() {
    let mut random = SplitMix64::new(20_261_121);
    let (mut failures, mut with_elements) = (Vec::new(), 0);
    for at in 0..EXPRESSIONS {
        let store = store(&mut SplitMix64::new(at as u64 / 50));
        let text = Generator(&mut random).vector(3);
        let (failure, has_elements) = check(&store, &text);
        with_elements += usize::from(has_elements);
        failures.extend(failure.map(|failure| format!("{text}\n    {failure}")));
    }
    failures.truncate(12);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(with_elements >= WITH_ELEMENTS_MIN, "only {with_elements} results with elements");
}
