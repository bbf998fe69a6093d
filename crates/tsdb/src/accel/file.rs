//! The file of summaries of one block.

use std::sync::atomic::{AtomicBool, Ordering};

use narthex_storage::Summary;

use super::record;
use crate::block::Ulid;
use crate::fs::FileBytes;
use crate::index::cursor::{Cursor, Malformed};
use crate::integers::push_uvarint;

/// First bytes: a mark, version 1, three zeros.
const MAGIC: [u8; 8] = *b"NXSU\x01\0\0\0";
/// Length of everything before the first series.
const HEADER_BYTES: usize = 32;
/// Length of an entry of the table: number and place of a series.
const ENTRY_BYTES: usize = 4 + 8;
/// Length of what stands behind the table: its place and a checksum.
const TRAILER_BYTES: usize = 8 + CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 4;

/// The block that summaries were made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    /// Its name.
    pub(crate) ulid: Ulid,
    /// The last bytes of its index, the checksum of the table of contents.
    pub(crate) index_checksum: u32,
}

/// The front of the file.
pub(super) fn header(origin: Origin) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..24].copy_from_slice(&origin.ulid.to_bytes());
    bytes[24..28].copy_from_slice(&origin.index_checksum.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// A series: how many chunks, the record of each, and the checksum of that and of the number of the series.
pub(super) fn push_series(out: &mut Vec<u8>, number: u32, summaries: &[Option<Summary>]) {
    let from = out.len();
    push_uvarint(out, summaries.len() as u64);
    summaries.iter().for_each(|summary| record::push(out, summary.as_ref()));
    let checksum = series_checksum(number, &out[from..]);
    out.extend_from_slice(&checksum.to_be_bytes());
}

fn series_checksum(number: u32, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&number.to_be_bytes()), body)
}

/// An entry of the table.
pub(super) fn push_entry(table: &mut Vec<u8>, number: u32, at: u64) {
    table.extend_from_slice(&number.to_be_bytes());
    table.extend_from_slice(&at.to_be_bytes());
}

/// What stands behind the table, which begins at `at`.
pub(super) fn trailer(table: &[u8], at: u64) -> [u8; TRAILER_BYTES] {
    let mut bytes = [0; TRAILER_BYTES];
    bytes[..8].copy_from_slice(&at.to_be_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(table), &bytes[..8]);
    bytes[8..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The summaries of a block, read where they lie. Front and table are checked when it is opened, a series each time that
/// it is read.
#[derive(Debug)]
pub(crate) struct SummaryFile {
    file: FileBytes,
    /// Where the table begins.
    table: usize,
    is_damaged: AtomicBool,
}

impl SummaryFile {
    /// The summaries of the block that is `origin`; `None` when they are of another one, of another version or damaged.
    pub(crate) fn open(file: FileBytes, origin: Origin) -> Option<SummaryFile> {
        let end = file.len().checked_sub(TRAILER_BYTES).filter(|end| *end >= HEADER_BYTES)?;
        let at = u64::from_be_bytes(*file[end..].first_chunk()?);
        let table = usize::try_from(at).ok().filter(|table| (HEADER_BYTES..=end).contains(table))?;
        let is_whole = file[..HEADER_BYTES] == header(origin)
            && (end - table).is_multiple_of(ENTRY_BYTES)
            && file[end..] == trailer(&file[table..end], at);
        is_whole.then(|| SummaryFile { file, table, is_damaged: AtomicBool::new(false) })
    }

    /// The summaries of a series with that many chunks, if they are whole.
    pub(crate) fn of_series(&self, number: u32, chunks: usize) -> Option<SeriesSummaries<'_>> {
        let (at, end) = self.find(number)?;
        let found = self.read(number, at, end);
        if found.is_none() {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
        found.filter(|found| found.chunks == chunks as u64)
    }

    /// Whether something that was read was not what was written.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// Length of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.len() as u64
    }

    /// Where a series begins and ends.
    fn find(&self, number: u32) -> Option<(usize, usize)> {
        let entries = self.file[self.table..self.file.len() - TRAILER_BYTES].as_chunks::<ENTRY_BYTES>().0;
        let number_of =
            |entry: &[u8; ENTRY_BYTES]| entry.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let at_of =
            |entry: &[u8; ENTRY_BYTES]| entry.last_chunk().map(|bytes| u64::from_be_bytes(*bytes) as usize);
        let place = entries.binary_search_by_key(&Some(number), number_of).ok()?;
        let end = entries.get(place + 1).map_or(Some(self.table), at_of)?;
        Some((at_of(&entries[place])?, end))
    }

    fn read(&self, number: u32, at: usize, end: usize) -> Option<SeriesSummaries<'_>> {
        let bytes = self.file[..self.table].get(at..end)?;
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if u32::from_be_bytes(*checksum) != series_checksum(number, body) {
            return None;
        }
        let mut cursor = Cursor::new(body, 0).ok()?;
        let chunks = cursor.uvarint().ok()?;
        Some(SeriesSummaries { cursor, chunks, next: 0 })
    }
}

/// Summaries of one series, in the order of its chunks.
#[derive(Debug)]
pub(crate) struct SeriesSummaries<'f> {
    cursor: Cursor<'f>,
    chunks: u64,
    /// The chunk whose record comes next.
    next: usize,
}

impl SeriesSummaries<'_> {
    /// That of a chunk, if it has one; to be asked of rising numbers of chunks.
    pub(crate) fn of_chunk(&mut self, chunk: usize) -> Option<Summary> {
        self.skip_to(chunk).ok()?;
        self.next += 1;
        record::read(&mut self.cursor).ok().flatten()
    }

    fn skip_to(&mut self, chunk: usize) -> Result<(), Malformed> {
        while self.next < chunk {
            record::read(&mut self.cursor)?;
            self.next += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { ulid: Ulid::from_parts(1_700_000_000_000, 7), index_checksum: 0xa1b2_c3d4 }
    }

    fn small() -> Vec<u8> {
        let mut file = header(origin()).to_vec();
        let mut table = Vec::new();
        for (number, chunks) in [(2u32, [&[1.0, 2.0, 3.5][..], &[5.0, 5.0]]), (9, [&[4.0], &[]])] {
            push_entry(&mut table, number, file.len() as u64);
            push_series(&mut file, number, &chunks.map(Summary::of));
        }
        let at = file.len() as u64;
        file.extend_from_slice(&table);
        file.extend_from_slice(&trailer(&table, at));
        file
    }

    #[test]
    fn the_layout_is_the_one_described() {
        let hex: String = small().iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = [
            "4e58535501000000018bcfe5680000000000000000000007a1b2c3d4",
            "02",
            "03030200", /* last differs from first, three samples, two changes */
            "3ff0000000000000400c000000000000",
            "11020000", /* an exact sum, of a constant */
            "4014000000000000",
            "02",
            "11010000",
            "4010000000000000",
            "00",
        ];
        let mut rest = &hex[..];
        for part in parts {
            let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not in {rest} of {hex}"));
            // Checksums stand between.
            assert!(at == 0 || at == 8, "{part} at {at} of {rest}");
            rest = &rest[at + part.len()..];
        }
        let table = "000000020000000000000020000000090000000000000045";
        assert_eq!(&rest[8..][..table.len()], table);
        assert_eq!(&rest[8 + table.len()..][..16], "0000000000000057");
    }

    #[test]
    fn summaries_are_found_by_series_and_chunk() {
        let file = SummaryFile::open(small().into(), origin()).unwrap();
        let mut series = file.of_series(2, 2).unwrap();
        assert_eq!(series.of_chunk(1), Summary::of(&[5.0, 5.0]));
        assert_eq!(series.of_chunk(2), None);
        assert_eq!(file.of_series(9, 2).unwrap().of_chunk(0), Summary::of(&[4.0]));
        assert!(file.of_series(9, 2).unwrap().of_chunk(1).is_none());
        assert!(file.of_series(9, 3).is_none() && file.of_series(8, 1).is_none() && !file.is_damaged());
        let other = Origin { index_checksum: 1, ..origin() };
        assert!(SummaryFile::open(small().into(), other).is_none());
    }

    #[test]
    fn no_flipped_bit_yields_anything() {
        let whole = small();
        let told = |file: &SummaryFile| -> Vec<Option<Summary>> {
            let of = |number, chunk| file.of_series(number, 2).and_then(|mut series| series.of_chunk(chunk));
            vec![of(2, 0), of(2, 1), of(9, 0)]
        };
        let expected = told(&SummaryFile::open(whole.clone().into(), origin()).unwrap());
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let Some(file) = SummaryFile::open(damaged.into(), origin()) else { continue };
            let found = told(&file);
            assert!(file.is_damaged() && found != expected, "bit {bit}");
            assert!(
                found.iter().zip(&expected).all(|(found, expected)| found.is_none() || found == expected)
            );
        }
        for length in 0..whole.len() {
            assert!(SummaryFile::open(whole[..length].to_vec().into(), origin()).is_none());
        }
    }
}
