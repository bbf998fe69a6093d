//! Records out of the pages of one segment of a log.

use std::path::{Path, PathBuf};

use super::damage::{Damage, DamageKind, Stop};
use super::unpack::Packing;
use crate::fs::{Fs, FsRead};

/// Bytes of a page. A fragment lies within one, a record within one segment.
pub const PAGE_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;
const PACKED_SNAPPY: u8 = 1 << 3;
const PACKED_ZSTD: u8 = 1 << 4;

/// Reads the records of one segment, front to back, a page in memory at a time.
#[derive(Debug)]
pub struct SegmentReader {
    path: PathBuf,
    file: Box<dyn FsRead>,
    page: Box<[u8; PAGE_BYTES]>,
    /// Where the next page begins in the file.
    next_page: u64,
    /// Bytes of the page that are in the file; the others are zeros.
    page_len: usize,
    /// Next byte of the page.
    at: usize,
    /// The record so far as it is stored.
    stored: Vec<u8>,
    unpacked: Vec<u8>,
}

/// Part of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Full,
    First,
    Middle,
    Last,
}

struct Fragment {
    part: Part,
    packing: Packing,
    /// Where its header is in the file.
    offset: u64,
    /// Its data in the page.
    data: std::ops::Range<usize>,
}

impl SegmentReader {
    /// Opens a segment at `offset`, which is 0 or the end of a record.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    pub fn open(fs: &dyn Fs, path: &Path, offset: u64) -> std::io::Result<SegmentReader> {
        let file = fs.open_read(path)?;
        let page_bytes = PAGE_BYTES as u64;
        let mut reader = SegmentReader {
            path: path.to_owned(),
            file,
            page: Box::new([0; PAGE_BYTES]),
            next_page: offset - offset % page_bytes,
            page_len: 0,
            at: PAGE_BYTES,
            stored: Vec::new(),
            unpacked: Vec::new(),
        };
        if !offset.is_multiple_of(page_bytes) {
            reader.load_page()?;
            reader.at = (offset % page_bytes) as usize;
        }
        Ok(reader)
    }

    /// Where the next fragment, or the padding before it, begins in the file.
    pub fn offset(&self) -> u64 {
        self.next_page.saturating_sub((PAGE_BYTES - self.at) as u64)
    }

    /// The next record, unpacked; `None` at the end of the segment.
    pub(super) fn next_record(&mut self) -> Result<Option<&[u8]>, Stop> {
        self.stored.clear();
        let mut first: Option<(u64, Packing)> = None;
        loop {
            let Some(fragment) = self.next_fragment()? else {
                return match first {
                    None => Ok(None),
                    Some((offset, _)) => Err(Damage::torn(&self.path, offset, "record has no end").into()),
                };
            };
            let is_begin = matches!(fragment.part, Part::Full | Part::First);
            if is_begin != first.is_none() {
                let reason = "fragments of records are out of order";
                return Err(Damage::corrupt(&self.path, fragment.offset, reason).into());
            }
            let (begin, packing) = *first.get_or_insert((fragment.offset, fragment.packing));
            self.stored.extend_from_slice(&self.page[fragment.data]);
            if matches!(fragment.part, Part::Full | Part::Last) {
                let record = packing.unpack(&self.stored, &mut self.unpacked);
                let damage =
                    |error: super::CorruptRecord| Damage::corrupt(&self.path, begin, error.to_string());
                return record.map(Some).map_err(|error| damage(error).into());
            }
        }
    }

    fn load_page(&mut self) -> std::io::Result<()> {
        self.page_len = self.file.read_at(self.next_page, &mut self.page[..])?;
        self.page[self.page_len..].fill(0);
        self.next_page += PAGE_BYTES as u64;
        self.at = 0;
        Ok(())
    }

    fn next_fragment(&mut self) -> Result<Option<Fragment>, Stop> {
        loop {
            if self.at >= PAGE_BYTES {
                self.load_page()?;
                if self.page_len == 0 {
                    // Stay where the file ended.
                    self.next_page -= PAGE_BYTES as u64;
                    self.at = PAGE_BYTES;
                    return Ok(None);
                }
            }
            if self.page[self.at] & 7 != 0 {
                return self.fragment().map(Some).map_err(Stop::from);
            }
            self.skip_padding()?;
        }
    }

    /// A page ends with zeros where no fragment fits in.
    fn skip_padding(&mut self) -> Result<(), Damage> {
        let Some(at) = self.page[self.at..].iter().position(|&byte| byte != 0) else {
            self.at = PAGE_BYTES;
            return Ok(());
        };
        let offset = self.offset() + at as u64;
        Err(Damage::corrupt(&self.path, offset, "padding of a page is not empty"))
    }

    fn fragment(&mut self) -> Result<Fragment, Damage> {
        let offset = self.offset();
        let Some((header, _)) = self.page[self.at..].split_first_chunk::<HEADER_BYTES>() else {
            return Err(Damage::corrupt(&self.path, offset, "fragment reaches over the end of its page"));
        };
        let [kind, length @ .., crc0, crc1, crc2, crc3] = *header;
        let data = self.at + HEADER_BYTES..self.at + HEADER_BYTES + usize::from(u16::from_be_bytes(length));
        let Some(bytes) = self.page.get(data.clone()) else {
            return Err(Damage::corrupt(&self.path, offset, "fragment reaches over the end of its page"));
        };
        if crc32c::crc32c(bytes) != u32::from_be_bytes([crc0, crc1, crc2, crc3]) {
            let is_torn = data.end > self.page_len;
            let kind = if is_torn { DamageKind::Torn } else { DamageKind::Corrupt };
            return Err(Damage { kind, ..Damage::corrupt(&self.path, offset, "checksum does not match") });
        }
        let (Some(part), Some(packing)) = (part(kind), packing(kind)) else {
            return Err(Damage::corrupt(&self.path, offset, format!("unknown kind {kind:#04x} of fragment")));
        };
        self.at = data.end;
        Ok(Fragment { part, packing, offset, data })
    }
}

fn part(kind: u8) -> Option<Part> {
    match kind & 7 {
        1 => Some(Part::Full),
        2 => Some(Part::First),
        3 => Some(Part::Middle),
        4 => Some(Part::Last),
        _ => None,
    }
}

fn packing(kind: u8) -> Option<Packing> {
    match kind & !7 {
        0 => Some(Packing::Plain),
        PACKED_SNAPPY => Some(Packing::Snappy),
        PACKED_ZSTD => Some(Packing::Zstd),
        _ => None,
    }
}
