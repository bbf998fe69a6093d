//! Which blocks to compact next.
//!
//! Time is divided into aligned ranges on a ladder, each a multiple of the one below it. Blocks that fill a range, or
//! lie in one that gets no more, become one. Blocks that overlap are merged before that; blocks with much deleted are
//! written anew after it.

use narthex_model::Timestamp;

use crate::block::{BlockMeta, Ulid};

/// How much longer a range is than the one below it, as in Prometheus.
const LADDER_FACTOR: i64 = 3;
/// Most steps of a ladder, as in Prometheus.
const LADDER_STEPS: usize = 10;
/// From this share of deleted stretches to series on, a block is written anew.
const TOMBSTONES_SHARE: f64 = 0.05;

/// What the planner may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompactionOptions {
    /// Lengths of blocks in milliseconds, rising; the first is what a head is cut into.
    pub ranges_ms: Vec<i64>,
}

impl CompactionOptions {
    /// The ladder of Prometheus: from `first_ms` on each range three times the one before, none above `longest_ms` but
    /// the first.
    pub fn ladder(first_ms: i64, longest_ms: i64) -> CompactionOptions {
        let steps =
            std::iter::successors(Some(first_ms.max(1)), |range_ms| range_ms.checked_mul(LADDER_FACTOR));
        let is_kept = |(step, range_ms): &(usize, i64)| *step == 0 || *range_ms <= longest_ms;
        let ranges_ms =
            steps.take(LADDER_STEPS).enumerate().take_while(is_kept).map(|(_, range_ms)| range_ms);
        CompactionOptions { ranges_ms: ranges_ms.collect() }
    }
}

/// Blocks that are to become one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Their names, by time.
    pub blocks: Vec<Ulid>,
    /// Why.
    pub reason: Reason,
}

/// Why blocks are to be compacted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// They overlap in time.
    Overlap,
    /// They fill a range of the ladder.
    Range,
    /// Much of the block is deleted.
    Tombstones,
}

/// Blocks that are never merged with those of another class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    Regular,
    StaleSeries,
    SelectedSeries,
}

/// The next compaction; `None` when there is nothing to do. Ask again after each.
pub fn plan(blocks: &[BlockMeta], options: &CompactionOptions) -> Option<Plan> {
    [Class::Regular, Class::StaleSeries, Class::SelectedSeries].into_iter().find_map(|class| {
        let mut blocks: Vec<&BlockMeta> = blocks.iter().filter(|block| class_of(block) == class).collect();
        blocks.sort_by_key(|block| (block.min_ms, block.ulid));
        plan_class(&blocks, options)
    })
}

fn class_of(block: &BlockMeta) -> Class {
    let has = |hint: &str| block.compaction.hints.iter().any(|one| **one == *hint);
    match () {
        () if has("from-stale-series") => Class::StaleSeries,
        () if has("from-selected-series") => Class::SelectedSeries,
        () => Class::Regular,
    }
}

fn plan_class(blocks: &[&BlockMeta], options: &CompactionOptions) -> Option<Plan> {
    if let Some(overlapping) = overlapping(blocks) {
        return Some(plan_of(overlapping, Reason::Overlap));
    }
    // The newest block waits, so that there is time to copy it before it is merged away.
    let (_, older) = blocks.split_last()?;
    if let Some(group) = filled_range(older, options) {
        return Some(plan_of(group, Reason::Range));
    }
    mostly_deleted(older, options).map(|block| plan_of(&[block], Reason::Tombstones))
}

fn plan_of(blocks: &[&BlockMeta], reason: Reason) -> Plan {
    Plan { blocks: blocks.iter().map(|block| block.ulid).collect(), reason }
}

/// The first blocks that are linked by overlaps.
fn overlapping<'a, 'm>(blocks: &'a [&'m BlockMeta]) -> Option<&'a [&'m BlockMeta]> {
    let mut from = 0;
    while from < blocks.len() {
        let mut end_ms = blocks[from].max_ms;
        let mut to = from + 1;
        while to < blocks.len() && blocks[to].min_ms < end_ms {
            end_ms = end_ms.max(blocks[to].max_ms);
            to += 1;
        }
        let group = &blocks[from..to];
        if group.len() > 1 && !has_failed(group) {
            return Some(group);
        }
        from = to;
    }
    None
}

fn has_failed(blocks: &[&BlockMeta]) -> bool {
    blocks.iter().any(|block| block.compaction.is_failed)
}

/// The first blocks, of the shortest range, that fill their range or lie wholly before the last block.
fn filled_range<'a, 'm>(
    blocks: &'a [&'m BlockMeta],
    options: &CompactionOptions,
) -> Option<&'a [&'m BlockMeta]> {
    let last_ms = blocks.last()?.min_ms;
    let is_due = |group: &&[&BlockMeta], range_ms: i64| {
        let [first, .., last] = group else { return false };
        let fills = last.max_ms.saturating_sub(first.min_ms) == range_ms;
        (fills || last.max_ms <= last_ms) && !has_failed(group)
    };
    let longer = options.ranges_ms.get(1..)?.iter().copied().filter(|range_ms| *range_ms > 0);
    longer
        .flat_map(|range_ms| {
            groups_of_range(blocks, range_ms).into_iter().map(move |group| (group, range_ms))
        })
        .find(|(group, range_ms)| is_due(group, *range_ms))
        .map(|(group, _)| group)
}

/// The blocks within each aligned range of this length; blocks that lie in no such range are left out.
fn groups_of_range<'a, 'm>(blocks: &'a [&'m BlockMeta], range_ms: i64) -> Vec<&'a [&'m BlockMeta]> {
    let mut groups = Vec::new();
    let mut from = 0;
    while from < blocks.len() {
        let end_ms = end_of_range(blocks[from].min_ms, range_ms);
        let fitting = blocks[from..].iter().take_while(|block| block.max_ms <= end_ms).count();
        if fitting > 0 {
            groups.push(&blocks[from..from + fitting]);
        }
        from += fitting.max(1);
    }
    groups
}

fn end_of_range(at_ms: Timestamp, range_ms: i64) -> Timestamp {
    at_ms.div_euclid(range_ms).saturating_mul(range_ms).saturating_add(range_ms)
}

/// The newest block that is long enough to be worth it and has much deleted, or of which all is.
fn mostly_deleted<'m>(blocks: &[&'m BlockMeta], options: &CompactionOptions) -> Option<&'m BlockMeta> {
    let worth_ms = *options.ranges_ms.get(options.ranges_ms.len() / 2)?;
    for block in blocks.iter().rev() {
        let (tombstones, series) = (block.stats.tombstones, block.stats.series);
        if block.max_ms.saturating_sub(block.min_ms) < worth_ms {
            // Those before it are longer only in odd cases; the newest short one decides, as it does in Prometheus.
            let is_all_deleted = tombstones > 0 && tombstones >= series && !block.compaction.is_failed;
            return is_all_deleted.then_some(block);
        }
        let share = tombstones as f64 / (series as f64 + 1.0);
        if share > TOMBSTONES_SHARE && !block.compaction.is_failed {
            return Some(block);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockStats, Compaction};

    const RANGES: [i64; 3] = [20, 60, 180];

    fn block(number: u8, min_ms: i64, max_ms: i64) -> BlockMeta {
        let ulid = Ulid::from_parts(0, u128::from(number));
        let stats = BlockStats { samples: 100, series: 99, ..BlockStats::default() };
        BlockMeta { ulid, min_ms, max_ms, stats, compaction: Compaction::of_head(ulid), thanos: None }
    }

    fn planned(blocks: &[BlockMeta]) -> Option<(Vec<u8>, Reason)> {
        let plan = plan(blocks, &CompactionOptions { ranges_ms: RANGES.to_vec() })?;
        Some((plan.blocks.iter().map(|ulid| ulid.entropy() as u8).collect(), plan.reason))
    }

    fn ranges(times: &[(i64, i64)]) -> Option<(Vec<u8>, Reason)> {
        let blocks = (1..).zip(times).map(|(number, (min_ms, max_ms))| block(number, *min_ms, *max_ms));
        planned(&blocks.collect::<Vec<_>>())
    }

    #[test]
    fn the_ladder_is_that_of_prometheus() {
        let hours = |options: CompactionOptions| -> Vec<i64> {
            options.ranges_ms.iter().map(|range_ms| range_ms / 3_600_000).collect()
        };
        let (two_hours, day) = (7_200_000, 86_400_000);
        assert_eq!(hours(CompactionOptions::ladder(two_hours, 31 * day)), [2, 6, 18, 54, 162, 486]);
        assert_eq!(hours(CompactionOptions::ladder(two_hours, two_hours)), [2]);
        assert_eq!(hours(CompactionOptions::ladder(two_hours, 1)), [2]);
    }

    #[test]
    fn nothing_to_do() {
        for times in [
            &[][..],
            &[(0, 20)],
            &[(0, 20), (20, 40)],
            // The newest does not count: the range is not full.
            &[(0, 20), (20, 40), (40, 60)],
            // Not in one aligned range.
            &[(40, 60), (60, 80), (80, 100)],
            // Longer than any range.
            &[(0, 200), (200, 400), (400, 600)],
        ] {
            assert_eq!(ranges(times), None, "{times:?}");
        }
    }

    #[test]
    fn full_ranges_are_merged_the_shortest_first() {
        let range = |blocks: &[u8]| Some((blocks.to_vec(), Reason::Range));
        assert_eq!(ranges(&[(0, 20), (20, 40), (40, 60), (60, 80)]), range(&[1, 2, 3]));
        // With a gap, but before the newest: nothing more comes.
        assert_eq!(ranges(&[(0, 20), (40, 60), (60, 80), (80, 100)]), range(&[1, 2]));
        assert_eq!(ranges(&[(0, 20), (20, 40), (60, 80), (80, 100)]), range(&[1, 2]));
        // A merged one with two of its size fills the next range.
        assert_eq!(ranges(&[(0, 60), (60, 120), (120, 180), (180, 200)]), range(&[1, 2, 3]));
        assert_eq!(
            ranges(&[(0, 60), (60, 120), (120, 180), (180, 200), (200, 220), (220, 240), (240, 260)]),
            range(&[4, 5, 6])
        );
        assert_eq!(ranges(&[(-60, -40), (-40, -20), (-20, 0), (0, 20)]), range(&[1, 2, 3]));
    }

    #[test]
    fn overlaps_go_first() {
        let overlap = |blocks: &[u8]| Some((blocks.to_vec(), Reason::Overlap));
        assert_eq!(ranges(&[(0, 20), (19, 40)]), overlap(&[1, 2]));
        assert_eq!(ranges(&[(0, 100), (10, 20), (30, 40), (100, 120)]), overlap(&[1, 2, 3]));
        assert_eq!(ranges(&[(0, 20), (20, 40), (30, 60), (50, 70), (70, 80)]), overlap(&[2, 3, 4]));
        // Whatever the order they are listed in.
        assert_eq!(planned(&[block(2, 10, 30), block(1, 0, 20)]), overlap(&[1, 2]));
    }

    #[test]
    fn failed_blocks_and_other_classes_are_left_alone() {
        let mut blocks: Vec<_> = [(0, 20), (20, 40), (40, 60), (60, 80)]
            .iter()
            .zip(1..)
            .map(|(times, number)| block(number, times.0, times.1))
            .collect();
        blocks[1].compaction.is_failed = true;
        assert_eq!(planned(&blocks), None);
        blocks[1].compaction.is_failed = false;
        blocks[1].compaction.hints = vec!["from-stale-series".into()];
        assert_eq!(planned(&blocks), Some((vec![1, 3], Reason::Range)));
        blocks[1].compaction.hints = vec!["from-out-of-order".into()];
        assert_eq!(planned(&blocks), Some((vec![1, 2, 3], Reason::Range)));
        let mut overlapping = vec![block(1, 0, 20), block(2, 10, 30)];
        overlapping[0].compaction.is_failed = true;
        assert_eq!(planned(&overlapping), None);
    }

    #[test]
    fn blocks_with_much_deleted_are_written_anew() {
        let with = |times: (i64, i64), tombstones: u64| {
            let mut block = block(1, times.0, times.1);
            block.stats.tombstones = tombstones;
            planned(&[block, self::block(2, 1000, 1020)])
        };
        let anew = Some((vec![1], Reason::Tombstones));
        assert_eq!((with((0, 60), 5), with((0, 60), 6)), (None, anew.clone()));
        assert_eq!((with((0, 59), 98), with((0, 59), 99)), (None, anew));
    }
}
