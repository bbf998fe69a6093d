//! The labels of a block as sets of series, made when asked for; the large ones are kept for a while.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use narthex_storage::StorageError;

use crate::index::Index;
use crate::postings::{Dictionary, Held, Postings, Union};

/// Lists up to this length are read anew every time.
const READ_ANEW: usize = 256;
/// Most bytes of kept sets per block, about.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What a kept set is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    /// The list at this place of the index.
    List(u64),
    /// All lists of the label whose first list is at this place.
    Name(u64),
}

/// Kept sets; the oldest goes first.
#[derive(Debug, Default)]
pub(super) struct PostingsCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    sets: HashMap<Key, Arc<Postings>>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl PostingsCache {
    fn get(&self, key: Key) -> Option<Arc<Postings>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sets.get(&key).cloned()
    }

    fn keep(&self, key: Key, postings: Postings) -> Arc<Postings> {
        let postings = Arc::new(postings);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size_bytes = postings.heap_bytes();
        if size_bytes > KEPT_BYTES_MAX || kept.sets.insert(key, Arc::clone(&postings)).is_some() {
            return postings;
        }
        kept.order.push_back(key);
        kept.bytes += size_bytes;
        while kept.bytes > KEPT_BYTES_MAX {
            let Some(oldest) = kept.order.pop_front() else { break };
            let size_bytes = kept.sets.remove(&oldest).map_or(0, |postings| postings.heap_bytes());
            kept.bytes = kept.bytes.saturating_sub(size_bytes);
        }
        postings
    }
}

/// The labels of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockDictionary<'b> {
    pub(super) index: &'b Index,
    pub(super) cache: &'b PostingsCache,
}

impl BlockDictionary<'_> {
    /// The series in the list at a place of the index.
    fn list(&self, at: u64) -> Result<Held<'_>, StorageError> {
        if let Some(postings) = self.cache.get(Key::List(at)) {
            return Ok(Held::Shared(postings));
        }
        let numbers = self.index.list(at)?;
        let is_short = numbers.len() <= READ_ANEW;
        let postings = Postings::from_rising(numbers);
        Ok(if is_short {
            Held::Owned(postings)
        } else {
            Held::Shared(self.cache.keep(Key::List(at), postings))
        })
    }

    fn add_list(&self, union: &mut Union, at: u64) -> Result<(), StorageError> {
        let numbers = self.index.list(at)?;
        if numbers.len() <= READ_ANEW {
            union.extend(numbers);
        } else {
            union.add(&*self.list(at)?);
        }
        Ok(())
    }
}

impl Dictionary for BlockDictionary<'_> {
    type Error = StorageError;

    fn all(&self) -> Result<Held<'_>, StorageError> {
        self.of_value("", "")
    }

    fn has_name(&self, name: &str) -> bool {
        !name.is_empty() && self.index.entries_of(name).is_some()
    }

    fn of_name(&self, name: &str) -> Result<Held<'_>, StorageError> {
        let Some(first) = self.index.values_from(name, "")?.next().transpose()? else {
            return Ok(Held::Owned(Postings::new()));
        };
        let key = Key::Name(first.list);
        if let Some(postings) = self.cache.get(key) {
            return Ok(Held::Shared(postings));
        }
        let postings = self.of_values(name, "", &|_| true)?.into_owned();
        Ok(Held::Shared(self.cache.keep(key, postings)))
    }

    fn of_value(&self, name: &str, value: &str) -> Result<Held<'_>, StorageError> {
        match self.index.list_of(name, value)? {
            Some(at) => self.list(at),
            None => Ok(Held::Owned(Postings::new())),
        }
    }

    fn of_values(
        &self,
        name: &str,
        prefix: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Held<'_>, StorageError> {
        let mut union = Union::default();
        for entry in self.index.values_from(name, prefix)? {
            let entry = entry?;
            if !entry.value.starts_with(prefix) {
                break;
            }
            if wanted(entry.value) {
                self.add_list(&mut union, entry.list)?;
            }
        }
        Ok(Held::Owned(union.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sets_go_when_there_is_no_room() {
        let cache = PostingsCache::default();
        // A bitmap of 8 KiB for each 65,536 numbers.
        let large = |from: u32| Postings::from_rising((from..from + (64 << 16)).step_by(2));
        let bytes = large(0).heap_bytes();
        let places = (KEPT_BYTES_MAX / bytes) as u64;
        for at in 0..=places {
            cache.keep(Key::List(at), large(0));
            cache.keep(Key::List(at), large(0));
        }
        assert!(cache.get(Key::List(0)).is_none());
        assert!((1..=places).all(|at| cache.get(Key::List(at)).is_some()));
        let kept = cache.0.lock().unwrap();
        assert!(kept.bytes <= KEPT_BYTES_MAX && kept.bytes == bytes * kept.sets.len());
    }
}
