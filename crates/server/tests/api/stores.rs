//! Stores to serve.

use std::sync::{Arc, Mutex, MutexGuard};

use narthex_api::{Api, ApiOptions};
use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};
use narthex_remote::Ingest;
use narthex_server::Services;
use narthex_storage::{Appender, MemoryStorage, Querier, Queryable, StorageError};

/// The samples of the example shop.
pub(crate) fn shop() -> MemoryStorage {
    let path = narthex_testkit::testdata("exposition/shop.prom");
    let text = std::fs::read_to_string(path).expect("example data");
    let mut samples = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.rsplitn(3, ' ');
        let at_ms: Timestamp = parts.next().and_then(|time| time.parse().ok()).expect("a time");
        let value: f64 = parts.next().and_then(|value| value.parse().ok()).expect("a value");
        samples.push((
            at_ms,
            value,
            narthex_promql::parse_metric(parts.next().expect("a series")).expect("a series"),
        ));
    }
    samples.sort_by_key(|sample| sample.0);
    let mut store = MemoryStorage::new();
    for (at_ms, value, labels) in samples {
        store.append(&labels, at_ms, value.into(), 0).expect("samples are in order");
    }
    store
}

/// `count` series `wide{n="…"}` of a sample a second, `length` of them.
pub(crate) fn wide(count: usize, length: usize) -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for number in 0..count {
        let number = number.to_string();
        let labels = Labels::from_pairs([("__name__", "wide"), ("n", number.as_str())]);
        for second in 0..length {
            let at_ms = second as Timestamp * 1000;
            store.append(&labels, at_ms, (second as f64 * 1.1).into(), 0).expect("in order");
        }
    }
    store
}

/// Services over a store that nobody writes to.
pub(crate) fn reading(store: impl Queryable + 'static) -> Services {
    Services { api: Api::new(Arc::new(store), ApiOptions::default()), ingest: None, metrics: None }
}

/// A store that is written to: readers see a copy made when they begin.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<MemoryStorage>>);

impl Shared {
    pub(crate) fn services(&self) -> Services {
        let ingest: Arc<dyn Ingest> = Arc::new(self.clone());
        Services { ingest: Some(ingest), ..reading(self.clone()) }
    }
}

impl Queryable for Shared {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        // A test has few readers; their copies live as long as it does.
        let copy: &'static MemoryStorage = Box::leak(Box::new(self.0.lock().expect("no panic").clone()));
        Ok(Box::new(copy))
    }
}

struct Locked<'a>(MutexGuard<'a, MemoryStorage>);

impl Ingest for Shared {
    fn appender(&self) -> Box<dyn Appender + '_> {
        Box::new(Locked(self.0.lock().expect("no panic")))
    }
}

impl Appender for Locked<'_> {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        self.0.append(labels, at_ms, value, start_ms)
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        self.0.commit()
    }
}
