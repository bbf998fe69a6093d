//! The index of a block, read where it lies.

use std::path::{Path, PathBuf};

use narthex_model::Labels;
use narthex_storage::StorageError;

use super::cursor::{Cursor, Malformed};
use super::postings_table::{NameEntries, PostingsTable, ValueEntry};
use super::series::{ChunkMeta, PairRef, read_series};
use super::symbols::Symbols;
use super::toc::{SERIES_ALIGNMENT, Toc, section};
use crate::block::failure::{corrupt, io_failed};
use crate::fs::{FileBytes, Fs};

/// The index of a block. Strings and lists stay in the file; in memory are places within it.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    path: PathBuf,
    file: FileBytes,
    toc: Toc,
    symbols: Symbols,
    table: PostingsTable,
}

/// Buffers for reading series, and the strings of the series before.
#[derive(Debug, Default)]
pub(crate) struct SeriesReader<'i> {
    pairs: Vec<PairRef>,
    /// Chunks of the series that was read last.
    pub(crate) chunks: Vec<ChunkMeta>,
    /// By place among the labels: neighbours share most of them.
    seen: Vec<(PairRef, (&'i str, &'i str))>,
}

impl Index {
    /// Opens the index and checks its frame, its strings and its table of postings; series and lists are checked when
    /// they are read.
    pub(crate) fn open(fs: &dyn Fs, path: &Path) -> Result<Index, StorageError> {
        let file = fs.map(path).map_err(|error| io_failed(&error))?;
        let parts = |file: &[u8]| {
            let toc = Toc::parse(file)?;
            let end = file.len() - super::toc::TOC_BYTES;
            let symbols = Symbols::open(file, toc.symbols as usize, toc.series as usize)?;
            Ok((toc, symbols, PostingsTable::open(file, toc.postings_table as usize, end)?))
        };
        let (toc, symbols, table) =
            parts(&file).map_err(|malformed: Malformed| corrupt(path, malformed.at, &malformed))?;
        Ok(Index { path: path.to_owned(), file, toc, symbols, table })
    }

    fn corrupt(&self, malformed: Malformed) -> StorageError {
        corrupt(&self.path, malformed.at, &malformed)
    }

    /// The names of labels, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.table.names()
    }

    /// How many values a label has; `None` when nobody has it.
    pub(crate) fn entries_of(&self, name: &str) -> Option<&NameEntries> {
        self.table.entries_of(name)
    }

    /// The values of a label from `from` on, sorted, with the places of their lists.
    pub(crate) fn values_from<'a>(
        &'a self,
        name: &str,
        from: &'a str,
    ) -> Result<impl Iterator<Item = Result<ValueEntry<'a>, StorageError>>, StorageError> {
        let entries = self.table.entries_of(name);
        let values = entries.map(|entries| self.table.values_from(&self.file, entries, from)).transpose();
        let values = values.map_err(|malformed| self.corrupt(malformed))?;
        let values = values.into_iter().flatten();
        Ok(values.map(|entry| entry.map_err(|malformed| self.corrupt(malformed))))
    }

    /// The place of the list of a label.
    pub(crate) fn list_of(&self, name: &str, value: &str) -> Result<Option<u64>, StorageError> {
        self.table.find(&self.file, name, value).map_err(|malformed| self.corrupt(malformed))
    }

    /// The numbers of series in the list at `at`, rising.
    pub(crate) fn list(&self, at: u64) -> Result<impl ExactSizeIterator<Item = u32> + use<'_>, StorageError> {
        let body = self.list_body(at).map_err(|malformed| self.corrupt(malformed))?;
        let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        Ok(body.chunks_exact(4).map(number))
    }

    fn list_body(&self, at: u64) -> Result<&[u8], Malformed> {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let is_within = (self.toc.postings as usize..self.toc.postings_table as usize).contains(&at);
        if !is_within {
            return Err(Malformed { at: self.toc.postings_table as usize, expected: "lists in their part" });
        }
        let body = section(&self.file[..self.toc.postings_table as usize], at)?;
        let count = Cursor::new(body, 0)?.u32().map_err(|_| Malformed { at, expected: "a count" })?;
        match body.split_first_chunk::<4>() {
            Some((_, numbers)) if numbers.len() as u64 == u64::from(count) * 4 => Ok(numbers),
            _ => Err(Malformed { at, expected: "as many series as are counted" }),
        }
    }

    /// Reads labels and chunks of a series.
    pub(crate) fn series<'i>(
        &'i self,
        number: u32,
        reader: &mut SeriesReader<'i>,
    ) -> Result<Labels, StorageError> {
        self.entry(number, reader)?;
        let strings = reader.seen.iter().map(|(_, strings)| *strings);
        Ok(Labels::from_pairs(strings))
    }

    /// Reads a series without making [`Labels`] of its strings.
    pub(crate) fn entry<'i>(
        &'i self,
        number: u32,
        reader: &mut SeriesReader<'i>,
    ) -> Result<(), StorageError> {
        self.read_entry(number, reader).map(|_| ()).map_err(|malformed| self.corrupt(malformed))
    }

    /// Reads the chunks of a series; the reader's labels are still those of another one then.
    pub(crate) fn chunks(&self, number: u32, reader: &mut SeriesReader<'_>) -> Result<(), StorageError> {
        let read = self.read_refs(number, None, &mut reader.chunks);
        read.map(|_| ()).map_err(|malformed| self.corrupt(malformed))
    }

    /// Reads the entry of a series, strings as their numbers and only if asked for; where it ends.
    fn read_refs(
        &self,
        number: u32,
        pairs: Option<&mut Vec<PairRef>>,
        chunks: &mut Vec<ChunkMeta>,
    ) -> Result<usize, Malformed> {
        read_series(
            &self.file[..self.toc.postings as usize],
            number as usize * SERIES_ALIGNMENT,
            pairs,
            chunks,
        )
    }

    fn read_entry<'i>(&'i self, number: u32, reader: &mut SeriesReader<'i>) -> Result<usize, Malformed> {
        let at = number as usize * SERIES_ALIGNMENT;
        let end = self.read_refs(number, Some(&mut reader.pairs), &mut reader.chunks)?;
        reader.seen.truncate(reader.pairs.len());
        for (place, &pair) in reader.pairs.iter().enumerate() {
            match reader.seen.get_mut(place) {
                Some(seen) if seen.0 == pair => {}
                // Names change less often than values do.
                Some(seen) if seen.0.0 == pair.0 => {
                    *seen = (pair, (seen.1.0, self.symbols.get(&self.file, pair.1)?));
                }
                Some(seen) => *seen = (pair, self.strings(pair)?),
                None => reader.seen.push((pair, self.strings(pair)?)),
            }
        }
        let is_sorted = reader.seen.is_sorted_by(|(_, before), (_, behind)| before.0 < behind.0);
        if is_sorted { Ok(end) } else { Err(Malformed { at, expected: "labels in the order of names" }) }
    }

    fn strings(&self, (name, value): PairRef) -> Result<(&str, &str), Malformed> {
        Ok((self.symbols.get(&self.file, name)?, self.symbols.get(&self.file, value)?))
    }

    /// That something else was expected of a series.
    pub(crate) fn corrupt_series(&self, number: u32, expected: &'static str) -> StorageError {
        self.corrupt(Malformed { at: number as usize * SERIES_ALIGNMENT, expected })
    }

    /// That something else was expected of a list.
    pub(crate) fn corrupt_list(&self, at: u64, expected: &'static str) -> StorageError {
        self.corrupt(Malformed { at: at as usize, expected })
    }

    /// Its last bytes, which are the checksum of the table of contents.
    pub(crate) fn contents_checksum(&self) -> u32 {
        self.file.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    /// Length of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.len() as u64
    }

    /// Bytes of memory held outside of the file, about.
    pub(crate) fn size_bytes(&self) -> usize {
        self.symbols.size_bytes() + self.table.size_bytes()
    }
}

impl<'i> SeriesReader<'i> {
    /// Labels of the series that was read last.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'i str, &'i str)> {
        self.seen.iter().map(|(_, strings)| *strings)
    }
}
