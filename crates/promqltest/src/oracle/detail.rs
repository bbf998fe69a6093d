//! What is left of histograms where only their counts and sums are asked for.
//!
//! `histogram_count(…)` and its like make selectors below leave the buckets out, which shows where counter resets are
//! looked for. Before they go, buckets tell whether there was one.

use narthex_model::{CounterResetHint, FloatHistogram, SampleValue, Timestamp};
use narthex_promql::functions::{FunctionId, HistogramFunction};

use super::Sample;
use super::select::Stored;

/// How much of histograms is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Full,
    /// Count, sum and hint.
    Stats,
    /// Everything, whatever is called below.
    AlwaysFull,
}

impl Detail {
    pub(super) fn below_call(self, function: FunctionId) -> Detail {
        let FunctionId::Histogram(function) = function else { return self };
        match function {
            HistogramFunction::Count | HistogramFunction::Sum | HistogramFunction::Avg => {
                if self == Detail::AlwaysFull { self } else { Detail::Stats }
            }
            HistogramFunction::Quantile | HistogramFunction::Quantiles | HistogramFunction::Fraction => {
                Detail::AlwaysFull
            }
            _ => self,
        }
    }
}

impl Stored {
    /// The samples behind `from_ms`, of histograms only what is looked at.
    pub(super) fn reduced(&self, detail: Detail, from_ms: Timestamp) -> Stored {
        let mut samples: Vec<Sample> =
            self.samples.iter().filter(|sample| sample.at_ms > from_ms).cloned().collect();
        if detail == Detail::Stats {
            let mut before: Option<FloatHistogram> = None;
            for sample in samples.iter_mut().filter(|sample| !sample.value.is_stale()) {
                let SampleValue::Histogram(histogram) = &sample.value else { continue };
                let stats = stats(histogram, before.as_ref());
                before = Some(FloatHistogram::clone(histogram));
                sample.value = stats.into();
            }
        }
        Stored { labels: self.labels.clone(), samples }
    }
}

fn stats(histogram: &FloatHistogram, before: Option<&FloatHistogram>) -> FloatHistogram {
    let counter_reset_hint = match (histogram.counter_reset_hint, before) {
        (CounterResetHint::Unknown, Some(before)) => match histogram.detect_reset(before) {
            true => CounterResetHint::Reset,
            false => CounterResetHint::NotReset,
        },
        (known, _) => known,
    };
    FloatHistogram {
        counter_reset_hint,
        zero_count: 0.0,
        positive_spans: Vec::new(),
        positive_buckets: Vec::new(),
        negative_spans: Vec::new(),
        negative_buckets: Vec::new(),
        ..histogram.clone()
    }
}
