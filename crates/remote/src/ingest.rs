//! Samples of a request into a store: every good one, and an honest account of the others.

use std::fmt;

use narthex_model::labels::{LABEL_TEXT_MAX, METRIC_NAME};
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, Exemplar, StorageError, StorageErrorKind};

use crate::wire::DecodeError;
use crate::write::{Version, WriteExemplar, WriteSeries, decode};

/// A sample may be that much ahead of the clock.
const AHEAD_MAX_MS: i64 = 600_000;
/// That many reasons are told; the rest are counted.
const REASONS_MAX: usize = 10;
/// A reason is cut to that many bytes: a series may be a megabyte long.
const REASON_BYTES_MAX: usize = 1024;

/// A store that takes samples from the network.
pub trait Ingest: Send + Sync {
    /// A batch. After its commit the samples are there for good; dropped before, none of them is.
    fn appender(&self) -> Box<dyn Appender + '_>;
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Received {
    /// Floats that are stored.
    pub samples: usize,
    /// Native histograms that are stored.
    pub histograms: usize,
    /// Exemplars that are stored.
    pub exemplars: usize,
    /// Floats, histograms and exemplars that are not stored.
    pub refused: usize,
    /// Whether some were refused only because a limit of the store is reached: they may be sent again.
    pub limit_reached: bool,
    /// Why the first ones were refused.
    pub reasons: Vec<String>,
}

/// Why nothing of a request is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReceiveError {
    /// The body is none.
    Malformed(DecodeError),
    /// The store failed.
    Storage(StorageError),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Malformed(error) => error.fmt(f),
            ReceiveError::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReceiveError {}

/// Stores what is good of a request. Metadata are skipped, as the protocol permits.
///
/// # Errors
/// When the message cannot be decoded, or the store fails; then nothing of it is stored.
pub fn receive(
    version: Version,
    message: &[u8],
    now_ms: Timestamp,
    store: &dyn Ingest,
) -> Result<Received, ReceiveError> {
    // All of it before any of it: what ends within a field may be cut off anywhere.
    decode(version, message, |_| {}).map_err(ReceiveError::Malformed)?;
    let mut batch = Batch {
        appender: store.appender(),
        latest_ms: now_ms.saturating_add(AHEAD_MAX_MS),
        received: Received::default(),
        failure: None,
    };
    decode(version, message, |series| batch.take(series)).map_err(ReceiveError::Malformed)?;
    batch.finish().map_err(ReceiveError::Storage)
}

struct Batch<'a> {
    appender: Box<dyn Appender + 'a>,
    latest_ms: Timestamp,
    received: Received,
    /// The store failed: nothing more is tried.
    failure: Option<StorageError>,
}

impl Batch<'_> {
    fn take(&mut self, series: &mut WriteSeries<'_>) {
        let labels = match series_labels(&mut series.labels) {
            Ok(labels) => labels,
            Err(reason) => {
                let count = series.samples.len() + series.histograms.len() + series.exemplars.len();
                return self.refuse(count.max(1), reason);
            }
        };
        for &(at_ms, value) in &series.samples {
            if self.append(&labels, at_ms, value.into()) {
                self.received.samples += 1;
            }
        }
        for (at_ms, histogram) in series.histograms.drain(..) {
            if self.append(&labels, at_ms, histogram.into()) {
                self.received.histograms += 1;
            }
        }
        for exemplar in series.exemplars.drain(..) {
            self.append_exemplar(&labels, exemplar);
        }
    }

    fn append_exemplar(&mut self, labels: &Labels, mut exemplar: WriteExemplar<'_>) {
        let WriteExemplar { value, at_ms, .. } = exemplar;
        if !self.is_due(labels, at_ms, "exemplar") {
            return;
        }
        match labels_of(&mut exemplar.labels) {
            Err(reason) => self.refuse(1, format!("exemplar of series {labels}: {reason}")),
            Ok(own) => {
                let exemplar = Exemplar { labels: own, value, at_ms };
                let appended = self.appender.append_exemplar(labels, exemplar);
                self.received.exemplars += usize::from(self.is_taken(appended));
            }
        }
    }

    fn append(&mut self, labels: &Labels, at_ms: Timestamp, value: SampleValue) -> bool {
        if !self.is_due(labels, at_ms, "sample") {
            return false;
        }
        let appended = self.appender.append(labels, at_ms, value, 0);
        self.is_taken(appended)
    }

    /// Whether something is to be tried: the store works, and its time is not far ahead.
    fn is_due(&mut self, labels: &Labels, at_ms: Timestamp, what: &str) -> bool {
        if self.failure.is_some() {
            return false;
        }
        if at_ms > self.latest_ms {
            self.refuse(1, format!("{what} at {at_ms} of series {labels} is more than 10 minutes ahead"));
            return false;
        }
        true
    }

    /// Whether the store has taken something; otherwise it is told.
    fn is_taken(&mut self, appended: Result<(), StorageError>) -> bool {
        match appended {
            Ok(()) => true,
            Err(error) => {
                if is_failure(&error) {
                    self.failure = Some(error);
                } else {
                    self.received.limit_reached |= error.kind() == StorageErrorKind::LimitExceeded;
                    self.refuse(1, error.to_string());
                }
                false
            }
        }
    }

    fn refuse(&mut self, count: usize, mut reason: String) {
        self.received.refused += count;
        if self.received.reasons.len() < REASONS_MAX {
            let end = reason.floor_char_boundary(REASON_BYTES_MAX);
            reason.truncate(end);
            self.received.reasons.push(reason);
        }
    }

    fn finish(mut self) -> Result<Received, StorageError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        match self.appender.commit() {
            Err(error) if is_failure(&error) => Err(error),
            Err(refusal) => {
                // Another batch came in between with one of these samples; the others are there.
                self.received.samples = self.received.samples.saturating_sub(1);
                self.refuse(1, refusal.to_string());
                Ok(self.received)
            }
            Ok(()) => Ok(self.received),
        }
    }
}

/// Whether the store failed, and not the sample.
fn is_failure(error: &StorageError) -> bool {
    matches!(error.kind(), StorageErrorKind::Io | StorageErrorKind::Corrupt)
}

/// The labels of a series, which has a name.
fn series_labels(pairs: &mut [(&[u8], &[u8])]) -> Result<Labels, String> {
    let labels = labels_of(pairs)?;
    if labels.get(METRIC_NAME).is_none() {
        return Err(format!("series {labels} has no metric name"));
    }
    Ok(labels)
}

/// Labels; their order does not matter, and an empty value means that there is none.
fn labels_of(pairs: &mut [(&[u8], &[u8])]) -> Result<Labels, String> {
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    pairs.sort_unstable();
    if let Some(twice) = pairs.windows(2).find(|two| two[0].0 == two[1].0) {
        return Err(format!("label {:?} stands twice in a series", shown(twice[0].0)));
    }
    let mut texts = Vec::with_capacity(pairs.len());
    for &(name, value) in &*pairs {
        let (Ok(name_text), Ok(value_text)) = (str::from_utf8(name), str::from_utf8(value)) else {
            return Err(format!("label {:?} or its value is no UTF-8", shown(name)));
        };
        if name.is_empty() {
            return Err("a label has no name".to_owned());
        }
        if name.len().max(value.len()) > LABEL_TEXT_MAX {
            let start = &name_text[..name_text.floor_char_boundary(64)];
            return Err(format!("label {start:?} or its value is longer than {LABEL_TEXT_MAX} bytes"));
        }
        texts.push((name_text, value_text));
    }
    Ok(Labels::from_pairs(texts))
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard};

    use narthex_model::TimeRange;
    use narthex_storage::{MemoryStorage, Queryable, SampleBuffer, SelectHints};

    use super::*;

    #[derive(Default)]
    struct Store(Mutex<MemoryStorage>);

    struct Locked<'a>(MutexGuard<'a, MemoryStorage>);

    impl Ingest for Store {
        fn appender(&self) -> Box<dyn Appender + '_> {
            Box::new(Locked(self.0.lock().unwrap()))
        }
    }

    /// A value of 500 stands for a disk that fails.
    impl Appender for Locked<'_> {
        fn append(
            &mut self,
            labels: &Labels,
            at_ms: Timestamp,
            value: SampleValue,
            start_ms: Timestamp,
        ) -> Result<(), StorageError> {
            if value == 500.0.into() {
                return Err(StorageError::new(StorageErrorKind::Io, "no space left on device"));
            }
            self.0.append(labels, at_ms, value, start_ms)
        }

        fn commit(&mut self) -> Result<(), StorageError> {
            self.0.commit()
        }
    }

    impl Store {
        fn samples(&self) -> Vec<(String, Timestamp, f64)> {
            let store = self.0.lock().unwrap();
            let querier = store.querier(TimeRange::ALL).unwrap();
            let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).unwrap();
            let mut found = Vec::new();
            let mut samples = SampleBuffer::new();
            for number in 0..set.len() {
                set.read(number, TimeRange::ALL, &mut samples).unwrap();
                let points = samples.floats.timestamps.iter().zip(&samples.floats.values);
                found.extend(points.map(|(&at_ms, &value)| (set.labels(number).to_string(), at_ms, value)));
            }
            found
        }
    }

    fn nested(number: u8, parts: &[Vec<u8>]) -> Vec<u8> {
        let body = parts.concat();
        assert!(body.len() < 0x4000, "the length takes two bytes at most");
        let length = [body.len() as u8 | 0x80, (body.len() >> 7) as u8];
        [&[number << 3 | 2], &length[..], &body].concat()
    }

    fn series(pairs: &[(&str, &str)], samples: &[(i64, f64)]) -> Vec<u8> {
        let text = |number, text: &str| nested(number, &[text.as_bytes().to_vec()]);
        let label = |(name, value): &(&str, &str)| nested(1, &[text(1, name), text(2, value)]);
        let sample = |&(at_ms, value): &(i64, f64)| {
            let bytes: [u8; 8] = f64::to_le_bytes(value);
            nested(2, &[[&[0x09], &bytes[..], &[0x10, at_ms as u8]].concat()])
        };
        let parts: Vec<Vec<u8>> = pairs.iter().map(label).chain(samples.iter().map(sample)).collect();
        nested(1, &parts)
    }

    #[test]
    fn every_good_sample_is_stored_and_every_other_one_told() {
        let store = Store::default();
        let exemplar = nested(
            1,
            &[nested(1, &[nested(1, &[b"__name__".into()]), nested(2, &[b"e".into()])]), nested(3, &[])],
        );
        let message = [
            series(&[("job", "x"), ("__name__", "up"), ("none", "")], &[(4, 1.0), (3, 2.0), (5, 3.0)]),
            series(&[("job", "x")], &[(4, 1.0), (5, 1.0)]),
            series(&[("__name__", "a"), ("__name__", "b")], &[]),
            series(&[("__name__", "a"), ("", "b")], &[(4, 1.0)]),
            series(&[("__name__", "future")], &[(120, 1.0)]),
            exemplar,
            series(&[("__name__", "last")], &[(1, f64::NAN)]),
        ]
        .concat();
        let received = receive(Version::V1, &message, 119 - AHEAD_MAX_MS, &store).unwrap();
        assert_eq!((received.samples, received.histograms, received.refused), (3, 0, 7));
        let reasons = [
            "out of order sample for series {__name__=\"up\", job=\"x\"} at 3",
            "series {job=\"x\"} has no metric name",
            "label \"__name__\" stands twice in a series",
            "a label has no name",
            "sample at 120 of series {__name__=\"future\"} is more than 10 minutes ahead",
            "exemplars are not stored, such as that at 0 of series {__name__=\"e\"}",
        ];
        assert_eq!(received.reasons, reasons);
        let stored = store.samples();
        assert_eq!(stored.iter().map(|sample| sample.1).collect::<Vec<_>>(), [1, 4, 5]);
    }

    #[test]
    fn a_body_that_cannot_be_read_or_stored_changes_nothing() {
        let store = Store::default();
        let mut message = series(&[("__name__", "up")], &[(4, 1.0)]);
        message.push(0x0a);
        assert_eq!(
            receive(Version::V1, &message, 0, &store),
            Err(ReceiveError::Malformed(DecodeError::Truncated))
        );
        assert!(store.samples().is_empty());
        let message = series(&[("__name__", "up")], &[(4, 500.0), (5, 1.0)]);
        let failed = receive(Version::V1, &message, 0, &store).unwrap_err();
        assert_eq!(failed.to_string(), "no space left on device");
        assert!(store.samples().is_empty());
    }
}
