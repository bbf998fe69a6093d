//! What all histograms of a chunk have in common: schema, zero threshold, buckets.

use narthex_model::histogram::spans::{bucket_count, same_layout};
use narthex_model::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMA_MIN, FloatHistogram};

use super::bitstream::{BitReader, BitWriter};
use super::{CorruptChunk, STORED_SCHEMA_MAX, varbit};

/// Largest custom bound, in thousandths, that is stored as a whole number of them.
const SHORT_BOUND_MAX: f64 = 33_554_430.0;
/// Byte that says that all bits of the zero threshold follow.
const WHOLE_THRESHOLD: u64 = 255;

/// The layout of a chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) zero_threshold: f64,
    pub(super) schema: i32,
    pub(super) positive: Vec<BucketSpan>,
    pub(super) negative: Vec<BucketSpan>,
    pub(super) custom_values: Vec<f64>,
}

impl Layout {
    pub(super) fn of(histogram: &FloatHistogram) -> Layout {
        Layout {
            zero_threshold: histogram.zero_threshold,
            schema: histogram.schema,
            positive: histogram.positive_spans.clone(),
            negative: histogram.negative_spans.clone(),
            custom_values: histogram.custom_values.clone(),
        }
    }

    /// Whether a histogram differs in nothing but which buckets it lists.
    pub(super) fn has_grid_of(&self, histogram: &FloatHistogram) -> bool {
        self.schema == histogram.schema
            && self.zero_threshold.to_bits() == histogram.zero_threshold.to_bits()
            && self.custom_values == histogram.custom_values
    }

    pub(super) fn has_buckets_of(&self, other: &Layout) -> bool {
        same_layout(&self.positive, &other.positive) && same_layout(&self.negative, &other.negative)
    }

    pub(super) fn bucket_counts(&self) -> (usize, usize) {
        (bucket_count(&self.positive), bucket_count(&self.negative))
    }

    /// A histogram of this layout without observations or buckets' counts.
    pub(super) fn to_histogram(&self) -> FloatHistogram {
        FloatHistogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            positive_spans: self.positive.clone(),
            negative_spans: self.negative.clone(),
            custom_values: self.custom_values.clone(),
            ..FloatHistogram::default()
        }
    }

    pub(super) fn write(&self, writer: &mut BitWriter) {
        write_zero_threshold(writer, self.zero_threshold);
        varbit::write_int(writer, i64::from(self.schema));
        write_spans(writer, &self.positive);
        write_spans(writer, &self.negative);
        if self.schema == CUSTOM_BUCKETS_SCHEMA {
            varbit::write_uint(writer, self.custom_values.len() as u64);
            self.custom_values.iter().for_each(|&bound| write_bound(writer, bound));
        }
    }

    pub(super) fn read(reader: &mut BitReader<'_>) -> Result<Layout, CorruptChunk> {
        let zero_threshold = read_zero_threshold(reader);
        let schema = read_schema(reader)?;
        let positive = read_spans(reader)?;
        let negative = read_spans(reader)?;
        let custom_values = if schema == CUSTOM_BUCKETS_SCHEMA { read_bounds(reader)? } else { Vec::new() };
        let layout = Layout { zero_threshold, schema, positive, negative, custom_values };
        let (positive, negative) = layout.bucket_counts();
        // Every bucket of the first sample takes a bit or more.
        if positive.saturating_add(negative) > reader.remaining() {
            Err(CorruptChunk::Truncated)
        } else {
            Ok(layout)
        }
    }
}

fn read_schema(reader: &mut BitReader<'_>) -> Result<i32, CorruptChunk> {
    let is_known = |schema: &i32| {
        *schema == CUSTOM_BUCKETS_SCHEMA || (EXPONENTIAL_SCHEMA_MIN..=STORED_SCHEMA_MAX).contains(schema)
    };
    i32::try_from(varbit::read_int(reader)).ok().filter(is_known).ok_or(CorruptChunk::Schema)
}

/// Powers of two from 2⁻²⁴³ to 2¹⁰ take one byte.
fn write_zero_threshold(writer: &mut BitWriter, threshold: f64) {
    let bits = threshold.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    if bits == 0 {
        writer.write(0, 8);
    } else if bits << 12 == 0 && (-243..=10).contains(&exponent) {
        writer.write((exponent + 244) as u64, 8);
    } else {
        writer.write(WHOLE_THRESHOLD, 8);
        writer.write(bits, 64);
    }
}

fn read_zero_threshold(reader: &mut BitReader<'_>) -> f64 {
    match reader.read(8) {
        0 => 0.0,
        WHOLE_THRESHOLD => f64::from_bits(reader.read(64)),
        byte => f64::from_bits((byte + 1023 - 244) << 52),
    }
}

fn write_spans(writer: &mut BitWriter, spans: &[BucketSpan]) {
    varbit::write_uint(writer, spans.len() as u64);
    for span in spans {
        varbit::write_uint(writer, u64::from(span.length));
        varbit::write_int(writer, i64::from(span.offset));
    }
}

/// Reads spans; those without buckets become part of the gap before the next one, so that spans cannot outnumber
/// buckets.
fn read_spans(reader: &mut BitReader<'_>) -> Result<Vec<BucketSpan>, CorruptChunk> {
    let mut spans: Vec<BucketSpan> = Vec::new();
    let (mut gap, mut end) = (0i64, 0i64);
    for number in 0..varbit::read_uint(reader) {
        let length = u32::try_from(varbit::read_uint(reader)).map_err(|_| CorruptChunk::Spans)?;
        let offset = i32::try_from(varbit::read_int(reader)).map_err(|_| CorruptChunk::Spans)?;
        reader.check()?;
        gap += i64::from(offset);
        end += i64::from(offset) + i64::from(length);
        let is_in_range = i32::try_from(end).is_ok() && (number == 0 || offset >= 0);
        let offset = i32::try_from(gap).ok().filter(|_| is_in_range).ok_or(CorruptChunk::Spans)?;
        if length > 0 {
            spans.push(BucketSpan { offset, length });
            gap = 0;
        }
    }
    Ok(spans)
}

/// Bounds that are whole thousandths and not too large take few bits.
fn write_bound(writer: &mut BitWriter, bound: f64) {
    let thousandths = (bound * 1000.0).round();
    if (0.0..=SHORT_BOUND_MAX).contains(&(bound * 1000.0)) && thousandths / 1000.0 == bound {
        varbit::write_uint(writer, thousandths as u64 + 1);
    } else {
        writer.write(0, 1);
        writer.write(bound.to_bits(), 64);
    }
}

fn read_bounds(reader: &mut BitReader<'_>) -> Result<Vec<f64>, CorruptChunk> {
    let mut bounds = Vec::new();
    for _ in 0..varbit::read_uint(reader) {
        bounds.push(match varbit::read_uint(reader) {
            0 => f64::from_bits(reader.read(64)),
            stored => (stored - 1) as f64 / 1000.0,
        });
        reader.check()?;
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(layout: &Layout) -> Result<Layout, CorruptChunk> {
        let mut writer = BitWriter::default();
        layout.write(&mut writer);
        // Room for the counts of the first sample.
        (0..layout.bucket_counts().0 + layout.bucket_counts().1).for_each(|_| writer.write(0, 1));
        Layout::read(&mut BitReader::new(writer.bytes()))
    }

    #[test]
    fn thresholds_and_bounds_keep_their_bits() {
        for threshold in
            [0.0, -0.0, 0.001, 1.0, 1024.0, 2048.0, -1.0, 2f64.powi(-243), 2f64.powi(-244), f64::INFINITY]
        {
            let layout = Layout { zero_threshold: threshold, ..Layout::default() };
            assert_eq!(round_trip(&layout).unwrap().zero_threshold.to_bits(), threshold.to_bits());
        }
        let custom_values = vec![-1.0, 0.0, 0.5, 1.001, 1.0001, 33_554.43, 33_554.431, 1e300];
        let layout = Layout { schema: CUSTOM_BUCKETS_SCHEMA, custom_values, ..Layout::default() };
        assert_eq!(round_trip(&layout), Ok(layout));
    }

    #[test]
    fn spans_out_of_order_are_refused_and_empty_ones_join_the_gap() {
        let spans = |list: &[(i32, u32)]| {
            list.iter().map(|&(offset, length)| BucketSpan { offset, length }).collect()
        };
        let layout = |list: &[(i32, u32)]| Layout { positive: spans(list), ..Layout::default() };
        assert_eq!(round_trip(&layout(&[(2, 1), (-1, 1)])), Err(CorruptChunk::Spans));
        assert_eq!(round_trip(&layout(&[(i32::MAX, 1)])), Err(CorruptChunk::Spans));
        assert_eq!(round_trip(&layout(&[(2, 1), (1, 0), (3, 1)])), Ok(layout(&[(2, 1), (4, 1)])));
        assert_eq!(round_trip(&Layout { schema: 53, ..Layout::default() }), Err(CorruptChunk::Schema));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(layout) = Layout::read(&mut BitReader::new(&bytes)) {
                prop_assert!(layout.bucket_counts().0 <= bytes.len() * 8);
            }
        }
    }
}
