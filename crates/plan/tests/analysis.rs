//! What the analysis concludes: expressions with the facts of their whole, and with every reason a label is missing.

use narthex_plan::analysis::Analysis;
use narthex_promql::{ParseOptions, parse};
use narthex_testkit::{Golden, fixtures};

#[test]
fn facts_of_expressions() {
    let mut golden = Golden::of("lint/analysis", "facts");
    for fixture in fixtures("lint/analysis", "promql") {
        let expressions = fixture.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let facts: Vec<String> = expressions.map(facts_of).collect();
        golden.check(&fixture.name, &facts.join("\n"));
    }
    golden.finish();
}

fn facts_of(text: &str) -> String {
    let parse = parse(text, &ParseOptions::ALL);
    assert!(parse.diagnostics.is_empty(), "{text}: {:?}", parse.diagnostics);
    let analysis = Analysis::new(&parse.expr);
    let root = analysis.root();
    let mut out = format!("{text}\n  {}\n  {}\n  {}\n", root.labels, root.values, root.presence);
    for fact in root.labels.named().iter().filter(|fact| fact.values.is_absent()) {
        let place = fact.reason.span.slice(text);
        out += &format!("  no {}: {} `{place}`\n", fact.name, fact.reason.why.describe());
    }
    if let narthex_plan::analysis::Others::Absent(reason) = root.labels.others() {
        out += &format!("  no others: {} `{}`\n", reason.why.describe(), reason.span.slice(text));
    }
    out
}
