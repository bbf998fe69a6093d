//! Floats of many series at one instant: what a scrape yields, over and over.
//!
//! A *key* lists series and says what is expected of each from its time on; a *scrape* refers to a key and tells which
//! series are there and how they stray from that. A lost scrape costs nothing but itself. A key is written twice, the
//! second time behind the first scrape that refers to it, so that a lost one costs nothing.

use narthex_model::sample::STALE_NAN_BITS;
use narthex_model::{SampleValue, Timestamp};

use super::batch::{Sample, SeriesId};
use super::bits::{PackedReader, PackedWriter};
use super::fields::{Fields, Malformed, Read};
use super::model::{Model, is_stale, width};
use crate::integers::{folded, push_uvarint, push_varint, unfolded};

/// Some series are absent; runs say which.
const HAS_ABSENT: u8 = 1;
/// Start timestamps follow the ids.
const HAS_STARTS: u8 = 1;

/// Low bits of an exception that are its class; those above are how many series of the key are skipped.
const CLASS_BITS: u32 = 4;
/// The value is stale.
const STALE: u8 = 0;
/// From 1 to this: so many bytes of a folded difference.
const DIFFERENCE_MAX: u8 = 8;
/// From 9 to 15: the highest 2 to 8 bytes of a float.
const BYTES_LESS: u8 = 7;

/// Series, and what is expected of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Key {
    pub(super) number: u64,
    pub(super) at_ms: Timestamp,
    pub(super) ids: Vec<u64>,
    pub(super) models: Vec<Model>,
    /// Empty when no start is known.
    starts_ms: Vec<Timestamp>,
}

impl Key {
    pub(super) fn start_ms(&self, place: usize) -> Timestamp {
        self.starts_ms.get(place).copied().unwrap_or(0)
    }

    pub(super) fn push(&mut self, sample: &Sample, model: Model) {
        if sample.start_ms != 0 && self.starts_ms.is_empty() {
            self.starts_ms.resize(self.ids.len(), 0);
        }
        if sample.start_ms != 0 || !self.starts_ms.is_empty() {
            self.starts_ms.push(sample.start_ms);
        }
        self.ids.push(sample.series.number());
        self.models.push(model);
    }

    /// Appends the body of a record. `replaced` is the key that is not referred to any more, 0 for none.
    pub(super) fn put(&self, out: &mut Vec<u8>, replaced: u64) {
        push_uvarint(out, self.number);
        push_uvarint(out, replaced);
        push_varint(out, self.at_ms);
        push_uvarint(out, self.ids.len() as u64);
        out.push(if self.starts_ms.is_empty() { 0 } else { HAS_STARTS });
        let mut last = 0u64;
        for &id in &self.ids {
            push_varint(out, id.wrapping_sub(last) as i64);
            last = id;
        }
        self.starts_ms.iter().for_each(|&start_ms| push_varint(out, self.at_ms.wrapping_sub(start_ms)));
        out.extend(self.models.iter().map(Model::first_byte));
        out.extend(self.models.iter().map(|model| model.width));
        self.models.iter().for_each(|model| model.put_rest(out));
    }

    /// Reads the body of a record: the key, and the one that is not referred to any more.
    pub(super) fn read(fields: &mut Fields<'_>) -> Read<(Key, u64)> {
        let (number, replaced, at_ms) = (fields.uvarint()?, fields.uvarint()?, fields.varint()?);
        let count = fields.count(4)?;
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
        let (firsts, widths) = (fields.bytes(count)?, fields.bytes(count)?);
        let models = firsts.iter().zip(widths).map(|(&first, &width)| Model::read(fields, first, width));
        let models = models.collect::<Read<Vec<_>>>()?;
        Ok((Key { number, at_ms, ids, models, starts_ms }, replaced))
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

/// Makes the body of a scrape, series by series of its key.
#[derive(Debug, Default)]
pub(super) struct ScrapeBody {
    /// Runs of absent series.
    absent: Vec<u8>,
    /// Places behind the last run, behind the last exception.
    behind: (usize, usize),
    exceptions: Vec<u8>,
    packed: PackedWriter,
}

impl ScrapeBody {
    pub(super) fn clear(&mut self) {
        self.absent.clear();
        self.behind = (0, 0);
        self.exceptions.clear();
        self.packed.clear();
    }

    /// The series from place `from` to place `to` are absent; at least one.
    pub(super) fn put_absent(&mut self, from: usize, to: usize) {
        push_uvarint(&mut self.absent, (from - self.behind.0) as u64);
        push_uvarint(&mut self.absent, (to - from) as u64);
        self.behind.0 = to;
    }

    /// Adds a value whose difference to what is expected is known, if it has one.
    #[inline]
    pub(super) fn put(&mut self, place: usize, value: u64, difference: Option<i64>, packed_width: u8) {
        let Some(difference) = difference else { return self.put_value(place, value) };
        let folded = folded(difference);
        let width = width(folded);
        if width <= packed_width {
            return self.packed.put(folded, packed_width);
        }
        let bytes = width.div_ceil(8);
        self.put_exception(place, bytes);
        self.exceptions.extend_from_slice(&folded.to_le_bytes()[..usize::from(bytes)]);
    }

    fn put_value(&mut self, place: usize, value: u64) {
        if is_stale(value) {
            return self.put_exception(place, STALE);
        }
        let bytes = (8 - value.trailing_zeros() as u8 / 8).clamp(2, 8);
        self.put_exception(place, bytes + BYTES_LESS);
        self.exceptions.extend_from_slice(&value.to_be_bytes()[..usize::from(bytes)]);
    }

    fn put_exception(&mut self, place: usize, class: u8) {
        let skipped = (place - self.behind.1) as u64;
        self.behind.1 = place + 1;
        push_uvarint(&mut self.exceptions, skipped << CLASS_BITS | u64::from(class));
    }

    /// Appends the body.
    pub(super) fn finish(&self, key: &Key, at_ms: Timestamp, out: &mut Vec<u8>) {
        push_uvarint(out, key.number);
        push_varint(out, at_ms.wrapping_sub(key.at_ms));
        out.push(if self.absent.is_empty() { 0 } else { HAS_ABSENT });
        if !self.absent.is_empty() {
            push_uvarint(out, self.absent.len() as u64);
            out.extend_from_slice(&self.absent);
        }
        push_uvarint(out, self.exceptions.len() as u64);
        out.extend_from_slice(&self.exceptions);
        self.packed.finish(out);
    }
}

/// Which key a scrape refers to.
pub(super) fn key_of(body: &[u8]) -> Read<u64> {
    Fields::new(body).uvarint()
}

/// Reads the samples of a scrape behind the number of its key.
pub(super) fn read_scrape(fields: &mut Fields<'_>, key: &Key, samples: &mut Vec<Sample>) -> Read<()> {
    fields.uvarint()?;
    let elapsed_ms = fields.varint()?;
    let at_ms = key.at_ms.wrapping_add(elapsed_ms);
    let mut absent = if fields.u8()? & HAS_ABSENT == 0 { Fields::new(&[]) } else { fields.section()? };
    let mut exceptions = Exceptions::new(fields.section()?)?;
    let mut packed = PackedReader::new(fields.rest());
    let mut place = 0;
    samples.reserve(key.ids.len());
    while place < key.ids.len() {
        let to = if absent.is_empty() { key.ids.len() } else { place_behind(place, absent.uvarint()?, key)? };
        for (place, model) in (place..).zip(&key.models[place..to]) {
            let bits = if place == exceptions.next {
                exceptions.take(model, elapsed_ms)?
            } else {
                model.value(unfolded(packed.read(model.width)), elapsed_ms)
            };
            samples.push(key.sample(place, at_ms, bits));
        }
        place = if to == key.ids.len() { to } else { place_behind(to, absent.uvarint()?, key)? };
    }
    packed.finish()?;
    if absent.is_empty() && exceptions.next == usize::MAX { Ok(()) } else { Err(Malformed) }
}

/// The place `count` behind another one.
fn place_behind(place: usize, count: u64, key: &Key) -> Read<usize> {
    let behind = usize::try_from(count).ok().and_then(|count| place.checked_add(count));
    behind.filter(|&behind| behind <= key.ids.len()).ok_or(Malformed)
}

/// Values of a scrape that do not fit into the bits expected.
struct Exceptions<'a> {
    fields: Fields<'a>,
    /// Place of the next one; none has the largest number.
    next: usize,
    class: u8,
}

impl<'a> Exceptions<'a> {
    fn new(fields: Fields<'a>) -> Read<Exceptions<'a>> {
        let mut exceptions = Exceptions { fields, next: 0, class: 0 };
        exceptions.advance(0)?;
        Ok(exceptions)
    }

    /// Goes on to the next one from a place.
    fn advance(&mut self, from: usize) -> Read<()> {
        self.next = usize::MAX;
        if !self.fields.is_empty() {
            let number = self.fields.uvarint()?;
            self.class = number as u8 & ((1 << CLASS_BITS) - 1);
            self.next = usize::try_from(number >> CLASS_BITS).map_err(|_| Malformed)?.saturating_add(from);
        }
        Ok(())
    }

    fn take(&mut self, model: &Model, elapsed_ms: i64) -> Read<u64> {
        let mut bytes = [0; 8];
        let value = match self.class {
            STALE => STALE_NAN_BITS,
            count @ 1..=DIFFERENCE_MAX => {
                let count = usize::from(count);
                bytes[..count].copy_from_slice(self.fields.bytes(count)?);
                model.value(unfolded(u64::from_le_bytes(bytes)), elapsed_ms)
            }
            class => {
                let count = usize::from(class - BYTES_LESS);
                bytes[..count].copy_from_slice(self.fields.bytes(count)?);
                u64::from_be_bytes(bytes)
            }
        };
        self.advance(self.next + 1)?;
        Ok(value)
    }
}
