//! Any bytes behind the number of an encoding: an error, or samples that fit into what the bytes can hold.

use narthex_storage::{HistogramColumn, SampleBuffer};
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::xor::XorEncoder;

/// What the histograms of one chunk may take, with room for what vectors reserve.
const HISTOGRAM_BYTES_MAX: usize = 160 << 20;

/// See the module.
pub fn target(data: &[u8]) {
    let Some((&number, chunk)) = data.split_first() else { return };
    let Some(encoding) = Encoding::from_number(1 + number.wrapping_sub(1) % 6) else { return };
    let mut samples = SampleBuffer::new();
    let decoded = encoding.decode_into(chunk, &mut samples);
    // A sample takes two bits or more, but for the first.
    assert!(samples.floats.timestamps.capacity() <= 16 + chunk.len() * 8);
    assert!(histogram_bytes(&samples.histograms) <= HISTOGRAM_BYTES_MAX);
    if decoded.is_ok() {
        check_count(chunk, encoding, &samples);
        if encoding == Encoding::Xor {
            check_encoded_again(&samples);
        }
    }
}

fn histogram_bytes(column: &HistogramColumn) -> usize {
    let bytes = column.values.iter().map(|value| {
        let floats = value.positive_buckets.capacity() + value.negative_buckets.capacity();
        size_of_val(&**value) + (floats + value.custom_values.len()) * 8
    });
    bytes.sum()
}

fn check_count(chunk: &[u8], encoding: Encoding, samples: &SampleBuffer) {
    let has_start = matches!(encoding, Encoding::HistogramWithStart | Encoding::FloatHistogramWithStart);
    let mask = if has_start { 0x3fff } else { 0xffff };
    let stored = chunk.first_chunk().map_or(0, |count| u16::from_be_bytes(*count) & mask);
    assert_eq!(samples.len(), usize::from(stored));
}

/// Hostile bits may say something in more bits than needed, but never what cannot be said again.
fn check_encoded_again(samples: &SampleBuffer) {
    let mut encoder = XorEncoder::new();
    let column = &samples.floats;
    let pairs = column.timestamps.iter().zip(&column.values);
    assert!(pairs.clone().all(|(&at_ms, &value)| encoder.push(at_ms, value)));
    let mut again = SampleBuffer::new();
    assert_eq!(Encoding::Xor.decode_into(encoder.bytes(), &mut again), Ok(()));
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(again.floats.timestamps, column.timestamps);
    assert_eq!(bits(&again.floats.values), bits(&column.values));
}
