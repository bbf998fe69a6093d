//! Series on their way into an index.
//!
//! The strings stand in front of an index and the numbers of a series' strings decide how long its entry is, so that
//! nothing can be written before the last series is known. Until then series lie in a file of their own; in memory are
//! each string and each label once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use narthex_model::Labels;
use narthex_storage::StorageError;

use super::series::{ChunkMeta, push_chunks};
use crate::block::failure::{corrupt, io_failed};
use crate::block::output::Output;
use crate::fs::{FileBytes, Fs};
use crate::integers::push_uvarint;

/// Collects series in the order of their labels.
#[derive(Debug)]
pub(crate) struct Spill {
    path: PathBuf,
    output: Output,
    symbols: HashMap<Box<str>, u32>,
    pair_numbers: HashMap<(u32, u32), u32>,
    pairs: Vec<Pair>,
    series: u64,
    last: Labels,
    last_pairs: Vec<u32>,
    record: Vec<u8>,
    /// Of all records.
    checksum: u32,
}

/// A label: its strings by the order in which they came, and how many series have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) name: u32,
    pub(crate) value: u32,
    pub(crate) series: u32,
}

/// All series, ready to be read again.
#[derive(Debug)]
pub(crate) struct Spilled {
    pub(crate) symbols: HashMap<Box<str>, u32>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) series: u64,
    /// Per series the number of its labels, the numbers of these, the length of what follows, and its chunks as they
    /// stand in an index.
    pub(crate) records: FileBytes,
}

impl Spill {
    pub(crate) fn create(fs: &dyn Fs, path: &Path) -> Result<Spill, StorageError> {
        Ok(Spill {
            path: path.to_owned(),
            output: Output::create(fs, path)?,
            symbols: HashMap::new(),
            pair_numbers: HashMap::new(),
            pairs: Vec::new(),
            series: 0,
            last: Labels::empty(),
            last_pairs: Vec::new(),
            record: Vec::new(),
            checksum: 0,
        })
    }

    /// Number of series so far.
    pub(crate) fn series(&self) -> u64 {
        self.series
    }

    /// Labels of the last series.
    pub(crate) fn last(&self) -> &Labels {
        &self.last
    }

    /// Adds a series behind the last one.
    pub(crate) fn add(&mut self, labels: &Labels, chunks: &[ChunkMeta]) -> Result<(), StorageError> {
        let last = std::mem::replace(&mut self.last, labels.clone());
        let mut last = last.iter();
        let last_pairs = std::mem::take(&mut self.last_pairs);
        let mut numbers = Vec::with_capacity(last_pairs.len());
        for (place, label) in labels.iter().enumerate() {
            // Neighbours share most labels.
            let known = last_pairs.get(place).filter(|_| last.next() == Some(label));
            let number = known.copied().unwrap_or_else(|| self.pair(label));
            self.pairs[number as usize].series += 1;
            numbers.push(number);
        }
        self.record.clear();
        push_uvarint(&mut self.record, numbers.len() as u64);
        numbers.iter().for_each(|&number| push_uvarint(&mut self.record, u64::from(number)));
        let mut metas = Vec::new();
        push_chunks(&mut metas, chunks);
        push_uvarint(&mut self.record, metas.len() as u64);
        self.record.extend_from_slice(&metas);
        self.last_pairs = numbers;
        self.series += 1;
        self.checksum = crc32c::crc32c_append(self.checksum, &self.record);
        self.output.write(&self.record)
    }

    fn pair(&mut self, (name, value): (&str, &str)) -> u32 {
        let (name, value) = (self.symbol(name), self.symbol(value));
        let pairs = &mut self.pairs;
        *self.pair_numbers.entry((name, value)).or_insert_with(|| {
            pairs.push(Pair { name, value, series: 0 });
            pairs.len() as u32 - 1
        })
    }

    fn symbol(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.symbols.get(text) {
            return number;
        }
        let number = self.symbols.len() as u32;
        self.symbols.insert(text.into(), number);
        number
    }

    /// Reads back what was collected; the file is gone then.
    pub(crate) fn finish(mut self, fs: &dyn Fs) -> Result<Spilled, StorageError> {
        self.output.flush()?;
        drop(self.output);
        let records = fs.map(&self.path).map_err(|error| io_failed(&error))?;
        if crc32c::crc32c(&records) != self.checksum {
            return Err(corrupt(&self.path, 0, &"collected series came back changed"));
        }
        fs.remove_file(&self.path).map_err(|error| io_failed(&error))?;
        Ok(Spilled { symbols: self.symbols, pairs: self.pairs, series: self.series, records })
    }
}
