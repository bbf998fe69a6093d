//! Letting go of what is in blocks, and of series without samples.

use std::sync::atomic::Ordering;

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};

use super::Head;
use super::readers::LateFloor;
use super::series::intersection;
use super::source::Seen;
use crate::wal::{Batch, SeriesId};

/// What a truncation let go of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Truncated {
    /// Chunks of samples in order.
    pub chunks: usize,
    /// Samples that came out of order.
    pub late_samples: usize,
    /// Series that have no samples left.
    pub series: usize,
    /// Whether an open query still looks at what is to go: truncating once more later lets go of it.
    pub is_held_back: bool,
}

impl Head {
    /// Samples in order before `before_ms` are not taken any more and not seen by queries that begin from now on; what
    /// no query looks at is let go of. Of samples out of order only those go that are before `before_ms` and that the
    /// block's source has `seen`. Queries and commits go on meanwhile.
    pub fn truncate(&self, before_ms: Timestamp, seen: Seen) -> Truncated {
        self.floor_ms.fetch_max(before_ms, Ordering::Relaxed);
        let unseen = {
            let _no_commit = self.last_commit();
            self.oldest_ms.store(Timestamp::MAX, Ordering::Relaxed);
            self.readers.raise_floors(LateFloor { before_ms, commit: seen.0 })
        };
        let mut truncated = Truncated {
            is_held_back: unseen.in_order_ms.min(unseen.late_ms) < before_ms,
            ..Truncated::default()
        };
        let mut empty = Vec::new();
        for series in self.index.all() {
            let mut data = series.lock();
            truncated.chunks += data.drop_before(unseen.in_order_ms);
            if let Some(rare) = &mut data.rare {
                truncated.late_samples +=
                    rare.late.drop_before(unseen.late_ms, seen.0, self.options.chunk_range_ms);
                rare.deleted.retain(|range| range.max_ms >= unseen.in_order_ms);
                if rare.late.is_empty() && rare.deleted.is_empty() {
                    data.rare = None;
                }
            }
            if data.is_empty() {
                empty.push(series.labels().clone());
            } else {
                self.note_oldest(data.whole_range().min_ms);
            }
        }
        truncated.series = self.index.remove_unused(&empty);
        self.index.forget_aliases();
        self.index.with_postings(|postings| self.metadata.keep(|metric| postings.has_metric(metric)));
        truncated
    }

    /// The commits so far, for a truncation of what nobody has copied.
    pub fn seen(&self) -> Seen {
        Seen(self.readers.next().version)
    }

    /// Samples in order before `floor_ms` are not taken any more and not seen by queries that begin from now on: they
    /// are in blocks. Nothing is let go of.
    pub fn raise_floor(&self, floor_ms: Timestamp) {
        self.floor_ms.fetch_max(floor_ms, Ordering::Relaxed);
        self.readers.raise_floor(floor_ms);
    }

    /// Whether the log still has to define the series of this name.
    pub fn has_series(&self, id: SeriesId) -> bool {
        self.index.get(id).is_some()
    }

    /// The deletion of all samples within `range` of the series that satisfy every matcher, to be logged and given to
    /// [`Head::delete`]. Series without samples there are left out.
    pub fn deletion(&self, matchers: &[Matcher], range: TimeRange) -> Batch {
        let view = self.readers.next();
        let series = self.index.select(matchers, |series| series.lock().may_have(view, range));
        let of_series = series.iter().map(|series| {
            // No further than what is there: later samples are not deleted.
            (series.id(), intersection(range, series.lock().whole_range()))
        });
        Batch { deletions: of_series.collect(), ..Batch::default() }
    }

    /// Hides what a batch deletes, from open queries too.
    pub fn delete(&self, batch: &Batch) {
        batch.deletions.iter().for_each(|(id, range)| self.delete_from(*id, *range));
    }

    pub(super) fn delete_from(&self, id: SeriesId, range: TimeRange) {
        if let Some(series) = self.index.get(id)
            && !range.is_empty()
        {
            let mut data = series.lock();
            let rare = data.rare();
            rare.late.delete(range, self.options.chunk_range_ms);
            rare.deleted.push(range);
            join(&mut rare.deleted);
        }
    }

    /// Labels of all series, in no order.
    pub fn series_labels(&self) -> Vec<(SeriesId, Labels)> {
        self.index.all().iter().map(|series| (series.id(), series.labels().clone())).collect()
    }
}

/// Makes ranges that overlap or touch one.
fn join(ranges: &mut Vec<TimeRange>) {
    ranges.sort_unstable_by_key(|range| range.min_ms);
    let mut joined: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for &range in ranges.iter() {
        match joined.last_mut() {
            Some(last) if range.min_ms <= last.max_ms.saturating_add(1) => *last = last.union(range),
            _ => joined.push(range),
        }
    }
    *ranges = joined;
}
