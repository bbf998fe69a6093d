//! Native histograms as records have them.

use narthex_model::histogram::CUSTOM_BUCKETS_SCHEMA;
use narthex_model::{BucketSpan, CounterResetHint, FloatHistogram};

use super::fields::{CorruptRecord, Fields};

/// Fewest bytes of a histogram with whole counts: hint, schema, zero threshold, two counts, sum, four lists.
pub(super) const BYTES_MIN: usize = 24;

/// How the counts of a histogram are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counts {
    /// As integers, a bucket as its difference to the one before it.
    Whole,
    /// As floats.
    Float,
}

impl Counts {
    fn total(self, fields: &mut Fields<'_>) -> Result<f64, CorruptRecord> {
        match self {
            Counts::Whole => fields.uvarint().map(|count| count as f64),
            Counts::Float => fields.f64(),
        }
    }

    fn buckets(self, fields: &mut Fields<'_>) -> Result<Vec<f64>, CorruptRecord> {
        match self {
            Counts::Whole => {
                let mut count = 0i64;
                let sum = |fields: &mut Fields<'_>| {
                    count = count.wrapping_add(fields.varint()?);
                    Ok(count as f64)
                };
                list(fields, 1, sum)
            }
            Counts::Float => list(fields, 8, Fields::f64),
        }
    }
}

/// Reads a histogram. Whether its parts fit together is not looked at.
pub(super) fn read(fields: &mut Fields<'_>, counts: Counts) -> Result<FloatHistogram, CorruptRecord> {
    let counter_reset_hint = hint(fields.u8()?)?;
    let schema = i32::try_from(fields.varint()?).map_err(|_| CorruptRecord::Value)?;
    let zero_threshold = fields.f64()?;
    let zero_count = counts.total(fields)?;
    let count = counts.total(fields)?;
    let sum = fields.f64()?;
    let positive_spans = list(fields, 2, span)?;
    let negative_spans = list(fields, 2, span)?;
    let positive_buckets = counts.buckets(fields)?;
    let negative_buckets = counts.buckets(fields)?;
    let has_bounds = schema == CUSTOM_BUCKETS_SCHEMA;
    let custom_values = if has_bounds { list(fields, 8, Fields::f64)? } else { Vec::new() };
    Ok(FloatHistogram {
        counter_reset_hint,
        schema,
        zero_threshold,
        zero_count,
        count,
        sum,
        positive_spans,
        negative_spans,
        positive_buckets,
        negative_buckets,
        custom_values,
    })
}

fn hint(number: u8) -> Result<CounterResetHint, CorruptRecord> {
    match number {
        0 => Ok(CounterResetHint::Unknown),
        1 => Ok(CounterResetHint::Reset),
        2 => Ok(CounterResetHint::NotReset),
        3 => Ok(CounterResetHint::Gauge),
        _ => Err(CorruptRecord::Value),
    }
}

fn span(fields: &mut Fields<'_>) -> Result<BucketSpan, CorruptRecord> {
    let offset = i32::try_from(fields.varint()?).map_err(|_| CorruptRecord::Value)?;
    let length = u32::try_from(fields.uvarint()?).map_err(|_| CorruptRecord::Value)?;
    Ok(BucketSpan { offset, length })
}

/// A counted list of elements of `bytes_min` or more each.
fn list<'a, T>(
    fields: &mut Fields<'a>,
    bytes_min: usize,
    mut element: impl FnMut(&mut Fields<'a>) -> Result<T, CorruptRecord>,
) -> Result<Vec<T>, CorruptRecord> {
    let count = fields.count(bytes_min)?;
    (0..count).map(|_| element(fields)).collect()
}
