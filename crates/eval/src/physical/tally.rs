//! How many samples a query looks at, step by step, as upstream's `totalQueryableSamples` counts them.
//!
//! A vector selector looks at one sample of a series at a step, if there is one; a function of windows at all samples of
//! its window, that of a subquery included, whose own selectors do not count. What is computed once and repeated counts
//! at each step. A native histogram counts as several samples, by its size. Source: `samplesStats` in upstream's
//! `promql/engine.go`. Series that `info` looks up are not counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use narthex_promql::ast::RangeExtension;
use narthex_storage::SampleBuffer;

use super::window_source::{SummaryKernel, WindowKernel, WindowSource};
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::{Segments, SeriesBatch, WindowBounds};
use crate::limits::{histogram_samples, sample_weight};
use crate::profile::Figures;
use crate::{EvalError, QueryContext, StepColumn, Windows};

/// The samples that a query looks at, by step; workers count at the same time.
#[derive(Debug)]
pub(crate) struct Tally(Vec<AtomicU64>);

/// For which steps of the query a part of it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Counting {
    /// Its grid is that of the query.
    EachStep,
    /// Its grid has one step, whose samples count for each step of the query.
    Repeated,
    /// Nothing of it counts.
    Nothing,
}

impl Tally {
    /// For a query of so many steps.
    pub(crate) fn new(steps: usize) -> Tally {
        Tally((0..steps).map(|_| AtomicU64::new(0)).collect())
    }

    /// What was counted so far.
    pub(crate) fn by_step(&self) -> Vec<u64> {
        self.0.iter().map(|samples| samples.load(Ordering::Relaxed)).collect()
    }

    fn add(&self, counting: Counting, step: usize, samples: usize) {
        let steps = match counting {
            Counting::EachStep => self.0.get(step..=step),
            Counting::Repeated => Some(&self.0[..]),
            Counting::Nothing => None,
        };
        for step in steps.unwrap_or_default() {
            step.fetch_add(samples as u64, Ordering::Relaxed);
        }
    }
}

/// A vector selector whose samples count.
pub(super) struct TalliedSelector<'a> {
    inner: BoxedOperator<'a>,
    tally: Arc<Tally>,
    counting: Counting,
}

impl<'a> TalliedSelector<'a> {
    pub(super) fn new(inner: BoxedOperator<'a>, tally: Arc<Tally>, counting: Counting) -> Self {
        TalliedSelector { inner, tally, counting }
    }
}

impl Operator for TalliedSelector<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.inner.series(context)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.inner.next_batch(context, batch)?;
        for (step, value) in batch.columns.iter().flat_map(|column| column.iter()) {
            self.tally.add(self.counting, step, sample_weight(value));
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        self.inner.describe()
    }

    fn figures(&self) -> Option<Figures> {
        self.inner.figures()
    }
}

/// Windows whose samples count. They are read sample by sample, whatever else the source offers.
pub(super) struct TalliedWindows<'a> {
    inner: Box<dyn WindowSource + 'a>,
    tally: Arc<Tally>,
    counting: Counting,
}

impl<'a> TalliedWindows<'a> {
    pub(super) fn new(inner: Box<dyn WindowSource + 'a>, tally: Arc<Tally>, counting: Counting) -> Self {
        TalliedWindows { inner, tally, counting }
    }
}

/// Counts the samples of every window.
fn count_windows(windows: &Windows<'_>, tally: &Tally, counting: Counting) {
    for (step, window) in windows.iter().enumerate() {
        let histograms = window.histograms.values.iter().map(|histogram| histogram_samples(histogram));
        tally.add(counting, step, window.floats.values.len() + histograms.sum::<usize>());
    }
}

impl WindowSource for TalliedWindows<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.inner.series(context)
    }

    fn next_batch(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError> {
        let (bounds, tally, counting) = (self.inner.bounds(), &self.tally, self.counting);
        self.inner.next_batch(context, batch, &|series, samples, column| {
            count_windows(&Windows::new(samples, &bounds), tally, counting);
            kernel(series, samples, column)
        })
    }

    fn next_batch_summarised(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        summarised: &SummaryKernel<'_>,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError> {
        let (bounds, tally, counting) = (self.inner.bounds(), &self.tally, self.counting);
        let compute = |series, segments: &Segments<'_>, column: &mut StepColumn| {
            let is_computed = (summarised.compute)(series, segments, column);
            for step in (0..segments.len()).filter(|_| is_computed) {
                let samples = segments.window(step).map(|segment| segment.summary.samples).sum::<u64>();
                tally.add(counting, step, samples as usize);
            }
            is_computed
        };
        let counted = |series, samples: &SampleBuffer, column: &mut StepColumn| {
            count_windows(&Windows::new(samples, &bounds), tally, counting);
            kernel(series, samples, column)
        };
        let summarised = SummaryKernel { need: summarised.need, compute: &compute };
        self.inner.next_batch_summarised(context, batch, &summarised, &counted)
    }

    fn bounds(&self) -> Arc<[WindowBounds]> {
        self.inner.bounds()
    }

    fn range_ms(&self) -> i64 {
        self.inner.range_ms()
    }

    fn extension(&self) -> Option<RangeExtension> {
        self.inner.extension()
    }

    fn describe(&self) -> Description<'_> {
        self.inner.describe()
    }
}
