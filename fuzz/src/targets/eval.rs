//! Any expression over a small store: the optimizer changes no result, and neither does the kind of store.

use std::sync::LazyLock;

use narthex_eval::context::EvalOptions;
use narthex_eval::{Engine, EngineOptions, EvalErrorKind, Limits, QueryValue};
use narthex_model::TimeRange;
use narthex_plan::{Optimizer, QueryParameters};
use narthex_promql::{Expr, ParseOptions, parse, parse_series};
use narthex_storage::{Appender, MemoryStorage, Queryable};
use narthex_tsdb::{Head, HeadLimits};

use crate::input::text;

const STEP_MS: i64 = 30_000;

/// The names that the seeds ask for.
const SERIES: &[&str] = &[
    r#"up{job="api",instance="a"} 1 1 0 1x4 stale _x3 1x8"#,
    r#"up{job="api",instance="b"} _x5 1x12"#,
    r#"up{job="web",instance="c"} 0 1x18"#,
    r#"http_requests_total{job="api",code="200"} 0+13x12 5+7x6"#,
    r#"http_requests_total{job="api",code="500"} 0 0 1 1 3 _ _ 7 9x10"#,
    r#"http_requests_total{job="web",code="200"} 10+0.5x18"#,
    r#"h_bucket{le="0.1",job="api"} 0+1x18"#,
    r#"h_bucket{le="1",job="api"} 0+3x18"#,
    r#"h_bucket{le="+Inf",job="api"} 0+4x18"#,
    r#"h_bucket{le="1",job="web"} 7x18"#,
    "a 1 2 NaN Inf -Inf 0 -1 1e308 -1e308 5x9",
    r#"b{x="1"} 1+1x18"#,
    r#"b{x="2"} -3x18"#,
    r#"c{x="1",y="2"} 4x10 _x8"#,
    r#"foo{bar="baz",test="test"} 0+1x18"#,
    r#"bar{foo="1"} 2x18"#,
    r#"x{job="api"} {{schema:0 count:11 sum:5 buckets:[2 8 1]}}+{{schema:0 count:3 sum:2 buckets:[1 1 1]}}x18"#,
    r#"x{job="web"} {{schema:-53 count:5 sum:9 custom_values:[1 5] buckets:[1 2 2]}}x9 3x9"#,
    r#"y{job="api"} 1 {{schema:1 count:2 sum:1 buckets:[2] n_buckets:[1]}} 3 _ 4x14"#,
];

static HEAD: LazyLock<Head> = LazyLock::new(|| filled(Head::new(HeadLimits::EMBEDDED)));
static MEMORY: LazyLock<MemoryStorage> = LazyLock::new(|| filled(MemoryStorage::new()));

/// See the module.
pub fn target(data: &[u8]) {
    let Some(Ok(expr)) = text(data).map(|text| parse(text, &ParseOptions::ALL).into_result()) else { return };
    let range = TimeRange::new(-45_000, 600_000);
    let all = [
        QueryParameters::instant(300_000, 120_000, 60_000),
        QueryParameters::range(range, 45_000, 120_000, 60_000),
    ];
    for parameters in all {
        let plain = outcome(&*MEMORY, &expr, parameters, Optimizer::NONE);
        check_same(&plain, &outcome(&*MEMORY, &expr, parameters, Optimizer::ALL));
        let packed = outcome(&*HEAD, &expr, parameters, Optimizer::ALL);
        check_same(&without_hints(plain), &without_hints(packed));
    }
}

fn filled<S: Appender>(mut store: S) -> S {
    for description in SERIES {
        let series = parse_series(description).expect("the descriptions above are valid");
        let times = (0i64..).map(|number| number * STEP_MS);
        for (at_ms, value) in times.zip(&series.values) {
            if let Some(sample) = value.sample() {
                store.append(&series.labels, at_ms, sample.clone(), 0).expect("times rise");
            }
        }
    }
    store.commit().expect("memory takes every commit");
    store
}

/// What came of a query, as text: NaN is not equal to itself.
type Outcome = Result<String, EvalErrorKind>;

fn outcome(
    storage: &dyn Queryable,
    expr: &Expr,
    parameters: QueryParameters,
    optimizer: Optimizer,
) -> Outcome {
    let limits = Limits {
        samples_max: 200_000,
        series_max: 1000,
        steps_max: 2000,
        points_max: 2_000_000,
        bytes_max: 64 << 20,
    };
    let eval = EvalOptions { delayed_name_removal: true, ..EvalOptions::STABLE };
    let engine = Engine::new(EngineOptions { limits, eval, optimizer });
    let mut result = engine.evaluate(storage, expr, parameters).map_err(|error| error.kind())?;
    if let QueryValue::Vector(samples) = &mut result.value {
        samples.sort_by(|left, right| left.labels.cmp(&right.labels));
    }
    // How often something was noticed depends on how often it was computed.
    let noticed: Vec<_> = result.annotations.iter().map(|one| (&one.kind, one.span)).collect();
    Ok(format!("{:?}\n{noticed:?}", result.value))
}

/// Chunks say of a histogram inside them that its counter was not reset; memory says what it was given.
fn without_hints(outcome: Outcome) -> Outcome {
    outcome.map(|text| text.replace("counter_reset_hint: NotReset", "counter_reset_hint: Unknown"))
}

/// A plan that does less work may stay within limits that the other one meets.
fn check_same(plain: &Outcome, other: &Outcome) {
    let is_limited = [plain, other].iter().any(|outcome| matches!(outcome, Err(EvalErrorKind::Limit)));
    assert!(is_limited || plain == other, "{plain:?}\n{other:?}");
}
