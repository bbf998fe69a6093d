//! Floats of many series at one instant: what a scrape yields, over and over.
//!
//! A *key* lists series with a value each; a *scrape* refers to a key and tells which series are there and which have
//! another value than in the key. A lost scrape costs nothing but itself. A key is written twice, the second time behind
//! the first scrape that refers to it, so that a lost one costs nothing.

use std::collections::HashMap;

use narthex_model::{SampleValue, Timestamp};

use super::batch::{Sample, SeriesId};
use super::fields::{Fields, Malformed, Read, put_uvarint, put_varint};
use super::values::{ValueReader, ValueWriter};

/// Most series of a key.
const SERIES_MAX: usize = 2048;
/// How far ahead a series of the key is looked for when others are absent.
const LOOKAHEAD: usize = 64;

/// Some series are absent; a bitmap says which.
const HAS_ABSENT: u8 = 1;
/// All values differ from the key's; otherwise a bitmap says which.
const ALL_CHANGED: u8 = 2;
/// Start timestamps follow the ids.
const HAS_STARTS: u8 = 1;

/// Series with a value each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Key {
    pub(super) number: u64,
    at_ms: Timestamp,
    ids: Vec<u64>,
    values: Vec<u64>,
    /// Empty when no start is known.
    starts_ms: Vec<Timestamp>,
}

impl Key {
    fn start_ms(&self, place: usize) -> Timestamp {
        self.starts_ms.get(place).copied().unwrap_or(0)
    }

    fn push(&mut self, sample: &Sample, bits: u64) {
        if sample.start_ms != 0 && self.starts_ms.is_empty() {
            self.starts_ms.resize(self.ids.len(), 0);
        }
        if sample.start_ms != 0 || !self.starts_ms.is_empty() {
            self.starts_ms.push(sample.start_ms);
        }
        self.ids.push(sample.series.number());
        self.values.push(bits);
    }

    /// Appends the body of a record. `replaced` is the key that is not referred to any more, 0 for none.
    pub(super) fn put(&self, out: &mut Vec<u8>, replaced: u64, values: &mut ValueWriter) {
        put_uvarint(out, self.number);
        put_uvarint(out, replaced);
        put_varint(out, self.at_ms);
        put_uvarint(out, self.ids.len() as u64);
        out.push(if self.starts_ms.is_empty() { 0 } else { HAS_STARTS });
        let mut last = 0u64;
        for &id in &self.ids {
            put_varint(out, id.wrapping_sub(last) as i64);
            last = id;
        }
        self.starts_ms.iter().for_each(|&start_ms| put_varint(out, self.at_ms.wrapping_sub(start_ms)));
        values.clear();
        self.values.iter().for_each(|&value| values.put(value));
        values.finish(out);
    }

    /// Reads the body of a record: the key, and the one that is not referred to any more.
    pub(super) fn read(fields: &mut Fields<'_>) -> Read<(Key, u64)> {
        let (number, replaced, at_ms) = (fields.uvarint()?, fields.uvarint()?, fields.varint()?);
        let count = fields.count(1)?;
        let has_starts = fields.u8()? & HAS_STARTS != 0;
        let mut last = 0u64;
        let mut id = || {
            last = last.wrapping_add(fields.varint()? as u64);
            Ok(last)
        };
        let ids = (0..count).map(|_| id()).collect::<Read<Vec<_>>>()?;
        let starts = if has_starts { count } else { 0 };
        let starts_ms = (0..starts).map(|_| Ok(at_ms.wrapping_sub(fields.varint()?)));
        let starts_ms = starts_ms.collect::<Read<Vec<_>>>()?;
        let mut values = ValueReader::new(fields, count)?;
        let values = (0..count).map(|_| values.read(fields)).collect::<Read<Vec<_>>>()?;
        Ok((Key { number, at_ms, ids, values, starts_ms }, replaced))
    }

    /// Hands out the samples that stand in the key itself.
    pub(super) fn samples(&self) -> impl Iterator<Item = Sample> + '_ {
        (0..self.ids.len()).map(|place| self.sample(place, self.at_ms, self.values[place]))
    }

    fn sample(&self, place: usize, at_ms: Timestamp, bits: u64) -> Sample {
        Sample {
            series: SeriesId::from_number(self.ids[place]),
            at_ms,
            start_ms: self.start_ms(place),
            value: SampleValue::Float(f64::from_bits(bits)),
        }
    }
}

/// Which key a scrape refers to.
pub(super) fn key_of(body: &[u8]) -> Read<u64> {
    Fields::new(body).uvarint()
}

/// Reads the samples of a scrape behind the number of its key.
pub(super) fn read_scrape(fields: &mut Fields<'_>, key: &Key, samples: &mut Vec<Sample>) -> Read<()> {
    fields.uvarint()?;
    let at_ms = key.at_ms.wrapping_add(fields.varint()?);
    let flags = fields.u8()?;
    let count = key.ids.len();
    let absent = if flags & HAS_ABSENT == 0 { &[] } else { fields.bytes(count.div_ceil(8))? };
    let changed = if flags & ALL_CHANGED == 0 { Some(fields.bytes(count.div_ceil(8))?) } else { None };
    let is_absent = |place: usize| bit(absent, place);
    let is_changed = |place: usize| changed.is_none_or(|changed| bit(changed, place));
    let changes = (0..count).filter(|&place| !is_absent(place) && is_changed(place)).count();
    let mut values = ValueReader::new(fields, changes)?;
    for place in (0..count).filter(|&place| !is_absent(place)) {
        let before = key.values[place];
        let bits = if is_changed(place) { values.read_difference(fields, before)? } else { before };
        samples.push(key.sample(place, at_ms, bits));
    }
    if fields.is_empty() { Ok(()) } else { Err(Malformed) }
}

fn bit(bits: &[u8], place: usize) -> bool {
    bits.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
}

fn set_bit(bits: &mut [u8], place: usize) {
    bits[place / 8] |= 1 << (place % 8);
}

/// What a run of samples is to be written as.
pub(super) enum Written<'a> {
    /// A key.
    Key(&'a [u8]),
    /// A scrape.
    Scrape(&'a [u8]),
    /// A key once more.
    Copy(&'a [u8]),
}

/// A key in use, and what scrapes that refer to it cost.
#[derive(Debug, Default)]
struct Group {
    key: Key,
    /// Bytes of the key's record.
    key_bytes: usize,
    /// Bytes of the first scrape, 0 before it.
    first_bytes: usize,
    /// Bytes that later scrapes took beyond the first.
    excess_bytes: usize,
}

/// Finds scrapes among samples and writes them.
#[derive(Debug)]
pub(super) struct ScrapeWriter {
    /// By the first series.
    groups: HashMap<u64, Group>,
    next_key: u64,
    values: ValueWriter,
    body: Vec<u8>,
    absent: Vec<u8>,
    changed: Vec<u8>,
}

impl ScrapeWriter {
    /// Keys are numbered from `first_key` on.
    pub(super) fn new(first_key: u64) -> ScrapeWriter {
        ScrapeWriter {
            groups: HashMap::new(),
            next_key: first_key,
            values: ValueWriter::default(),
            body: Vec::new(),
            absent: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Refers to no key any more: those written before will not be there.
    pub(super) fn forget_keys(&mut self) {
        self.groups.clear();
    }

    /// The keys in use.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.groups.values().map(|group| &group.key)
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
            next = match self.groups.remove(&sample.series.number()) {
                Some(group) => self.put_group(group, samples, next, loose, write, retired),
                None => self.put_key(samples, next, 0, loose, write),
            };
        }
    }

    /// Writes a scrape of the group from sample number `from` on, or a key in its place; returns where it ends.
    fn put_group(
        &mut self,
        mut group: Group,
        samples: &[Sample],
        from: usize,
        loose: &mut Vec<usize>,
        write: &mut dyn FnMut(Written<'_>),
        retired: &mut Vec<Key>,
    ) -> usize {
        let held = loose.len();
        let to = self.match_scrape(&group.key, samples, from, loose);
        let is_poor = (loose.len() - held) * 8 > to - from;
        if is_poor || group.excess_bytes > 2 * group.key_bytes {
            loose.truncate(held);
            let replaced = group.key.number;
            retired.push(std::mem::take(&mut group.key));
            return self.put_key(samples, from, replaced, loose, write);
        }
        self.finish_scrape(&group.key, samples[from].at_ms);
        write(Written::Scrape(&self.body));
        let bytes = self.body.len();
        if group.first_bytes == 0 {
            group.first_bytes = bytes;
            self.body.clear();
            group.key.put(&mut self.body, 0, &mut self.values);
            write(Written::Copy(&self.body));
        }
        group.excess_bytes += bytes.saturating_sub(group.first_bytes);
        self.groups.insert(group.key.ids[0], group);
        to
    }

    /// Finds the series of a key among the samples from number `from` on: fills the bitmaps and the values; returns
    /// where the scrape ends.
    fn match_scrape(&mut self, key: &Key, samples: &[Sample], from: usize, loose: &mut Vec<usize>) -> usize {
        let bytes = key.ids.len().div_ceil(8);
        for bits in [&mut self.absent, &mut self.changed] {
            bits.clear();
            bits.resize(bytes, 0);
        }
        self.values.clear();
        let at_ms = samples[from].at_ms;
        let (mut place, mut next) = (0, from);
        while let (Some(&id), Some(sample)) = (key.ids.get(place), samples.get(next)) {
            let bits = match sample.value {
                SampleValue::Float(value) if sample.at_ms == at_ms => value.to_bits(),
                _ => {
                    loose.push(next);
                    next += 1;
                    continue;
                }
            };
            let number = sample.series.number();
            if number != id {
                let ahead = key.ids[place..].iter().take(LOOKAHEAD).position(|&id| id == number);
                match ahead {
                    Some(ahead) => {
                        (place..place + ahead).for_each(|place| set_bit(&mut self.absent, place));
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
            if sample.start_ms != key.start_ms(place) {
                set_bit(&mut self.absent, place);
                loose.push(next);
            } else if bits != key.values[place] {
                set_bit(&mut self.changed, place);
                self.values.put_difference(key.values[place], bits);
            }
            place += 1;
            next += 1;
        }
        (place..key.ids.len()).for_each(|place| set_bit(&mut self.absent, place));
        next
    }

    /// Makes the body of the scrape that was matched.
    fn finish_scrape(&mut self, key: &Key, at_ms: Timestamp) {
        self.body.clear();
        put_uvarint(&mut self.body, key.number);
        put_varint(&mut self.body, at_ms.wrapping_sub(key.at_ms));
        let has_absent = self.absent.iter().any(|&byte| byte != 0);
        let changes: u32 = self.changed.iter().map(|byte| byte.count_ones()).sum();
        let all_changed = changes as usize == key.ids.len();
        self.body.push(if has_absent { HAS_ABSENT } else { 0 } | if all_changed { ALL_CHANGED } else { 0 });
        if has_absent {
            self.body.extend_from_slice(&self.absent);
        }
        if !all_changed {
            self.body.extend_from_slice(&self.changed);
        }
        self.values.finish(&mut self.body);
    }

    /// Writes a key of the samples from number `from` on; returns where it ends.
    fn put_key(
        &mut self,
        samples: &[Sample],
        from: usize,
        replaced: u64,
        loose: &mut Vec<usize>,
        write: &mut dyn FnMut(Written<'_>),
    ) -> usize {
        let at_ms = samples[from].at_ms;
        let mut key = Key { number: self.next_key, at_ms, ..Key::default() };
        self.next_key += 1;
        let mut next = from;
        while let Some(sample) = samples.get(next) {
            let number = sample.series.number();
            if key.ids.len() == SERIES_MAX || (next > from && self.groups.contains_key(&number)) {
                break;
            }
            match sample.value {
                SampleValue::Float(value) if sample.at_ms == at_ms && key.ids.first() != Some(&number) => {
                    key.push(sample, value.to_bits());
                }
                _ => loose.push(next),
            }
            next += 1;
        }
        self.body.clear();
        key.put(&mut self.body, replaced, &mut self.values);
        write(Written::Key(&self.body));
        let key_bytes = self.body.len();
        self.groups.insert(key.ids[0], Group { key, key_bytes, ..Group::default() });
        next
    }
}
