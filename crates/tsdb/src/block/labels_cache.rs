//! The labels of series that were selected before: panels of a dashboard ask for the same ones again and again.

use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};

use narthex_model::Labels;

/// Most bytes of kept labels per block, about: those of 10,000 series. A selection holds as much while it is read.
const KEPT_BYTES_MAX: usize = 2 << 20;

/// A series by its number, and its labels.
pub(super) type Kept = (u32, Labels);

/// Labels by number of series. Those of the last selection come first when there is no room for all.
#[derive(Debug, Default)]
pub(super) struct LabelsCache(Mutex<Arc<[Kept]>>);

impl LabelsCache {
    /// What is kept now.
    pub(super) fn kept(&self) -> Arc<[Kept]> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the labels of a selection, and of what was kept before as much as there is room for.
    pub(super) fn keep<'a>(&self, selected: impl Iterator<Item = (u32, &'a Labels)>) {
        let before = self.kept();
        let mut bytes = 0;
        let mut has_room = |labels: &Labels| {
            bytes += size_bytes(labels);
            bytes <= KEPT_BYTES_MAX
        };
        let mut kept: Vec<Kept> = selected
            .take_while(|(_, labels)| has_room(labels))
            .map(|(number, labels)| (number, labels.clone()))
            .collect();
        let mut known = Walk::new(&kept);
        let others: Vec<Kept> = before
            .iter()
            .filter(|(number, _)| known.find(*number).is_none())
            .take_while(|(_, labels)| has_room(labels))
            .cloned()
            .collect();
        kept.extend(others);
        kept.sort_unstable_by_key(|(number, _)| *number);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept.into();
    }

    /// Bytes that are kept, about.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.kept().iter().map(|(_, labels)| size_bytes(labels)).sum()
    }
}

/// The text with its counts, and the place in the list.
fn size_bytes(labels: &Labels) -> usize {
    labels.size_bytes() + 2 * size_of::<usize>() + size_of::<Kept>()
}

/// Looks up rising numbers.
pub(super) struct Walk<'k> {
    rest: &'k [Kept],
}

impl<'k> Walk<'k> {
    /// Begins with the least of `kept`.
    pub(super) fn new(kept: &'k [Kept]) -> Walk<'k> {
        Walk { rest: kept }
    }

    /// The labels of a series whose number is above all that were looked up before.
    pub(super) fn find(&mut self, number: u32) -> Option<&'k Labels> {
        // Mostly it is the next one.
        if self.rest.first().is_some_and(|kept| kept.0 < number) {
            self.rest = &self.rest[self.rest.partition_point(|kept| kept.0 < number)..];
        }
        let ((found, labels), rest) = self.rest.split_first()?;
        if *found != number {
            return None;
        }
        self.rest = rest;
        Some(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(numbers: impl Iterator<Item = u32>, length: usize) -> Vec<Kept> {
        let value = "x".repeat(length);
        numbers
            .map(|number| (number, Labels::from_pairs([("n", number.to_string().as_str()), ("x", &value)])))
            .collect()
    }

    fn keep(cache: &LabelsCache, selected: &[Kept]) {
        cache.keep(selected.iter().map(|(number, labels)| (*number, labels)));
    }

    #[test]
    fn what_was_selected_is_found_by_rising_numbers() {
        let cache = LabelsCache::default();
        let (even, odd) = (numbered((0..40).step_by(2), 1), numbered((1..40).step_by(6), 1));
        keep(&cache, &even);
        keep(&cache, &odd);
        keep(&cache, &even[3..5]);
        let kept = cache.kept();
        let mut walk = Walk::new(&kept);
        for number in 0..50 {
            let expected = even.iter().chain(&odd).find(|known| known.0 == number).map(|known| &known.1);
            assert_eq!(walk.find(number), expected, "{number}");
        }
    }

    #[test]
    fn the_last_selection_is_kept_when_there_is_no_room_for_more() {
        let cache = LabelsCache::default();
        let (old, new) = (numbered(0..400, 4096), numbered(100..300, 8000));
        keep(&cache, &old);
        keep(&cache, &new);
        assert!(cache.bytes() <= KEPT_BYTES_MAX && cache.bytes() > KEPT_BYTES_MAX - 9000);
        let kept = cache.kept();
        assert!(kept.is_sorted_by_key(|known| known.0));
        let mut walk = Walk::new(&kept);
        assert!(new.iter().all(|(number, labels)| walk.find(*number) == Some(labels)));
    }
}
