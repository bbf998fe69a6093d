//! A store on a disk in memory, and what must be in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_storage::{Queryable, SampleBuffer, SelectHints, StorageError};
use narthex_tsdb::db::{Database, DatabaseOptions};
use narthex_tsdb::fs::MemoryFs;
use narthex_tsdb::wal::SyncPolicy;

/// Length of the blocks that are cut, in milliseconds.
pub(crate) const RANGE_MS: i64 = 1000;
pub(crate) const DIR: &str = "/data";
pub(crate) const SERIES: usize = 3;

/// Samples by series and time.
pub(crate) type Samples = BTreeMap<String, BTreeMap<i64, f64>>;

pub(crate) fn options() -> DatabaseOptions {
    let mut options = DatabaseOptions::with_ranges(RANGE_MS, 9 * RANGE_MS, 1);
    options.log.policy = SyncPolicy::Always;
    options.retention.time_ms = 0;
    options.head.out_of_order_window_ms = 3 * RANGE_MS;
    options
}

/// A store, its disk, and what it has acknowledged.
pub(crate) struct Store {
    pub(crate) fs: MemoryFs,
    pub(crate) database: Option<Database>,
    pub(crate) acknowledged: Samples,
    /// Time of the next batch.
    pub(crate) next_ms: i64,
    /// The batch that was under way when something failed: there or not.
    pub(crate) in_flight: Samples,
    /// What was acknowledged at any time, deleted since or not.
    pub(crate) ever: Samples,
}

pub(crate) fn open(fs: &MemoryFs) -> Result<Database, StorageError> {
    Database::open(Arc::new(fs.clone()), Path::new(DIR), options())
}

/// Everything that a store answers with, and its warnings.
pub(crate) fn read_all(database: &Database) -> Result<(Samples, Vec<String>), StorageError> {
    let querier = database.querier(TimeRange::ALL)?;
    let mut all = Samples::new();
    {
        let set = querier.select(&[], TimeRange::ALL, &SelectHints::default())?;
        let mut buffer = SampleBuffer::new();
        for series in 0..set.len() {
            set.read(series, TimeRange::ALL, &mut buffer)?;
            let floats = buffer.floats.timestamps.iter().copied().zip(buffer.floats.values.iter().copied());
            let samples: BTreeMap<i64, f64> = floats.collect();
            assert_eq!(samples.len(), buffer.len(), "an instant twice, or a histogram");
            if !samples.is_empty() {
                all.insert(set.labels(series).to_string(), samples);
            }
        }
    }
    Ok((all, querier.warnings()))
}

fn labels(series: usize) -> Labels {
    Labels::from_pairs([("__name__", "m"), ("series", ["a", "b", "c"][series])])
}

impl Store {
    /// An empty store.
    pub(crate) fn new() -> Store {
        Store::on(MemoryFs::new())
    }

    pub(crate) fn on(fs: MemoryFs) -> Store {
        let database = open(&fs).expect("an empty disk can be opened");
        Store {
            fs,
            database: Some(database),
            acknowledged: Samples::new(),
            next_ms: 10_000,
            in_flight: Samples::new(),
            ever: Samples::new(),
        }
    }

    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().expect("the store is open")
    }

    /// Commits one sample of every series at `at_ms`.
    pub(crate) fn append_at(&mut self, at_ms: i64) -> Result<(), StorageError> {
        let mut batch = Samples::new();
        let database = self.database.as_ref().expect("the store is open");
        let mut appender = database.appender();
        for series in 0..SERIES {
            let value = at_ms as f64 * 10.0 + series as f64;
            if appender.append_named(&labels(series), at_ms, value.into(), 0).is_ok() {
                batch.entry(labels(series).to_string()).or_default().insert(at_ms, value);
            }
        }
        self.in_flight = batch;
        appender.commit_batch()?;
        let batch = std::mem::take(&mut self.in_flight);
        for (series, samples) in batch {
            self.ever.entry(series.clone()).or_default().extend(&samples);
            self.acknowledged.entry(series).or_default().extend(samples);
        }
        Ok(())
    }

    /// The next batch in order.
    pub(crate) fn append(&mut self) -> Result<(), StorageError> {
        let at_ms = self.next_ms;
        self.next_ms += RANGE_MS * 2 / 5;
        self.append_at(at_ms)
    }

    pub(crate) fn maintain(&mut self) -> Result<(), StorageError> {
        let now_ms = self.next_ms;
        self.database().maintain(now_ms).map(drop)
    }

    pub(crate) fn delete(&mut self) -> Result<(), StorageError> {
        let range = TimeRange::new(self.next_ms - 2 * RANGE_MS, self.next_ms - RANGE_MS);
        let deleted = self.acknowledged.get(&labels(1).to_string()).cloned().unwrap_or_default();
        let kept = deleted.into_iter().filter(|(at_ms, _)| !range.contains(*at_ms)).collect();
        self.database().delete(&[Matcher::equal("series", "b")], range)?;
        self.acknowledged.insert(labels(1).to_string(), kept);
        Ok(())
    }

    pub(crate) fn reopen(&mut self) -> Result<(), StorageError> {
        self.database = None;
        self.database = Some(open(&self.fs)?);
        Ok(())
    }

    /// The same as [`Store::check_samples`], without a warning.
    pub(crate) fn check(&self, context: &str) {
        let warnings = self.check_samples(context);
        assert!(warnings.is_empty(), "{context}: {warnings:?}");
    }

    /// What is stored is what was acknowledged, and perhaps what was under way, as a whole.
    pub(crate) fn check_samples(&self, context: &str) -> Vec<String> {
        let (found, warnings) =
            read_all(self.database()).unwrap_or_else(|error| panic!("{context}: {error}"));
        let without_empty = |samples: &Samples| -> Samples {
            samples.iter().filter(|one| !one.1.is_empty()).map(|one| (one.0.clone(), one.1.clone())).collect()
        };
        let mut with_flight = self.acknowledged.clone();
        for (series, samples) in &self.in_flight {
            with_flight.entry(series.clone()).or_default().extend(samples);
        }
        let is_right = found == without_empty(&self.acknowledged) || found == without_empty(&with_flight);
        assert!(is_right, "{context}\n  found {found:?}\n  acknowledged {:?}", self.acknowledged);
        warnings
    }
}
