//! The frame of an index: what stands in front, where its parts are, and how a part is checked.

use super::cursor::{Cursor, Malformed};

/// First bytes of an index.
pub(crate) const MAGIC: u32 = 0xbaaa_d700;
/// The version that is written and read.
pub(crate) const VERSION: u8 = 2;
/// Length of magic and version.
pub(crate) const HEADER_BYTES: usize = 5;
/// Length of the table of contents: six offsets and a checksum.
pub(crate) const TOC_BYTES: usize = 6 * 8 + CHECKSUM_BYTES;
/// Length of a checksum.
pub(crate) const CHECKSUM_BYTES: usize = 4;
/// Entries of series begin at multiples of this; a series is named by the quotient.
pub(crate) const SERIES_ALIGNMENT: usize = 16;
/// Lists of postings begin at multiples of this.
pub(crate) const POSTINGS_ALIGNMENT: usize = 4;

/// Where the parts of an index begin. The series begin and the postings begin before the zeros that align them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Toc {
    pub(crate) symbols: u64,
    pub(crate) series: u64,
    pub(crate) label_indices: u64,
    pub(crate) label_index_table: u64,
    pub(crate) postings: u64,
    pub(crate) postings_table: u64,
}

impl Toc {
    /// The last bytes of the file.
    pub(crate) fn render(&self) -> [u8; TOC_BYTES] {
        let offsets = [
            self.symbols,
            self.series,
            self.label_indices,
            self.label_index_table,
            self.postings,
            self.postings_table,
        ];
        let mut bytes = [0; TOC_BYTES];
        for (place, offset) in bytes.chunks_exact_mut(8).zip(offsets) {
            place.copy_from_slice(&offset.to_be_bytes());
        }
        let (offsets, checksum) = bytes.split_at_mut(TOC_BYTES - CHECKSUM_BYTES);
        checksum.copy_from_slice(&crc32c::crc32c(offsets).to_be_bytes());
        bytes
    }

    /// Reads the end of an index and checks it against the front and against itself.
    pub(crate) fn parse(file: &[u8]) -> Result<Toc, Malformed> {
        let mut front = Cursor::new(file, 0)?;
        if front.u32() != Ok(MAGIC) {
            return Err(Malformed { at: 0, expected: "baaad700, the mark of an index" });
        }
        if front.u8()? != VERSION {
            return Err(Malformed {
                at: 4,
                expected: "index version 2, which every Prometheus since 2.1 writes",
            });
        }
        let Some(at) = file.len().checked_sub(TOC_BYTES).filter(|at| *at >= HEADER_BYTES) else {
            return Err(Malformed { at: file.len(), expected: "a table of contents before the end" });
        };
        let body = &file[at..at + TOC_BYTES - CHECKSUM_BYTES];
        let mut cursor = Cursor::new(file, at)?;
        let mut next = || cursor.u64();
        let toc = Toc {
            symbols: next()?,
            series: next()?,
            label_indices: next()?,
            label_index_table: next()?,
            postings: next()?,
            postings_table: next()?,
        };
        if cursor.u32()? != crc32c::crc32c(body) {
            return Err(Malformed { at, expected: "a table of contents with its checksum" });
        }
        let rising =
            [HEADER_BYTES as u64, toc.symbols, toc.series, toc.postings, toc.postings_table, at as u64];
        if !rising.is_sorted() {
            return Err(Malformed { at, expected: "parts in their order" });
        }
        Ok(toc)
    }
}

/// The body of a part that stands behind its length and before its checksum.
pub(crate) fn section(file: &[u8], at: usize) -> Result<&[u8], Malformed> {
    let mut cursor = Cursor::new(file, at)?;
    let len = cursor.u32()? as usize;
    let body = cursor.take(len)?;
    checked(&mut cursor, body, at)
}

/// `body`, if the checksum that comes next is its own. `at` is where the complaint points to.
pub(crate) fn checked<'a>(cursor: &mut Cursor<'a>, body: &'a [u8], at: usize) -> Result<&'a [u8], Malformed> {
    if cursor.u32()? == crc32c::crc32c(body) {
        return Ok(body);
    }
    Err(Malformed { at, expected: "bytes with their checksum" })
}
