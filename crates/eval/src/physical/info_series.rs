//! Which info series describes a target at each step: what `info` joins with.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use narthex_diag::Span;
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, MatchOp, Matcher, StepGrid, Text, TimeRange, Timestamp};
use narthex_plan::logical::TimeShift;
use narthex_storage::{Querier, SampleBuffer, SelectHints};

use super::vector_selector::{Cursor, Found};
use crate::limits::buffer_samples;
use crate::memory::{Reservation, buffer_bytes};
use crate::{EvalError, QueryContext};

/// The labels that say which target a series belongs to.
const IDENTIFYING_LABELS: [&str; 2] = ["instance", "job"];
/// The info metric that is meant when none is named.
const DEFAULT_INFO_METRIC: &str = "target_info";
/// What names of info metrics look like, when a query only says which it does not want.
const INFO_METRIC_PATTERN: &str = ".+_info";

/// The values of the identifying labels; an absent label is empty.
pub(super) type Identity = [Box<str>; 2];

/// The identity of a series; `None` when it has neither label.
pub(super) fn identity(labels: &Labels) -> Option<Identity> {
    let identity: Identity = IDENTIFYING_LABELS.map(|name| Box::from(labels.value(name)));
    identity.iter().any(|value| !value.is_empty()).then_some(identity)
}

/// What the second argument of `info` asks for.
#[derive(Debug)]
pub(super) struct InfoMatchers {
    /// Conditions on the metric name; never empty.
    names: Vec<Matcher>,
    /// Conditions on other labels.
    data: Vec<Matcher>,
}

impl InfoMatchers {
    /// From the matchers of the argument, none if there is no argument.
    pub(super) fn new(written: &[Matcher]) -> InfoMatchers {
        let (mut names, data): (Vec<Matcher>, Vec<Matcher>) =
            written.iter().cloned().partition(|matcher| matcher.name() == METRIC_NAME);
        if names.is_empty() {
            names.push(Matcher::equal(METRIC_NAME, DEFAULT_INFO_METRIC));
        } else if names.iter().all(|matcher| matcher.op().is_negative()) {
            let pattern = Matcher::new(METRIC_NAME, MatchOp::Regex, Text::from(INFO_METRIC_PATTERN));
            names.extend(pattern);
        }
        InfoMatchers { names, data }
    }

    /// Whether a series of this name is an info series itself.
    pub(super) fn match_name(&self, name: &str) -> bool {
        self.names.iter().all(|matcher| matcher.matches(name))
    }

    /// Whether a series that nothing is known of satisfies the conditions.
    pub(super) fn match_nothing(&self) -> bool {
        self.data.iter().all(Matcher::matches_empty)
    }

    /// Whether a label of an info series is to be copied: all are, unless some are mentioned.
    pub(super) fn want_label(&self, name: &str) -> bool {
        name != METRIC_NAME
            && (self.data.is_empty() || self.data.iter().any(|matcher| matcher.name() == name))
    }

    fn all(&self) -> Vec<Matcher> {
        self.names.iter().chain(&self.data).cloned().collect()
    }
}

/// When info series are looked at.
#[derive(Clone, Copy)]
pub(super) struct InfoTimes {
    pub(super) grid: StepGrid,
    pub(super) shift: TimeShift,
    pub(super) lookback_ms: i64,
}

impl InfoTimes {
    fn range(self) -> TimeRange {
        let first_ms = self.shift.reference(self.grid.start_ms);
        let last_ms = self.shift.reference(self.grid.end_ms());
        TimeRange::left_open(first_ms.saturating_sub(self.lookback_ms), last_ms)
    }
}

/// The info series of one target over all steps.
#[derive(Debug)]
pub(super) struct TargetInfo {
    /// Every choice that some step makes: the labels of one series per info metric.
    pub(super) choices: Vec<Vec<Labels>>,
    /// The choice of each step, a place in `choices`.
    pub(super) by_step: Vec<usize>,
}

/// The info series of all targets, and the steps at which they cannot be used.
pub(super) struct InfoSeries {
    pub(super) targets: HashMap<Identity, TargetInfo>,
    /// Why a step fails, if the base vector has an element there and one of the target at any step.
    pub(super) faults: BTreeMap<(usize, Identity), EvalError>,
    /// What all of it takes.
    _held: Reservation,
}

/// The newest sample of one info metric at a step: its time and a place in a list of series.
type Newest = Option<(Timestamp, usize)>;

/// Selects and reads the info series of the targets in `identities`.
pub(super) fn read(
    querier: &dyn Querier,
    matchers: &InfoMatchers,
    times: InfoTimes,
    identities: &BTreeSet<Identity>,
    context: &QueryContext,
    span: Span,
) -> Result<InfoSeries, EvalError> {
    let mut reader = Reader::new(times, span, context.reserve(0)?);
    if !identities.is_empty() {
        let hints = SelectHints { step_ms: times.grid.step_ms, ..SelectHints::default() };
        let set = querier.select(&matchers.all(), times.range(), &hints)?;
        let mut samples = SampleBuffer::new();
        let mut buffer = context.reserve(0)?;
        context.add_points(set.len(), times.grid.len, span)?;
        for at in 0..set.len() {
            let labels = set.labels(at);
            let Some(identity) = identity(labels).filter(|one| is_known(one, identities)) else { continue };
            set.read(at, times.range(), &mut samples)?;
            let held = buffer_samples(&samples);
            context.hold_samples(held)?;
            // One entry per step is kept of each info series, at most.
            context.hold_samples(times.grid.len)?;
            buffer.resize(buffer_bytes(&samples))?;
            reader
                .held
                .grow(times.grid.len * (size_of::<Newest>() + size_of::<usize>()) + size_of::<Labels>())?;
            context.check()?;
            reader.add(labels, &identity, &samples);
            context.release_samples(held);
        }
    }
    Ok(reader.finish())
}

/// Whether each identifying label has a value that some base series has; labels that none has do not matter.
fn is_known(identity: &Identity, identities: &BTreeSet<Identity>) -> bool {
    let matters = |label: usize| identities.iter().any(|one| !one[label].is_empty());
    let is_known =
        |label: usize| identities.iter().any(|one| !one[label].is_empty() && one[label] == identity[label]);
    (0..identity.len()).all(|label| !matters(label) || is_known(label)) && identities.contains(identity)
}

struct Reader {
    times: InfoTimes,
    span: Span,
    series: Vec<Labels>,
    /// By target and info metric, one entry per step.
    newest: BTreeMap<(Identity, Box<str>), Vec<Newest>>,
    faults: BTreeMap<(usize, Identity), EvalError>,
    /// What is kept of the series.
    held: Reservation,
}

impl Reader {
    fn new(times: InfoTimes, span: Span, held: Reservation) -> Reader {
        let (series, newest, faults) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Reader { times, span, series, newest, faults, held }
    }

    fn add(&mut self, labels: &Labels, identity: &Identity, samples: &SampleBuffer) {
        let place = self.series.len();
        self.series.push(labels.clone());
        let steps = self.times.grid.len;
        let key = (identity.clone(), labels.metric_name().into());
        let newest = self.newest.entry(key).or_insert_with(|| vec![None; steps]);
        let mut cursor = Cursor::new(samples, self.times.lookback_ms);
        for (step, step_ms) in self.times.grid.timestamps().enumerate() {
            let at_ms = match cursor.newest(self.times.shift.reference(step_ms)) {
                None => continue,
                Some(Found::Float(at)) => samples.floats.timestamps[at],
                Some(Found::Histogram(_)) => {
                    let message = format!("this should be an info metric, with float samples: {labels}");
                    self.faults
                        .entry((step, identity.clone()))
                        .or_insert_with(|| EvalError::execution(message, self.span));
                    continue;
                }
            };
            match newest[step] {
                Some((known_ms, _)) if known_ms > at_ms => {}
                Some((known_ms, known)) if known_ms == at_ms => {
                    let known = &self.series[known];
                    let message = format!(
                        "found duplicate series for info metric: existing {known} @ {known_ms}, new {labels} @ {at_ms}"
                    );
                    self.faults
                        .entry((step, identity.clone()))
                        .or_insert_with(|| EvalError::execution(message, self.span));
                }
                _ => newest[step] = Some((at_ms, place)),
            }
        }
    }

    /// Puts the info metrics of each target together.
    fn finish(self) -> InfoSeries {
        let mut metrics: BTreeMap<Identity, Vec<Vec<Newest>>> = BTreeMap::new();
        for ((identity, _), newest) in self.newest {
            metrics.entry(identity).or_default().push(newest);
        }
        let target = |metrics: Vec<Vec<Newest>>| {
            let mut places: HashMap<Vec<usize>, usize> = HashMap::new();
            let mut target = TargetInfo { choices: Vec::new(), by_step: Vec::new() };
            for step in 0..self.times.grid.len {
                let chosen: Vec<usize> =
                    metrics.iter().filter_map(|metric| metric[step]).map(|newest| newest.1).collect();
                let place = *places.entry(chosen).or_insert_with_key(|chosen| {
                    target.choices.push(chosen.iter().map(|&at| self.series[at].clone()).collect());
                    target.choices.len() - 1
                });
                target.by_step.push(place);
            }
            target
        };
        let targets = metrics.into_iter().map(|(identity, metrics)| (identity, target(metrics))).collect();
        InfoSeries { targets, faults: self.faults, _held: self.held }
    }
}
