//! Full chunks of Prometheus's head: the files of `chunks_head`.

use std::path::Path;

use narthex_model::TimeRange;
use narthex_storage::{StorageError, StorageErrorKind};

use super::damage::{Damage, DamageKind, Stop, io_error};
use super::log::{self, Segment};
use crate::chunk::Encoding;
use crate::fs::{Fs, FsRead};

const MAGIC_AND_VERSION: [u8; 5] = [0x01, 0x30, 0xbc, 0x91, 1];
const FILE_HEADER_BYTES: usize = 8;
/// Series number, first and last time, encoding.
const CHUNK_HEADER_BYTES: usize = 25;
/// Longest length field: 32 bits.
const LENGTH_BYTES_MAX: usize = 5;
const CRC_BYTES: usize = 4;
const OUT_OF_ORDER: u8 = 0x80;
/// Bytes read at once.
const READ_AHEAD_BYTES: usize = 256 << 10;

/// A chunk of a series.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadChunk {
    /// Number of the series.
    pub reference: u64,
    /// From its first to its last sample.
    pub range: TimeRange,
    /// How its bytes are to be read; `None` for an encoding that came after this code.
    pub encoding: Option<Encoding>,
    /// Whether its samples came out of order.
    pub is_out_of_order: bool,
    /// Where it is: number of the file · 2³² + offset.
    pub place: u64,
    data_offset: u64,
    data_len: usize,
}

/// Receives chunks with their bytes; an error ends the reading.
pub type ChunkVisit<'a> = dyn FnMut(&HeadChunk, &[u8]) -> Result<(), StorageError> + 'a;

/// The files of `chunks_head`, open for reading.
#[derive(Debug, Default)]
pub struct HeadChunks {
    files: Vec<(Segment, Box<dyn FsRead>)>,
}

impl HeadChunks {
    /// Opens all files of `dir`; none where there is no such directory.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn open(fs: &dyn Fs, dir: &Path) -> Result<HeadChunks, StorageError> {
        let open = |segment: Segment| Ok((segment.clone(), fs.open_read(&segment.path)?));
        let files = log::segments(fs, dir)?.into_iter().map(open).collect::<std::io::Result<_>>();
        files.map(|files| HeadChunks { files }).map_err(|error| io_error(&error))
    }

    /// Bytes of all files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|(segment, _)| segment.len).sum()
    }

    /// Hands every chunk to `visit`, with its checked bytes. Stops at the first damage and tells it.
    ///
    /// # Errors
    /// When a file cannot be read, or whatever `visit` fails with.
    pub fn read(&mut self, visit: &mut ChunkVisit<'_>) -> Result<Option<Damage>, StorageError> {
        let segments: Vec<Segment> = self.files.iter().map(|(segment, _)| segment.clone()).collect();
        let missing = log::gap(&segments);
        let count = self.files.len();
        for (at, (segment, file)) in self.files.iter_mut().enumerate() {
            if missing.as_ref().is_some_and(|damage| damage.file == segment.path) {
                return Ok(missing);
            }
            match read_file(segment, &mut **file, visit) {
                Ok(()) => {}
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Damage(damage)) => {
                    // The last file is written through a buffer: its end may lack part of a chunk.
                    let kind = if at + 1 == count { DamageKind::Torn } else { DamageKind::Corrupt };
                    return Ok(Some(Damage { kind, ..damage }));
                }
            }
        }
        Ok(None)
    }

    /// The bytes of a chunk that [`HeadChunks::read`] has found.
    ///
    /// # Errors
    /// When they cannot be read any more.
    pub fn load(&mut self, chunk: &HeadChunk) -> Result<Vec<u8>, StorageError> {
        let number = chunk.place >> 32;
        let file = self.files.iter_mut().find(|(segment, _)| segment.number == number);
        let gone = |path: &Path| {
            let message = format!("{}: chunk at byte {} is gone", path.display(), chunk.place & 0xffff_ffff);
            StorageError::new(StorageErrorKind::Corrupt, message)
        };
        let (segment, file) = file.ok_or_else(|| gone(Path::new("chunks_head")))?;
        let mut bytes = vec![0; chunk.data_len];
        let read = file.read_at(chunk.data_offset, &mut bytes).map_err(|error| io_error(&error))?;
        if read == bytes.len() { Ok(bytes) } else { Err(gone(&segment.path)) }
    }
}

fn read_file(segment: &Segment, file: &mut dyn FsRead, visit: &mut ChunkVisit<'_>) -> Result<(), Stop> {
    let mut window = Window { file, buffer: Vec::new(), begin: 0 };
    let header = window.at_most(0, FILE_HEADER_BYTES)?;
    if header.iter().all(|&byte| byte == 0) {
        // Made, but nothing was written yet.
        return Ok(());
    }
    if !header.starts_with(&MAGIC_AND_VERSION) || header.len() < FILE_HEADER_BYTES {
        return Err(Damage::corrupt(&segment.path, 0, "file is none of head chunks").into());
    }
    let mut offset = FILE_HEADER_BYTES as u64;
    while let Some(chunk) = next_chunk(segment, &mut window, offset)? {
        let data_at = (chunk.data_offset - offset) as usize;
        let whole = window.at_most(offset, data_at + chunk.data_len + CRC_BYTES)?;
        let damage = |reason: &str| Damage::corrupt(&segment.path, offset, reason);
        let Some((bytes, crc)) = whole.split_at_checked(data_at + chunk.data_len) else {
            return Err(damage("chunk ends behind the end of the file").into());
        };
        if crc != crc32c::crc32c(bytes).to_be_bytes() {
            return Err(damage("checksum does not match").into());
        }
        visit(&chunk, &bytes[data_at..])?;
        offset = chunk.data_offset + (chunk.data_len + CRC_BYTES) as u64;
    }
    Ok(())
}

/// What stands in front of the chunk at `offset`; `None` behind the last one, where zeros or nothing are.
fn next_chunk(segment: &Segment, window: &mut Window<'_>, offset: u64) -> Result<Option<HeadChunk>, Stop> {
    let header = window.at_most(offset, CHUNK_HEADER_BYTES + LENGTH_BYTES_MAX)?;
    // Numbers of series begin with 1.
    if header.iter().take(CHUNK_HEADER_BYTES - 1).all(|&byte| byte == 0) {
        return Ok(None);
    }
    let damage = |reason: &str| Stop::Damage(Damage::corrupt(&segment.path, offset, reason));
    let mut fields = super::fields::Fields::new(header);
    let mut chunk = || {
        let reference = fields.u64()?;
        let range = TimeRange::new(fields.i64()?, fields.i64()?);
        let encoding = fields.u8()?;
        let data_len = fields.uvarint()?;
        Ok((reference, range, encoding, data_len, header.len() - fields.len()))
    };
    let (reference, range, encoding, data_len, header_len) =
        chunk().map_err(|_: super::CorruptRecord| damage("chunk ends behind the end of the file"))?;
    let data_offset = offset + header_len as u64;
    let is_within = data_offset.checked_add(data_len).is_some_and(|end| end <= segment.len);
    let data_len = usize::try_from(data_len).ok().filter(|_| is_within);
    let data_len = data_len.ok_or_else(|| damage("chunk ends behind the end of the file"))?;
    Ok(Some(HeadChunk {
        reference,
        range,
        encoding: Encoding::from_number(encoding & !OUT_OF_ORDER),
        is_out_of_order: encoding & OUT_OF_ORDER != 0,
        place: segment.number << 32 | offset,
        data_offset,
        data_len,
    }))
}

/// Part of a file in memory.
struct Window<'a> {
    file: &'a mut dyn FsRead,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    begin: u64,
}

impl Window<'_> {
    /// Bytes from `offset` on; fewer than `len` only at the end of the file.
    fn at_most(&mut self, offset: u64, len: usize) -> Result<&[u8], StorageError> {
        let end = self.begin + self.buffer.len() as u64;
        if offset < self.begin || offset + len as u64 > end {
            self.buffer.resize(len.max(READ_AHEAD_BYTES), 0);
            let read = self.file.read_at(offset, &mut self.buffer).map_err(|error| io_error(&error))?;
            self.buffer.truncate(read);
            self.begin = offset;
        }
        let at = (offset - self.begin) as usize;
        let rest = &self.buffer[at..];
        Ok(&rest[..rest.len().min(len)])
    }
}
