//! Samples out of the head.

use std::sync::Arc;

use narthex_model::histogram::CounterResetHint;
use narthex_model::{Labels, Matcher, SampleValue, TimeRange, Timestamp};
use narthex_storage::{
    Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError, StorageErrorKind,
};

use super::Head;
use super::merge::{Ranked, in_time_order, ranked_of};
use super::open_chunk::FullChunk;
use super::readers::{OpenView, View};
use super::series::{Rare, Series, SeriesData, intersection};
use crate::chunk::CorruptChunk;
use crate::columns::clip;

/// Up to so many full chunks are decoded where they are; of more, copies are taken, so that nobody waits long.
const DECODED_IN_PLACE: usize = 8;

impl Queryable for Head {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(HeadQuerier { head: self, view: self.readers.open(range.min_ms) }))
    }
}

impl Head {
    /// The series of a head that nobody writes any more.
    pub(crate) fn select_at_rest(&self, matchers: &[Matcher], range: TimeRange) -> impl SeriesSet + 'static {
        let view = self.readers.open(range.min_ms).view;
        HeadSeriesSet {
            series: self.index.select(matchers, |series| series.lock().may_have(view, range)),
            view,
        }
    }

    /// Waits until every commit that was noted in the log is visible.
    pub(crate) fn settle(&self) {
        drop(self.last_commit());
    }
}

#[derive(Debug)]
struct HeadQuerier<'a> {
    head: &'a Head,
    view: OpenView<'a>,
}

impl Querier for HeadQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        _: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        let view = self.view.view;
        let series = self.head.index.select(matchers, |series| series.lock().may_have(view, range));
        Ok(Box::new(HeadSeriesSet { series, view }))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        Ok(self.head.index.with_postings(|postings| {
            if matchers.is_empty() {
                return postings.names().map(str::to_owned).collect();
            }
            postings.names_of(&postings.select(matchers)).map(str::to_owned).collect()
        }))
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        Ok(self.head.index.with_postings(|postings| {
            if matchers.is_empty() {
                return postings.values(name).map(str::to_owned).collect();
            }
            postings.values_of(name, &postings.select(matchers)).map(str::to_owned).collect()
        }))
    }
}

struct HeadSeriesSet {
    series: Vec<Arc<Series>>,
    view: View,
}

impl SeriesSet for HeadSeriesSet {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        self.series[series].labels()
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        let series = &self.series[series];
        samples.clear();
        read_into(series, self.view, range, samples).map_err(|corrupt| corrupt_series(series, corrupt))
    }
}

pub(super) fn corrupt_series(series: &Series, corrupt: CorruptChunk) -> StorageError {
    StorageError::new(StorageErrorKind::Corrupt, format!("series {}: {corrupt}", series.labels()))
}

/// Appends the samples within `range` that a view sees to an empty buffer.
fn read_into(
    series: &Series,
    view: View,
    range: TimeRange,
    samples: &mut SampleBuffer,
) -> Result<(), CorruptChunk> {
    let data = series.lock();
    let in_order = intersection(range, data.visible(view));
    let full = data.full_within(in_order);
    let rare = data.rare.as_ref().map(|rare| rare_of(rare, view, range)).transpose()?;
    if full.len() <= DECODED_IN_PLACE {
        decode(full, in_order.max_ms, samples)?;
        decode_open(&data, in_order, samples)?;
        drop(data);
    } else {
        let mut chunks = full.to_vec();
        let open = data.open.as_ref().filter(|chunk| chunk.range.overlaps(in_order));
        chunks.extend(open.map(|chunk| chunk.snapshot()));
        drop(data);
        decode(&chunks, in_order.max_ms, samples)?;
    }
    clip(in_order, samples);
    if let Some((late, deleted)) = rare {
        merge(late, &deleted, samples);
    }
    Ok(())
}

fn decode(chunks: &[FullChunk], max_ms: Timestamp, samples: &mut SampleBuffer) -> Result<(), CorruptChunk> {
    chunks.iter().try_for_each(|chunk| chunk.encoding.decode_until(max_ms, &chunk.bytes, samples))
}

fn decode_open(data: &SeriesData, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), CorruptChunk> {
    match &data.open {
        Some(chunk) if chunk.range.overlaps(range) => {
            chunk.encoding().decode_until(range.max_ms, chunk.bytes(), samples)
        }
        _ => Ok(()),
    }
}

/// Late samples within `range` that a view sees, and what was deleted.
pub(super) fn rare_of(
    rare: &Rare,
    view: View,
    range: TimeRange,
) -> Result<(Vec<Ranked>, Vec<TimeRange>), CorruptChunk> {
    Ok((rare.late.samples(view, range)?, rare.deleted.clone()))
}

/// Puts late samples among those in order and takes deleted ones away; late ones are deleted where they are.
fn merge(late: Vec<Ranked>, deleted: &[TimeRange], samples: &mut SampleBuffer) {
    if late.is_empty() && deleted.is_empty() {
        return;
    }
    let merged = merged(samples, late, deleted);
    samples.clear();
    for (at_ms, value, start_ms) in merged {
        samples.push(at_ms, value, start_ms);
    }
}

/// All samples in time order, those in order without what was deleted of them. What a histogram says of its predecessor is forgotten:
/// it may have got another one.
pub(super) fn merged(samples: &SampleBuffer, late: Vec<Ranked>, deleted: &[TimeRange]) -> Vec<Ranked> {
    let is_kept = |sample: &Ranked| !deleted.iter().any(|range| range.contains(sample.0));
    let mut merged = in_time_order(ranked_of(samples).filter(is_kept).chain(late).collect());
    for (_, value, _) in &mut merged {
        if let SampleValue::Histogram(histogram) = value
            && histogram.counter_reset_hint == CounterResetHint::NotReset
        {
            Arc::make_mut(histogram).counter_reset_hint = CounterResetHint::Unknown;
        }
    }
    merged
}
