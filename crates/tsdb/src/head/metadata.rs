//! Types, units and help texts by metric name.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::Head;
use crate::wal::Metadata;

/// Metadata of all metrics.
#[derive(Debug, Default)]
pub(super) struct MetadataTable(RwLock<BTreeMap<Box<str>, Metadata>>);

impl MetadataTable {
    pub(super) fn read(&self, metric: &str) -> Option<Metadata> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(metric).cloned()
    }

    pub(super) fn set(&self, metric: Box<str>, metadata: Metadata) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(metric, metadata);
    }

    pub(super) fn keep(&self, is_wanted: impl Fn(&str) -> bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|metric, _| is_wanted(metric));
    }

    fn all(&self) -> Vec<(Box<str>, Metadata)> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.iter().map(|(metric, metadata)| (metric.clone(), metadata.clone())).collect()
    }
}

impl Head {
    /// What is known of a metric.
    pub fn metadata_of(&self, metric: &str) -> Option<Metadata> {
        self.metadata.read(metric)
    }

    /// What is known of all metrics, sorted by name.
    pub fn metadata(&self) -> Vec<(Box<str>, Metadata)> {
        self.metadata.all()
    }
}
