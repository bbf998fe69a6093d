//! Batches into the payloads of records.

use narthex_model::SampleValue;

use super::batch::Batch;
use super::record::{
    IS_COPY, IS_PACKED, Kind, put_deletions, put_exemplars, put_metadata, put_samples, put_series,
};
use super::scrape::Key;
use super::writer::{ScrapeWriter, Written};

/// Shorter bodies are not packed.
const PACKED_MIN: usize = 64;

/// Writes batches one after the other into the same log.
#[derive(Debug)]
pub(super) struct Encoder {
    scrapes: ScrapeWriter,
    payloads: Payloads,
    body: Vec<u8>,
    loose: Vec<usize>,
    /// Bodies that the next batch repeats.
    copies: Vec<Vec<u8>>,
    /// Keys that records since the last [`Encoder::forget_retired`] may refer to and that are not in use any more.
    retired: Vec<Key>,
}

/// Makes payloads of bodies.
struct Payloads {
    packer: snap::raw::Encoder,
    payload: Vec<u8>,
}

impl std::fmt::Debug for Payloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payloads")
    }
}

impl Payloads {
    /// The payload of a body, packed if that is shorter.
    fn of(&mut self, first: u8, body: &[u8]) -> &[u8] {
        self.payload.clear();
        if body.len() >= PACKED_MIN {
            let longest = snap::raw::max_compress_len(body.len());
            self.payload.resize(1 + longest, 0);
            let packed = self.packer.compress(body, &mut self.payload[1..]).unwrap_or(usize::MAX);
            if packed < body.len() - body.len() / 16 {
                self.payload[0] = first | IS_PACKED;
                self.payload.truncate(1 + packed);
                return &self.payload;
            }
            self.payload.clear();
        }
        self.payload.push(first);
        self.payload.extend_from_slice(body);
        &self.payload
    }
}

impl Encoder {
    /// Keys are numbered from `first_key` on.
    pub(super) fn new(first_key: u64) -> Encoder {
        Encoder {
            scrapes: ScrapeWriter::new(first_key),
            payloads: Payloads { packer: snap::raw::Encoder::new(), payload: Vec::new() },
            body: Vec::new(),
            loose: Vec::new(),
            copies: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// Calls `write` with the payloads of a batch, in order.
    pub(super) fn put(&mut self, batch: &Batch, write: &mut dyn FnMut(&[u8])) {
        self.put_copies(write);
        let Encoder { scrapes, payloads, body, loose, copies, retired } = self;
        put_series(&batch.series, body, &mut |body| {
            write(payloads.of(Kind::Series as u8, body));
            copies.push(body.to_vec());
        });
        put_metadata(&batch.metadata, body, &mut |body| write(payloads.of(Kind::Metadata as u8, body)));
        loose.clear();
        if batch.has_repeats {
            loose.extend(0..batch.samples.len());
        } else {
            let mut write_scrape = |written: Written<'_>| {
                let (first, body) = match written {
                    Written::Key(body) => (Kind::Key as u8, body),
                    Written::Scrape(body) => (Kind::Scrape as u8, body),
                    Written::Copy(body) => (Kind::Key as u8 | IS_COPY, body),
                };
                write(payloads.of(first, body));
            };
            scrapes.put(&batch.samples, loose, &mut write_scrape, retired);
            loose.sort_unstable();
        }
        let is_float = |at: &usize| matches!(batch.samples[*at].value, SampleValue::Float(_));
        for run in loose.chunk_by(|left, right| is_float(left) == is_float(right)) {
            let kind = if run.first().is_some_and(is_float) { Kind::Floats } else { Kind::Histograms };
            let samples = run.iter().map(|&at| &batch.samples[at]);
            put_samples(samples, body, &mut |body| write(payloads.of(kind as u8, body)));
        }
        put_exemplars(&batch.exemplars, body, &mut |body| write(payloads.of(Kind::Exemplars as u8, body)));
        put_deletions(&batch.deletions, body, &mut |body| write(payloads.of(Kind::Deletions as u8, body)));
    }

    /// Calls `write` with what is to be repeated.
    pub(super) fn put_copies(&mut self, write: &mut dyn FnMut(&[u8])) {
        for body in self.copies.drain(..) {
            write(self.payloads.of(Kind::Series as u8 | IS_COPY, &body));
        }
    }

    /// Calls `write` with the keys that later records, or those since the last [`Encoder::forget_retired`], refer to;
    /// these are to be written in front of all that refers to them, and once more behind it.
    pub(super) fn restate_keys(&mut self, write: &mut dyn FnMut(&[u8])) {
        for key in self.scrapes.keys().chain(&self.retired) {
            self.body.clear();
            key.put(&mut self.body, 0);
            write(self.payloads.of(Kind::Key as u8 | IS_COPY, &self.body));
        }
    }

    /// What was written so far is durable.
    pub(super) fn forget_retired(&mut self) {
        self.retired.clear();
    }

    /// A new file begins, which refers to no key of an earlier one.
    pub(super) fn forget_keys(&mut self) {
        self.scrapes.forget_keys();
        self.retired.clear();
    }
}

/// Whether a value is longer than a record may be.
pub(crate) fn is_oversized(value: &SampleValue) -> bool {
    let SampleValue::Histogram(value) = value else { return false };
    let numbers = value.positive_buckets.len()
        + value.negative_buckets.len()
        + value.positive_spans.len()
        + value.negative_spans.len()
        + value.custom_values.len();
    numbers > super::frame::PAYLOAD_MAX / 16
}

#[cfg(test)]
mod tests {
    use super::super::decoder::Decoder;
    use super::*;
    use crate::wal::{Exemplar, Metadata, MetricType, Sample, SeriesId};
    use narthex_model::{FloatHistogram, Labels, TimeRange};
    use proptest::prelude::*;

    fn sample() -> impl Strategy<Value = Sample> {
        let value = prop_oneof![
            5 => (0..4i16).prop_map(|value| SampleValue::Float(f64::from(value))),
            2 => any::<u64>().prop_map(|bits| SampleValue::Float(f64::from_bits(bits & !(1 << 51)))),
            1 => (0..9i16).prop_map(|count| FloatHistogram { count: f64::from(count), ..FloatHistogram::default() }.into()),
        ];
        (
            0..12u64,
            prop_oneof![9 => Just(0i64), 1 => -2..3i64],
            prop_oneof![5 => Just(0i64), 1 => -9..9i64],
            value,
        )
            .prop_map(|(id, at_ms, start_ms, value)| Sample {
                series: SeriesId::from_number(id * 3),
                at_ms,
                start_ms,
                value,
            })
    }

    fn batch() -> impl Strategy<Value = Batch> {
        (0..3i64, prop::collection::vec(sample(), 0..20), any::<bool>()).prop_map(
            |(at, mut samples, sorted)| {
                samples.iter_mut().for_each(|sample| sample.at_ms += at * 15_000);
                if sorted {
                    samples.sort_by_key(|sample| sample.series);
                    samples.dedup_by_key(|sample| sample.series);
                }
                Batch { samples, ..Batch::default() }
            },
        )
    }

    /// What a batch says, whatever the order of its samples of different series.
    fn sorted(samples: &[Sample]) -> Vec<String> {
        let mut sorted: Vec<String> = samples
            .iter()
            .map(|sample| match &sample.value {
                SampleValue::Float(value) => format!("{sample:?} {:x}", value.to_bits()),
                SampleValue::Histogram(_) => format!("{sample:?}"),
            })
            .collect();
        sorted.sort();
        sorted
    }

    proptest! {
        #[test]
        fn batches_are_read_as_written(batches in prop::collection::vec(batch(), 0..12)) {
            let (mut encoder, mut decoder) = (Encoder::new(1), Decoder::default());
            for batch in batches {
                let mut read = Batch::default();
                encoder.put(&batch, &mut |payload| decoder.read(payload, &mut read).unwrap());
                prop_assert_eq!(sorted(&read.samples), sorted(&batch.samples));
                let mut ordered = Batch::default();
                let repeating = Batch { has_repeats: true, ..batch };
                encoder.put(&repeating, &mut |payload| decoder.read(payload, &mut ordered).unwrap());
                let texts = |batch: &Batch| batch.samples.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>();
                prop_assert_eq!(texts(&ordered), texts(&repeating));
            }
        }
    }

    #[test]
    fn all_but_samples_is_read_as_written() {
        let labels = |value: &str| Labels::from_pairs([("__name__", "up"), ("job", value)]);
        let id = SeriesId::from_number;
        let metadata = Metadata { metric_type: MetricType::Info, unit: "s".into(), help: "h\n".into() };
        let batch = Batch {
            series: (0..5000u64).map(|number| (id(number * 7 % 5000), labels(&number.to_string()))).collect(),
            metadata: vec![("up".into(), metadata)],
            exemplars: vec![(id(3), Exemplar { labels: labels("x"), value: -0.5, at_ms: -9 })],
            deletions: vec![(id(9), TimeRange::new(-5, i64::MAX))],
            samples: Vec::new(),
            has_repeats: false,
        };
        let (mut encoder, mut decoder, mut read) = (Encoder::new(1), Decoder::default(), Batch::default());
        let mut payloads = 0;
        encoder.put(&batch, &mut |payload| {
            payloads += 1;
            decoder.read(payload, &mut read).unwrap();
        });
        encoder.put_copies(&mut |payload| decoder.read(payload, &mut read).unwrap());
        assert_eq!(read, batch);
        assert!(payloads > 4, "{payloads} payloads");
    }

    #[test]
    fn a_repeated_scrape_takes_less_than_a_byte_per_sample() {
        let scrape = |number: i64| Batch {
            samples: (0..1000u64)
                .map(|id| Sample {
                    series: SeriesId::from_number(id),
                    at_ms: number * 15_000 + number % 3,
                    start_ms: 0,
                    value: f64::from(if id % 4 == 0 { number as i32 * id as i32 } else { id as i32 }).into(),
                })
                .collect(),
            ..Batch::default()
        };
        let (mut encoder, mut bytes) = (Encoder::new(1), 0);
        (0..100).for_each(|number| encoder.put(&scrape(number), &mut |payload| bytes += payload.len()));
        assert!(bytes < 100 * 1000 * 8 / 10, "{bytes}");
    }
}
