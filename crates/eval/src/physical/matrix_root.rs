//! A range vector as the result of a query: `metric[5m]`.

use std::sync::{Arc, Mutex, PoisonError};

use narthex_diag::Span;
use narthex_model::{Labels, Timestamp};
use narthex_plan::LogicalNode;
use narthex_promql::ast::RangeExtension;
use narthex_storage::SampleBuffer;

use super::build::Builder;
use super::profiled::operator_profiles;
use super::window_source::WindowSource;
use crate::column::{SeriesBatch, WindowBounds};
use crate::engine::sorted_by_labels;
use crate::functions::extended::{IsCounter, extend};
use crate::memory::block_bytes;
use crate::profile::Counters;
use crate::result::RangeSeries;
use crate::{EvalError, QueryContext, Window, Windows};

/// The samples of each series in the window of an instant query, at their own times, sorted by labels.
///
/// # Errors
/// When the store fails, or an extended window holds histograms.
pub(crate) fn matrix_root<'a>(
    node: &'a LogicalNode,
    builder: &Builder<'a>,
    context: &QueryContext,
) -> Result<Vec<RangeSeries>, EvalError> {
    let mut source = builder.windows(node, builder.parameters.grid)?;
    let Some(profile) = context.profile() else { return read(&mut *source, node, context) };
    let (counters, start) = (Arc::new(Counters::default()), profile.now());
    let rows = profile.preparing(&counters, || read(&mut *source, node, context))?;
    counters.update(|figures| {
        figures.total = profile.now().saturating_sub(start);
        (figures.series, figures.batches, figures.steps) = (rows.len(), 1, 1);
        figures.samples = rows.iter().map(|row| (row.floats.len() + row.histograms.len()) as u64).sum();
    });
    profile.keep(operator_profiles(source.describe(), Some(counters.figures())));
    Ok(rows)
}

fn read(
    source: &mut dyn WindowSource,
    node: &LogicalNode,
    context: &QueryContext,
) -> Result<Vec<RangeSeries>, EvalError> {
    let series = source.series(context)?;
    let root = Root { bounds: source.bounds(), extension: source.extension(), context, span: node.span() };
    let rows: Mutex<Vec<RangeSeries>> = Mutex::default();
    let held = Mutex::new(context.reserve(0)?);
    let mut batch = SeriesBatch::new();
    while source.next_batch(context, &mut batch, &|number, samples, _| {
        let labels = series[number].final_labels();
        if let Some(row) = root.row(labels, samples)? {
            let bytes = block_bytes(row.floats.capacity() * 16) + block_bytes(row.histograms.capacity() * 16);
            held.lock().unwrap_or_else(PoisonError::into_inner).grow(bytes + 2 * size_of::<RangeSeries>())?;
            rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        }
        Ok(())
    })? {}
    sorted_by_labels(rows.into_inner().unwrap_or_else(PoisonError::into_inner), context)
}

/// What is the same for every series.
struct Root<'c> {
    bounds: Arc<[WindowBounds]>,
    extension: Option<RangeExtension>,
    context: &'c QueryContext,
    span: Span,
}

impl Root<'_> {
    /// The samples of one series; `None` when the window holds none.
    fn row(&self, labels: Labels, samples: &SampleBuffer) -> Result<Option<RangeSeries>, EvalError> {
        let Some(window) = Windows::new(samples, &self.bounds).iter().next() else { return Ok(None) };
        let row = match self.extension {
            None => plain(labels, &window),
            Some(extension) if samples.histograms.timestamps.is_empty() => {
                extended(labels, samples, window.bounds, extension, self.context.parameters.lookback_ms)
            }
            Some(extension) => {
                let message = format!("{} modifier is not supported with histograms", extension.as_str());
                return Err(EvalError::execution(message, self.span));
            }
        };
        self.context.hold_samples(row.floats.len() + row.histograms.len())?;
        Ok(Some(row).filter(|row| !row.floats.is_empty() || !row.histograms.is_empty()))
    }
}

fn plain(labels: Labels, window: &Window<'_>) -> RangeSeries {
    let (floats, histograms) = (window.floats, window.histograms);
    RangeSeries {
        labels,
        floats: floats.timestamps.iter().copied().zip(floats.values.iter().copied()).collect(),
        histograms: histograms
            .timestamps
            .iter()
            .copied()
            .zip(histograms.values.iter().map(Arc::clone))
            .collect(),
    }
}

/// The samples inside, and points exactly at both borders.
fn extended(
    labels: Labels,
    samples: &SampleBuffer,
    bounds: WindowBounds,
    extension: RangeExtension,
    lookback_ms: i64,
) -> RangeSeries {
    let column = (samples.floats.timestamps.as_slice(), samples.floats.values.as_slice());
    let mut floats: Vec<(Timestamp, f64)> = Vec::new();
    if let Ok(window) = extend(column, bounds, lookback_ms, extension, IsCounter::No) {
        floats.extend(window.timestamps.into_iter().zip(window.values));
        to_borders(&mut floats, bounds);
    }
    RangeSeries { labels, floats, histograms: Vec::new() }
}

/// The first value holds from the start of the window, the last one up to its end.
fn to_borders(floats: &mut Vec<(Timestamp, f64)>, bounds: WindowBounds) {
    let (Some(&first), Some(&last)) = (floats.first(), floats.last()) else { return };
    if first.0 < bounds.start_ms {
        floats[0].0 = bounds.start_ms;
    } else if first.0 > bounds.start_ms {
        floats.insert(0, (bounds.start_ms, first.1));
    }
    if last.0 < bounds.end_ms {
        floats.push((bounds.end_ms, last.1));
    }
}
