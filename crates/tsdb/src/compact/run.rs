//! Making one block of several.

use std::collections::BTreeSet;
use std::path::Path;

use narthex_model::TimeRange;
use narthex_storage::StorageError;

use super::MergedSource;
use crate::block::{
    Block, BlockLimits, BlockMeta, BlockWriter, ChunkSource, Compaction, NewBlock, Parent, Ulid,
};
use crate::fs::Fs;

/// Merges blocks into a new one, deleted samples left out. When this returns it is durable in `dir`, and the others can
/// be removed; until then both may be there, which [`superseded`](super::superseded) recognises. `None`: nothing is
/// left of them, no block was made.
///
/// # Errors
/// When a block cannot be read or the new one not be written; then there is no new block.
pub fn compact(
    fs: &dyn Fs,
    dir: &Path,
    blocks: &[&Block],
    ulid: Ulid,
    limits: BlockLimits,
) -> Result<Option<BlockMeta>, StorageError> {
    let metas: Vec<_> = blocks.iter().map(|block| block.meta()).collect();
    let metas: Vec<&BlockMeta> = metas.iter().map(|meta| &**meta).collect();
    let mut writer = BlockWriter::create(fs, dir, ulid, limits)?;
    let sources =
        blocks.iter().map(|block| -> Box<dyn ChunkSource> { Box::new(block.source(TimeRange::ALL)) });
    writer.add_all(&mut MergedSource::new(sources.collect()))?;
    let (min_ms, max_ms) = (metas.iter().map(|meta| meta.min_ms), metas.iter().map(|meta| meta.max_ms));
    writer.finish(NewBlock {
        min_ms: min_ms.min().unwrap_or(i64::MAX),
        max_ms: max_ms.max().unwrap_or(i64::MIN),
        compaction: descent(&metas),
        thanos: shared_thanos(&metas),
    })
}

fn descent(metas: &[&BlockMeta]) -> Compaction {
    let sources_of = |meta: &&BlockMeta| match &meta.compaction.sources[..] {
        [] => vec![meta.ulid],
        sources => sources.to_vec(),
    };
    let sources: BTreeSet<Ulid> = metas.iter().flat_map(sources_of).collect();
    let parent = |meta: &&BlockMeta| Parent { ulid: meta.ulid, min_ms: meta.min_ms, max_ms: meta.max_ms };
    Compaction {
        level: metas.iter().map(|meta| meta.compaction.level).max().unwrap_or(0) + 1,
        sources: sources.into_iter().collect(),
        parents: metas.iter().map(parent).collect(),
        is_failed: false,
        is_deletable: false,
        hints: inherited_hints(metas),
    }
}

/// Where samples come from holds for the whole if it holds for all parts; of which series they are, if for any part.
fn inherited_hints(metas: &[&BlockMeta]) -> Vec<Box<str>> {
    let all: BTreeSet<&str> =
        metas.iter().flat_map(|meta| &meta.compaction.hints).map(|hint| &**hint).collect();
    let has = |meta: &&BlockMeta, hint: &str| meta.compaction.hints.iter().any(|one| **one == *hint);
    let is_kept = |hint: &&str| *hint != "from-out-of-order" || metas.iter().all(|meta| has(meta, hint));
    all.into_iter().filter(is_kept).map(Box::from).collect()
}

/// The section of Thanos, if all have the same.
fn shared_thanos(metas: &[&BlockMeta]) -> Option<Box<str>> {
    let (first, rest) = metas.split_first()?;
    let is_shared = rest.iter().all(|meta| meta.thanos == first.thanos);
    first.thanos.clone().filter(|_| is_shared)
}
