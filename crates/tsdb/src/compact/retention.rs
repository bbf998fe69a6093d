//! Which blocks are no longer wanted.

use std::collections::HashSet;

use crate::block::{BlockMeta, Ulid};

/// How much is kept. 0: no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// A block that ends so many milliseconds before the end of the newest one goes.
    pub time_ms: i64,
    /// So many bytes are kept, those that are not in blocks included.
    pub size_bytes: u64,
}

/// A block and its bytes on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockSize<'m> {
    /// What it says of itself.
    pub meta: &'m BlockMeta,
    /// Bytes of its files.
    pub size_bytes: u64,
}

/// Why a block is no longer wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// It is too old.
    Time,
    /// There is no room for it.
    Size,
}

/// The blocks to remove, oldest first, whole ones only; `other_bytes` are those of logs and head. The newest block
/// stays whatever its age is.
pub fn expired(blocks: &[BlockSize<'_>], other_bytes: u64, retention: Retention) -> Vec<(Ulid, Expiry)> {
    let mut blocks = blocks.to_vec();
    blocks.sort_by_key(|block| (block.meta.max_ms, block.meta.min_ms, block.meta.ulid));
    let Some(newest_ms) = blocks.last().map(|block| block.meta.max_ms) else { return Vec::new() };
    let is_old = |block: &BlockSize<'_>| {
        retention.time_ms > 0 && newest_ms.saturating_sub(block.meta.max_ms) >= retention.time_ms
    };
    let old = blocks.iter().take_while(|block| is_old(block)).count();
    let mut kept_bytes = other_bytes;
    let fits = |block: &&BlockSize<'_>| {
        kept_bytes = kept_bytes.saturating_add(block.size_bytes);
        retention.size_bytes == 0 || kept_bytes <= retention.size_bytes
    };
    let fitting = blocks.iter().rev().take_while(fits).count();
    let without_room = blocks.len() - fitting;
    let reason = |place: usize| if place < old { Expiry::Time } else { Expiry::Size };
    let gone = blocks.iter().take(old.max(without_room)).enumerate();
    gone.map(|(place, block)| (block.meta.ulid, reason(place))).collect()
}

/// The blocks whose content is in another block that is there: a run was interrupted between making that one and
/// removing these.
pub fn superseded(blocks: &[BlockMeta]) -> Vec<Ulid> {
    let parents: HashSet<Ulid> = blocks
        .iter()
        .flat_map(|block| {
            block.compaction.parents.iter().map(|parent| parent.ulid).filter(|one| *one != block.ulid)
        })
        .collect();
    let is_gone = |block: &&BlockMeta| parents.contains(&block.ulid) || block.compaction.is_deletable;
    blocks.iter().filter(is_gone).map(|block| block.ulid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockStats, Compaction, Parent};

    fn block(number: u8, max_ms: i64) -> BlockMeta {
        let ulid = Ulid::from_parts(0, u128::from(number));
        let compaction = Compaction::of_head(ulid);
        BlockMeta { ulid, min_ms: 0, max_ms, stats: BlockStats::default(), compaction, thanos: None }
    }

    fn gone(blocks: &[BlockMeta], retention: Retention) -> Vec<(u8, Expiry)> {
        let sized: Vec<_> = blocks.iter().map(|meta| BlockSize { meta, size_bytes: 10 }).collect();
        let expired = expired(&sized, 5, retention);
        expired.into_iter().map(|(ulid, why)| (ulid.entropy() as u8, why)).collect()
    }

    #[test]
    fn old_blocks_go_first_and_the_newest_stays() {
        let blocks = [block(3, 30), block(1, 10), block(2, 20)];
        let time = |time_ms| gone(&blocks, Retention { time_ms, size_bytes: 0 });
        assert_eq!(time(0), []);
        assert_eq!(time(21), []);
        assert_eq!(time(20), [(1, Expiry::Time)]);
        assert_eq!(time(1), [(1, Expiry::Time), (2, Expiry::Time)]);
        let size = |size_bytes| gone(&blocks, Retention { time_ms: 0, size_bytes });
        assert_eq!(size(35), []);
        assert_eq!(size(34), [(1, Expiry::Size)]);
        assert_eq!(size(4).len(), 3);
        let both = gone(&blocks, Retention { time_ms: 20, size_bytes: 20 });
        assert_eq!(both, [(1, Expiry::Time), (2, Expiry::Size)]);
        assert_eq!(gone(&[], Retention { time_ms: 1, size_bytes: 1 }), []);
    }

    #[test]
    fn what_is_in_another_block_is_superseded() {
        let mut blocks = [block(1, 10), block(2, 20), block(3, 20), block(4, 20)];
        assert_eq!(superseded(&blocks), []);
        let parent = |number: usize| Parent { ulid: blocks[number].ulid, min_ms: 0, max_ms: 10 };
        blocks[2].compaction.parents = vec![parent(0), parent(1), parent(2)];
        blocks[3].compaction.is_deletable = true;
        assert_eq!(superseded(&blocks), [blocks[0].ulid, blocks[1].ulid, blocks[3].ulid]);
    }
}
