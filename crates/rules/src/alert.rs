//! One alert of one series.

use narthex_model::{Labels, SampleValue, Timestamp};

/// How far an alert has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AlertState {
    /// It was firing and is no more; kept for a while so that its end can be told.
    Inactive,
    /// Its series is in the result, not yet long enough.
    Pending,
    /// Its series is in the result long enough, or left it only just.
    Firing,
}

impl AlertState {
    /// The value of the label `alertstate`.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertState::Inactive => "inactive",
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
        }
    }
}

/// An alert. Times are Unix milliseconds.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// How far it has come.
    pub state: AlertState,
    /// Those of the series without metric name, then those of the rule, then `alertname`.
    pub labels: Labels,
    /// Names and texts by name; a text may be empty.
    pub annotations: Vec<(String, String)>,
    /// What the series had when it was last in the result.
    pub value: SampleValue,
    /// Since when its series is in the result.
    pub active_at_ms: Timestamp,
    /// Since when it fires.
    pub fired_at_ms: Option<Timestamp>,
    /// When it ceased to fire; no longer an active alert then.
    pub resolved_at_ms: Option<Timestamp>,
    /// Since when it fires without its series being in the result.
    pub keep_firing_since_ms: Option<Timestamp>,
    /// When it was last handed out to be sent.
    pub last_sent_at_ms: Option<Timestamp>,
    /// Until when whoever was told of it may take it as firing.
    pub valid_until_ms: Option<Timestamp>,
    /// The series that tell of it, once they were written.
    pub(crate) series: Option<StateSeries>,
}

/// The labels of the series that tell of an alert.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StateSeries {
    /// The state that `alerts` is for.
    pub(crate) state: AlertState,
    /// Of `ALERTS`.
    pub(crate) alerts: Labels,
    /// Of `ALERTS_FOR_STATE`.
    pub(crate) for_state: Labels,
}

impl Alert {
    /// Whether it is pending or firing.
    pub fn is_active(&self) -> bool {
        self.resolved_at_ms.is_none()
    }

    /// Whether it is to be told of: it fires and was not told of for `resend_delay_ms`, or has ended since.
    pub(crate) fn needs_sending(&self, now_ms: Timestamp, resend_delay_ms: i64) -> bool {
        if self.state == AlertState::Pending {
            return false;
        }
        let Some(sent_at_ms) = self.last_sent_at_ms else { return true };
        self.resolved_at_ms.is_some_and(|resolved_at_ms| resolved_at_ms > sent_at_ms)
            || sent_at_ms.saturating_add(resend_delay_ms) < now_ms
    }
}
