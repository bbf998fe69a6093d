//! What measures an operator, and what it reads, for a query that is profiled.

use std::sync::Arc;
use std::time::Duration;

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_storage::{
    Outline, Querier, ReadCounters, SampleBuffer, SelectHints, SeriesSet, StorageError, SummaryNeed,
};

use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::Account;
use crate::profile::{Counters, Figures, OperatorProfile, Profile};
use crate::{EvalError, QueryContext};

/// Hands out what its operator computes, and measures how it does.
pub(super) struct Profiled<'a> {
    inner: BoxedOperator<'a>,
    profile: Profile,
    counters: Arc<Counters>,
    /// Whose memory is the operator's.
    account: Option<Account>,
}

impl<'a> Profiled<'a> {
    /// `inner` computes `steps` steps and reserves memory through `account`, if it has one of its own.
    pub(super) fn new(
        inner: BoxedOperator<'a>,
        profile: Profile,
        steps: usize,
        account: Option<Account>,
    ) -> Profiled<'a> {
        let counters = Arc::new(Counters::default());
        counters.update(|figures| figures.steps = steps);
        Profiled { inner, profile, counters, account }
    }

    fn add_time_since(&self, start: Duration) {
        let took = self.profile.now().saturating_sub(start);
        self.counters.update(|figures| figures.total += took);
    }
}

impl Operator for Profiled<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let start = self.profile.now();
        let series = self.profile.preparing(&self.counters, || self.inner.series(context));
        self.add_time_since(start);
        if let Ok(series) = &series {
            self.counters.update(|figures| figures.series = series.len());
        }
        series
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let start = self.profile.now();
        let has_more = self.inner.next_batch(context, batch);
        self.add_time_since(start);
        let samples: usize = batch.columns.iter().map(|column| column.presence().count()).sum();
        self.counters.update(|figures| {
            figures.batches += usize::from(matches!(has_more, Ok(true)));
            figures.samples += samples as u64;
        });
        has_more
    }

    fn describe(&self) -> Description<'_> {
        self.inner.describe()
    }

    fn figures(&self) -> Option<Figures> {
        let bytes_peak = self.account.as_ref().map(Account::peak);
        Some(Figures { bytes_peak, ..self.counters.figures() })
    }
}

/// The operators of a tree, each before its inputs. Chains of operators may be long: they are walked, not recursed into.
pub(crate) fn operator_profiles(root: Description<'_>, figures: Option<Figures>) -> Vec<OperatorProfile> {
    let mut operators = Vec::new();
    let mut rest = vec![(root, figures, 0)];
    while let Some((Description { line, inputs }, figures, depth)) = rest.pop() {
        operators.push(OperatorProfile { depth, line, figures });
        let inputs = inputs.into_iter().rev();
        rest.extend(inputs.map(|input| (input.describe(), input.figures(), depth + 1)));
    }
    operators
}

/// A querier whose selections count what is read from them.
pub(crate) struct CountingQuerier<'a> {
    inner: &'a dyn Querier,
    profile: &'a Profile,
}

impl<'a> CountingQuerier<'a> {
    /// Selections count for the operator that `profile` knows to select.
    pub(crate) fn new(inner: &'a dyn Querier, profile: &'a Profile) -> CountingQuerier<'a> {
        CountingQuerier { inner, profile }
    }
}

impl Querier for CountingQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        let inner = self.inner.select(matchers, range, hints)?;
        Ok(match self.profile.preparing_now() {
            Some(counters) => Box::new(CountingSet { inner, profile: self.profile, counters }),
            None => inner,
        })
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.inner.label_names(matchers)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.inner.label_values(name, matchers)
    }

    fn warnings(&self) -> Vec<String> {
        self.inner.warnings()
    }
}

/// A selection whose reads count for one operator. Hands on everything that its set offers: what is measured is what is
/// computed otherwise.
struct CountingSet<'a> {
    inner: Box<dyn SeriesSet + 'a>,
    profile: &'a Profile,
    counters: Arc<Counters>,
}

impl CountingSet<'_> {
    fn counted<T>(&self, read: impl FnOnce(&mut ReadCounters) -> T) -> T {
        let (start, mut reads) = (self.profile.now(), ReadCounters::default());
        let outcome = read(&mut reads);
        self.counters.add_reads(reads, self.profile.now().saturating_sub(start));
        outcome
    }
}

impl SeriesSet for CountingSet<'_> {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        self.inner.labels(series)
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        self.counted(|reads| self.inner.read_counted(series, range, samples, reads))
    }

    fn outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<(), StorageError> {
        self.counted(|reads| {
            self.inner.outline(series, range, need, outline)?;
            *reads += outlined(outline, 0, 0);
            Ok(())
        })
    }

    fn append_outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<bool, StorageError> {
        let (samples, runs) = (outline.samples.len(), outline.runs.len());
        self.counted(|reads| {
            let is_appended = self.inner.append_outline(series, range, need, outline)?;
            *reads += outlined(outline, samples, runs);
            Ok(is_appended)
        })
    }

    fn append(
        &self,
        series: usize,
        range: TimeRange,
        samples: &mut SampleBuffer,
    ) -> Result<bool, StorageError> {
        let before = samples.len();
        self.counted(|reads| {
            let appended = self.inner.append(series, range, samples)?;
            reads.samples_decoded += (samples.len() - before) as u64;
            Ok(appended)
        })
    }
}

/// What was read of an outline that held so many samples and runs before.
fn outlined(outline: &Outline, samples: usize, runs: usize) -> ReadCounters {
    let runs = &outline.runs[runs..];
    ReadCounters {
        samples_decoded: (outline.samples.len() - samples) as u64,
        samples_skipped: runs.iter().map(|run| run.summary.samples).sum(),
        chunks_skipped: runs.len() as u64,
        ..ReadCounters::default()
    }
}
