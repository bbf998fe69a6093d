//! What a block says of itself, made up for from its index where it cannot be believed.

use std::path::Path;

use narthex_model::TimeRange;
use narthex_storage::StorageError;

use super::failure::{corrupt, io_failed};
use super::segment::Segments;
use super::writer::META_FILE;
use super::{BlockMeta, BlockStats, Compaction, Ulid, meta};
use crate::chunk::Encoding;
use crate::fs::Fs;
use crate::index::{ChunkMeta, Index, SeriesReader};

/// Reads `meta.json`; what is wrong with it goes to `warnings`.
///
/// A file without a checksum is believed, but for its range of time, which decides whether the block is asked at all:
/// that must cover the chunks.
pub(super) fn read_meta(
    fs: &dyn Fs,
    dir: &Path,
    index: &Index,
    segments: &Segments,
    warnings: &mut Vec<StorageError>,
) -> Result<BlockMeta, StorageError> {
    let path = dir.join(META_FILE);
    let name = dir.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Ulid>().ok());
    let text = match fs.exists(&path) {
        Ok(false) => Vec::new(),
        _ => fs.read(&path).map_err(|error| io_failed(&error))?,
    };
    let parsed = meta::parse(&text).and_then(|meta| match name {
        Some(name) if name != meta.ulid => Err(format!("expected the name {name}, not {}", meta.ulid)),
        _ => Ok(meta),
    });
    match parsed {
        Ok(mut meta) => {
            if !meta::is_protected(&text) {
                warnings.extend(cover_chunks(&mut meta, &path, index));
            }
            Ok(meta)
        }
        Err(what) => {
            let error = corrupt(&path, 0, &what);
            let Some(name) = name else { return Err(error) };
            warnings.push(error);
            let mut compaction =
                meta::salvaged_compaction(&text).unwrap_or_else(|| Compaction::of_head(name));
            compaction.level = compaction.level.max(1);
            recovered(name, compaction, index, segments)
        }
    }
}

/// Widens a range of time that does not cover the chunks.
fn cover_chunks(meta: &mut BlockMeta, path: &Path, index: &Index) -> Option<StorageError> {
    let mut covered = TimeRange::new(0, -1);
    let walked = walk(index, |chunk| {
        covered = covered.union(chunk.range);
        Ok(())
    });
    let united = meta.range().union(covered);
    if united == meta.range() {
        return walked.err();
    }
    let what = format!("the range {} to {} does not cover the chunks", meta.min_ms, meta.max_ms);
    meta.min_ms = united.min_ms;
    meta.max_ms = united.max_ms.saturating_add(1);
    Some(corrupt(path, 0, &what))
}

fn recovered(
    ulid: Ulid,
    compaction: Compaction,
    index: &Index,
    segments: &Segments,
) -> Result<BlockMeta, StorageError> {
    let mut stats = BlockStats::default();
    let mut range = TimeRange::new(0, -1);
    stats.series = walk(index, |chunk| {
        let (encoding, bytes) = segments.get(chunk.place)?;
        let samples = u64::from(encoding.sample_count(bytes));
        stats.chunks += 1;
        stats.samples += samples;
        let is_float = matches!(encoding, Encoding::Xor | Encoding::Xor2);
        *(if is_float { &mut stats.float_samples } else { &mut stats.histogram_samples }) += samples;
        range = range.union(chunk.range);
        Ok(())
    })?;
    let (min_ms, max_ms) = (range.min_ms, range.max_ms.saturating_add(1));
    Ok(BlockMeta { ulid, min_ms, max_ms, stats, compaction, thanos: None })
}

/// Looks at the chunks of all series; the number of series.
pub(super) fn walk(
    index: &Index,
    mut look: impl FnMut(&ChunkMeta) -> Result<(), StorageError>,
) -> Result<u64, StorageError> {
    let Some(all) = index.list_of("", "")? else { return Ok(0) };
    let numbers = index.list(all)?;
    let series = numbers.len() as u64;
    let mut reader = SeriesReader::default();
    for number in numbers {
        index.entry(number, &mut reader)?;
        reader.chunks.iter().try_for_each(&mut look)?;
    }
    Ok(series)
}
