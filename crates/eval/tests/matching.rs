//! Joins of two vectors against one written step by step, element by element, from the definition.

use std::collections::{BTreeMap, BTreeSet};

use narthex_eval::context::EvalOptions;
use narthex_eval::{Engine, EngineOptions, QueryValue};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};
use proptest::prelude::*;

const STEPS: usize = 3;
const STEP_MS: i64 = 60_000;

type LabelMap = BTreeMap<String, String>;
type Element = (LabelMap, f64);
type Elements = Vec<Element>;

/// The side with many elements per key.
#[derive(Clone, Copy, PartialEq)]
enum Group {
    None,
    Left,
    Right,
}

/// A query `a <text> b`, and what it means.
struct Case {
    text: &'static str,
    compute: fn(f64, f64) -> Option<f64>,
    keeps_name: bool,
    /// Labels compared; otherwise all but the name and the ignored ones.
    on: Option<&'static [&'static str]>,
    ignoring: &'static [&'static str],
    group: Group,
    include: &'static [&'static str],
    fill_many: Option<f64>,
    fill_one: Option<f64>,
}

const PLAIN: Case = Case {
    text: "+",
    compute: |left, right| Some(left + right),
    keeps_name: false,
    on: None,
    ignoring: &[],
    group: Group::None,
    include: &[],
    fill_many: None,
    fill_one: None,
};

const CASES: [Case; 13] = [
    PLAIN,
    Case { text: "- on (x)", compute: |left, right| Some(left - right), on: Some(&["x"]), ..PLAIN },
    Case { text: "+ ignoring (y)", ignoring: &["y"], ..PLAIN },
    Case { text: "> ignoring (z)", compute: kept_if_greater, keeps_name: true, ignoring: &["z"], ..PLAIN },
    Case {
        text: "> on (__name__, x)",
        compute: kept_if_greater,
        keeps_name: true,
        on: Some(&["__name__", "x"]),
        ..PLAIN
    },
    Case { text: "+ on (x) group_left", on: Some(&["x"]), group: Group::Left, ..PLAIN },
    Case { text: "+ on (x) group_left (y)", on: Some(&["x"]), group: Group::Left, include: &["y"], ..PLAIN },
    Case {
        text: "- ignoring (y, z) group_right (z)",
        compute: |left, right| Some(left - right),
        ignoring: &["y", "z"],
        group: Group::Right,
        include: &["z"],
        ..PLAIN
    },
    Case {
        text: "> on (x) group_right",
        compute: kept_if_greater,
        keeps_name: true,
        on: Some(&["x"]),
        group: Group::Right,
        ..PLAIN
    },
    Case { text: "+ fill_left (7)", fill_many: Some(7.0), ..PLAIN },
    Case { text: "+ on (x, y) fill_right (7)", on: Some(&["x", "y"]), fill_one: Some(7.0), ..PLAIN },
    Case {
        text: "+ ignoring (y) fill (3)",
        ignoring: &["y"],
        fill_many: Some(3.0),
        fill_one: Some(3.0),
        ..PLAIN
    },
    Case {
        text: "+ on (x) group_left (y) fill_left (1) fill_right (2)",
        on: Some(&["x"]),
        group: Group::Left,
        include: &["y"],
        fill_many: Some(1.0),
        fill_one: Some(2.0),
        ..PLAIN
    },
];

fn kept_if_greater(left: f64, right: f64) -> Option<f64> {
    (left > right).then_some(left)
}

impl Case {
    fn key(&self, labels: &LabelMap) -> LabelMap {
        let is_compared = |name: &str| match self.on {
            Some(on) => on.contains(&name),
            None => name != "__name__" && !self.ignoring.contains(&name),
        };
        labels
            .iter()
            .filter(|label| is_compared(label.0))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn result(&self, many: &LabelMap, one: &LabelMap) -> LabelMap {
        let mut labels = many.clone();
        if !self.keeps_name {
            labels.remove("__name__");
        }
        if self.group == Group::None {
            labels.retain(|name, _| match self.on {
                Some(on) => on.contains(&name.as_str()),
                None => !self.ignoring.contains(&name.as_str()),
            });
        }
        for name in self.include {
            labels.remove(*name);
            labels.extend(one.get(*name).map(|value| ((*name).to_owned(), value.clone())));
        }
        labels
    }

    /// The elements of one step; `None` when the step is an error.
    fn join(&self, left: &Elements, right: &Elements) -> Option<Elements> {
        let (many, one) = if self.group == Group::Right { (right, left) } else { (left, right) };
        // Any fill value, for whichever side, has both sides looked at; duplicates are errors then.
        let is_filled = self.fill_many.is_some() || self.fill_one.is_some();
        if (many.is_empty() || one.is_empty()) && !is_filled {
            return Some(Vec::new());
        }
        let keys: BTreeSet<LabelMap> = one.iter().map(|(labels, _)| self.key(labels)).collect();
        if keys.len() < one.len() {
            return None;
        }
        let mut pairs = Vec::new();
        for element in many {
            let key = self.key(&element.0);
            let partner = one.iter().find(|(labels, _)| self.key(labels) == key).cloned();
            let partner = partner.or_else(|| Some((key, self.fill_one?)));
            pairs.extend(partner.map(|partner| (element.clone(), partner)));
        }
        let many_keys: Vec<LabelMap> = many.iter().map(|(labels, _)| self.key(labels)).collect();
        let matched: BTreeSet<LabelMap> = pairs.iter().map(|(many, _)| self.key(&many.0)).collect();
        if self.group == Group::None && matched.len() < pairs.len() {
            return None;
        }
        for element in one {
            let key = self.key(&element.0);
            if let (Some(fill), false) = (self.fill_many, many_keys.contains(&key)) {
                pairs.push(((key, fill), element.clone()));
            }
        }
        self.results(&pairs)
    }

    fn results(&self, pairs: &[(Element, Element)]) -> Option<Elements> {
        let mut results = BTreeMap::new();
        for (many, one) in pairs {
            let (left, right) = if self.group == Group::Right { (one.1, many.1) } else { (many.1, one.1) };
            let Some(value) = (self.compute)(left, right) else { continue };
            if results.insert(self.result(&many.0, &one.0), value).is_some() {
                return None;
            }
        }
        Some(results.into_iter().collect())
    }
}

/// A series: its labels without the name, and its values.
type Series = (LabelMap, [Option<i8>; STEPS]);

fn any_series() -> impl Strategy<Value = Vec<Series>> {
    let label = |name: &'static str| {
        prop::option::of(1..3_u8)
            .prop_map(move |value| value.map(|value| (name.to_owned(), value.to_string())))
    };
    let labels = (label("x"), label("y"), label("z"))
        .prop_map(|(x, y, z)| [x, y, z].into_iter().flatten().collect::<LabelMap>());
    let values = prop::array::uniform3(prop::option::weighted(0.5, -3..4_i8));
    prop::collection::btree_map(labels, values, 0..5).prop_map(|series| series.into_iter().collect())
}

fn elements(metric: &str, series: &[Series], step: usize) -> Elements {
    let element = |(labels, values): &Series| {
        let mut labels = labels.clone();
        labels.insert("__name__".into(), metric.into());
        Some((labels, f64::from(values[step]?)))
    };
    series.iter().filter_map(element).collect()
}

fn evaluate(query: &str, left: &[Series], right: &[Series]) -> Result<Vec<Elements>, String> {
    let mut store = MemoryStorage::new();
    for step in 0..STEPS {
        for (labels, value) in elements("a", left, step).into_iter().chain(elements("b", right, step)) {
            let labels =
                Labels::from_pairs(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            store.append(&labels, step as i64 * STEP_MS, value.into(), 0).expect("steps come in order");
        }
    }
    let expr = parse(query, &ParseOptions::ALL).into_result().expect("a valid query");
    let options = EngineOptions { eval: EvalOptions::STABLE, ..EngineOptions::STABLE };
    let range = TimeRange::new(0, (STEPS as i64 - 1) * STEP_MS);
    let parameters = QueryParameters::range(range, STEP_MS, STEP_MS / 2, STEP_MS);
    let result =
        Engine::new(options).evaluate(&store, &expr, parameters).map_err(|error| error.to_string())?;
    let QueryValue::Matrix(matrix) = result.value else { return Err("no matrix".into()) };
    let mut steps = vec![Elements::new(); STEPS];
    for series in matrix {
        let labels: LabelMap =
            series.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (at_ms, value) in series.floats {
            steps[(at_ms / STEP_MS) as usize].push((labels.clone(), value));
        }
    }
    steps.iter_mut().for_each(|elements| elements.sort_by(|a, b| a.0.cmp(&b.0)));
    Ok(steps)
}

/// Labels compared by set operators with `on (x)`.
fn has_partner(element: &LabelMap, others: &Elements) -> bool {
    others.iter().any(|(labels, _)| labels.get("x") == element.get("x"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn joins_follow_the_definition(left in any_series(), right in any_series()) {
        for case in &CASES {
            let query = format!("a {} b", case.text);
            let expected: Option<Vec<Elements>> = (0..STEPS)
                .map(|step| case.join(&elements("a", &left, step), &elements("b", &right, step)))
                .collect();
            let found = evaluate(&query, &left, &right);
            match (found, expected) {
                (Ok(found), Some(expected)) => prop_assert_eq!(found, expected, "{}", query),
                (found, expected) => {
                    prop_assert!(found.is_err() && expected.is_none(), "{} {:?} {:?}", query, found, expected);
                }
            }
        }
    }

    #[test]
    fn set_operators_follow_the_definition(left in any_series(), right in any_series()) {
        for op in ["and", "or", "unless"] {
            let found = evaluate(&format!("a {op} on (x) b"), &left, &right).unwrap();
            for (step, found) in found.into_iter().enumerate() {
                let (left, right) = (elements("a", &left, step), elements("b", &right, step));
                let mut expected: Elements = match op {
                    "and" => left.iter().filter(|one| has_partner(&one.0, &right)).cloned().collect(),
                    "unless" => left.iter().filter(|one| !has_partner(&one.0, &right)).cloned().collect(),
                    _ => left.iter().chain(right.iter().filter(|one| !has_partner(&one.0, &left))).cloned().collect(),
                };
                expected.sort_by(|a, b| a.0.cmp(&b.0));
                prop_assert_eq!(found, expected, "{}", op);
            }
        }
    }
}
