//! Queries on a store: the blocks of their time, then what is in memory.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_storage::merge::merge_sets;
use narthex_storage::{Exemplar, Querier, Queryable, SelectHints, SeriesExemplars, SeriesSet, StorageError};

use super::Database;
use super::blocks::is_damage;
use crate::block::Block;
use crate::block::select::Warnings;
use crate::head::Head;

/// An answer tells that many of the known gaps, and how many there are besides.
const GAPS_TOLD: usize = 10;

impl Queryable for Database {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        // The head first: what is cut from it in between is then in a block of the list and still seen in the head, and
        // of equal samples one is left out.
        let head = self.head.querier(range)?;
        let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner).clone();
        let blocks = self.block_list();
        let blocks = blocks.iter().filter(|block| block.range().overlaps(range)).cloned().collect();
        let (looked_at, warnings) = (Mutex::default(), Warnings::default());
        Ok(Box::new(DatabaseQuerier { database: self, blocks, foreign, head, looked_at, warnings }))
    }

    fn exemplars(
        &self,
        selectors: &[Vec<Matcher>],
        range: TimeRange,
    ) -> Result<Vec<SeriesExemplars>, StorageError> {
        let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner).clone();
        let heads = std::iter::once(&self.head).chain(foreign.iter());
        Ok(merged(heads.flat_map(|head| head.exemplars(selectors, range)).collect()))
    }
}

/// Puts the exemplars of several heads together, each once.
fn merged(all: Vec<SeriesExemplars>) -> Vec<SeriesExemplars> {
    let mut merged: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
    for (labels, exemplars) in all {
        merged.entry(labels).or_default().extend(exemplars);
    }
    for exemplars in merged.values_mut() {
        exemplars.sort_by_key(|exemplar| exemplar.at_ms);
        exemplars.dedup();
    }
    merged.into_iter().collect()
}

/// A store as it was when the query began.
struct DatabaseQuerier<'d> {
    database: &'d Database,
    blocks: Vec<Arc<Block>>,
    foreign: Arc<Vec<Head>>,
    head: Box<dyn Querier + 'd>,
    /// The times that were looked at so far.
    looked_at: Mutex<Option<TimeRange>>,
    /// Damage that was met.
    warnings: Warnings,
}

impl DatabaseQuerier<'_> {
    /// Notes damage of a block, whose samples are then missing; other failures are the query's.
    fn survive<T>(&self, block: &Block, outcome: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_damage(&error) => {
                self.database.counters.damages.fetch_add(1, Ordering::Relaxed);
                let warning = format!("samples of block {} are missing: {error}", block.ulid());
                self.warnings.lock().unwrap_or_else(PoisonError::into_inner).insert(warning);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn look_at(&self, range: TimeRange) {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        *looked_at = Some(looked_at.map_or(range, |known| known.union(range)));
    }

    /// Sorted texts of all parts, each once.
    fn texts(
        &self,
        of: impl Fn(&dyn Querier) -> Result<Vec<String>, StorageError>,
    ) -> Result<Vec<String>, StorageError> {
        self.look_at(TimeRange::ALL);
        let mut all = of(&*self.head)?;
        for block in self.blocks.iter() {
            let found = block.querier(TimeRange::ALL).and_then(|querier| of(&*querier));
            all.extend(self.survive(block, found)?.unwrap_or_default());
        }
        for head in self.foreign.iter() {
            all.append(&mut of(&*head.querier(TimeRange::ALL)?)?);
        }
        // Each part is sorted: a stable sort finds that and merges them.
        all.sort();
        all.dedup();
        Ok(all)
    }
}

impl Querier for DatabaseQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        self.look_at(range);
        let mut sets: Vec<Box<dyn SeriesSet + '_>> = Vec::new();
        for block in self.blocks.iter().filter(|block| block.range().overlaps(range)) {
            let set = block.select(matchers, range, hints, &self.warnings);
            sets.extend(self.survive(block, set)?.map(|set| -> Box<dyn SeriesSet + '_> { Box::new(set) }));
        }
        for head in self.foreign.iter() {
            sets.push(Box::new(head.select_at_rest(matchers, range)));
        }
        sets.push(self.head.select(matchers, range, hints)?);
        Ok(merge_sets(sets))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.texts(|querier| querier.label_names(matchers))
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.texts(|querier| querier.label_values(name, matchers))
    }

    fn warnings(&self) -> Vec<String> {
        let range = *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(range) = range {
            let gaps = self.database.gaps();
            let mut gaps = gaps.iter().filter(|gap| gap.range.overlaps(range)).map(ToString::to_string);
            all.extend(gaps.by_ref().take(GAPS_TOLD));
            let more = gaps.count();
            if more > 0 {
                all.insert(format!("samples may be missing for {more} more reasons"));
            }
        }
        all.into_iter().collect()
    }
}
