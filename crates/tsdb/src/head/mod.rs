//! Samples in memory, packed as they come.
//!
//! A [`Head`] is the store behind tests, rule checks and embedded engines: series by labels, their samples in chunks of
//! their final encoding, an index of their labels. Samples of a series come in time order.

mod append;
mod read;
mod series;

use std::collections::HashMap;
use std::sync::OnceLock;

use narthex_model::Labels;
use narthex_storage::{StorageError, StorageErrorKind};

use crate::postings::PostingsIndex;
use series::Series;

/// Most samples that the head puts into a chunk, which is what Prometheus aims at.
pub const CHUNK_SAMPLES_MAX: usize = 120;

/// What a head may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// Most series; a sample of another one is refused.
    pub series_max: u32,
}

impl HeadLimits {
    /// What an embedded store holds without being asked: a million series take a few gigabytes.
    pub const EMBEDDED: HeadLimits = HeadLimits { series_max: 1_000_000 };
}

/// A store in memory.
#[derive(Debug)]
pub struct Head {
    limits: HeadLimits,
    numbers: HashMap<Labels, u32>,
    series: Vec<Series>,
    postings: PostingsIndex,
    /// Place of each series in the order of labels; made when first needed, void when a series is added.
    ranks: OnceLock<Box<[u32]>>,
}

impl Head {
    /// An empty store.
    pub fn new(limits: HeadLimits) -> Head {
        Head {
            limits,
            numbers: HashMap::new(),
            series: Vec::new(),
            postings: PostingsIndex::new(),
            ranks: OnceLock::new(),
        }
    }

    /// Number of series.
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Number of samples.
    pub fn sample_count(&self) -> usize {
        self.series.iter().map(Series::sample_count).sum()
    }

    /// Bytes of all chunks.
    pub fn chunk_bytes(&self) -> usize {
        self.series.iter().map(Series::chunk_bytes).sum()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Head::new(self.limits);
    }

    /// The series with these labels, made if need be.
    fn series_of(&mut self, labels: &Labels) -> Result<&mut Series, StorageError> {
        let number = match self.numbers.get(labels) {
            Some(&number) => number,
            None => self.add_series(labels)?,
        };
        Ok(&mut self.series[number as usize])
    }

    fn add_series(&mut self, labels: &Labels) -> Result<u32, StorageError> {
        let number = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        if number >= self.limits.series_max {
            let message = format!("no place for series {labels}: there are {number} already");
            return Err(StorageError::new(StorageErrorKind::LimitExceeded, message));
        }
        self.series.push(Series::new(labels.clone()));
        self.numbers.insert(labels.clone(), number);
        self.postings.insert(number, labels);
        self.ranks.take();
        Ok(number)
    }
}
