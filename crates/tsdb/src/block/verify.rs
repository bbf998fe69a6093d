//! Whether every byte of a block that has a checksum is as it was written.

use narthex_model::{Labels, Timestamp};
use narthex_storage::{SampleBuffer, StorageError};

use super::Block;
use super::recover::walk;
use crate::index::SeriesReader;

impl Block {
    /// Reads everything: series, in order and with labels that are in the table; lists of postings; chunks, decoded.
    ///
    /// # Errors
    /// The first damage, with file and offset.
    pub fn verify(&self) -> Result<(), StorageError> {
        if let Some(warning) = self.warnings().first() {
            return Err(warning.clone());
        }
        let names: Vec<&str> = self.index.names().collect();
        for name in names {
            for entry in self.index.values_from(name, "")? {
                let at = entry?.list;
                if !self.index.list(at)?.is_sorted_by(|a, b| a < b) {
                    return Err(self.index.corrupt_list(at, "rising numbers of series"));
                }
            }
        }
        self.verify_order()?;
        let mut samples = SampleBuffer::new();
        walk(&self.index, |chunk| {
            samples.clear();
            self.decode(chunk, Timestamp::MAX, &mut samples)
        })?;
        Ok(())
    }

    /// Series stand in the order of their labels, which merging relies on.
    fn verify_order(&self) -> Result<(), StorageError> {
        let Some(all) = self.index.list_of("", "")? else { return Ok(()) };
        let mut reader = SeriesReader::default();
        let mut last: Option<Labels> = None;
        for number in self.index.list(all)? {
            let labels = self.index.series(number, &mut reader)?;
            if last.is_some_and(|last| last >= labels) {
                return Err(self.index.corrupt_series(number, "series in the order of their labels"));
            }
            last = Some(labels);
        }
        Ok(())
    }
}
