//! The fields of a record: integers, texts, floats, one behind the other.

use narthex_model::Labels;
use narthex_model::histogram::{BucketSpan, CounterResetHint, FloatHistogram};

use crate::integers::{push_text, push_uvarint, push_varint, read_uvarint, unfolded};

/// Why bytes are no record, which a checksum that fits does not exclude: another version may have written them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// What reading a field yields.
pub(super) type Read<T> = Result<T, Malformed>;

pub(super) fn put_float(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Texts of one record: each is written once, later ones refer to it.
#[derive(Debug, Default)]
pub(super) struct Symbols(std::collections::HashMap<Box<str>, u64>);

impl Symbols {
    /// Appends a text: 0 and itself the first time, its number from 1 later.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, text: &str) {
        if let Some(number) = self.0.get(text) {
            return push_uvarint(out, *number);
        }
        push_uvarint(out, 0);
        push_text(out, text);
        self.0.insert(text.into(), self.0.len() as u64 + 1);
    }

    pub(super) fn put_labels(&mut self, out: &mut Vec<u8>, labels: &Labels) {
        push_uvarint(out, labels.len() as u64);
        for (name, value) in labels {
            self.put(out, name);
            self.put(out, value);
        }
    }
}

/// Reads fields.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// Texts so far.
    symbols: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Fields<'a> {
        Fields { rest, symbols: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        Ok(self.bytes(1)?[0])
    }

    #[inline]
    pub(super) fn uvarint(&mut self) -> Read<u64> {
        let (value, length) = read_uvarint(self.rest).map_err(|_| Malformed)?;
        self.rest = &self.rest[length..];
        Ok(value)
    }

    pub(super) fn varint(&mut self) -> Read<i64> {
        self.uvarint().map(unfolded)
    }

    pub(super) fn float(&mut self) -> Read<f64> {
        let bytes = self.bytes(8)?.first_chunk().ok_or(Malformed)?;
        Ok(f64::from_bits(u64::from_le_bytes(*bytes)))
    }

    /// A number of things that take at least `bytes` bytes each.
    pub(super) fn count(&mut self, bytes: usize) -> Read<usize> {
        let count = usize::try_from(self.uvarint()?).map_err(|_| Malformed)?;
        if count.checked_mul(bytes).is_some_and(|bytes| bytes <= self.rest.len()) {
            Ok(count)
        } else {
            Err(Malformed)
        }
    }

    /// Fields behind the number of their bytes.
    pub(super) fn section(&mut self) -> Read<Fields<'a>> {
        let length = self.count(1)?;
        Ok(Fields::new(self.bytes(length)?))
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn text(&mut self) -> Read<&'a str> {
        let length = self.count(1)?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Malformed)
    }

    pub(super) fn symbol(&mut self) -> Read<&'a str> {
        match self.uvarint()? {
            0 => {
                let text = self.text()?;
                self.symbols.push(text);
                Ok(text)
            }
            number => {
                let place = usize::try_from(number - 1).map_err(|_| Malformed)?;
                self.symbols.get(place).copied().ok_or(Malformed)
            }
        }
    }

    pub(super) fn labels(&mut self) -> Read<Labels> {
        let count = self.count(2)?;
        let pairs = (0..count).map(|_| Ok((self.symbol()?, self.symbol()?)));
        Ok(Labels::from_pairs(pairs.collect::<Read<Vec<_>>>()?))
    }
}

/// Hint numbers in the log.
const HINTS: [CounterResetHint; 4] =
    [CounterResetHint::Unknown, CounterResetHint::Reset, CounterResetHint::NotReset, CounterResetHint::Gauge];
/// Largest whole number that all floats below it are.
const WHOLE_MAX: f64 = (1u64 << 53) as f64;

/// Appends a histogram: hint and whether all counts are whole, grid, sum, counts.
pub(super) fn put_histogram(out: &mut Vec<u8>, value: &FloatHistogram) {
    let buckets = value.positive_buckets.iter().chain(&value.negative_buckets);
    let mut counts = buckets.chain([&value.count, &value.zero_count]);
    let is_whole =
        counts.all(|count| (0.0..WHOLE_MAX).contains(count) && count.trunc().to_bits() == count.to_bits());
    let hint = HINTS.iter().position(|hint| *hint == value.counter_reset_hint).unwrap_or(0) as u8;
    out.push(hint | u8::from(is_whole) << 2);
    push_varint(out, i64::from(value.schema));
    put_float(out, value.zero_threshold);
    put_float(out, value.sum);
    for spans in [&value.positive_spans, &value.negative_spans] {
        push_uvarint(out, spans.len() as u64);
        for span in spans {
            push_varint(out, i64::from(span.offset));
            push_uvarint(out, u64::from(span.length));
        }
    }
    push_uvarint(out, value.custom_values.len() as u64);
    value.custom_values.iter().for_each(|&bound| put_float(out, bound));
    let put_count = |out: &mut Vec<u8>, count: f64| {
        if is_whole { push_uvarint(out, count as u64) } else { put_float(out, count) }
    };
    put_count(out, value.count);
    put_count(out, value.zero_count);
    for buckets in [&value.positive_buckets, &value.negative_buckets] {
        push_uvarint(out, buckets.len() as u64);
        buckets.iter().for_each(|&count| put_count(out, count));
    }
}

impl Fields<'_> {
    pub(super) fn histogram(&mut self) -> Read<FloatHistogram> {
        let flags = self.u8()?;
        let is_whole = flags & 4 != 0;
        let mut value = FloatHistogram {
            counter_reset_hint: HINTS[usize::from(flags & 3)],
            schema: i32::try_from(self.varint()?).map_err(|_| Malformed)?,
            zero_threshold: self.float()?,
            sum: self.float()?,
            positive_spans: self.spans()?,
            negative_spans: self.spans()?,
            ..FloatHistogram::default()
        };
        let bounds = self.count(8)?;
        value.custom_values = (0..bounds).map(|_| self.float()).collect::<Read<_>>()?;
        value.count = self.bucket(is_whole)?;
        value.zero_count = self.bucket(is_whole)?;
        value.positive_buckets = self.buckets(is_whole)?;
        value.negative_buckets = self.buckets(is_whole)?;
        Ok(value)
    }

    fn spans(&mut self) -> Read<Vec<BucketSpan>> {
        let span = |fields: &mut Self| {
            let offset = i32::try_from(fields.varint()?).map_err(|_| Malformed)?;
            let length = u32::try_from(fields.uvarint()?).map_err(|_| Malformed)?;
            Ok(BucketSpan { offset, length })
        };
        let count = self.count(2)?;
        (0..count).map(|_| span(self)).collect()
    }

    fn bucket(&mut self, is_whole: bool) -> Read<f64> {
        if is_whole { self.uvarint().map(|count| count as f64) } else { self.float() }
    }

    fn buckets(&mut self, is_whole: bool) -> Read<Vec<f64>> {
        let count = self.count(if is_whole { 1 } else { 8 })?;
        (0..count).map(|_| self.bucket(is_whole)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_are_read_as_written(unsigned: u64, signed: i64, text in ".{0,9}") {
            let mut out = Vec::new();
            let mut symbols = Symbols::default();
            push_uvarint(&mut out, unsigned);
            push_varint(&mut out, signed);
            (0..2).for_each(|_| symbols.put(&mut out, &text));
            let mut fields = Fields::new(&out);
            prop_assert_eq!((fields.uvarint(), fields.varint()), (Ok(unsigned), Ok(signed)));
            prop_assert_eq!((fields.symbol(), fields.symbol()), (Ok(&*text), Ok(&*text)));
            prop_assert!(fields.is_empty());
        }

        #[test]
        fn histograms_are_read_as_written(
            counts in prop::collection::vec(prop_oneof![0..9u32, 1000..9000u32], 0..6),
            fraction in prop_oneof![Just(0.0), Just(0.5)],
            hint in 0..4usize,
            bounds in prop::collection::vec(any::<i16>().prop_map(f64::from), 0..3),
        ) {
            let buckets: Vec<f64> = counts.iter().map(|&count| f64::from(count) + fraction).collect();
            let value = FloatHistogram {
                counter_reset_hint: HINTS[hint],
                schema: -53,
                sum: -1.5,
                count: buckets.iter().sum(),
                positive_spans: vec![BucketSpan { offset: -3, length: buckets.len() as u32 }],
                positive_buckets: buckets,
                custom_values: bounds,
                ..FloatHistogram::default()
            };
            let mut out = Vec::new();
            put_histogram(&mut out, &value);
            prop_assert_eq!(Fields::new(&out).histogram(), Ok(value));
            let mut cut = Fields::new(&out[..out.len() - 1]);
            prop_assert_eq!(cut.histogram(), Err(Malformed));
        }
    }
}
