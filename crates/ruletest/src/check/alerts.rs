//! Alerts: whether those that are pending or firing are those expected.

use std::collections::{BTreeMap, HashSet};

use narthex_diag::{Diagnostic, Span};
use narthex_rulefmt::unit_test::{AlertTest, ExpectedAlert, ExpectedState, Matching, TestGroup};
use narthex_rules::alerting::ALERT_NAME;
use narthex_rules::{Alert, AlertState, Group};

use super::time_text;
use crate::difference::alert_difference;
use crate::report::UNEXPECTED_ALERTS;
use crate::schedule::Schedule;

/// Labels and annotations of an alert by name. Unlike labels of a store these may be empty: as with promtool a label
/// that is expected to be empty is one that no alert has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct View {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) annotations: Vec<(String, String)>,
}

/// An alert that is expected.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Wanted {
    view: View,
    absent_labels: Vec<String>,
}

impl View {
    fn of_alert(alert: &Alert) -> View {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        View { labels: alert.labels.iter().map(owned).collect(), annotations: alert.annotations.clone() }
    }

    /// Whether it has all that `part` has.
    fn includes(&self, part: &View) -> bool {
        part.labels.iter().all(|pair| self.labels.contains(pair))
            && part.annotations.iter().all(|pair| self.annotations.contains(pair))
    }
}

impl Wanted {
    fn new(alertname: &str, expected: &ExpectedAlert) -> Wanted {
        let pairs = |pairs: &[(narthex_rulefmt::Text, narthex_rulefmt::Text)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
            pairs.collect::<BTreeMap<_, _>>()
        };
        let mut labels = pairs(&expected.labels);
        labels.insert(ALERT_NAME.to_owned(), alertname.to_owned());
        let annotations = pairs(&expected.annotations).into_iter().collect();
        Wanted {
            view: View { labels: labels.into_iter().collect(), annotations },
            absent_labels: expected.absent_labels.iter().map(|name| name.value.clone()).collect(),
        }
    }

    fn is_met_by(&self, alert: &View, matching: Matching) -> bool {
        let lacks = |name: &String| alert.labels.iter().all(|label| label.0 != *name);
        self.absent_labels.iter().all(lacks)
            && match matching {
                Matching::Exact => *alert == self.view,
                Matching::Subset => alert.includes(&self.view),
            }
    }
}

/// The alert tests of a test and when each is due.
pub(crate) struct AlertChecks<'t> {
    test: &'t TestGroup,
    /// Tests with a time, by time and in their order.
    due: Vec<(i64, &'t AlertTest)>,
    next: usize,
    /// Lasting expectations that have failed: told of once.
    told: HashSet<Span>,
}

impl<'t> AlertChecks<'t> {
    pub(crate) fn new(test: &'t TestGroup) -> AlertChecks<'t> {
        let times =
            test.alert_tests.iter().flat_map(|one| one.times.at.iter().map(move |at| (at.value, one)));
        let mut due: Vec<_> = times.collect();
        due.sort_by_key(|one| one.0);
        AlertChecks { test, due, next: 0, told: HashSet::new() }
    }

    /// Judges what is due from this evaluation to the next.
    pub(crate) fn judge(&mut self, schedule: &Schedule, failures: &mut Vec<Diagnostic>) {
        let (now_ms, next_ms) = (schedule.now_ms(), schedule.next_ms());
        while let Some(&(at_ms, test)) = self.due.get(self.next).filter(|one| one.0 < next_ms) {
            failures.extend(check(test, at_ms, &schedule.groups()));
            self.next += 1;
        }
        for test in &self.test.alert_tests {
            let (first_ms, last_ms) = (test.times.at.first().map_or(0, |at| at.value), test.times.last_ms());
            let mut found = Vec::new();
            if test.times.until.is_some() && first_ms < now_ms && now_ms <= last_ms {
                found = check(test, now_ms, &schedule.groups());
            }
            if now_ms <= last_ms {
                found.extend(check_timeline(test, now_ms, &schedule.groups()));
            }
            failures.extend(found.into_iter().filter(|failure| self.told.insert(failure.span())));
        }
    }
}

/// Alerts of the name in that state, of all groups.
fn alerts_of(groups: &[&Group], name: &str, state: AlertState) -> Vec<View> {
    let rules = groups.iter().flat_map(|group| group.alerting_rules()).filter(|rule| rule.name() == name);
    let alerts = rules.flat_map(|rule| rule.alerts()).filter(|alert| alert.state == state);
    let mut views: Vec<View> = alerts.map(View::of_alert).collect();
    views.sort();
    views
}

fn check(test: &AlertTest, at_ms: i64, groups: &[&Group]) -> Vec<Diagnostic> {
    let none = Vec::new();
    let firing = test.firing.as_ref().or(test.timeline.is_empty().then_some(&none));
    let expectations = [(firing, AlertState::Firing), (test.pending.as_ref(), AlertState::Pending)];
    let stated = expectations.into_iter().filter_map(|(expected, state)| Some((expected?, state)));
    stated.filter_map(|(expected, state)| check_state(test, at_ms, expected, state, groups)).collect()
}

fn check_state(
    test: &AlertTest,
    at_ms: i64,
    expected: &[ExpectedAlert],
    state: AlertState,
    groups: &[&Group],
) -> Option<Diagnostic> {
    let name = &test.alertname.value;
    let mut wanted: Vec<Wanted> = expected.iter().map(|one| Wanted::new(name, one)).collect();
    wanted.sort();
    let got = alerts_of(groups, name, state);
    let fits = |wanted: &Wanted, got: &View| wanted.is_met_by(got, test.matching);
    let partners = assign(&wanted, &got, fits);
    if wanted.len() == got.len() && partners.iter().all(Option::is_some) {
        return None;
    }
    let (state, time) = (state.as_str(), time_text(at_ms));
    let counted = |count: usize| match count {
        0 => "no alert".to_owned(),
        1 => "1 alert".to_owned(),
        _ => format!("{count} alerts"),
    };
    let message = match (wanted.len(), got.len()) {
        (a, b) if a == b => format!("alert {name} at {time}: {state} alerts differ from the expected ones"),
        (a, b) => format!("alert {name} at {time}: expected {} {state}, got {b}", counted(a)),
    };
    let absent = wanted.iter().map(|one| one.absent_labels.clone()).collect::<Vec<_>>();
    let views: Vec<View> = wanted.into_iter().map(|one| one.view).collect();
    let notes = alert_difference(&views, &got, &partners, test.matching);
    let span = place(test, at_ms);
    let label = format!("{name} at {time}");
    let mut failure = Diagnostic::error(UNEXPECTED_ALERTS, message, span).with_label(label);
    failure.notes.push(notes.join("\n"));
    failure.notes.extend(absent_lines(&absent));
    Some(failure)
}

fn absent_lines(absent: &[Vec<String>]) -> Option<String> {
    let names: Vec<&str> = absent.iter().flatten().map(String::as_str).collect();
    (!names.is_empty()).then(|| format!("labels that must be absent: {}", names.join(", ")))
}

/// The time of an expectation where it is written, else its name.
fn place(test: &AlertTest, at_ms: i64) -> Span {
    let written = test.times.at.iter().chain(&test.times.until);
    let written = written.filter(|at| !at.span.is_empty()).find(|at| at.value == at_ms);
    written.map_or(test.alertname.span(), |at| at.span)
}

/// Which alert each expectation is met by, such that as many as possible are met: maximum matching by augmenting paths.
fn assign<A, B>(wanted: &[A], got: &[B], fits: impl Fn(&A, &B) -> bool) -> Vec<Option<usize>> {
    let edges: Vec<Vec<usize>> =
        wanted.iter().map(|one| (0..got.len()).filter(|&place| fits(one, &got[place])).collect()).collect();
    let mut taken = vec![None; got.len()];
    for start in 0..wanted.len() {
        augment(start, &edges, &mut taken, &mut vec![false; got.len()]);
    }
    let mut partners = vec![None; wanted.len()];
    for (place, owner) in taken.into_iter().enumerate() {
        if let Some(owner) = owner {
            partners[owner] = Some(place);
        }
    }
    partners
}

/// Finds a partner for `one`, moving others to another partner if need be.
fn augment(one: usize, edges: &[Vec<usize>], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &place in &edges[one] {
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        if taken[place].is_none_or(|other| augment(other, edges, taken, seen)) {
            taken[place] = Some(one);
            return true;
        }
    }
    false
}

fn check_timeline(test: &AlertTest, now_ms: i64, groups: &[&Group]) -> Option<Diagnostic> {
    let entry = test.timeline.iter().rev().find(|entry| entry.from_ms <= now_ms)?;
    let name = &test.alertname.value;
    let rules = groups.iter().flat_map(|group| group.alerting_rules()).filter(|rule| rule.name() == name);
    let state = rules.map(|rule| rule.state()).max().unwrap_or(AlertState::Inactive);
    let expected = match entry.state {
        ExpectedState::Inactive => AlertState::Inactive,
        ExpectedState::Pending => AlertState::Pending,
        ExpectedState::Firing => AlertState::Firing,
    };
    (state != expected).then(|| {
        let (time, expected, state) = (time_text(now_ms), expected.as_str(), state.as_str());
        let message = format!("alert {name} at {time}: expected {expected}, got {state}");
        Diagnostic::error(UNEXPECTED_ALERTS, message, entry.span)
    })
}
