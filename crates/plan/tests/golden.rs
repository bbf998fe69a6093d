//! Expressions and the plans they become: as built, and after every pass that changed something.

use std::fmt::Write;

use narthex_model::TimeRange;
use narthex_plan::optimize::Rewrite;
use narthex_plan::{Optimizer, QueryParameters, build};
use narthex_promql::{ParseOptions, parse};

fn parameters() -> QueryParameters {
    QueryParameters::range(TimeRange::new(60_000, 310_000), 60_000, 300_000, 60_000)
}

fn plans(query: &str) -> String {
    let expr = parse(query, &ParseOptions::ALL).into_result().expect("fixtures are valid");
    let mut plan = match build(&expr, parameters()) {
        Ok(plan) => plan,
        Err(error) => return format!("> {query}\nerror: {error}\n"),
    };
    let mut text = format!("> {query}\n{plan}");
    for record in Optimizer::ALL.run_recorded(&mut plan) {
        if record.rewrite == Rewrite::Changed {
            write!(text, "after {}\n{}", record.name, record.plan).expect("writing to a string cannot fail");
        }
    }
    text
}

#[test]
fn plans_are_as_recorded() {
    let mut golden = narthex_testkit::Golden::of("plan", "plan");
    for fixture in narthex_testkit::fixtures("plan", "promql") {
        let text: Vec<String> = fixture.text.lines().map(plans).collect();
        golden.check(&fixture.name, &text.join("\n"));
    }
    golden.finish();
}

#[test]
fn a_pass_says_whether_it_changed_the_plan() {
    for fixture in narthex_testkit::fixtures("plan", "promql") {
        for query in fixture.text.lines() {
            let expr = parse(query, &ParseOptions::ALL).into_result().expect("fixtures are valid");
            let Ok(mut plan) = build(&expr, parameters()) else { continue };
            let mut before = plan.clone();
            for record in Optimizer::ALL.run_recorded(&mut plan) {
                assert_eq!(
                    record.rewrite == Rewrite::Changed,
                    record.plan != before,
                    "{} on {query}",
                    record.name
                );
                before = record.plan;
            }
            // What ran once has nothing left to do.
            let again = Optimizer::ALL.run_recorded(&mut plan);
            assert!(again.iter().all(|record| record.rewrite == Rewrite::Unchanged), "{query}");
        }
    }
}

#[test]
fn a_single_pass_can_be_left_out() {
    let expr = parse("up @ 10 + b{x=~\".*\"}", &ParseOptions::ALL).into_result().expect("a valid query");
    let mut plan = build(&expr, parameters()).expect("a plan");
    Optimizer::ALL.without("hoist_step_invariant").run(&mut plan);
    assert!(!plan.to_string().contains("step invariant") && !plan.to_string().contains(".*"));
    Optimizer::NONE.with("hoist_step_invariant").run(&mut plan);
    assert!(plan.to_string().contains("step invariant"));
}

#[test]
fn the_longest_chain_is_planned_and_printed_on_a_small_stack() {
    let query = vec!["rate(x[5m])"; narthex_promql::features::CHAIN_LIMIT - 8].join(" + ");
    let plan_all = move || {
        let expr = parse(&query, &ParseOptions::ALL).into_result().expect("within the limits");
        let mut plan = build(&expr, parameters()).expect("a plan");
        Optimizer::ALL.run(&mut plan);
        plan.to_string().lines().count()
    };
    let small = std::thread::Builder::new().stack_size(2 << 20).spawn(plan_all).expect("a thread");
    assert!(small.join().expect("the stack holds") > 1000);
}
