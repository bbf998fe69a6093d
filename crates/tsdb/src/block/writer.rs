//! Writing a block: series in, a directory out, whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_storage::{StorageError, StorageErrorKind};

use super::failure::io_failed;
use super::segment::{SEGMENT_BYTES_MAX, SegmentWriter};
use super::{BlockMeta, BlockStats, ChunkSource, Compaction, EncodedChunk, Tombstones, Ulid, meta};
use crate::chunk::Encoding;
use crate::fs::{Fs, remove_tree};
use crate::index::{ChunkMeta, Spill, write_index};

/// What is behind the name of a block that is being made.
pub const UNFINISHED_SUFFIX: &str = ".tmp-for-creation";
/// Names of the files of a block.
pub(crate) const META_FILE: &str = "meta.json";
pub(crate) const INDEX_FILE: &str = "index";
pub(crate) const CHUNKS_DIR: &str = "chunks";
pub(crate) const TOMBSTONES_FILE: &str = "tombstones";
const SPILL_FILE: &str = "series.tmp";

/// Writes a block. Dropped before [`BlockWriter::finish`] it leaves nothing.
#[derive(Debug)]
pub struct BlockWriter<'f> {
    fs: &'f dyn Fs,
    dir: PathBuf,
    ulid: Ulid,
    unfinished: Unfinished<'f>,
    segments: SegmentWriter,
    spill: Spill,
    stats: BlockStats,
    range: TimeRange,
    metas: Vec<ChunkMeta>,
}

/// A directory that goes unless it gets its name.
#[derive(Debug)]
struct Unfinished<'f> {
    fs: &'f dyn Fs,
    path: PathBuf,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.fs.exists(&self.path).unwrap_or(false) {
            // What cannot be removed is recognised by its name at the next start.
            let _ = remove_tree(self.fs, &self.path);
        }
    }
}

/// What a block says of itself besides what its series say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewBlock {
    /// First instant it answers for; an earlier sample moves it.
    pub min_ms: Timestamp,
    /// Its end, not part of it; a later sample moves it.
    pub max_ms: Timestamp,
    /// What it is made from.
    pub compaction: Compaction,
    /// The section of Thanos as JSON.
    pub thanos: Option<Box<str>>,
}

/// Bounds of the files of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockLimits {
    /// A chunk that would make a segment longer begins another one. Below 4 GiB.
    pub segment_bytes_max: u64,
}

impl BlockLimits {
    /// What Prometheus does.
    pub const PROMETHEUS: BlockLimits = BlockLimits { segment_bytes_max: SEGMENT_BYTES_MAX };
}

impl<'f> BlockWriter<'f> {
    /// Begins the block `ulid` in the directory `dir`, which has all blocks. What an earlier try of the same block left
    /// is removed.
    ///
    /// # Errors
    /// When the files cannot be made.
    pub fn create(
        fs: &'f dyn Fs,
        dir: &Path,
        ulid: Ulid,
        limits: BlockLimits,
    ) -> Result<BlockWriter<'f>, StorageError> {
        let unfinished = Unfinished { fs, path: dir.join(format!("{ulid}{UNFINISHED_SUFFIX}")) };
        let chunks = unfinished.path.join(CHUNKS_DIR);
        let prepared = fs.exists(&unfinished.path).and_then(|is_there| {
            if is_there {
                remove_tree(fs, &unfinished.path)?;
            }
            fs.create_dir_all(&chunks)
        });
        prepared.map_err(|error| io_failed(&error))?;
        let segment_bytes_max = limits.segment_bytes_max.min(u64::from(u32::MAX));
        Ok(BlockWriter {
            fs,
            dir: dir.to_owned(),
            ulid,
            segments: SegmentWriter::new(chunks, segment_bytes_max),
            spill: Spill::create(fs, &unfinished.path.join(SPILL_FILE))?,
            unfinished,
            stats: BlockStats::default(),
            range: TimeRange::new(0, -1),
            metas: Vec::new(),
        })
    }

    /// Adds a series behind those that are there. Without chunks nothing is added.
    ///
    /// # Errors
    /// `OutOfOrder` when labels or chunks are not in order, `InvalidSample` for a chunk without samples; else when a
    /// file cannot be written. The writer is of no use then.
    pub fn add_series(&mut self, labels: &Labels, chunks: &[EncodedChunk]) -> Result<(), StorageError> {
        if chunks.is_empty() {
            return Ok(());
        }
        if self.spill.series() > 0 && self.spill.last() >= labels {
            let message = format!("series {labels} does not come behind {}", self.spill.last());
            return Err(StorageError::new(StorageErrorKind::OutOfOrder, message));
        }
        check_order(labels, chunks)?;
        self.metas.clear();
        for chunk in chunks {
            let place = self.segments.add(self.fs, chunk.encoding, &chunk.bytes)?;
            self.metas.push(ChunkMeta { range: chunk.range(), place });
            self.count(chunk);
        }
        self.stats.series += 1;
        self.spill.add(labels, &self.metas)
    }

    /// Adds all series of a source.
    ///
    /// # Errors
    /// As [`BlockWriter::add_series`], and when the source cannot be read.
    pub fn add_all(&mut self, source: &mut dyn ChunkSource) -> Result<(), StorageError> {
        let (mut labels, mut chunks) = (Labels::empty(), Vec::new());
        while source.next_series(&mut labels, &mut chunks)? {
            self.add_series(&labels, &chunks)?;
        }
        Ok(())
    }

    fn count(&mut self, chunk: &EncodedChunk) {
        let samples = u64::from(chunk.samples);
        self.range = self.range.union(chunk.range());
        self.stats.chunks += 1;
        self.stats.samples += samples;
        match chunk.encoding {
            Encoding::Xor | Encoding::Xor2 => self.stats.float_samples += samples,
            Encoding::Histogram
            | Encoding::FloatHistogram
            | Encoding::HistogramWithStart
            | Encoding::FloatHistogramWithStart => self.stats.histogram_samples += samples,
        }
    }

    /// Makes the block: when this returns, it is there under its name and durable. `None` for a block without series,
    /// of which nothing is kept.
    ///
    /// # Errors
    /// When a file cannot be written; then there is no such block.
    pub fn finish(self, block: NewBlock) -> Result<Option<BlockMeta>, StorageError> {
        let BlockWriter { fs, dir, ulid, unfinished, mut segments, spill, stats, range, .. } = self;
        if stats.series == 0 {
            return Ok(None);
        }
        segments.finish()?;
        write_index(fs, &unfinished.path.join(INDEX_FILE), &spill.finish(fs)?)?;
        let meta = BlockMeta {
            ulid,
            min_ms: block.min_ms.min(range.min_ms),
            max_ms: block.max_ms.max(range.max_ms.saturating_add(1)),
            stats,
            compaction: block.compaction,
            thanos: block.thanos,
        };
        unfinished.publish(&dir, &meta).map_err(|error| io_failed(&error))?;
        Ok(Some(meta))
    }
}

impl Unfinished<'_> {
    /// Adds the last files, makes everything durable and gives the directory its name in `dir`.
    fn publish(&self, dir: &Path, meta: &BlockMeta) -> io::Result<()> {
        let text = meta::render(meta);
        let small = [(META_FILE, text.into_bytes()), (TOMBSTONES_FILE, Tombstones::new().render())];
        for (name, content) in small {
            let mut file = self.fs.create(&self.path.join(name))?;
            file.write_all(&content)?;
            file.sync()?;
        }
        self.fs.sync_dir(&self.path.join(CHUNKS_DIR))?;
        self.fs.sync_dir(&self.path)?;
        self.fs.rename(&self.path, &dir.join(meta.ulid.to_string()))?;
        self.fs.sync_dir(dir)
    }
}

fn check_order(labels: &Labels, chunks: &[EncodedChunk]) -> Result<(), StorageError> {
    if let Some(empty) = chunks.iter().find(|chunk| chunk.samples == 0 || chunk.range().is_empty()) {
        let message = format!("series {labels} has a chunk without samples at {}", empty.min_ms);
        return Err(StorageError::new(StorageErrorKind::InvalidSample, message));
    }
    match chunks.windows(2).find(|pair| pair[0].max_ms >= pair[1].min_ms) {
        Some(pair) => {
            let message = format!("series {labels} has overlapping chunks at {}", pair[1].min_ms);
            Err(StorageError::new(StorageErrorKind::OutOfOrder, message))
        }
        None => Ok(()),
    }
}
