//! Blocks of few samples, and what is in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_model::histogram::{BucketSpan, CounterResetHint, FloatHistogram};
use narthex_model::{Labels, Matcher, SampleValue, TimeRange};
use narthex_storage::{Querier, Queryable, SampleBuffer, SelectHints, StorageError};
use narthex_tsdb::block::{
    Block, BlockLimits, BlockMeta, BlockWriter, Compaction, EncodedChunk, NewBlock, Ulid,
};
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::histogram::WholeHistogramEncoder;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::chunk::xor2::Xor2Encoder;
use narthex_tsdb::fs::Fs;

/// A series: labels, then samples as time, value and start.
pub(crate) type Series = (Labels, Vec<(i64, SampleValue, i64)>);

/// Where tests on a file system in memory put blocks.
pub(crate) const DATA: &str = "/data";

pub(crate) fn ulid(number: u8) -> Ulid {
    Ulid::from_parts(1_700_000_000_000, u128::from(number))
}

pub(crate) fn labels(text: &str) -> Labels {
    text.split(',').map(|pair| pair.split_once('=').unwrap()).collect()
}

pub(crate) fn histogram(count: f64) -> FloatHistogram {
    FloatHistogram {
        count,
        sum: count * 1.5,
        positive_spans: vec![BucketSpan { offset: 0, length: 2 }],
        positive_buckets: vec![1.0, count - 1.0],
        ..FloatHistogram::default()
    }
}

/// Packs samples of one kind in a row into chunks of at most `samples_max`.
pub(crate) fn chunks_of(samples: &[(i64, SampleValue, i64)], samples_max: usize) -> Vec<EncodedChunk> {
    let kind = |sample: &(i64, SampleValue, i64)| (matches!(sample.1, SampleValue::Float(_)), sample.2 != 0);
    let runs = samples.chunk_by(|a, b| kind(a) == kind(b));
    runs.flat_map(|run| run.chunks(samples_max)).map(chunk_of).collect()
}

fn chunk_of(samples: &[(i64, SampleValue, i64)]) -> EncodedChunk {
    let (mut xor, mut xor2) = (XorEncoder::new(), Xor2Encoder::new());
    let mut whole = WholeHistogramEncoder::new(CounterResetHint::Gauge);
    for (at_ms, value, start_ms) in samples {
        match value {
            SampleValue::Float(value) if *start_ms == 0 => assert!(xor.push(*at_ms, *value)),
            SampleValue::Float(value) => assert!(xor2.push(*at_ms, *value, *start_ms)),
            SampleValue::Histogram(value) => {
                let value =
                    FloatHistogram { counter_reset_hint: CounterResetHint::Gauge, ..(**value).clone() };
                whole.push(*at_ms, &value, 0).unwrap();
            }
        }
    }
    let (encoding, bytes) = match samples[0] {
        (_, SampleValue::Float(_), 0) => (Encoding::Xor, xor.into_bytes()),
        (_, SampleValue::Float(_), _) => (Encoding::Xor2, xor2.into_bytes()),
        (_, SampleValue::Histogram(_), _) => (Encoding::Histogram, whole.into_bytes()),
    };
    EncodedChunk {
        encoding,
        min_ms: samples[0].0,
        max_ms: samples.last().unwrap().0,
        samples: samples.len() as u16,
        bytes: bytes.into(),
    }
}

/// Writes series, in any order, as a block of level 1.
pub(crate) fn write_block(
    fs: &dyn Fs,
    dir: &Path,
    ulid: Ulid,
    series: &[Series],
    samples_max: usize,
) -> Result<Option<BlockMeta>, StorageError> {
    write_block_with(fs, dir, ulid, series, samples_max, BlockLimits::PROMETHEUS)
}

pub(crate) fn write_block_with(
    fs: &dyn Fs,
    dir: &Path,
    ulid: Ulid,
    series: &[Series],
    samples_max: usize,
    limits: BlockLimits,
) -> Result<Option<BlockMeta>, StorageError> {
    let mut sorted: Vec<&Series> = series.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut writer = BlockWriter::create(fs, dir, ulid, limits)?;
    for (labels, samples) in sorted {
        writer.add_series(labels, &chunks_of(samples, samples_max))?;
    }
    let times = || series.iter().flat_map(|(_, samples)| samples).map(|sample| sample.0);
    let (min_ms, max_ms) = (times().min().unwrap_or(0), times().max().unwrap_or(0) + 1);
    writer.finish(NewBlock { min_ms, max_ms, compaction: Compaction::of_head(ulid), thanos: None })
}

pub(crate) fn block_dir(ulid: Ulid) -> PathBuf {
    Path::new(DATA).join(ulid.to_string())
}

/// Three series of few samples with all kinds of them, small enough to damage every bit.
pub(crate) fn small_series() -> Vec<Series> {
    let floats = |from: i64, values: &[f64]| -> Vec<(i64, SampleValue, i64)> {
        (from..).step_by(15).zip(values).map(|(at_ms, value)| (at_ms, SampleValue::from(*value), 0)).collect()
    };
    let mut mixed = floats(1000, &[1.0, 2.0]);
    mixed.push((1040, histogram(3.0).into(), 0));
    mixed.push((1055, histogram(5.0).into(), 0));
    vec![
        (labels("__name__=up,job=a"), floats(1000, &[1.0, 1.0, 0.0, 1.0])),
        (labels("__name__=up,instance=x,job=b"), mixed),
        (labels("__name__=z,job=a"), vec![(-7, 2.5.into(), -20), (1030, 3.5.into(), 900)]),
    ]
}

/// Everything that a store answers, in comparable form: labels, then time, text of the value, start.
pub(crate) type Answer = Vec<(Labels, Samples)>;

pub(crate) type Samples = Vec<(i64, String, i64)>;

pub(crate) fn read(
    store: &dyn Queryable,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Answer, StorageError> {
    read_from(&*store.querier(range)?, matchers, range)
}

pub(crate) fn read_from(
    querier: &dyn Querier,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Answer, StorageError> {
    let set = querier.select(matchers, range, &SelectHints::default())?;
    let mut answer = Answer::new();
    let mut samples = SampleBuffer::new();
    for series in 0..set.len() {
        set.read(series, range, &mut samples)?;
        if !samples.is_empty() {
            answer.push((set.labels(series).clone(), listed(&samples)));
        }
    }
    Ok(answer)
}

pub(crate) fn listed(samples: &SampleBuffer) -> Samples {
    let start = |starts: &[i64], number: usize| starts.get(number).copied().unwrap_or(0);
    let floats = &samples.floats;
    let of_float = |number: usize| {
        let text = format!("{:016x}", floats.values[number].to_bits());
        (floats.timestamps[number], text, start(&floats.start_timestamps, number))
    };
    let histograms = &samples.histograms;
    let of_histogram = |number: usize| {
        let text = histogram_text(&histograms.values[number]);
        (histograms.timestamps[number], text, start(&histograms.start_timestamps, number))
    };
    let mut listed: Vec<_> = (0..floats.timestamps.len()).map(of_float).collect();
    listed.extend((0..histograms.timestamps.len()).map(of_histogram));
    listed.sort();
    listed
}

fn histogram_text(value: &Arc<FloatHistogram>) -> String {
    let mut value = (**value).clone();
    value.counter_reset_hint = CounterResetHint::Unknown;
    value.compact(0);
    format!("{value:?}")
}

pub(crate) fn read_all(block: &Block) -> Result<Answer, StorageError> {
    read(block, &[], TimeRange::ALL)
}
