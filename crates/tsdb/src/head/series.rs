//! One series: full chunks, the chunk that grows, the last sample, and what of it belongs to which commit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use narthex_model::histogram::FloatHistogram;
use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};

use super::open_chunk::{FullChunk, OpenChunk};
use super::options::Bounds;
use super::out_of_order::OutOfOrder;
use super::readers::View;
use crate::wal::SeriesId;

/// A series of the head, shared by all who use it.
#[derive(Debug)]
pub(super) struct Series {
    id: SeriesId,
    labels: Labels,
    /// Number of the last commit that it took part in; 0 while log and index do not have its labels.
    commit: AtomicU64,
    data: Mutex<SeriesData>,
}

/// What of a series changes.
#[derive(Debug, Default)]
pub(super) struct SeriesData {
    pub(super) full: Vec<FullChunk>,
    pub(super) open: Option<OpenChunk>,
    /// The newest sample in order.
    last: Option<(Timestamp, SampleValue)>,
    recent: Recent,
    /// What most series have none of.
    pub(super) rare: Option<Box<Rare>>,
}

/// Samples out of order, and stretches that were deleted.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub(super) late: OutOfOrder,
    pub(super) deleted: Vec<TimeRange>,
}

/// Up to where the series was filled before its last commits, for views that do not see these.
#[derive(Debug, Default)]
struct Recent {
    /// Number of the last commit.
    commit: u64,
    /// Time of the last sample before it, `MIN` for none.
    before_ms: Timestamp,
    /// The same of earlier commits that some view does not see, oldest first.
    #[expect(clippy::box_collection, reason = "nearly always absent: a pointer is enough")]
    older: Option<Box<Vec<(u64, Timestamp)>>>,
}

/// Why a sample is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotTaken {
    /// The series has a later sample.
    OutOfOrder,
    /// The series has another value at this instant.
    Duplicate,
    /// Older than what is still taken.
    TooOld,
}

/// How a series takes part in a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// In its first one: it is to be defined.
    First,
    /// Once more in the same one.
    Again,
    /// In a later one.
    Later,
}

/// Where a sample goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Behind the last one.
    InOrder,
    /// Beside the others.
    OutOfOrder,
    /// Nowhere: it is there already.
    Known,
}

/// The numbers of a commit that is being applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitNumbers {
    /// Its own.
    pub(super) commit: u64,
    /// Every view sees the commits up to this one.
    pub(super) seen_by_all: u64,
}

impl Series {
    pub(super) fn new(id: SeriesId, labels: Labels) -> Series {
        let recent = Recent { before_ms: Timestamp::MIN, ..Recent::default() };
        let data = Mutex::new(SeriesData { recent, ..SeriesData::default() });
        Series { id, labels, commit: AtomicU64::new(0), data }
    }

    /// Notes that it takes part in a commit, of which there is one at a time.
    #[inline]
    pub(super) fn take_part(&self, commit: u64) -> Part {
        let before = self.commit.load(Ordering::Relaxed);
        self.commit.store(commit, Ordering::Relaxed);
        match before {
            0 => Part::First,
            _ if before == commit => Part::Again,
            _ => Part::Later,
        }
    }

    /// Whether log and index have its labels.
    pub(super) fn is_defined(&self) -> bool {
        self.commit.load(Ordering::Relaxed) != 0
    }

    /// Takes back that the log has its labels.
    pub(super) fn withdraw(&self) {
        self.commit.store(0, Ordering::Relaxed);
    }

    pub(super) fn id(&self) -> SeriesId {
        self.id
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The data, for a moment.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, SeriesData> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeriesData {
    /// Where a sample would go.
    #[inline]
    pub(super) fn place_of(
        &self,
        at_ms: Timestamp,
        value: &SampleValue,
        bounds: Bounds,
    ) -> Result<Place, NotTaken> {
        let last_ms = self.last.as_ref().map(|last| last.0);
        if last_ms.is_none_or(|last_ms| last_ms < at_ms) && at_ms >= bounds.in_order_ms {
            return Ok(Place::InOrder);
        }
        self.place_of_late(at_ms, value, bounds)
    }

    #[cold]
    fn place_of_late(
        &self,
        at_ms: Timestamp,
        value: &SampleValue,
        bounds: Bounds,
    ) -> Result<Place, NotTaken> {
        match &self.last {
            Some((last_ms, last)) if *last_ms == at_ms => {
                if same_value(last, value) {
                    Ok(Place::Known)
                } else {
                    Err(NotTaken::Duplicate)
                }
            }
            _ if bounds.out_of_order_ms.is_some_and(|from_ms| at_ms >= from_ms) => Ok(Place::OutOfOrder),
            _ if bounds.out_of_order_ms.is_some() || at_ms < bounds.in_order_ms => Err(NotTaken::TooOld),
            _ => Err(NotTaken::OutOfOrder),
        }
    }

    /// A float stale marker behind a histogram is a histogram stale marker.
    #[inline]
    pub(super) fn as_stored(&self, value: SampleValue) -> SampleValue {
        match (&self.last, value) {
            (Some((_, SampleValue::Histogram(_))), SampleValue::Float(sum)) if is_stale_nan(sum) => {
                FloatHistogram { sum, ..FloatHistogram::default() }.into()
            }
            (_, value) => value,
        }
    }

    /// Adds a sample behind the last one, where [`SeriesData::place_of`] said it goes.
    #[inline]
    pub(super) fn push(
        &mut self,
        sample: (Timestamp, SampleValue, Timestamp),
        chunk_range_ms: i64,
        numbers: CommitNumbers,
    ) {
        let (at_ms, value, start_ms) = sample;
        let before_ms = self.last.as_ref().map_or(Timestamp::MIN, |last| last.0);
        self.recent.note(numbers, before_ms);
        let pushed = match &mut self.open {
            Some(chunk) => chunk.push(at_ms, &value, start_ms),
            None => Err(None),
        };
        if let Err(refusal) = pushed {
            let before = self.open.as_ref().map(OpenChunk::encoding);
            self.full.extend(self.open.take().map(OpenChunk::close));
            self.open = Some(OpenChunk::start((at_ms, &value, start_ms), chunk_range_ms, before, refusal));
        }
        self.last = Some((at_ms, value));
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The stretch of samples in order that a view sees.
    pub(super) fn visible(&self, view: View) -> TimeRange {
        TimeRange::new(view.floor_ms, self.recent.visible_until_ms(view.version))
    }

    /// From the first to the last sample in order; empty without samples.
    pub(super) fn range(&self) -> TimeRange {
        let open = self.open.as_ref().map(|chunk| chunk.range);
        let ends = self.full.first().map(|chunk| chunk.range).into_iter();
        let ends = ends.chain(self.full.last().map(|chunk| chunk.range)).chain(open);
        ends.reduce(TimeRange::union).unwrap_or(NOTHING)
    }

    /// From the first to the last sample of any kind; empty without samples.
    pub(super) fn whole_range(&self) -> TimeRange {
        let late = self.rare.as_ref().map_or(NOTHING, |rare| rare.late.range());
        let range = self.range();
        match (range.is_empty(), late.is_empty()) {
            (_, true) => range,
            (true, false) => late,
            (false, false) => range.union(late),
        }
    }

    /// Whether a view may see samples within `range`.
    pub(super) fn may_have(&self, view: View, range: TimeRange) -> bool {
        let in_order = intersection(self.visible(view), range);
        intersection(self.range(), in_order).overlaps(in_order)
            || self.rare.as_ref().is_some_and(|rare| rare.late.may_have(view, range))
    }

    /// Chunks of samples in order that overlap `range`, the growing one left out.
    pub(super) fn full_within(&self, range: TimeRange) -> &[FullChunk] {
        let first = self.full.partition_point(|chunk| chunk.range.max_ms < range.min_ms);
        let from = &self.full[first..];
        &from[..from.partition_point(|chunk| chunk.range.min_ms <= range.max_ms)]
    }

    /// Time of the first sample that is not before `from_ms`, or an instant in front of it in the same chunk.
    pub(super) fn first_from(&self, from_ms: Timestamp) -> Option<Timestamp> {
        let next = self.full.partition_point(|chunk| chunk.range.max_ms < from_ms);
        let full = self.full.get(next).map(|chunk| chunk.range);
        let open = || self.open.as_ref().map(|chunk| chunk.range).filter(|range| range.max_ms >= from_ms);
        let in_order = full.or_else(open).map(|range| range.min_ms.max(from_ms));
        let late = self.rare.as_ref().and_then(|rare| rare.late.first_from(from_ms));
        in_order.into_iter().chain(late).min()
    }

    pub(super) fn sample_count(&self) -> usize {
        let full: usize = self.full.iter().map(|chunk| usize::from(chunk.samples)).sum();
        let late = self.rare.as_ref().map_or(0, |rare| rare.late.sample_count());
        full + self.open.as_ref().map_or(0, OpenChunk::len) + late
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        let full: usize = self.full.iter().map(|chunk| chunk.bytes.len()).sum();
        let late = self.rare.as_ref().map_or(0, |rare| rare.late.chunk_bytes());
        full + self.open.as_ref().map_or(0, |chunk| chunk.bytes().len()) + late
    }

    /// Whether there is no sample.
    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty()
            && self.open.is_none()
            && self.rare.as_ref().is_none_or(|rare| rare.late.is_empty())
    }

    /// Drops chunks that end before `before_ms`; says how many.
    pub(super) fn drop_before(&mut self, before_ms: Timestamp) -> usize {
        let gone = self.full.partition_point(|chunk| chunk.range.max_ms < before_ms);
        self.full.drain(..gone);
        if self.full.is_empty() {
            self.full = Vec::new();
        }
        let is_open_gone =
            self.full.is_empty() && self.open.as_ref().is_some_and(|chunk| chunk.range.max_ms < before_ms);
        if is_open_gone {
            self.open = None;
        }
        gone + usize::from(is_open_gone)
    }
}

/// The range without instants.
pub(super) const NOTHING: TimeRange = TimeRange { min_ms: 0, max_ms: -1 };

/// What is in both; empty, with any bounds, when nothing is.
pub(super) fn intersection(left: TimeRange, right: TimeRange) -> TimeRange {
    TimeRange::new(left.min_ms.max(right.min_ms), left.max_ms.min(right.max_ms))
}

impl Recent {
    /// Notes that a commit adds samples behind `before_ms`.
    #[inline]
    fn note(&mut self, numbers: CommitNumbers, before_ms: Timestamp) {
        if self.commit == numbers.commit {
            return;
        }
        if self.commit > numbers.seen_by_all {
            self.older.get_or_insert_default().push((self.commit, self.before_ms));
        }
        if let Some(older) = &mut self.older {
            older.retain(|&(commit, _)| commit > numbers.seen_by_all);
            if older.is_empty() {
                self.older = None;
            }
        }
        (self.commit, self.before_ms) = (numbers.commit, before_ms);
    }

    /// Time of the last sample that a view of commits up to `version` sees.
    #[inline]
    fn visible_until_ms(&self, version: u64) -> Timestamp {
        if self.commit <= version {
            return Timestamp::MAX;
        }
        let older = self.older.iter().flat_map(|older| older.iter());
        older.filter(|(commit, _)| *commit > version).map(|one| one.1).next().unwrap_or(self.before_ms)
    }
}

fn same_value(left: &SampleValue, right: &SampleValue) -> bool {
    match (left, right) {
        (SampleValue::Float(left), SampleValue::Float(right)) => left.to_bits() == right.to_bits(),
        (SampleValue::Histogram(left), SampleValue::Histogram(right)) => {
            Arc::ptr_eq(left, right) || left.equals(right)
        }
        _ => false,
    }
}
