//! What every operator of a query shares: its times, its limits, its annotations.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    is_canceled: AtomicBool,
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
            is_canceled: AtomicBool::new(false),
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

    /// Asks the query to stop; it fails at its next [`QueryContext::check`].
    pub fn cancel(&self) {
        self.is_canceled.store(true, Ordering::Relaxed);
    }

    /// To be called between batches.
    ///
    /// # Errors
    /// When the query was canceled.
    pub fn check(&self) -> Result<(), EvalError> {
        if self.is_canceled.load(Ordering::Relaxed) {
            let message = "query was canceled in expression evaluation";
            return Err(EvalError::new(EvalErrorKind::Canceled, message, Span::default()));
        }
        Ok(())
    }

    /// Counts samples that are now held in memory.
    ///
    /// # Errors
    /// When there are more than the limit allows.
    pub fn hold_samples(&self, samples: usize) -> Result<(), EvalError> {
        let held = self.samples.fetch_add(samples, Ordering::Relaxed).saturating_add(samples);
        if held > self.limits.samples_max {
            let message = "query processing would load too many samples into memory in query execution";
            return Err(EvalError::new(EvalErrorKind::Limit, message, Span::default()));
        }
        Ok(())
    }

    /// Counts samples that are no longer held.
    pub fn release_samples(&self, samples: usize) {
        self.samples.fetch_sub(samples, Ordering::Relaxed);
    }
}
