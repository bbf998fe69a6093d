//! The alerts of one rule from one evaluation to the next.

use std::collections::{BTreeMap, HashMap};

use narthex_eval::result::InstantSample;
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, Timestamp};

use crate::alert::{Alert, AlertState, StateSeries};
use crate::definition::{LabelText, RuleDefinition};
use crate::error::RuleError;
use crate::expand::Expander;
use crate::queries::RuleQueries;

/// The series that says which alerts there are: 1 while an alert is pending or firing.
pub const ALERTS: &str = "ALERTS";
/// The series that says since when an alert is active, in Unix seconds.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
/// The label with the name of the rule.
pub const ALERT_NAME: &str = "alertname";
/// The label with the state of the alert.
pub const ALERT_STATE: &str = "alertstate";

/// How long a resolved alert is kept, so that its end can be told again, in milliseconds.
pub const RESOLVED_RETENTION_MS: i64 = 15 * 60 * 1000;

/// Whether what was known before a restart has been looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restoration {
    /// Not yet: the rule writes nothing, so as not to overwrite what is to be looked up.
    Awaited,
    /// Yes, or there is nothing to look up.
    Done,
}

/// The alerts of a rule.
#[derive(Clone, Debug)]
pub struct AlertingState {
    pub(crate) name: String,
    pub(crate) restoration: Restoration,
    /// By their labels.
    pub(crate) active: BTreeMap<Labels, Alert>,
    /// The labels of alerts by those of their series, as of the last result; of rules whose labels are no templates.
    labels_of: HashMap<Labels, Labels>,
}

/// The durations of a rule and the limit of its group.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) hold_for_ms: i64,
    pub(crate) keep_firing_for_ms: i64,
    pub(crate) limit: Option<usize>,
}

impl AlertingState {
    pub(crate) fn new(name: &str, restoration: Restoration) -> AlertingState {
        AlertingState {
            name: name.to_owned(),
            restoration,
            active: BTreeMap::new(),
            labels_of: HashMap::new(),
        }
    }

    /// The name of the rule.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Pending and firing alerts, by their labels.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.active.values().filter(|alert| alert.is_active())
    }

    /// Alerts that are resolved and still kept, as well as active ones.
    pub fn all_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.active.values()
    }

    /// The furthest that any of its alerts has come.
    pub fn state(&self) -> AlertState {
        self.active.values().map(|alert| alert.state).max().unwrap_or(AlertState::Inactive)
    }

    /// Takes in a result of the rule's query; says whether there are not too many.
    ///
    /// As upstream: the clock of `for` starts with the first result that has the series; `keep_firing_for` with the first
    /// one that has not. When the limit is exceeded all alerts are forgotten.
    pub(crate) fn advance(
        &mut self,
        now_ms: Timestamp,
        found: BTreeMap<Labels, Alert>,
        bounds: Bounds,
    ) -> Result<(), RuleError> {
        // Those that are not in the result first: what is in it is then merged in as it comes.
        self.active.retain(|labels, alert| found.contains_key(labels) || alert.leave(now_ms, bounds));
        for (labels, candidate) in found {
            let alert = self.active.entry(labels).or_insert_with(|| candidate.clone());
            if alert.state == AlertState::Inactive {
                *alert = candidate;
            } else {
                alert.value = candidate.value;
                alert.annotations = candidate.annotations;
            }
            alert.keep_firing_since_ms = None;
        }
        let mut count = 0;
        for alert in self.active.values_mut().filter(|alert| alert.state != AlertState::Inactive) {
            alert.mature(now_ms, bounds);
            count += 1;
        }
        if let Some(limit) = bounds.limit.filter(|&limit| count > limit) {
            self.active.clear();
            return Err(RuleError::LimitExceeded { limit, count, what: "alerts" });
        }
        Ok(())
    }

    /// The labels of `ALERTS` and `ALERTS_FOR_STATE` for each active alert, and since when it is active.
    pub(crate) fn state_series(&mut self, rule: &RuleDefinition) -> Vec<(Labels, Labels, Timestamp)> {
        let active = self.active.values_mut().filter(|alert| alert.state != AlertState::Inactive);
        let series = active.map(|alert| {
            let known = alert.series.take().filter(|series| series.state == alert.state);
            let known = known.unwrap_or_else(|| state_series(rule, alert));
            let labels = (known.alerts.clone(), known.for_state.clone(), alert.active_at_ms);
            alert.series = Some(known);
            labels
        });
        series.collect()
    }

    /// An alert for each series of a result, by labels.
    pub(crate) fn candidates(
        &mut self,
        rule: &RuleDefinition,
        annotations: &[(String, LabelText)],
        samples: &[InstantSample],
        now_ms: Timestamp,
        queries: &dyn RuleQueries,
    ) -> Result<BTreeMap<Labels, Alert>, RuleError> {
        let mut before = std::mem::take(&mut self.labels_of);
        let is_lasting = rule.labels.iter().all(|(_, text)| matches!(text, LabelText::Plain(_)));
        let mut found = BTreeMap::new();
        for sample in samples {
            let expander = Expander::new(&rule.name, sample, now_ms, queries);
            let known = before.remove(&sample.labels);
            let labels = known.unwrap_or_else(|| alert_labels(rule, &sample.labels, &expander));
            if is_lasting {
                self.labels_of.insert(sample.labels.clone(), labels.clone());
            }
            let alert = candidate(labels.clone(), sample, annotations, now_ms, &expander);
            if found.insert(labels, alert).is_some() {
                return Err(RuleError::DuplicateAlert);
            }
        }
        Ok(found)
    }

    /// The alerts to be told of, which count as told of from now on; `interval_ms` is that of the group. Whoever is told
    /// may take them as firing until two evaluations and two messages have been missed.
    pub fn take_alerts_to_send(
        &mut self,
        now_ms: Timestamp,
        resend_delay_ms: i64,
        interval_ms: i64,
    ) -> Vec<Alert> {
        let due = self.active.values_mut().filter(|alert| alert.needs_sending(now_ms, resend_delay_ms));
        let sent = due.map(|alert| {
            alert.last_sent_at_ms = Some(now_ms);
            let valid_for_ms = interval_ms.max(resend_delay_ms).saturating_mul(4);
            alert.valid_until_ms = Some(now_ms.saturating_add(valid_for_ms));
            alert.clone()
        });
        sent.collect()
    }
}

impl Alert {
    /// Its series is not in the result; whether the alert is kept nevertheless.
    fn leave(&mut self, now_ms: Timestamp, bounds: Bounds) -> bool {
        match self.state {
            AlertState::Pending => return false,
            AlertState::Inactive => {
                let since_ms = self.resolved_at_ms.unwrap_or(now_ms);
                return now_ms.saturating_sub(since_ms) <= RESOLVED_RETENTION_MS;
            }
            AlertState::Firing => {}
        }
        if bounds.keep_firing_for_ms > 0 {
            let since_ms = *self.keep_firing_since_ms.get_or_insert(now_ms);
            if now_ms.saturating_sub(since_ms) < bounds.keep_firing_for_ms {
                return true;
            }
        }
        self.state = AlertState::Inactive;
        self.resolved_at_ms = Some(now_ms);
        true
    }

    /// Fires when it has been active long enough; is pending again when a new `for` asks for more.
    fn mature(&mut self, now_ms: Timestamp, bounds: Bounds) {
        let is_old_enough = now_ms.saturating_sub(self.active_at_ms) >= bounds.hold_for_ms;
        match self.state {
            AlertState::Pending if is_old_enough => {
                self.state = AlertState::Firing;
                self.fired_at_ms = Some(now_ms);
            }
            AlertState::Firing if !is_old_enough => {
                self.state = AlertState::Pending;
                self.fired_at_ms = None;
                self.last_sent_at_ms = None;
                self.keep_firing_since_ms = None;
            }
            _ => {}
        }
    }
}

fn candidate(
    labels: Labels,
    sample: &InstantSample,
    annotations: &[(String, LabelText)],
    now_ms: Timestamp,
    expander: &Expander<'_>,
) -> Alert {
    let annotations = annotations.iter().map(|(name, text)| (name.clone(), expander.expand(text)));
    Alert {
        state: AlertState::Pending,
        labels,
        annotations: annotations.collect(),
        value: sample.value.clone(),
        active_at_ms: now_ms,
        fired_at_ms: None,
        resolved_at_ms: None,
        keep_firing_since_ms: None,
        last_sent_at_ms: None,
        valid_until_ms: None,
        series: None,
    }
}

fn alert_labels(rule: &RuleDefinition, series: &Labels, expander: &Expander<'_>) -> Labels {
    let mut builder = LabelsBuilder::from_labels(series);
    builder.remove(METRIC_NAME);
    for (name, text) in &rule.labels {
        builder.set(name, &expander.expand(text));
    }
    builder.set(ALERT_NAME, &rule.name).build()
}

/// As upstream, a label that the rule sets and that came out empty is there as it is written.
fn state_series(rule: &RuleDefinition, alert: &Alert) -> StateSeries {
    let mut builder = LabelsBuilder::from_labels(&rule.raw_labels);
    for (name, value) in &alert.labels {
        builder.set(name, value);
    }
    let for_state = builder.set(ALERT_NAME, &rule.name).set(METRIC_NAME, ALERTS_FOR_STATE).build();
    let alerts = builder.set(METRIC_NAME, ALERTS).set(ALERT_STATE, alert.state.as_str()).build();
    StateSeries { state: alert.state, alerts, for_state }
}
