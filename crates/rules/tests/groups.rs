//! Groups from tick to tick: `testdata/rule-groups/*.yml`, and beside each what its alerts and series become.
//!
//! A fixture is a rule file. Comments give the input, one series a line in the notation of unit tests, a value a minute.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::Write;
use std::sync::Arc;

use narthex_eval::{Engine, EngineOptions};
use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, SampleValue, TimeRange};
use narthex_promql::series::SeriesDescription;
use narthex_promql::{ParseOptions, parse_series};
use narthex_rules::{Alert, EngineQueries, Group, GroupDefinition, Restoration, Surroundings};
use narthex_storage::{Appender, MemoryStorage, Queryable, SampleBuffer, SelectHints};
use narthex_testkit::Fixture;

const MINUTE_MS: i64 = 60_000;

fn inputs(text: &str) -> Vec<SeriesDescription> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# "));
    lines.map(|line| parse_series(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn groups(text: &str) -> Vec<Group> {
    let parse = narthex_rulefmt::parse(text, &narthex_rulefmt::Options::PROMETHEUS);
    assert!(!parse.is_refused(), "{:?}", parse.diagnostics);
    let definitions = parse.file.groups.iter().map(|group| Arc::new(GroupDefinition::new(group)));
    definitions.map(|definition| Group::new(definition, Restoration::Done)).collect()
}

fn alert_line(alert: &Alert) -> String {
    let mut line = format!("  {} {}", alert.state.as_str(), alert.labels);
    write!(line, " since {}m", alert.active_at_ms / MINUTE_MS).unwrap();
    if let Some(resolved_at_ms) = alert.resolved_at_ms {
        write!(line, " until {}m", resolved_at_ms / MINUTE_MS).unwrap();
    }
    for (name, text) in &alert.annotations {
        write!(line, " {name}={text:?}").unwrap();
    }
    line
}

fn series_lines(store: &MemoryStorage) -> String {
    let querier = store.querier(TimeRange::ALL).unwrap();
    let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).unwrap();
    let mut buffer = SampleBuffer::new();
    let mut lines = String::new();
    for number in 0..set.len() {
        set.read(number, TimeRange::ALL, &mut buffer).unwrap();
        write!(lines, "{}", set.labels(number)).unwrap();
        for (at_ms, value) in buffer.floats.timestamps.iter().zip(&buffer.floats.values) {
            let value = if is_stale_nan(*value) { "stale".to_owned() } else { value.to_string() };
            write!(lines, " {value}@{}", at_ms / MINUTE_MS).unwrap();
        }
        lines.push('\n');
    }
    lines
}

fn run(fixture: &Fixture) -> String {
    let inputs = inputs(&fixture.text);
    let mut groups = groups(&fixture.text);
    let minutes = inputs.iter().map(|series| series.values.len()).max().unwrap_or(0);
    let mut store = MemoryStorage::new();
    let mut text = String::new();
    for minute in 0..minutes {
        let now_ms = i64::try_from(minute).unwrap() * MINUTE_MS;
        for series in &inputs {
            if let Some(sample) = series.values.get(minute).and_then(|value| value.sample()) {
                store.append(&series.labels, now_ms, sample.clone(), 0).unwrap();
            }
        }
        writeln!(text, "{minute}m").unwrap();
        for group in &mut groups {
            tick(group, now_ms, &mut store, &mut text);
        }
    }
    format!("{text}\n{}", series_lines(&store))
}

/// Rules are to see what those before them wrote, which a copy of a store taken before the group does not have: the
/// groups of the fixtures are written so that chains of rules go through several groups.
fn tick(group: &mut Group, now_ms: i64, store: &mut MemoryStorage, text: &mut String) {
    let data = store.clone();
    let surroundings = Surroundings {
        external_labels: Labels::from_pairs([("region", "eu")]),
        external_url: "http://prometheus.example".to_owned(),
    };
    let queries = EngineQueries {
        surroundings,
        ..EngineQueries::new(Engine::new(EngineOptions::STABLE), &data, ParseOptions::STABLE)
    };
    let outcomes = group.tick(now_ms, &queries, store);
    for (rule, outcome) in group.definition().rules.iter().zip(&outcomes) {
        if let Some(error) = &outcome.error {
            writeln!(text, "  {}: {error}", rule.name).unwrap();
        }
    }
    for alert in group.alerting_rules().flat_map(|rule| rule.all_alerts()) {
        writeln!(text, "{}", alert_line(alert)).unwrap();
    }
}

#[test]
fn alerts_and_series_become_what_is_recorded() {
    let mut golden = narthex_testkit::Golden::of("rule-groups", "out");
    for fixture in narthex_testkit::fixtures("rule-groups", "yml") {
        golden.check(&fixture.name, &run(&fixture));
    }
    golden.finish();
}

fn series(name: &str, labels: &[(&str, &str)]) -> Labels {
    labels.iter().copied().chain([("__name__", name)]).collect()
}

fn alert_group(hold_for: &str, restoration: Restoration) -> Group {
    let text = format!("groups: [{{name: g, rules: [{{alert: A, expr: up == 0, for: {hold_for}}}]}}]");
    let file = narthex_rulefmt::parse(&text, &narthex_rulefmt::Options::PROMETHEUS).file;
    Group::new(Arc::new(GroupDefinition::new(&file.groups[0])), restoration)
}

fn tick_alone(group: &mut Group, minute: i64, store: &mut MemoryStorage) {
    store.append(&series("up", &[("job", "a")]), minute * MINUTE_MS, SampleValue::Float(0.0), 0).unwrap();
    tick(group, minute * MINUTE_MS, store, &mut String::new());
}

fn active_since(group: &Group) -> Vec<i64> {
    group
        .alerting_rules()
        .flat_map(|rule| rule.alerts())
        .map(|alert| alert.active_at_ms / MINUTE_MS)
        .collect()
}

/// Since when the alert counts as active when it was so from 0 to 10m, and the server is back at `back`.
fn restored(hold_for: &str, back: i64) -> Vec<i64> {
    let mut store = MemoryStorage::new();
    let mut before = alert_group(hold_for, Restoration::Done);
    (0..=10).for_each(|minute| tick_alone(&mut before, minute, &mut store));
    let mut after = alert_group(hold_for, Restoration::Awaited);
    tick_alone(&mut after, back, &mut store);
    assert!(
        !series_lines(&store).contains(&format!("@{back}\n{{__name__=\"up\"")),
        "nothing is written before"
    );
    after.restore(back * MINUTE_MS, &store, narthex_rules::RestoreOptions::PROMETHEUS).unwrap();
    active_since(&after)
}

#[test]
fn what_an_alert_was_before_a_restart_is_restored() {
    assert_eq!(restored("30m", 25), [15], "the outage does not count");
    assert_eq!(restored("15m", 25), [20], "less is left than the grace period");
    assert_eq!(restored("10m", 25), [0], "it was firing");
    assert_eq!(restored("9m", 25), [25], "shorter than the grace period");
    assert_eq!(restored("30m", 100), [100], "the outage was too long");
}

#[test]
fn a_group_takes_over_what_its_predecessor_knew() {
    let mut store = MemoryStorage::new();
    let mut first = alert_group("5m", Restoration::Done);
    (0..3).for_each(|minute| tick_alone(&mut first, minute, &mut store));
    let mut second = alert_group("20m", Restoration::Done);
    second.take_over(first);
    tick_alone(&mut second, 3, &mut store);
    assert_eq!(active_since(&second), [0]);
    let lines = |store: &MemoryStorage| series_lines(store);
    assert!(lines(&store).contains(r#"alertstate="pending", job="a"} 1@0 1@1 1@2 1@3"#), "{}", lines(&store));
    let file = narthex_rulefmt::parse("groups: [{name: g}]", &narthex_rulefmt::Options::PROMETHEUS).file;
    let mut empty = Group::new(Arc::new(GroupDefinition::new(&file.groups[0])), Restoration::Done);
    empty.take_over(second);
    tick_alone(&mut empty, 4, &mut store);
    assert!(lines(&store).contains("1@2 1@3 stale@4"), "{}", lines(&store));
}

#[test]
fn the_series_of_a_retired_group_end() {
    let mut store = MemoryStorage::new();
    let mut group = alert_group("5m", Restoration::Done);
    tick_alone(&mut group, 0, &mut store);
    group.retire(MINUTE_MS, &mut store);
    assert!(series_lines(&store).contains("1@0 stale@1"), "{}", series_lines(&store));
}

#[test]
fn alerts_are_sent_when_they_fire_again_after_a_while_and_when_they_end() {
    let mut store = MemoryStorage::new();
    let mut group = alert_group("1m", Restoration::Done);
    let mut sent = Vec::new();
    for minute in 0..6 {
        if minute < 4 {
            tick_alone(&mut group, minute, &mut store);
        } else {
            store.append(&series("up", &[("job", "a")]), minute * MINUTE_MS, 1.0.into(), 0).unwrap();
            tick(&mut group, minute * MINUTE_MS, &mut store, &mut String::new());
        }
        let now_ms = minute * MINUTE_MS;
        let due =
            group.alerting_rules_mut().flat_map(|rule| rule.take_alerts_to_send(now_ms, 60_000, 60_000));
        sent.extend(
            due.map(|alert| (minute, alert.state.as_str(), alert.valid_until_ms.unwrap() / MINUTE_MS)),
        );
    }
    assert_eq!(sent, [(1, "firing", 5), (3, "firing", 7), (4, "inactive", 8)]);
}
