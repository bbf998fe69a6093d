//! Whether the pages about lints say what the table says. `UPDATE=1` writes them.

use narthex_diag::Applicability;
use narthex_lint::{DefaultState, LINTS, LintSpec};
use narthex_testkit::{check_no_orphans, golden};

#[test]
fn freshness_of_the_pages() {
    for lint in LINTS {
        golden(format!("../crates/lint/docs/{}.md", lint.spec().code), &page(lint.spec()));
    }
    golden("../crates/lint/docs/README.md", &index());
    let codes = LINTS.iter().map(|lint| lint.spec().code.0);
    check_no_orphans("../crates/lint/docs", "md", codes.chain(["README"]));
}

fn fix(spec: &LintSpec) -> &'static str {
    spec.fix.map_or("none", Applicability::as_str)
}

fn state(spec: &LintSpec) -> &'static str {
    match spec.default {
        DefaultState::On => "on",
        DefaultState::Off => "off",
    }
}

fn page(spec: &LintSpec) -> String {
    format!(
        "# {} {}\n\n{}.\n\n| severity | class | by default | fix |\n|---|---|---|---|\n| {} | {} | {} | {} |\n\n{}\n\n\
         ## Example\n\n```yaml\n{}```\n\nUse instead:\n\n```yaml\n{}```\n",
        spec.code,
        spec.name,
        capitalized(spec.summary),
        spec.severity.as_str(),
        spec.class.as_str(),
        state(spec),
        fix(spec),
        spec.explanation,
        spec.bad,
        spec.good,
    )
}

fn index() -> String {
    let mut out =
        "# Lints\n\n| code | name | severity | class | fix | what is found |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for lint in LINTS {
        let spec = lint.spec();
        out += &format!(
            "| [{0}]({0}.md) | {1} | {2} | {3} | {4} | {5} |\n",
            spec.code,
            spec.name,
            spec.severity.as_str(),
            spec.class.as_str(),
            fix(spec),
            spec.summary.replace('|', "\\|"),
        );
    }
    out
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
