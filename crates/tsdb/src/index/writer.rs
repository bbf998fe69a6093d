//! Writing the index of a block out of its collected series.

use std::path::Path;

use narthex_storage::{StorageError, StorageErrorKind};

use super::cursor::{Cursor, Malformed, text_size};
use super::spill::{Pair, Spilled};
use super::toc::{MAGIC, POSTINGS_ALIGNMENT, SERIES_ALIGNMENT, Toc, VERSION};
use crate::block::failure::corrupt;
use crate::block::output::Output;
use crate::fs::Fs;
use crate::integers::{push_text, push_uvarint};

/// Of lists of postings, so many numbers are collected at a time.
const BATCH_NUMBERS: u64 = 16 << 20;

/// Writes the index of these series and syncs it.
pub(crate) fn write_index(fs: &dyn Fs, path: &Path, spilled: &Spilled) -> Result<(), StorageError> {
    let mut output = Output::create(fs, path)?;
    output.write(&MAGIC.to_be_bytes())?;
    output.write(&[VERSION])?;
    let symbols = output.at();
    let ordinals = write_symbols(&mut output, spilled)?;
    let series = output.at();
    let numbers = write_series(&mut output, path, spilled, &ordinals)?;
    let postings = output.at();
    output.align(POSTINGS_ALIGNMENT)?;
    let mut writer = PostingsWriter { path, spilled, numbers, table: Vec::new(), entries: 1 };
    writer.write(&mut output, &ordinals)?;
    let postings_table = output.at();
    let mut count = writer.entries.to_be_bytes().to_vec();
    count.append(&mut writer.table);
    write_section(&mut output, &count)?;
    let toc = Toc {
        symbols,
        series,
        // Sections that nobody reads any more: the first where the postings begin, the table where theirs does.
        label_indices: postings,
        label_index_table: postings_table,
        postings,
        postings_table,
    };
    output.write(&toc.render())?;
    output.finish().map(|_| ())
}

fn too_large(what: &str) -> StorageError {
    StorageError::new(StorageErrorKind::LimitExceeded, format!("no place in an index: {what}"))
}

/// A length, the bytes and their checksum.
fn write_section(output: &mut Output, body: &[u8]) -> Result<(), StorageError> {
    let len = u32::try_from(body.len()).map_err(|_| too_large("a part of more than 4 GiB"))?;
    output.write(&len.to_be_bytes())?;
    output.write(body)?;
    output.write(&crc32c::crc32c(body).to_be_bytes())
}

/// Writes the strings in their order; the places there of the strings in the order in which they came.
fn write_symbols(output: &mut Output, spilled: &Spilled) -> Result<Vec<u32>, StorageError> {
    let mut sorted: Vec<(&str, u32)> =
        spilled.symbols.iter().map(|(text, number)| (&**text, *number)).collect();
    sorted.sort_unstable();
    let len = 4 + sorted.iter().map(|(text, _)| text_size(text)).sum::<u64>();
    let len = u32::try_from(len).map_err(|_| too_large("strings of more than 4 GiB"))?;
    output.write(&len.to_be_bytes())?;
    let mut ordinals = vec![0; sorted.len()];
    let mut piece = (sorted.len() as u32).to_be_bytes().to_vec();
    let mut checksum = 0;
    for (ordinal, (text, number)) in (0..).zip(&sorted) {
        ordinals[*number as usize] = ordinal;
        push_text(&mut piece, text);
        checksum = crc32c::crc32c_append(checksum, &piece);
        output.write(&piece)?;
        piece.clear();
    }
    checksum = crc32c::crc32c_append(checksum, &piece);
    output.write(&piece)?;
    output.write(&checksum.to_be_bytes())?;
    Ok(ordinals)
}

/// Writes the series; the number of each.
fn write_series(
    output: &mut Output,
    path: &Path,
    spilled: &Spilled,
    ordinals: &[u32],
) -> Result<Vec<u32>, StorageError> {
    let mut numbers = Vec::with_capacity(spilled.series as usize);
    let (mut body, mut frame) = (Vec::new(), Vec::new());
    let mut records = Records::new(path, spilled)?;
    while let Some(chunks) = records.next()? {
        body.clear();
        push_uvarint(&mut body, records.pairs.len() as u64);
        for &pair in &records.pairs {
            let Pair { name, value, .. } = spilled.pairs[pair as usize];
            push_uvarint(&mut body, u64::from(ordinals[name as usize]));
            push_uvarint(&mut body, u64::from(ordinals[value as usize]));
        }
        body.extend_from_slice(chunks);
        frame.clear();
        push_uvarint(&mut frame, body.len() as u64);
        output.align(SERIES_ALIGNMENT)?;
        let number = output.at() / SERIES_ALIGNMENT as u64;
        numbers.push(u32::try_from(number).map_err(|_| too_large("series behind 64 GiB"))?);
        output.write(&frame)?;
        output.write(&body)?;
        output.write(&crc32c::crc32c(&body).to_be_bytes())?;
    }
    Ok(numbers)
}

/// The collected series, one after the other.
struct Records<'s> {
    path: &'s Path,
    cursor: Cursor<'s>,
    /// Numbers of the labels of the last series.
    pairs: Vec<u32>,
}

impl<'s> Records<'s> {
    fn new(path: &'s Path, spilled: &'s Spilled) -> Result<Records<'s>, StorageError> {
        let cursor = Cursor::new(&spilled.records, 0).map_err(|malformed| unreadable(path, malformed))?;
        Ok(Records { path, cursor, pairs: Vec::new() })
    }

    /// The chunks of the next series, its labels in `pairs`; `None` at the end.
    fn next(&mut self) -> Result<Option<&'s [u8]>, StorageError> {
        if self.cursor.is_at_end() {
            return Ok(None);
        }
        self.read().map(Some).map_err(|malformed| unreadable(self.path, malformed))
    }

    fn read(&mut self) -> Result<&'s [u8], Malformed> {
        self.pairs.clear();
        for _ in 0..self.cursor.uvarint()? {
            self.pairs.push(self.cursor.uvarint()? as u32);
        }
        self.cursor.text_bytes()
    }
}

/// Cannot be, because the checksum of the records was right.
fn unreadable(path: &Path, malformed: Malformed) -> StorageError {
    corrupt(path, malformed.at, &format_args!("collected series came back changed: {malformed}"))
}

struct PostingsWriter<'s> {
    path: &'s Path,
    spilled: &'s Spilled,
    /// Numbers of the series, in their order.
    numbers: Vec<u32>,
    /// Entries of the table of lists.
    table: Vec<u8>,
    /// Number of entries, the one of all series included.
    entries: u32,
}

impl PostingsWriter<'_> {
    fn write(&mut self, output: &mut Output, ordinals: &[u32]) -> Result<(), StorageError> {
        let pairs = &self.spilled.pairs;
        let mut texts = vec![""; ordinals.len()];
        self.spilled.symbols.iter().for_each(|(text, number)| texts[*number as usize] = text);
        let mut order: Vec<u32> = (0..pairs.len() as u32).collect();
        order.sort_unstable_by_key(|&pair| {
            let Pair { name, value, .. } = pairs[pair as usize];
            (ordinals[name as usize], ordinals[value as usize])
        });
        self.entries += u32::try_from(order.len()).map_err(|_| too_large("too many labels"))?;
        self.push_entry("", "", output.at());
        let all = std::mem::take(&mut self.numbers);
        write_list(output, &all)?;
        self.numbers = all;
        let mut rest = &order[..];
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(self.batch_len(rest));
            let lists = self.collect(batch)?;
            for (&pair, list) in batch.iter().zip(lists.iter()) {
                let Pair { name, value, .. } = pairs[pair as usize];
                self.push_entry(texts[name as usize], texts[value as usize], output.at());
                write_list(output, list)?;
            }
            rest = behind;
        }
        Ok(())
    }

    /// How many of these labels, one at least, are collected together.
    fn batch_len(&self, pairs: &[u32]) -> usize {
        let mut numbers = 0;
        let fits = |pair: &&u32| {
            numbers += u64::from(self.spilled.pairs[**pair as usize].series);
            numbers <= BATCH_NUMBERS
        };
        pairs.iter().take_while(fits).count().max(1)
    }

    /// The series of these labels.
    fn collect(&self, batch: &[u32]) -> Result<Lists, StorageError> {
        let mut lists = Lists::of(self.spilled, batch);
        let mut records = Records::new(self.path, self.spilled)?;
        for &number in &self.numbers {
            records.next()?;
            records.pairs.iter().for_each(|&pair| lists.push(pair, number));
        }
        Ok(lists)
    }

    fn push_entry(&mut self, name: &str, value: &str, list: u64) {
        push_uvarint(&mut self.table, 2);
        push_text(&mut self.table, name);
        push_text(&mut self.table, value);
        push_uvarint(&mut self.table, list);
    }
}

/// Lists of postings side by side in one vector, whose lengths are known beforehand.
struct Lists {
    /// Per label where its next number goes; [`Lists::NOWHERE`] for labels of other batches.
    next: Vec<u32>,
    /// Ends of the lists in `numbers`.
    ends: Vec<u32>,
    numbers: Vec<u32>,
}

impl Lists {
    const NOWHERE: u32 = u32::MAX;

    fn of(spilled: &Spilled, batch: &[u32]) -> Lists {
        let mut next = vec![Lists::NOWHERE; spilled.pairs.len()];
        let mut ends = Vec::with_capacity(batch.len());
        let mut end = 0;
        for &pair in batch {
            next[pair as usize] = end;
            end += spilled.pairs[pair as usize].series;
            ends.push(end);
        }
        Lists { next, ends, numbers: vec![0; end as usize] }
    }

    fn push(&mut self, pair: u32, number: u32) {
        let next = &mut self.next[pair as usize];
        if *next != Lists::NOWHERE {
            self.numbers[*next as usize] = number;
            *next += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.numbers[start as usize..*end as usize])
    }
}

/// A list of postings. Lists follow each other without a gap, because each is a multiple of 4 bytes long.
fn write_list(output: &mut Output, numbers: &[u32]) -> Result<(), StorageError> {
    let mut body = Vec::with_capacity(4 + numbers.len() * 4);
    body.extend_from_slice(&(numbers.len() as u32).to_be_bytes());
    numbers.iter().for_each(|number| body.extend_from_slice(&number.to_be_bytes()));
    write_section(output, &body)
}
