//! Samples as remote-write requests: protocol buffers in a Snappy block of literals.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/> and its `types.proto`;
//! <https://github.com/google/snappy/blob/main/format_description.txt>.

use narthex_model::histogram::{BucketSpan, CounterResetHint};
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};
use narthex_promqltest::random::samples::StoredSeries;

/// Request bodies to be sent in this order. A series that changes between floats and histograms is cut where it does:
/// the receiver puts the floats of a request before its histograms.
pub(crate) fn requests(series: &[StoredSeries]) -> Vec<Vec<u8>> {
    let runs: Vec<Vec<&[(Timestamp, SampleValue)]>> = series.iter().map(|one| runs(&one.samples)).collect();
    let count = runs.iter().map(Vec::len).max().unwrap_or(0);
    let request = |number: usize| {
        let parts =
            series.iter().zip(&runs).filter_map(|(one, runs)| Some((&one.labels, *runs.get(number)?)));
        snappy(&write_request(parts))
    };
    (0..count).map(request).collect()
}

fn is_float(sample: &(Timestamp, SampleValue)) -> bool {
    matches!(sample.1, SampleValue::Float(_))
}

/// Maximal runs of one kind.
fn runs(samples: &[(Timestamp, SampleValue)]) -> Vec<&[(Timestamp, SampleValue)]> {
    samples.chunk_by(|left, right| is_float(left) == is_float(right)).collect()
}

fn write_request<'a>(parts: impl Iterator<Item = (&'a Labels, &'a [(Timestamp, SampleValue)])>) -> Vec<u8> {
    let mut request = Message::default();
    for (labels, samples) in parts {
        let mut series = Message::default();
        for (name, value) in labels.iter() {
            let mut label = Message::default();
            label.bytes(1, name.as_bytes()).bytes(2, value.as_bytes());
            series.bytes(1, &label.0);
        }
        for (at_ms, value) in samples {
            match value {
                SampleValue::Float(value) => {
                    let mut sample = Message::default();
                    sample.double(1, *value).varint(2, *at_ms as u64);
                    series.bytes(2, &sample.0);
                }
                SampleValue::Histogram(value) => {
                    series.bytes(4, &histogram(value, *at_ms).0);
                }
            }
        }
        request.bytes(1, &series.0);
    }
    request.0
}

fn histogram(value: &FloatHistogram, at_ms: Timestamp) -> Message {
    let hint = match value.counter_reset_hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::Reset => 1,
        CounterResetHint::NotReset => 2,
        CounterResetHint::Gauge => 3,
    };
    let mut message = Message::default();
    message.double(2, value.count).double(3, value.sum).varint(4, zigzag(value.schema));
    message.double(5, value.zero_threshold).double(7, value.zero_count);
    message.spans(8, &value.negative_spans).doubles(10, &value.negative_buckets);
    message.spans(11, &value.positive_spans).doubles(13, &value.positive_buckets);
    message.varint(14, hint).varint(15, at_ms as u64).doubles(16, &value.custom_values);
    message
}

fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)) as u32)
}

/// A protocol buffer being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u64, wire_type: u64) {
        push_varint(&mut self.0, field << 3 | wire_type);
    }

    fn varint(&mut self, field: u64, value: u64) -> &mut Message {
        self.key(field, 0);
        push_varint(&mut self.0, value);
        self
    }

    fn double(&mut self, field: u64, value: f64) -> &mut Message {
        self.key(field, 1);
        self.0.extend(value.to_bits().to_le_bytes());
        self
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) -> &mut Message {
        self.key(field, 2);
        push_varint(&mut self.0, bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn doubles(&mut self, field: u64, values: &[f64]) -> &mut Message {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
        self.bytes(field, &packed)
    }

    fn spans(&mut self, field: u64, spans: &[BucketSpan]) -> &mut Message {
        for span in spans {
            let mut message = Message::default();
            message.varint(1, zigzag(span.offset)).varint(2, u64::from(span.length));
            self.bytes(field, &message.0);
        }
        self
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A Snappy block that copies nothing: its length, then literals of up to 64 KiB.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    push_varint(&mut block, bytes.len() as u64);
    for literal in bytes.chunks(0x1_0000) {
        block.push(61 << 2);
        block.extend(((literal.len() - 1) as u16).to_le_bytes());
        block.extend(literal);
    }
    block
}
