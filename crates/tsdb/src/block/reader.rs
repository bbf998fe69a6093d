//! An open block: its files mapped, what it says of itself, what was deleted from it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use narthex_model::{Matcher, TimeRange, Timestamp};
use narthex_storage::{SampleBuffer, StorageError};

use super::failure::{corrupt, io_failed};
use super::labels_cache::LabelsCache;
use super::postings_cache::{BlockDictionary, PostingsCache};
use super::segment::Segments;
use super::writer::{CHUNKS_DIR, INDEX_FILE, META_FILE, TOMBSTONES_FILE};
use super::{BlockMeta, BlockSource, Tombstones, Ulid, meta, recover};
use crate::accel::{Origin, SummaryFile};
use crate::columns;
use crate::fs::{Fs, write_atomically};
use crate::index::{ChunkMeta, Index, SeriesReader};
use crate::postings::select;

/// A block that is read. Its files may be removed meanwhile: what is open stays readable.
///
/// Damage is met when it is read: the frame of the index, its strings and its table of labels at the opening, series,
/// lists and chunks whenever one is read. Nothing that fails its checksum is ever answered with.
#[derive(Debug)]
pub struct Block {
    dir: PathBuf,
    pub(crate) index: Index,
    pub(super) segments: Segments,
    cache: PostingsCache,
    pub(super) labels: LabelsCache,
    state: RwLock<State>,
    summaries: RwLock<Option<Arc<SummaryFile>>>,
    warnings: Vec<StorageError>,
}

/// What a deletion changes.
#[derive(Clone, Debug)]
struct State {
    meta: Arc<BlockMeta>,
    tombstones: Arc<Tombstones>,
}

impl Block {
    /// Opens the block in the directory `dir`.
    ///
    /// A damaged `meta.json` is made up for from the index, damaged tombstones are none: [`Block::warnings`] says so.
    ///
    /// # Errors
    /// When a file is missing or cannot be read, and when the index is damaged where it must not be.
    pub fn open(fs: &dyn Fs, dir: &Path) -> Result<Block, StorageError> {
        let index = Index::open(fs, &dir.join(INDEX_FILE))?;
        let segments = Segments::open(fs, &dir.join(CHUNKS_DIR))?;
        let mut warnings: Vec<StorageError> = segments.damaged_front().into_iter().collect();
        let tombstones = read_tombstones(fs, &dir.join(TOMBSTONES_FILE)).unwrap_or_else(|error| {
            warnings.push(error);
            Tombstones::new()
        });
        let meta = recover::read_meta(fs, dir, &index, &segments, &mut warnings)?;
        let state = State { meta: Arc::new(meta), tombstones: Arc::new(tombstones) };
        Ok(Block {
            dir: dir.to_owned(),
            index,
            segments,
            cache: PostingsCache::default(),
            labels: LabelsCache::default(),
            state: RwLock::new(state),
            summaries: RwLock::default(),
            warnings,
        })
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it says of itself.
    pub fn meta(&self) -> Arc<BlockMeta> {
        self.state().meta
    }

    /// Its name.
    pub fn ulid(&self) -> Ulid {
        self.state().meta.ulid
    }

    /// The instants that may have samples.
    pub fn range(&self) -> TimeRange {
        self.state().meta.range()
    }

    /// What was found damaged and made up for when it was opened.
    pub fn warnings(&self) -> &[StorageError] {
        &self.warnings
    }

    /// What was deleted and is still in the chunks.
    pub fn tombstones(&self) -> Arc<Tombstones> {
        self.state().tombstones
    }

    /// Bytes of index and chunks on the disk.
    pub fn file_bytes(&self) -> u64 {
        self.index.file_bytes() + self.segments.file_bytes()
    }

    /// Bytes of memory held outside of the files, about; kept postings and labels not counted.
    pub fn memory_bytes(&self) -> usize {
        self.index.size_bytes()
    }

    /// All series with their chunks, those at the ends of `range` cut and what was deleted left out.
    pub fn source(&self, range: TimeRange) -> BlockSource<'_> {
        BlockSource::new(self, range)
    }

    /// Which block its summaries are of.
    pub(crate) fn origin(&self) -> Origin {
        Origin { ulid: self.ulid(), index_checksum: self.index.contents_checksum() }
    }

    /// The numbers of all series, rising.
    ///
    /// # Errors
    /// When the list of them cannot be read.
    pub(crate) fn series_numbers(&self) -> Result<Vec<u32>, StorageError> {
        let all = self.index.list_of("", "")?;
        Ok(all.map(|at| self.index.list(at)).transpose()?.into_iter().flatten().collect())
    }

    /// What its chunks amount to, if that is known.
    pub(crate) fn summaries(&self) -> Option<Arc<SummaryFile>> {
        self.summaries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is known what its chunks amount to, so that queries need not decode all of them.
    pub fn has_summaries(&self) -> bool {
        self.summaries().is_some_and(|summaries| !summaries.is_damaged())
    }

    /// Takes the summaries from a file, if they are there, whole and of this block.
    pub(crate) fn open_summaries(&self, fs: &dyn Fs, path: &Path) {
        let found = fs.map(path).ok().and_then(|file| SummaryFile::open(file, self.origin()));
        *self.summaries.write().unwrap_or_else(PoisonError::into_inner) = found.map(Arc::new);
    }

    pub(super) fn dictionary(&self) -> BlockDictionary<'_> {
        BlockDictionary { index: &self.index, cache: &self.cache }
    }

    /// Appends the samples of a chunk up to `max_ms`, and perhaps some behind it, after asking whether they are what the
    /// index says.
    pub(crate) fn decode(
        &self,
        chunk: &ChunkMeta,
        max_ms: Timestamp,
        samples: &mut SampleBuffer,
    ) -> Result<(), StorageError> {
        let (encoding, bytes) = self.segments.get(chunk.place)?;
        let held = columns::counts(samples);
        encoding
            .decode_until(max_ms, bytes, samples)
            .map_err(|damage| self.segments.corrupt_chunk(chunk.place, &damage))?;
        if columns::are_within(samples, held, chunk.range) {
            return Ok(());
        }
        let what = "samples are out of order or outside of the range that the index tells";
        Err(self.segments.corrupt_chunk(chunk.place, &what))
    }

    /// Deletes the samples of the series that satisfy every matcher within `range`: they are not seen any more, and
    /// are left out when the block is compacted. The number of series that have chunks there.
    ///
    /// # Errors
    /// When the block cannot be read or the files cannot be written; then nothing is deleted.
    pub fn delete(&self, fs: &dyn Fs, matchers: &[Matcher], range: TimeRange) -> Result<u64, StorageError> {
        let selected = select(&self.dictionary(), matchers)?;
        // Held to the end: of two deletions at a time none may be lost.
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut tombstones = (*state.tombstones).clone();
        let mut reader = SeriesReader::default();
        let mut deleted = 0;
        for number in selected.iter() {
            self.index.entry(number, &mut reader)?;
            let chunks = reader.chunks.iter().map(|chunk| chunk.range);
            let held = chunks.reduce(TimeRange::union).unwrap_or(TimeRange::new(0, -1));
            let stone = TimeRange::new(range.min_ms.max(held.min_ms), range.max_ms.min(held.max_ms));
            if held.overlaps(range) {
                tombstones.add(u64::from(number), stone);
                deleted += 1;
            }
        }
        if deleted > 0 {
            self.write_tombstones(fs, &mut state, tombstones)?;
        }
        Ok(deleted)
    }

    fn write_tombstones(
        &self,
        fs: &dyn Fs,
        state: &mut State,
        tombstones: Tombstones,
    ) -> Result<(), StorageError> {
        let mut meta = (*state.meta).clone();
        meta.stats.tombstones = tombstones.len() as u64;
        write_atomically(fs, &self.dir.join(TOMBSTONES_FILE), &tombstones.render())
            .map_err(|error| io_failed(&error))?;
        // From here on the samples are deleted, whether or not the count in the other file can be brought up to date.
        state.tombstones = Arc::new(tombstones);
        write_meta(fs, &self.dir, &meta)?;
        state.meta = Arc::new(meta);
        Ok(())
    }

    /// Remembers in its files that compacting it failed, so that it is left alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn mark_failed(&self, fs: &dyn Fs) -> Result<(), StorageError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut meta = (*state.meta).clone();
        meta.compaction.is_failed = true;
        write_meta(fs, &self.dir, &meta)?;
        state.meta = Arc::new(meta);
        Ok(())
    }
}

fn write_meta(fs: &dyn Fs, dir: &Path, meta: &BlockMeta) -> Result<(), StorageError> {
    write_atomically(fs, &dir.join(META_FILE), meta::render(meta).as_bytes())
        .map_err(|error| io_failed(&error))
}

/// No file: nothing was ever deleted.
fn read_tombstones(fs: &dyn Fs, path: &Path) -> Result<Tombstones, StorageError> {
    if !fs.exists(path).map_err(|error| io_failed(&error))? {
        return Ok(Tombstones::new());
    }
    let file = fs.read(path).map_err(|error| io_failed(&error))?;
    Tombstones::parse(&file).map_err(|malformed| corrupt(path, malformed.at, &malformed))
}
