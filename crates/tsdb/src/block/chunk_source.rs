//! Series with their chunks as they lie in files: what a block is written from.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_storage::StorageError;

use crate::chunk::Encoding;
use crate::fs::FileBytes;

/// A chunk that takes no more samples.
#[derive(Clone, Debug)]
pub struct EncodedChunk {
    /// How `bytes` are to be read.
    pub encoding: Encoding,
    /// Time of the first sample.
    pub min_ms: Timestamp,
    /// Time of the last sample.
    pub max_ms: Timestamp,
    /// Number of samples.
    pub samples: u16,
    /// The chunk, without encoding and checksum.
    pub bytes: ChunkBytes,
}

impl EncodedChunk {
    /// From the first sample to the last.
    pub fn range(&self) -> TimeRange {
        TimeRange::new(self.min_ms, self.max_ms)
    }
}

/// Bytes of a chunk, in a file or in memory; a clone shares them.
#[derive(Clone)]
pub struct ChunkBytes(Place);

#[derive(Clone)]
enum Place {
    /// The range lies within the file.
    File(FileBytes, Range<usize>),
    Memory(Arc<[u8]>),
}

impl ChunkBytes {
    /// A part of a file; `None` when the range is not within it.
    pub fn of_file(file: &FileBytes, range: Range<usize>) -> Option<ChunkBytes> {
        file.get(range.clone())?;
        Some(ChunkBytes(Place::File(file.clone(), range)))
    }
}

impl From<Vec<u8>> for ChunkBytes {
    fn from(bytes: Vec<u8>) -> ChunkBytes {
        ChunkBytes(Place::Memory(bytes.into()))
    }
}

impl From<Arc<[u8]>> for ChunkBytes {
    fn from(bytes: Arc<[u8]>) -> ChunkBytes {
        ChunkBytes(Place::Memory(bytes))
    }
}

impl Deref for ChunkBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::File(file, range) => &file[range.clone()],
            Place::Memory(bytes) => bytes,
        }
    }
}

impl fmt::Debug for ChunkBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkBytes({} bytes)", self.len())
    }
}

/// Series with their chunks, one after the other.
pub trait ChunkSource {
    /// The next series in the order of labels, each label set once: puts its labels and chunks into the caller's
    /// buffers, whose former content is gone. The chunks are in time order and do not overlap; there is at least one.
    /// False at the end, and at every call after it; the buffers then hold nothing of use.
    ///
    /// # Errors
    /// When the series cannot be read; the source is of no use then.
    fn next_series(
        &mut self,
        labels: &mut Labels,
        chunks: &mut Vec<EncodedChunk>,
    ) -> Result<bool, StorageError>;
}
