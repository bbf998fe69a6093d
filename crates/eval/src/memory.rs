//! How many bytes a query holds, and which part of it holds most of them.
//!
//! Every part has an [`Account`] at the query's [`Pool`]. Memory is reserved before it is taken where its size is known,
//! and right after one series or one column where it is not. A [`Reservation`] gives its bytes back when it is dropped.

use std::mem::size_of;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use narthex_diag::Span;
use narthex_model::{FloatHistogram, Labels};
use narthex_storage::SampleBuffer;

use crate::column::Presence;
use crate::limits::LimitKind;
use crate::physical::SeriesMetadata;
use crate::{EvalError, StepColumn};

/// The bytes of one query.
#[derive(Debug)]
pub(crate) struct Pool {
    bytes_max: usize,
    held: AtomicUsize,
    peak: AtomicUsize,
    parts: Mutex<Vec<Arc<Part>>>,
}

/// A part of the query: what it is, where it stands, what it holds.
#[derive(Debug)]
struct Part {
    name: &'static str,
    span: Span,
    held: AtomicUsize,
    peak: AtomicUsize,
}

impl Pool {
    /// A pool that hands out `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Arc<Pool> {
        let (held, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Pool { bytes_max, held, peak, parts: Mutex::default() })
    }

    /// The account of the part at `span`, called `name`.
    pub(crate) fn account(self: &Arc<Pool>, name: &'static str, span: Span) -> Account {
        let part = Arc::new(Part { name, span, held: AtomicUsize::new(0), peak: AtomicUsize::new(0) });
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&part));
        Account { pool: Arc::clone(self), part }
    }

    /// The most bytes that were held at once so far.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// The bytes held now.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn exhausted(&self) -> EvalError {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |part: &Arc<Part>| part.held.load(Ordering::Relaxed);
        // Of equal ones the first, which is the innermost.
        let most = parts.iter().rev().max_by_key(|part| held(part));
        let bytes_max = self.bytes_max;
        let by = match most {
            Some(part) => format!("; {} takes {} of them", part.name, held(part)),
            None => String::new(),
        };
        let message = format!("query would hold more than the limit of {bytes_max} bytes in memory{by}");
        EvalError::limit(LimitKind::Bytes, message, most.map_or(Span::default(), |part| part.span))
    }
}

/// What one part of a query reserves through.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pool: Arc<Pool>,
    part: Arc<Part>,
}

impl Account {
    fn take(&self, bytes: usize) -> Result<(), EvalError> {
        let held = self.pool.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let part_held = self.part.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if held > self.pool.bytes_max {
            let error = self.pool.exhausted();
            self.give_back(bytes);
            return Err(error);
        }
        self.pool.peak.fetch_max(held, Ordering::Relaxed);
        self.part.peak.fetch_max(part_held, Ordering::Relaxed);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.pool.held.fetch_sub(bytes, Ordering::Relaxed);
        self.part.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Where the part stands.
    pub(crate) fn span(&self) -> Span {
        self.part.span
    }

    /// The most bytes that the part held at once so far.
    pub(crate) fn peak(&self) -> usize {
        self.part.peak.load(Ordering::Relaxed)
    }

    /// Reserves `bytes`.
    ///
    /// # Errors
    /// When the query would hold more than it may.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, EvalError> {
        self.take(bytes)?;
        Ok(Reservation { account: Some(self.clone()), bytes, due: 0 })
    }
}

/// Bytes reserved by one part; given back on drop. The default one belongs to nobody and holds nothing.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    account: Option<Account>,
    bytes: usize,
    /// Bytes that are taken with the next ones, so that many small amounts need not be counted one by one.
    due: usize,
}

/// No more than that is due.
const DUE_BYTES_MAX: usize = 16 * 1024;

impl Reservation {
    /// Whether it belongs to a part.
    pub(crate) fn is_attached(&self) -> bool {
        self.account.is_some()
    }

    /// Reserves so many bytes more.
    ///
    /// # Errors
    /// When the query would hold more than it may; the reservation stays as it is.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), EvalError> {
        let bytes = bytes + std::mem::take(&mut self.due);
        match &self.account {
            Some(account) if bytes > 0 => {
                account.take(bytes)?;
                self.bytes += bytes;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// As [`Reservation::grow`], of few bytes that need not be counted at once. Who holds the reservation for long
    /// counts them by growing it once more.
    ///
    /// # Errors
    /// As [`Reservation::grow`].
    #[inline]
    pub(crate) fn grow_soon(&mut self, bytes: usize) -> Result<(), EvalError> {
        self.due += bytes;
        if self.due < DUE_BYTES_MAX { Ok(()) } else { self.grow(0) }
    }

    /// Makes it so many bytes in all, if it is fewer.
    ///
    /// # Errors
    /// As [`Reservation::grow`].
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), EvalError> {
        if bytes > self.bytes { self.grow(bytes - self.bytes) } else { Ok(()) }
    }

    /// Makes it so many bytes in all.
    ///
    /// # Errors
    /// As [`Reservation::grow`].
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), EvalError> {
        self.due = 0;
        if bytes >= self.bytes {
            return if bytes == self.bytes { Ok(()) } else { self.grow(bytes - self.bytes) };
        }
        if let Some(account) = &self.account {
            account.give_back(self.bytes - bytes);
            self.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            account.give_back(self.bytes);
        }
    }
}

/// What an allocation of `bytes` takes: a word of the allocator, in steps of two words.
pub(crate) const fn block_bytes(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16) }
}

/// What a label set takes that shares its text with no other.
pub(crate) fn label_bytes(labels: &Labels) -> usize {
    block_bytes(labels.size_bytes() + 2 * size_of::<usize>())
}

/// What a list of so many series takes, besides the texts of their labels.
pub(crate) fn list_bytes(series: usize) -> usize {
    block_bytes(series * size_of::<SeriesMetadata>() + 2 * size_of::<usize>())
}

/// What a hash table for so many entries takes.
pub(crate) fn table_bytes<Key, Value>(entries: usize) -> usize {
    let buckets = (entries * 8 / 7 + 1).next_power_of_two();
    block_bytes(buckets * (size_of::<(Key, Value)>() + 1))
}

/// What a native histogram takes that nobody shares.
pub(crate) fn histogram_bytes(histogram: &FloatHistogram) -> usize {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let buckets = histogram.positive_buckets.len() + histogram.negative_buckets.len();
    let numbers = spans + buckets + histogram.custom_values.len();
    block_bytes(size_of::<FloatHistogram>() + 2 * size_of::<usize>()) + block_bytes(8 * numbers)
}

/// What a column of floats over so many steps takes.
pub(crate) fn column_bytes(steps: usize) -> usize {
    size_of::<StepColumn>() + block_bytes(steps * size_of::<f64>()) + block_bytes(steps.div_ceil(64) * 8)
}

/// Which of so many steps have something.
pub(crate) fn presence_bytes(steps: usize) -> usize {
    size_of::<Presence>() + block_bytes(steps.div_ceil(64) * 8)
}

/// What a buffer of samples takes, spare room included.
pub(crate) fn buffer_bytes(samples: &SampleBuffer) -> usize {
    let (floats, histograms) = (&samples.floats, &samples.histograms);
    let times = floats.timestamps.capacity() + floats.start_timestamps.capacity();
    let histogram_times = histograms.timestamps.capacity() + histograms.start_timestamps.capacity();
    let words = times + histogram_times + floats.values.capacity() + histograms.values.capacity();
    let owned: usize = histograms.values.iter().map(|histogram| histogram_bytes(histogram)).sum();
    words * 8 + owned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_the_largest_part_is_named() {
        let pool = Pool::new(1000);
        let small = pool.account("sum", Span::new(0, 9));
        let large = pool.account("selector", Span::new(4, 8));
        let mut held = large.reserve(700).unwrap();
        let other = small.reserve(100).unwrap();
        let error = small.reserve(201).unwrap_err();
        assert_eq!(
            error.to_string(),
            "query would hold more than the limit of 1000 bytes in memory; selector takes 700 of them"
        );
        assert_eq!((error.span(), error.limit_kind()), (Some(Span::new(4, 8)), Some(LimitKind::Bytes)));
        assert!(held.grow(201).is_err());
        assert!(held.resize(900).is_ok());
        assert_eq!((pool.held(), pool.peak()), (1000, 1000));
        held.resize(1).unwrap();
        drop(other);
        assert_eq!(pool.held(), 1);
        drop(held);
        assert_eq!((pool.held(), pool.peak()), (0, 1000));
        let mut nobody = Reservation::default();
        assert!(nobody.grow(usize::MAX).is_ok() && !nobody.is_attached());
    }
}
