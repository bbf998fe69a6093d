//! The engine against a running Prometheus: random queries over the same samples have the same answers.
//!
//! `NARTHEX_RANDOM_QUERIES` says how many queries each mode asks, `NARTHEX_RANDOM_SEED` where they start.

#![expect(clippy::disallowed_methods, reason = "tests are steered by the environment")]

mod answer;
mod case;
mod difference;
mod explained;
mod remote_write;
mod server;

use std::collections::BTreeMap;
use std::fmt::Write;

use narthex_eval::context::EvalOptions;
use narthex_promqltest::random::samples;
use narthex_testkit::SplitMix64;
use narthex_tsdb::{Head, HeadLimits};

use case::{Asked, Case, Run};
use difference::{Difference, differences};
use server::Server;

/// Queries of one mode when nobody says how many.
const QUERIES: u64 = 300;
const FEATURES: &str = "native-histograms,promql-experimental-functions,promql-duration-expr";
/// How many queries with differences are shown.
const SHOWN_MAX: u64 = 40;

/// The name of what no rule explains: see [`Asked::is_unsteady`].
const UNSTEADY: &str = "unsteady answers";

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().expect("a whole number"))
}

/// What a run has seen.
#[derive(Default)]
struct Tally {
    queries: u64,
    failed: u64,
    with_samples: u64,
    /// Queries by the rule that explains a difference of theirs.
    explained: BTreeMap<&'static str, u64>,
    unexplained: u64,
    report: String,
}

impl Tally {
    fn count(&mut self, asked: &Asked<'_>) {
        self.queries += 1;
        match &asked.theirs.outcome {
            Ok(outcome) => self.with_samples += u64::from(!outcome.is_empty()),
            Err(_) => self.failed += 1,
        }
        let mut rules = BTreeMap::new();
        let mut unexplained = Vec::new();
        // What one rule explains of a query, it need not explain again sample by sample.
        for difference in differences(&asked.case.query, &asked.theirs, &asked.ours) {
            if rules.contains_key(&(difference.what, difference.note())) {
                continue;
            }
            match explained::rule_for(asked, &difference) {
                Some(rule) => {
                    rules.insert((difference.what, difference.note()), rule.name);
                }
                None if asked.is_unsteady() => {
                    rules.insert((difference.what, difference.note()), UNSTEADY);
                }
                None => unexplained.push(difference),
            }
        }
        let mut names: Vec<&str> = rules.into_values().collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().for_each(|name| *self.explained.entry(name).or_default() += 1);
        if !unexplained.is_empty() {
            self.report(asked.case, &unexplained);
        }
    }

    fn report(&mut self, case: &Case, differences: &[Difference]) {
        self.unexplained += 1;
        if self.unexplained <= setting("NARTHEX_RANDOM_SHOWN", SHOWN_MAX) {
            let _ = writeln!(self.report, "\n  {}", case.title());
            for difference in differences.iter().take(4) {
                let _ = writeln!(self.report, "    {:?}: {}", difference.what, difference.text);
            }
        }
    }

    fn summary(&self, mode: &str) -> String {
        let mut text = format!(
            "{mode}: {} queries, {} with samples, {} failed, {} with unexplained differences",
            self.queries, self.with_samples, self.failed, self.unexplained
        );
        let rules = explained::RULES.iter().map(|rule| (rule.name, rule.reason));
        for (name, reason) in rules.chain([(UNSTEADY, "the server has our answer when it is asked again")]) {
            let count = self.explained.get(name).copied().unwrap_or(0);
            let _ = write!(text, "\n  {count:>6} {name}: {reason}");
        }
        text
    }
}

fn run(mode: &str, features: &str, eval: EvalOptions) {
    let Some(prometheus) = narthex_testkit::peer("prometheus") else { return };
    let first = setting("NARTHEX_RANDOM_SEED", 1);
    let mut random = SplitMix64::new(first);
    let series = samples::series(&mut || random.next_u64());
    let mut store = Head::new(HeadLimits::EMBEDDED);
    samples::append(&series, &mut store).expect("samples come in order");
    let run = Run { server: Server::start(&prometheus, mode, features), store, eval };
    remote_write::requests(&series).iter().for_each(|body| run.server.write(body));
    let mut tally = Tally::default();
    for seed in first..first + setting("NARTHEX_RANDOM_QUERIES", QUERIES) {
        tally.count(&run.ask(&Case::new(seed)));
    }
    let summary = tally.summary(mode);
    println!("{summary}");
    assert!(tally.unexplained == 0, "{summary}\n{}", tally.report);
    assert!(tally.with_samples * 5 >= tally.queries * 2, "{summary}");
}

#[test]
fn names_removed_at_once() {
    run("immediate", FEATURES, EvalOptions::STABLE);
}

#[test]
fn names_removed_at_the_end() {
    let features = format!("{FEATURES},promql-delayed-name-removal");
    run("delayed", &features, EvalOptions { delayed_name_removal: true, ..EvalOptions::STABLE });
}
