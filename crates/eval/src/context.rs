//! What every operator of a query shares: its times, its limits, its annotations.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use narthex_diag::Span;
use narthex_plan::QueryParameters;
use narthex_promql::{Interrupt, StopReason};

use crate::limits::LimitKind;
use crate::memory::{Account, Pool, Reservation};
use crate::physical::shared::Listeners;
use crate::physical::tally::Tally;
use crate::profile::Profile;
use crate::{AnnotationKind, Annotations, EvalError, Limits};

/// The surroundings of one evaluation; shared by all operators and workers. Clones are views of one evaluation.
#[derive(Clone, Debug)]
pub struct QueryContext {
    /// The times of the outermost query.
    pub parameters: QueryParameters,
    /// How much may be used.
    pub limits: Limits,
    /// Switches that change meaning.
    pub options: EvalOptions,
    interrupt: Interrupt,
    counters: Arc<Counters>,
    pool: Arc<Pool>,
    /// Through which the part of the query that this view is for reserves memory.
    account: Account,
    profile: Option<Profile>,
    tally: Option<Arc<Tally>>,
    /// Who hears the annotations of this view instead of the query itself.
    listeners: Option<Arc<Listeners>>,
}

/// What is counted over the whole query.
#[derive(Debug, Default)]
struct Counters {
    annotations: Mutex<Annotations>,
    samples: AtomicUsize,
    samples_peak: AtomicUsize,
    points: AtomicUsize,
}

/// Switches that change the meaning of a query, as upstream's feature flags do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EvalOptions {
    /// The metric name is dropped once, at the end (`promql-delayed-name-removal`), not by each operation.
    pub delayed_name_removal: bool,
    /// Counters use the start times of their samples (`use-start-timestamps`).
    pub start_timestamps: bool,
    /// Counter hints look at `__type__` (`type-and-unit-labels`).
    pub type_and_unit_labels: bool,
    /// `@` may be used.
    pub at_modifier: bool,
    /// `offset` may be negative.
    pub negative_offset: bool,
}

impl EvalOptions {
    /// What a server does when no feature is switched on.
    pub const STABLE: EvalOptions = EvalOptions {
        delayed_name_removal: false,
        start_timestamps: false,
        type_and_unit_labels: false,
        at_modifier: true,
        negative_offset: true,
    };
}

impl QueryContext {
    /// The surroundings of a query that has not started.
    pub fn new(parameters: QueryParameters, limits: Limits, options: EvalOptions) -> QueryContext {
        QueryContext::interruptible(parameters, limits, options, Interrupt::new())
    }

    /// The surroundings of a query that has not started and that `interrupt` may stop.
    pub fn interruptible(
        parameters: QueryParameters,
        limits: Limits,
        options: EvalOptions,
        interrupt: Interrupt,
    ) -> QueryContext {
        let pool = Pool::new(limits.bytes_max);
        let account = pool.account("result", Span::default());
        QueryContext {
            parameters,
            limits,
            options,
            interrupt,
            counters: Arc::default(),
            pool,
            account,
            profile: None,
            tally: None,
            listeners: None,
        }
    }

    /// The same evaluation, for the part of the query at `span`, called `name`.
    pub(crate) fn for_part(&self, name: &'static str, span: Span) -> QueryContext {
        QueryContext { account: self.pool.account(name, span), ..self.clone() }
    }

    /// The same evaluation, measured operator by operator.
    #[must_use]
    pub fn profiled(self, profile: &Profile) -> QueryContext {
        QueryContext { profile: Some(profile.clone()), ..self }
    }

    /// The same evaluation, with the samples counted that each step looks at; that takes time of its own.
    #[must_use]
    pub fn counting_samples(self) -> QueryContext {
        let tally = Tally::new(self.parameters.grid.len);
        QueryContext { tally: Some(Arc::new(tally)), ..self }
    }

    /// How many samples each step looked at so far, as upstream counts them; `None` unless they are counted.
    pub fn samples_by_step(&self) -> Option<Vec<u64>> {
        self.tally.as_ref().map(|tally| tally.by_step())
    }

    /// Where samples are counted, if they are.
    pub(crate) fn tally(&self) -> Option<&Arc<Tally>> {
        self.tally.as_ref()
    }

    /// The same evaluation, for a part of it whose annotations others hear.
    pub(crate) fn heard_by(&self, listeners: &Arc<Listeners>) -> QueryContext {
        QueryContext { listeners: Some(Arc::clone(listeners)), ..self.clone() }
    }

    /// What operators are measured by, if they are.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Whose memory this view reserves.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Adds an annotation about the part of the query at `span`.
    pub fn annotate(&self, kind: AnnotationKind, span: Span) {
        if let Some(listeners) = &self.listeners {
            listeners.annotate(&kind, span);
            return;
        }
        self.counters.annotations.lock().unwrap_or_else(PoisonError::into_inner).add(kind, span);
    }

    /// The annotations so far; the context has none afterwards.
    pub fn take_annotations(&self) -> Annotations {
        std::mem::take(&mut self.counters.annotations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What stops this query.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Asks the query to stop because nobody waits for it; it fails at its next [`QueryContext::check`].
    pub fn cancel(&self) {
        self.interrupt.stop(StopReason::Canceled);
    }

    /// Asks the query to stop because its time is up; it fails at its next [`QueryContext::check`].
    pub fn expire(&self) {
        self.interrupt.stop(StopReason::Expired);
    }

    /// To be called wherever work may take long.
    ///
    /// # Errors
    /// When the query was canceled or has expired.
    pub fn check(&self) -> Result<(), EvalError> {
        self.interrupt.reason().map_or(Ok(()), |reason| Err(EvalError::stopped(reason)))
    }

    /// Reserves memory until the reservation is dropped.
    ///
    /// # Errors
    /// When the query would hold more bytes than the limit allows.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, EvalError> {
        self.account.reserve(bytes)
    }

    /// Counts the points that a selector will be evaluated at, before anything is read.
    ///
    /// # Errors
    /// When all selectors together have more than the limit allows.
    pub(crate) fn add_points(&self, series: usize, steps: usize, span: Span) -> Result<(), EvalError> {
        let more = series.saturating_mul(steps);
        let points = self.counters.points.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        let max = self.limits.points_max;
        if points <= max {
            return Ok(());
        }
        let message = format!(
            "query would be evaluated at {points} points, more than the limit of {max}; {series} series at {steps} steps here"
        );
        Err(EvalError::limit(LimitKind::Points, message, span))
    }

    /// Counts samples that are now held in memory.
    ///
    /// # Errors
    /// When there are more than the limit allows.
    pub fn hold_samples(&self, samples: usize) -> Result<(), EvalError> {
        let held = self.counters.samples.fetch_add(samples, Ordering::Relaxed).saturating_add(samples);
        self.counters.samples_peak.fetch_max(held, Ordering::Relaxed);
        if held > self.limits.samples_max {
            let message = "query processing would load too many samples into memory in query execution";
            return Err(EvalError::limit(LimitKind::Samples, message, self.account.span()));
        }
        Ok(())
    }

    /// The most samples that were held at once so far.
    pub fn samples_peak(&self) -> usize {
        self.counters.samples_peak.load(Ordering::Relaxed)
    }

    /// The most bytes that were held at once so far.
    pub fn bytes_peak(&self) -> usize {
        self.pool.peak()
    }

    /// The bytes held now; none after the query has ended, its result apart.
    pub fn bytes_held(&self) -> usize {
        self.pool.held()
    }

    /// Counts samples that are no longer held.
    pub fn release_samples(&self, samples: usize) {
        self.counters.samples.fetch_sub(samples, Ordering::Relaxed);
    }
}
