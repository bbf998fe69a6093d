//! A range vector as the result of a query: `metric[5m]`.

use std::sync::Arc;

use narthex_model::{Labels, Timestamp};
use narthex_plan::LogicalNode;
use narthex_promql::ast::RangeExtension;
use narthex_storage::SampleBuffer;

use super::build::Builder;
use crate::column::WindowBounds;
use crate::functions::extended::{IsCounter, extend};
use crate::result::RangeSeries;
use crate::{EvalError, QueryContext, Window, Windows};

/// The samples of each series in the window of an instant query, at their own times, sorted by labels.
///
/// # Errors
/// When the store fails, or an extended window holds histograms.
pub(crate) fn matrix_root(
    node: &LogicalNode,
    builder: Builder<'_>,
    context: &QueryContext,
) -> Result<Vec<RangeSeries>, EvalError> {
    let mut source = builder.windows(node, builder.parameters.grid)?;
    let series = source.series(context)?;
    let (bounds, extension) = (source.bounds(), source.extension());
    let mut result = Vec::new();
    for metadata in series.iter() {
        let labels = if metadata.drops_name {
            metadata.labels.without_metric_identity()
        } else {
            metadata.labels.clone()
        };
        let samples = source.read_next(context)?;
        let window = Windows::new(samples, &bounds).iter().next();
        let one = match (extension, window) {
            (_, None) => continue,
            (None, Some(window)) => plain(labels, &window),
            (Some(extension), Some(window)) => {
                let has_histograms = !samples.histograms.timestamps.is_empty();
                if has_histograms {
                    let message = format!("{} modifier is not supported with histograms", extension.as_str());
                    return Err(EvalError::execution(message, node.span()));
                }
                extended(labels, samples, window.bounds, extension, context.parameters.lookback_ms)
            }
        };
        if !one.floats.is_empty() || !one.histograms.is_empty() {
            result.push(one);
        }
    }
    result.sort_by(|left, right| left.labels.cmp(&right.labels));
    Ok(result)
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
