//! Expressions and the operators that compute them.

use narthex_eval::{Engine, EngineOptions};
use narthex_model::TimeRange;
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};

fn explanation(query: &str) -> String {
    let parameters = QueryParameters::range(TimeRange::new(60_000, 310_000), 60_000, 300_000, 60_000);
    let expr = parse(query, &ParseOptions::ALL).into_result().expect("fixtures are valid");
    let query_plan =
        Engine::new(EngineOptions::STABLE).prepare(&expr, parameters).expect("fixtures have plans");
    match query_plan.explain() {
        Ok(text) => format!("> {query}\n{text}"),
        Err(error) => format!("> {query}\nerror: {error}\n"),
    }
}

#[test]
fn operators_are_as_recorded() {
    let mut golden = narthex_testkit::Golden::of("explain", "operators");
    for fixture in narthex_testkit::fixtures("explain", "promql") {
        let text: Vec<String> = fixture.text.lines().map(explanation).collect();
        golden.check(&fixture.name, &text.join("\n"));
    }
    golden.finish();
}
