//! The message `Histogram`: counts as deltas of integers or as floats.

use narthex_model::histogram::{BucketSpan, CounterResetHint};
use narthex_model::{FloatHistogram, Timestamp};

use crate::wire::{DecodeError, Field, Fields, zigzag};

/// Counts that are not yet absolute.
#[derive(Default)]
struct Parts {
    histogram: FloatHistogram,
    at_ms: Timestamp,
    negative_deltas: Vec<i64>,
    positive_deltas: Vec<i64>,
}

/// Reads a histogram and its time. Whether it makes sense is for the store to say.
pub(super) fn read(message: &[u8]) -> Result<(Timestamp, FloatHistogram), DecodeError> {
    let mut parts = Parts::default();
    for field in Fields::new(message) {
        parts.take(field?)?;
    }
    let Parts { mut histogram, at_ms, negative_deltas, positive_deltas } = parts;
    // A message has the one or the other.
    histogram.negative_buckets.extend(absolute(&negative_deltas));
    histogram.positive_buckets.extend(absolute(&positive_deltas));
    Ok((at_ms, histogram))
}

impl Parts {
    fn take(&mut self, field: Field<'_>) -> Result<(), DecodeError> {
        let histogram = &mut self.histogram;
        match field.number {
            1 => histogram.count = field.varint()? as f64,
            2 => histogram.count = field.double()?,
            3 => histogram.sum = field.double()?,
            4 => histogram.schema = zigzag(field.varint()?) as i32,
            5 => histogram.zero_threshold = field.double()?,
            6 => histogram.zero_count = field.varint()? as f64,
            7 => histogram.zero_count = field.double()?,
            8 => histogram.negative_spans.push(span(field)?),
            9 => field.varints(zigzag, &mut self.negative_deltas)?,
            10 => field.doubles(&mut histogram.negative_buckets)?,
            11 => histogram.positive_spans.push(span(field)?),
            12 => field.varints(zigzag, &mut self.positive_deltas)?,
            13 => field.doubles(&mut histogram.positive_buckets)?,
            14 => histogram.counter_reset_hint = reset_hint(field.varint()?),
            15 => self.at_ms = field.varint()? as i64,
            16 => field.doubles(&mut histogram.custom_values)?,
            _ => {}
        }
        Ok(())
    }
}

/// Each count is the one before plus a delta.
fn absolute(deltas: &[i64]) -> impl Iterator<Item = f64> {
    deltas.iter().scan(0i64, |count, delta| {
        *count = count.wrapping_add(*delta);
        Some(*count as f64)
    })
}

fn span(field: Field<'_>) -> Result<BucketSpan, DecodeError> {
    let mut span = BucketSpan::default();
    for field in Fields::new(field.bytes()?) {
        let field = field?;
        match field.number {
            1 => span.offset = zigzag(field.varint()?) as i32,
            2 => span.length = field.varint()? as u32,
            _ => {}
        }
    }
    Ok(span)
}

fn reset_hint(number: u64) -> CounterResetHint {
    match number {
        1 => CounterResetHint::Reset,
        2 => CounterResetHint::NotReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_become_counts() {
        // count 7, sum 1.5, schema 1, zero threshold 0.25, zero count 1, spans {-1, 2} {3, 1}, deltas 2 1 -2, hint 3,
        // time 9.
        let mut message =
            b"\x08\x07\x19\0\0\0\0\0\0\xf8\x3f\x20\x02\x29\0\0\0\0\0\0\xd0\x3f\x30\x01".to_vec();
        message
            .extend(b"\x5a\x04\x08\x01\x10\x02\x5a\x04\x08\x06\x10\x01\x62\x03\x04\x02\x03\x70\x03\x78\x09");
        let (at_ms, histogram) = read(&message).unwrap();
        let expected = FloatHistogram {
            counter_reset_hint: CounterResetHint::Gauge,
            schema: 1,
            zero_threshold: 0.25,
            zero_count: 1.0,
            count: 7.0,
            sum: 1.5,
            positive_spans: vec![BucketSpan { offset: -1, length: 2 }, BucketSpan { offset: 3, length: 1 }],
            positive_buckets: vec![2.0, 3.0, 1.0],
            ..FloatHistogram::default()
        };
        assert_eq!((at_ms, histogram), (9, expected));
    }
}
