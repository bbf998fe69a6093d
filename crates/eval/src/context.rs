//! What every operator of a query shares: its times, its limits, its annotations.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use narthex_diag::Span;
use narthex_plan::QueryParameters;

use crate::{AnnotationKind, Annotations, EvalError, EvalErrorKind, Limits};

/// The surroundings of one evaluation; shared by all operators and workers.
#[derive(Debug)]
pub struct QueryContext {
    /// The times of the outermost query.
    pub parameters: QueryParameters,
    /// How much may be used.
    pub limits: Limits,
    /// Switches that change meaning.
    pub options: EvalOptions,
    annotations: Mutex<Annotations>,
    samples: AtomicUsize,
    samples_peak: AtomicUsize,
    /// [`RUNNING`], [`CANCELED`] or [`EXPIRED`].
    state: AtomicU8,
}

const RUNNING: u8 = 0;
const CANCELED: u8 = 1;
const EXPIRED: u8 = 2;

/// Switches that change the meaning of a query, as upstream's feature flags do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EvalOptions {
    /// The metric name is dropped once, at the end (`promql-delayed-name-removal`), not by each operation.
    pub delayed_name_removal: bool,
    /// Counters use the start times of their samples (`use-start-timestamps`).
    pub start_timestamps: bool,
    /// Counter hints look at `__type__` (`type-and-unit-labels`).
    pub type_and_unit_labels: bool,
}

impl EvalOptions {
    /// What a server does when no feature is switched on.
    pub const STABLE: EvalOptions =
        EvalOptions { delayed_name_removal: false, start_timestamps: false, type_and_unit_labels: false };
}

impl QueryContext {
    /// The surroundings of a query that has not started.
    pub fn new(parameters: QueryParameters, limits: Limits, options: EvalOptions) -> QueryContext {
        QueryContext {
            parameters,
            limits,
            options,
            annotations: Mutex::default(),
            samples: AtomicUsize::new(0),
            samples_peak: AtomicUsize::new(0),
            state: AtomicU8::new(RUNNING),
        }
    }

    /// Adds an annotation about the part of the query at `span`.
    pub fn annotate(&self, kind: AnnotationKind, span: Span) {
        self.annotations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(kind, span);
    }

    /// The annotations so far; the context has none afterwards.
    pub fn take_annotations(&self) -> Annotations {
        std::mem::take(&mut self.annotations.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Asks the query to stop because nobody waits for it; it fails at its next [`QueryContext::check`].
    pub fn cancel(&self) {
        self.state.store(CANCELED, Ordering::Relaxed);
    }

    /// Asks the query to stop because its time is up; it fails at its next [`QueryContext::check`].
    pub fn expire(&self) {
        self.state.store(EXPIRED, Ordering::Relaxed);
    }

    /// To be called between batches.
    ///
    /// # Errors
    /// When the query was canceled or has expired.
    pub fn check(&self) -> Result<(), EvalError> {
        let (kind, what) = match self.state.load(Ordering::Relaxed) {
            RUNNING => return Ok(()),
            EXPIRED => (EvalErrorKind::Timeout, "timed out"),
            _ => (EvalErrorKind::Canceled, "was canceled"),
        };
        Err(EvalError::new(kind, format!("query {what} in expression evaluation"), Span::default()))
    }

    /// Counts samples that are now held in memory.
    ///
    /// # Errors
    /// When there are more than the limit allows.
    pub fn hold_samples(&self, samples: usize) -> Result<(), EvalError> {
        let held = self.samples.fetch_add(samples, Ordering::Relaxed).saturating_add(samples);
        self.samples_peak.fetch_max(held, Ordering::Relaxed);
        if held > self.limits.samples_max {
            let message = "query processing would load too many samples into memory in query execution";
            return Err(EvalError::new(EvalErrorKind::Limit, message, Span::default()));
        }
        Ok(())
    }

    /// The most samples that were held at once so far.
    pub fn samples_peak(&self) -> usize {
        self.samples_peak.load(Ordering::Relaxed)
    }

    /// Counts samples that are no longer held.
    pub fn release_samples(&self, samples: usize) {
        self.samples.fetch_sub(samples, Ordering::Relaxed);
    }
}
