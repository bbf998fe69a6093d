//! Which series make a histogram: the buckets of a classic one, or a series of native ones.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::labels::BUCKET_LABEL;
use narthex_model::number::parse_float;
use narthex_model::{FloatHistogram, Labels};

use super::SeriesMetadata;
use crate::functions::histogram::ClassicBucket;
use crate::label_table::{ENTRY_BYTES, LabelTable};
use crate::memory::{Reservation, label_bytes};
use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// A classic bucket: its upper bound and its series.
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketSeries {
    upper: f64,
    series: usize,
}

/// One histogram, of both kinds if the labels are the same.
#[derive(Clone, Debug)]
pub(super) struct HistogramSlot {
    /// Its labels, without `le` for a classic one.
    pub metadata: SeriesMetadata,
    /// The buckets by rising bound.
    pub buckets: Vec<BucketSeries>,
    native: Option<usize>,
}

/// What a histogram is at a step.
pub(super) enum HistogramAt<'a> {
    /// Not there.
    Nothing,
    /// Classic; the buckets are in the list given.
    Classic,
    /// Native.
    Native(&'a Arc<FloatHistogram>),
    /// Classic and native, which says nothing.
    Both,
}

impl HistogramSlot {
    /// The metric name for annotations, as far as it is known.
    pub(super) fn metric(&self, context: &QueryContext) -> &str {
        if context.options.delayed_name_removal { self.metadata.labels.metric_name() } else { "" }
    }

    /// What is there at `step`, the classic buckets into `buckets`.
    pub(super) fn at<'a>(
        &self,
        step: usize,
        columns: &'a [StepColumn],
        buckets: &mut Vec<ClassicBucket>,
    ) -> HistogramAt<'a> {
        buckets.clear();
        buckets.extend(self.buckets.iter().filter_map(|bucket| {
            Some(ClassicBucket { upper: bucket.upper, count: columns[bucket.series].float(step)? })
        }));
        let native = self.native.and_then(|series| columns[series].histogram(step));
        match (native, buckets.is_empty()) {
            (None, true) => HistogramAt::Nothing,
            (None, false) => HistogramAt::Classic,
            (Some(native), true) => HistogramAt::Native(native),
            (Some(_), false) => HistogramAt::Both,
        }
    }
}

/// What a slot and its place take, the list having up to as much room again.
const SLOT_BYTES: usize = 2 * size_of::<HistogramSlot>() + ENTRY_BYTES;

/// The histograms among some series, in the order in which they are first met.
#[derive(Default)]
pub(super) struct Slots {
    table: LabelTable,
    slots: Vec<HistogramSlot>,
    held: Reservation,
}

impl Slots {
    /// Groups `series`, which have `columns`. Warns of floats without a readable bound.
    pub(super) fn new(
        series: &[SeriesMetadata],
        columns: &[StepColumn],
        context: &QueryContext,
        span: Span,
    ) -> Result<Slots, EvalError> {
        let mut slots = Slots { held: context.reserve(0)?, ..Slots::default() };
        for (at, (series, column)) in series.iter().zip(columns).enumerate() {
            context.check()?;
            let (has_floats, has_histograms) = kinds(column);
            if has_histograms {
                slots.slot(&series.labels, |_| true)?.native = Some(at);
            }
            if !has_floats {
                continue;
            }
            let bound = series.labels.value(BUCKET_LABEL);
            match parse_float(bound) {
                Some(upper) => {
                    let slot = slots.slot(&series.labels, |name| name != BUCKET_LABEL)?;
                    slot.buckets.push(BucketSeries { upper, series: at });
                }
                None => {
                    let is_known = context.options.delayed_name_removal;
                    let metric = if is_known { series.labels.metric_name() } else { "" };
                    context.annotate(AnnotationKind::BadBucketLabel(bound.into(), metric.into()), span);
                }
            }
        }
        for slot in &mut slots.slots {
            slot.buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
        }
        Ok(slots)
    }

    /// The slot of those labels that `keep` wants.
    fn slot(
        &mut self,
        labels: &Labels,
        keep: impl Fn(&str) -> bool,
    ) -> Result<&mut HistogramSlot, EvalError> {
        let at = self.table.number(labels, |name, _| keep(name));
        if at == self.slots.len() {
            let set = self.table.sets()[at].clone();
            let text = if set.shares_text(labels) { 0 } else { label_bytes(&set) };
            self.held.grow(SLOT_BYTES + text)?;
            let metadata = SeriesMetadata { labels: set, drops_name: false };
            self.slots.push(HistogramSlot { metadata, buckets: Vec::new(), native: None });
        }
        self.held.grow(2 * size_of::<BucketSeries>())?;
        Ok(&mut self.slots[at])
    }

    /// All of them.
    pub(super) fn slots(&self) -> &[HistogramSlot] {
        &self.slots
    }
}

/// Whether a column has floats, and whether it has histograms.
fn kinds(column: &StepColumn) -> (bool, bool) {
    if !column.has_histograms() {
        return (!column.is_absent(), false);
    }
    let has = |wants_histogram: bool| {
        column.iter().any(|(step, _)| column.histogram(step).is_some() == wants_histogram)
    };
    (has(false), has(true))
}
