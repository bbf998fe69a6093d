//! Which series there are: by labels, by number, and in the order of labels.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use narthex_model::{Labels, Matcher};
use rayon::slice::ParallelSliceMut;

use super::series::Series;
use crate::postings::PostingsIndex;
use crate::wal::SeriesId;

/// Parts of the map from labels to series, each behind a lock of its own.
const STRIPES: usize = 32;
/// The rank of a series that came after ranks were given.
const UNRANKED: u32 = u32::MAX;
/// From one series without rank in so many on, ranks are given anew.
const UNRANKED_SHARE: usize = 16;
/// A restored series gets the slot it had if that is at most so far behind the others.
const SLOT_GAP_MAX: usize = 1 << 20;

/// Some of the series by labels.
type Stripe = RwLock<HashMap<Labels, Arc<Series>>>;

/// All series.
#[derive(Debug)]
pub(super) struct Index {
    stripes: Box<[Stripe]>,
    table: RwLock<Table>,
}

/// Series by number. A series has its slot from its first sample on, committed or not; its labels are indexed with its
/// first commit.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<Slot>,
    /// Slots without series, and some that were taken since.
    free: Vec<u32>,
    len: usize,
    postings: PostingsIndex,
    /// Place of each slot's series in the order of labels when ranks were given last.
    ranks: Vec<u32>,
    /// Other names under which the log knows series.
    aliases: HashMap<SeriesId, SeriesId>,
}

#[derive(Debug, Default)]
struct Slot {
    series: Option<Arc<Series>>,
    /// Of the series that is or will be here.
    generation: u32,
}

/// A selected series and its rank.
type Selected = (u32, Arc<Series>);

impl Index {
    pub(super) fn new() -> Index {
        let stripes = (0..STRIPES).map(|_| RwLock::default()).collect();
        Index { stripes, table: RwLock::default() }
    }

    fn stripe(&self, labels: &Labels) -> &Stripe {
        let mut hash = Crc32c(0);
        labels.hash(&mut hash);
        &self.stripes[hash.0 as usize % STRIPES]
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of series that have a slot.
    pub(super) fn len(&self) -> usize {
        self.table().len
    }

    /// The series with these labels.
    pub(super) fn find(&self, labels: &Labels) -> Option<Arc<Series>> {
        self.stripe(labels).read().unwrap_or_else(PoisonError::into_inner).get(labels).cloned()
    }

    /// The series with these labels, made if need be; `None` if there are `series_max` already.
    pub(super) fn find_or_add(&self, labels: &Labels, series_max: u32) -> Option<Arc<Series>> {
        if let Some(series) = self.find(labels) {
            return Some(series);
        }
        let mut stripe = self.stripe(labels).write().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = stripe.get(labels) {
            return Some(series.clone());
        }
        let series = self.table_mut().add(labels, series_max)?;
        stripe.insert(labels.clone(), series.clone());
        Some(series)
    }

    /// The series that a log knows under this name, made if need be; `None` if there are `series_max` already.
    pub(super) fn restore(&self, id: SeriesId, labels: &Labels, series_max: u32) -> Option<Arc<Series>> {
        let mut stripe = self.stripe(labels).write().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = stripe.get(labels) {
            self.table_mut().alias(id, series.id());
            return Some(series.clone());
        }
        let series = self.table_mut().restore(id, labels, series_max)?;
        stripe.insert(labels.clone(), series.clone());
        Some(series)
    }

    /// The series of this name.
    pub(super) fn get(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.table().get(id).cloned()
    }

    /// The series of these names.
    pub(super) fn get_all(&self, ids: impl Iterator<Item = SeriesId>) -> Vec<Option<Arc<Series>>> {
        let table = self.table();
        ids.map(|id| table.get(id).cloned()).collect()
    }

    /// Makes series selectable.
    pub(super) fn publish<'a>(&self, series: impl IntoIterator<Item = (SeriesId, &'a Labels)>) {
        let mut table = self.table_mut();
        series.into_iter().for_each(|(id, labels)| table.postings.insert(id.slot(), labels));
    }

    /// Looks into the index of labels.
    pub(super) fn with_postings<T>(&self, look: impl FnOnce(&PostingsIndex) -> T) -> T {
        look(&self.table().postings)
    }

    /// All series, in no order.
    pub(super) fn all(&self) -> Vec<Arc<Series>> {
        self.table().series().cloned().collect()
    }

    /// The series that satisfy every matcher and are `wanted`, in the order of labels.
    pub(super) fn select(&self, matchers: &[Matcher], wanted: impl Fn(&Series) -> bool) -> Vec<Arc<Series>> {
        let mut selected = self.table().select(matchers);
        selected.retain(|(_, series)| wanted(series));
        let unranked = selected.iter().filter(|one| one.0 == UNRANKED).count();
        if unranked > 0 && unranked * UNRANKED_SHARE >= self.len() {
            self.rank();
            let table = self.table();
            selected.iter_mut().for_each(|(rank, series)| *rank = table.rank_of(series));
        }
        in_label_order(selected)
    }

    /// Gives ranks to all series. The locks are held for copies only.
    fn rank(&self) {
        let mut series = self.all();
        series.par_sort_unstable_by(|left, right| left.labels().cmp(right.labels()));
        let mut table = self.table_mut();
        let mut ranks = vec![UNRANKED; table.slots.len()];
        for (rank, series) in (0..).zip(&series) {
            if table.get(series.id()).is_some_and(|one| Arc::ptr_eq(one, series)) {
                ranks[series.id().slot() as usize] = rank;
            }
        }
        table.ranks = ranks;
    }

    /// Removes those of these series that nobody uses and that are empty; says how many were.
    pub(super) fn remove_unused(&self, candidates: &[Labels]) -> usize {
        let removed = candidates.iter().filter(|labels| {
            let mut stripe = self.stripe(labels).write().unwrap_or_else(PoisonError::into_inner);
            let Some(series) = stripe.get(*labels) else { return false };
            let mut table = self.table_mut();
            // One in the map, one in the table: whoever wants another one waits for these locks.
            if Arc::strong_count(series) > 2 || !series.lock().is_empty() {
                return false;
            }
            table.remove(series.id(), labels);
            stripe.remove(*labels);
            true
        });
        removed.count()
    }

    /// Forgets other names of series that are gone.
    pub(super) fn forget_aliases(&self) {
        let mut table = self.table_mut();
        let mut aliases = std::mem::take(&mut table.aliases);
        aliases.retain(|_, to| table.get(*to).is_some());
        table.aliases = aliases;
    }
}

impl Table {
    fn series(&self) -> impl Iterator<Item = &Arc<Series>> {
        self.slots.iter().filter_map(|slot| slot.series.as_ref())
    }

    fn get(&self, id: SeriesId) -> Option<&Arc<Series>> {
        self.of_slot(id).or_else(|| self.aliases.get(&id).and_then(|id| self.of_slot(*id)))
    }

    #[inline]
    fn of_slot(&self, id: SeriesId) -> Option<&Arc<Series>> {
        let series = self.slots.get(id.slot() as usize)?.series.as_ref();
        series.filter(|series| series.id() == id)
    }

    fn add(&mut self, labels: &Labels, series_max: u32) -> Option<Arc<Series>> {
        if self.len >= series_max as usize {
            return None;
        }
        while let Some(slot) = self.free.pop() {
            if self.slots[slot as usize].series.is_none() {
                return Some(self.fill(slot, labels));
            }
        }
        let slot = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(Slot::default());
        Some(self.fill(slot, labels))
    }

    fn fill(&mut self, slot: u32, labels: &Labels) -> Arc<Series> {
        let place = &mut self.slots[slot as usize];
        let series = Arc::new(Series::new(SeriesId::new(slot, place.generation), labels.clone()));
        place.series = Some(series.clone());
        self.len += 1;
        if let Some(rank) = self.ranks.get_mut(slot as usize) {
            *rank = UNRANKED;
        }
        series
    }

    /// Puts a series where it was, or anywhere under another name if the slot is taken or far away.
    fn restore(&mut self, id: SeriesId, labels: &Labels, series_max: u32) -> Option<Arc<Series>> {
        if self.len >= series_max as usize {
            return None;
        }
        let slot = id.slot() as usize;
        if slot < self.slots.len() + SLOT_GAP_MAX {
            while self.slots.len() <= slot {
                self.free.push(self.slots.len() as u32);
                self.slots.push(Slot::default());
            }
            let place = &mut self.slots[slot];
            let is_free = place.series.is_none();
            if place.generation <= id.generation() {
                // Whoever has the slot next is another series than this one.
                place.generation = id.generation() + u32::from(!is_free);
            }
            if is_free && place.generation == id.generation() {
                return Some(self.fill(slot as u32, labels));
            }
        }
        let series = self.add(labels, series_max)?;
        self.alias(id, series.id());
        Some(series)
    }

    fn alias(&mut self, id: SeriesId, to: SeriesId) {
        if id != to {
            self.aliases.insert(id, to);
        }
    }

    fn remove(&mut self, id: SeriesId, labels: &Labels) {
        self.postings.remove(id.slot(), labels);
        let slot = &mut self.slots[id.slot() as usize];
        slot.series = None;
        self.len -= 1;
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(id.slot());
        }
    }

    fn rank_of(&self, series: &Series) -> u32 {
        self.ranks.get(series.id().slot() as usize).copied().unwrap_or(UNRANKED)
    }

    fn select(&self, matchers: &[Matcher]) -> Vec<Selected> {
        let slots = self.postings.select(matchers);
        let selected = slots.iter().filter_map(|slot| {
            let series = self.slots.get(slot as usize)?.series.as_ref()?;
            Some((self.rank_of(series), series.clone()))
        });
        selected.collect()
    }
}

fn in_label_order(mut selected: Vec<Selected>) -> Vec<Arc<Series>> {
    // Those without rank come last.
    selected.sort_unstable_by_key(|one| one.0);
    let ranked = selected.partition_point(|one| one.0 < UNRANKED);
    let mut rest: Vec<Arc<Series>> = selected.split_off(ranked).into_iter().map(|one| one.1).collect();
    let ranked = selected.into_iter().map(|one| one.1);
    if rest.is_empty() {
        return ranked.collect();
    }
    rest.extend(ranked);
    // Two runs, the second sorted: a stable sort merges them.
    rest.sort_by(|left, right| left.labels().cmp(right.labels()));
    rest
}

/// Spreads labels over stripes.
struct Crc32c(u32);

impl Hasher for Crc32c {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }

    fn finish(&self) -> u64 {
        u64::from(self.0)
    }
}
