//! Finds scrapes among samples, and writes keys for them.

use std::collections::HashMap;
use std::mem;

use narthex_model::{SampleValue, Timestamp};

use super::batch::Sample;
use super::learn::{Evidence, Past, ROWS};
use super::model::Model;
use super::scrape::{Key, ScrapeBody};

/// Most series of a key.
const SERIES_MAX: usize = 2048;
/// How far ahead a series of the key is looked for when others are absent.
const LOOKAHEAD: usize = 64;
/// Scrapes of the first key of a group; each later one lasts for so many times as many, up to a limit.
const PERIOD_FIRST: usize = 8;
const PERIOD_GROWTH: usize = 4;
const PERIOD_MAX: usize = 240;

/// What a run of samples is to be written as.
pub(super) enum Written<'a> {
    /// A key.
    Key(&'a [u8]),
    /// A scrape.
    Scrape(&'a [u8]),
    /// A key once more.
    Copy(&'a [u8]),
}

/// A key in use, and what scrapes that refer to it have shown and cost.
#[derive(Debug, Default)]
struct Group {
    key: Key,
    evidence: Evidence,
    /// Bytes of the key's record.
    key_bytes: usize,
    /// Bytes of the shortest scrape, 0 before any.
    least_bytes: usize,
    /// Bytes that scrapes took beyond the shortest.
    excess_bytes: usize,
    /// Scrapes that refer to the key, and how many are to.
    scrapes: usize,
    period: usize,
    /// The key is in a file that is closed.
    is_forgotten: bool,
}

impl Group {
    /// Whether a new key pays.
    fn is_over(&self) -> bool {
        self.is_forgotten || self.scrapes >= self.period || self.is_costly()
    }

    /// Whether scrapes are longer than is to be expected.
    fn is_costly(&self) -> bool {
        self.excess_bytes > 2 * self.key_bytes
    }

    /// Scrapes of the next key.
    fn next_period(&self) -> usize {
        match self.scrapes >= self.period {
            true => (self.period * PERIOD_GROWTH).min(PERIOD_MAX),
            // Not all that a key is for was seen: the next one begins with that much.
            false if self.is_costly() => self.scrapes.max(PERIOD_FIRST),
            false => self.period,
        }
    }

    /// Whether the scrape at hand is one that is learned from.
    fn is_looked_at(&self) -> bool {
        self.scrapes > 0 && self.scrapes.is_multiple_of(self.period.div_ceil(ROWS))
    }
}

/// Finds scrapes among samples and writes them.
#[derive(Debug)]
pub(super) struct ScrapeWriter {
    /// By the first series.
    groups: HashMap<u64, Group>,
    next_key: u64,
    scrape: ScrapeBody,
    body: Vec<u8>,
}

impl ScrapeWriter {
    /// Keys are numbered from `first_key` on.
    pub(super) fn new(first_key: u64) -> ScrapeWriter {
        ScrapeWriter {
            groups: HashMap::new(),
            next_key: first_key,
            scrape: ScrapeBody::default(),
            body: Vec::new(),
        }
    }

    /// Refers to no key any more: those written before will not be there. What was learned is kept for one file more.
    pub(super) fn forget_keys(&mut self) {
        self.groups.retain(|_, group| !mem::replace(&mut group.is_forgotten, true));
    }

    /// The keys in use.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.groups.values().filter(|group| !group.is_forgotten).map(|group| &group.key)
    }

    /// Writes floats; calls `write` with each body, and puts what is better written otherwise into `loose`.
    pub(super) fn put(
        &mut self,
        samples: &[Sample],
        loose: &mut Vec<usize>,
        write: &mut dyn FnMut(Written<'_>),
        retired: &mut Vec<Key>,
    ) {
        let Some(at_ms) = samples.first().map(|sample| sample.at_ms) else { return };
        let mut next = 0;
        while let Some(sample) = samples.get(next) {
            if sample.at_ms != at_ms || !matches!(sample.value, SampleValue::Float(_)) {
                loose.push(next);
                next += 1;
                continue;
            }
            let mut group = match self.groups.remove(&sample.series.number()) {
                Some(group) if group.is_over() => self.replace(group, samples, next, write, retired),
                Some(group) => group,
                None => self.begin(samples, next, write),
            };
            let held = loose.len();
            let mut to = self.match_scrape(&mut group, samples, next, loose);
            if (loose.len() - held) * 8 > to - next && group.scrapes > 0 {
                loose.truncate(held);
                group = self.replace(group, samples, next, write, retired);
                to = self.match_scrape(&mut group, samples, next, loose);
            }
            self.finish_scrape(&mut group, at_ms, write);
            self.groups.insert(group.key.ids[0], group);
            next = to;
        }
    }

    /// Finds the series of a key among the samples from number `from` on; returns where the scrape ends.
    fn match_scrape(
        &mut self,
        group: &mut Group,
        samples: &[Sample],
        from: usize,
        loose: &mut Vec<usize>,
    ) -> usize {
        self.scrape.clear();
        let at_ms = samples[from].at_ms;
        let elapsed_ms = at_ms.wrapping_sub(group.key.at_ms);
        let is_looked_at = group.is_looked_at();
        let Group { key, evidence, .. } = group;
        if is_looked_at {
            evidence.begin_row(elapsed_ms);
        }
        let (mut place, mut next) = (0, from);
        while let (Some(&id), Some(sample)) = (key.ids.get(place), samples.get(next)) {
            let Some(bits) = float_at(sample, at_ms) else {
                loose.push(next);
                next += 1;
                continue;
            };
            let number = sample.series.number();
            if number != id {
                match key.ids[place..].iter().take(LOOKAHEAD).position(|&id| id == number) {
                    Some(ahead) => {
                        self.scrape.put_absent(place, place + ahead);
                        place += ahead;
                    }
                    None if self.groups.contains_key(&number) => break,
                    None => {
                        loose.push(next);
                        next += 1;
                        continue;
                    }
                }
            }
            if sample.start_ms == key.start_ms(place) {
                let model = &key.models[place];
                let difference = model.difference(bits, elapsed_ms);
                match difference {
                    Some(difference) if is_looked_at => evidence.note(place, model, difference, elapsed_ms),
                    Some(_) => {}
                    None => evidence.note_misfit(place, bits),
                }
                self.scrape.put(place, bits, difference, model.width);
            } else {
                self.scrape.put_absent(place, place + 1);
                loose.push(next);
            }
            place += 1;
            next += 1;
        }
        if place < key.ids.len() {
            self.scrape.put_absent(place, key.ids.len());
        }
        next
    }

    /// Writes the scrape that was matched, and the key once more if it is the first.
    fn finish_scrape(&mut self, group: &mut Group, at_ms: Timestamp, write: &mut dyn FnMut(Written<'_>)) {
        self.body.clear();
        self.scrape.finish(&group.key, at_ms, &mut self.body);
        write(Written::Scrape(&self.body));
        let bytes = self.body.len();
        if group.scrapes == 0 {
            group.least_bytes = bytes;
            self.body.clear();
            group.key.put(&mut self.body, 0);
            write(Written::Copy(&self.body));
        }
        group.scrapes += 1;
        group.least_bytes = group.least_bytes.min(bytes);
        group.excess_bytes += bytes - group.least_bytes;
    }

    /// Writes a key of the samples from number `from` on, of which nothing is known.
    fn begin(&mut self, samples: &[Sample], from: usize, write: &mut dyn FnMut(Written<'_>)) -> Group {
        let mut group = Group { period: PERIOD_FIRST, ..Group::default() };
        let Group { key, evidence, .. } = &mut group;
        self.gather(samples, from, key, |_, _, bits| evidence.push_new(bits));
        self.put_key(&mut group, 0, write);
        group
    }

    /// Writes a key of the samples from number `from` on in the place of another one.
    fn replace(
        &mut self,
        past: Group,
        samples: &[Sample],
        from: usize,
        write: &mut dyn FnMut(Written<'_>),
        retired: &mut Vec<Key>,
    ) -> Group {
        let period = past.next_period();
        let mut group = Group { period, ..Group::default() };
        let learned = Past {
            models: &past.key.models,
            evidence: &past.evidence,
            elapsed_ms: samples[from].at_ms.wrapping_sub(past.key.at_ms),
            is_growing: period > past.period,
        };
        let mut places = Places { ids: &past.key.ids, by_id: HashMap::new() };
        let Group { key, evidence, .. } = &mut group;
        self.gather(samples, from, key, |at, sample, bits| match places.find(at, sample.series.number()) {
            Some(place) => evidence.push_learned(&learned, place, bits),
            None => evidence.push_new(bits),
        });
        let replaced = if past.is_forgotten { 0 } else { past.key.number };
        self.put_key(&mut group, replaced, write);
        if !past.is_forgotten {
            retired.push(past.key);
        }
        group
    }
}

impl ScrapeWriter {
    /// Puts the series of the samples from number `from` on into a key, up to those of another group.
    fn gather(
        &mut self,
        samples: &[Sample],
        from: usize,
        key: &mut Key,
        mut model: impl FnMut(usize, &Sample, u64) -> Model,
    ) {
        key.at_ms = samples[from].at_ms;
        key.number = self.next_key;
        self.next_key += 1;
        for (next, sample) in samples.iter().enumerate().skip(from) {
            let number = sample.series.number();
            if key.ids.len() == SERIES_MAX || (next > from && self.groups.contains_key(&number)) {
                break;
            }
            if let Some(bits) = float_at(sample, key.at_ms)
                && key.ids.first() != Some(&number)
            {
                key.push(sample, model(key.ids.len(), sample, bits));
            }
        }
    }

    fn put_key(&mut self, group: &mut Group, replaced: u64, write: &mut dyn FnMut(Written<'_>)) {
        self.body.clear();
        group.key.put(&mut self.body, replaced);
        write(Written::Key(&self.body));
        group.key_bytes = self.body.len();
    }
}

/// The bits of a float at a time.
#[inline]
fn float_at(sample: &Sample, at_ms: Timestamp) -> Option<u64> {
    match sample.value {
        SampleValue::Float(value) if sample.at_ms == at_ms => Some(value.to_bits()),
        _ => None,
    }
}

/// Finds series of an earlier key, mostly where they stand in the new one.
struct Places<'a> {
    ids: &'a [u64],
    /// Of all series, once one stands elsewhere.
    by_id: HashMap<u64, usize>,
}

impl Places<'_> {
    fn find(&mut self, expected: usize, id: u64) -> Option<usize> {
        if self.ids.get(expected) == Some(&id) {
            return Some(expected);
        }
        if self.by_id.is_empty() {
            self.by_id = self.ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        }
        self.by_id.get(&id).copied()
    }
}
