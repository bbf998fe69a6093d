//! Whether chunks have exactly the bytes that are recorded, ours and those of Prometheus.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use std::fmt::Write;
use std::fs;

use narthex_model::histogram::{BucketSpan, CounterResetHint, FloatHistogram};
use narthex_model::{SampleValue, Timestamp, sample::is_stale_nan, sample::stale_nan};
use narthex_storage::SampleBuffer;
use narthex_testkit::{Golden, fixtures, shared_fixtures};
use narthex_tsdb::chunk::float_histogram::FloatCounts;
use narthex_tsdb::chunk::histogram::WholeCounts;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::chunk::xor2::Xor2Encoder;
use narthex_tsdb::chunk::{CountCoding, Encoding, HistogramEncoder, Refusal};

#[derive(Clone, Debug)]
struct Sample {
    at_ms: Timestamp,
    start_ms: Timestamp,
    value: SampleValue,
}

/// Packs samples into as many chunks as they need.
fn encode(encoding: Encoding, samples: &[Sample]) -> Vec<Vec<u8>> {
    match encoding {
        Encoding::Xor => {
            let mut encoder = XorEncoder::new();
            assert!(samples.iter().all(|sample| encoder.push(sample.at_ms, float(sample))));
            vec![encoder.into_bytes()]
        }
        Encoding::Xor2 => {
            let mut encoder = Xor2Encoder::new();
            assert!(samples.iter().all(|sample| encoder.push(sample.at_ms, float(sample), sample.start_ms)));
            vec![encoder.into_bytes()]
        }
        Encoding::Histogram => encode_histograms::<WholeCounts>(HistogramEncoder::new, samples),
        Encoding::FloatHistogram => encode_histograms::<FloatCounts>(HistogramEncoder::new, samples),
        Encoding::HistogramWithStart => {
            encode_histograms::<WholeCounts>(HistogramEncoder::with_starts, samples)
        }
        Encoding::FloatHistogramWithStart => {
            encode_histograms::<FloatCounts>(HistogramEncoder::with_starts, samples)
        }
    }
}

fn encode_histograms<C: CountCoding>(
    new: fn(CounterResetHint) -> HistogramEncoder<C>,
    samples: &[Sample],
) -> Vec<Vec<u8>> {
    let mut encoder = new(histogram(&samples[0]).counter_reset_hint);
    let mut chunks = Vec::new();
    for sample in samples {
        let value = histogram(sample);
        let Err(refusal) = encoder.push(sample.at_ms, value, sample.start_ms) else { continue };
        let hint = if refusal == Refusal::Reset { CounterResetHint::Reset } else { value.counter_reset_hint };
        chunks.push(std::mem::replace(&mut encoder, new(hint)).into_bytes());
        encoder.push(sample.at_ms, value, sample.start_ms).unwrap();
    }
    chunks.push(encoder.into_bytes());
    chunks
}

fn float(sample: &Sample) -> f64 {
    let SampleValue::Float(value) = sample.value else { unreachable!("floats only") };
    value
}

fn histogram(sample: &Sample) -> &FloatHistogram {
    let SampleValue::Histogram(value) = &sample.value else { unreachable!("histograms only") };
    value
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Decodes the chunks and says that they hold the samples (hints and empty buckets aside).
fn check_decoding(encoding: Encoding, chunks: &[Vec<u8>], samples: &[Sample], name: &str) {
    let mut buffer = SampleBuffer::new();
    for chunk in chunks {
        assert_eq!(encoding.decode_into(chunk, &mut buffer), Ok(()), "{name}");
    }
    assert_eq!(buffer.len(), samples.len(), "{name}");
    for (number, sample) in samples.iter().enumerate() {
        let (at_ms, starts) = match &sample.value {
            SampleValue::Float(value) => {
                assert_eq!(buffer.floats.values[number].to_bits(), value.to_bits(), "{name} {number}");
                (buffer.floats.timestamps[number], &buffer.floats.start_timestamps)
            }
            SampleValue::Histogram(value) => {
                let [mut read, mut expected] =
                    [&buffer.histograms.values[number], value].map(|value| (**value).clone());
                read.compact(0);
                expected.compact(0);
                assert!(read.equals(&expected), "{name} {number}: {read:?} {expected:?}");
                (buffer.histograms.timestamps[number], &buffer.histograms.start_timestamps)
            }
        };
        assert_eq!(at_ms, sample.at_ms, "{name} {number}");
        assert_eq!(starts.get(number).copied().unwrap_or(0), sample.start_ms, "{name} {number}");
    }
}

/// `key=value` words: `at`, `start`, `value` (a float, `stale` or `0x` and bits), or for a histogram `schema`,
/// `zero=width:count`, `count`, `sum`, `hint`, `bounds=a,b`, and `positive`, `negative` as `offset:count,count;…`.
fn parse_sample(line: &str) -> Sample {
    let mut sample = Sample { at_ms: 0, start_ms: 0, value: SampleValue::Float(0.0) };
    let mut value = FloatHistogram::default();
    let mut is_histogram = false;
    for word in line.split_whitespace() {
        let (key, text) = word.split_once('=').expect("words are key=value");
        is_histogram |= !matches!(key, "at" | "start" | "value");
        match key {
            "at" => sample.at_ms = text.parse().unwrap(),
            "start" => sample.start_ms = text.parse().unwrap(),
            "value" => sample.value = SampleValue::Float(parse_float(text)),
            "schema" => value.schema = text.parse().unwrap(),
            "zero" => {
                let (width, count) = text.split_once(':').unwrap();
                (value.zero_threshold, value.zero_count) = (parse_float(width), parse_float(count));
            }
            "count" => value.count = parse_float(text),
            "sum" => value.sum = parse_float(text),
            "hint" => value.counter_reset_hint = parse_hint(text),
            "bounds" => value.custom_values = text.split(',').map(parse_float).collect(),
            "positive" => (value.positive_spans, value.positive_buckets) = parse_side(text),
            "negative" => (value.negative_spans, value.negative_buckets) = parse_side(text),
            _ => unreachable!("unknown key {key}"),
        }
    }
    if is_histogram {
        sample.value = value.into();
    }
    sample
}

fn parse_float(text: &str) -> f64 {
    match text.strip_prefix("0x") {
        _ if text == "stale" => stale_nan(),
        Some(bits) => f64::from_bits(u64::from_str_radix(bits, 16).unwrap()),
        None => text.parse().unwrap(),
    }
}

fn parse_hint(text: &str) -> CounterResetHint {
    match text {
        "gauge" => CounterResetHint::Gauge,
        "reset" => CounterResetHint::Reset,
        _ => unreachable!("unknown hint {text}"),
    }
}

fn parse_side(text: &str) -> (Vec<BucketSpan>, Vec<f64>) {
    let mut side = (Vec::new(), Vec::new());
    for span in text.split(';') {
        let (offset, counts) = span.split_once(':').unwrap();
        let counts: Vec<f64> = counts.split(',').map(parse_float).collect();
        side.0.push(BucketSpan { offset: offset.parse().unwrap(), length: counts.len() as u32 });
        side.1.extend(counts);
    }
    side
}

fn parse_fixture(text: &str) -> (Encoding, Vec<Sample>) {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let number = lines.next().and_then(|line| line.strip_prefix("encoding ")).expect("the first line");
    let encoding = Encoding::from_number(number.parse().unwrap()).expect("a known encoding");
    let mut samples = Vec::new();
    for line in lines {
        // `10 * at+=1000 …` repeats a line, the time growing.
        let Some((times, rest)) = line.split_once(" * at+=") else {
            samples.push(parse_sample(line));
            continue;
        };
        let (step, rest) = rest.split_once(' ').unwrap();
        let last = samples.last().map_or(0, |sample: &Sample| sample.at_ms);
        for number in 1..=times.parse::<i64>().unwrap() {
            let sample = parse_sample(rest);
            samples.push(Sample { at_ms: last + number * step.parse::<i64>().unwrap(), ..sample });
        }
    }
    (encoding, samples)
}

#[test]
fn our_vectors() {
    let mut golden = Golden::of("chunks", "hex");
    for fixture in fixtures("chunks", "samples") {
        let (encoding, samples) = parse_fixture(&fixture.text);
        let chunks = encode(encoding, &samples);
        check_decoding(encoding, &chunks, &samples, &fixture.name);
        let mut text = String::new();
        chunks.iter().for_each(|chunk| writeln!(text, "{}", hex(chunk)).unwrap());
        golden.check(&fixture.name, &text);
    }
    golden.finish();
}

#[test]
fn no_damage_to_our_vectors_is_more_than_an_error() {
    for fixture in fixtures("chunks", "samples") {
        let (encoding, samples) = parse_fixture(&fixture.text);
        for chunk in encode(encoding, &samples) {
            for end in 0..chunk.len() {
                let mut buffer = SampleBuffer::new();
                let outcome = encoding.decode_into(&chunk[..end], &mut buffer);
                assert!(outcome.is_err(), "{}: {end} of {} bytes", fixture.name, chunk.len());
            }
            for bit in 0..chunk.len() * 8 {
                let mut damaged = chunk.clone();
                damaged[bit / 8] ^= 0x80 >> (bit % 8);
                // Anything but a panic: many flips give another valid chunk.
                let _ = encoding.decode_into(&damaged, &mut SampleBuffer::new());
            }
        }
    }
}

fn vectors() -> Option<serde_json::Value> {
    let text = fs::read_to_string(shared_fixtures("vectors/vectors.json")?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn encoding_of(vector: &serde_json::Value) -> Encoding {
    Encoding::from_number(u8::try_from(vector["enc"].as_u64().unwrap()).unwrap()).unwrap()
}

#[test]
fn float_vectors_of_prometheus() {
    let Some(vectors) = vectors() else { return };
    for (name, vector) in vectors["floats"].as_object().unwrap() {
        let rows = vector["in"].as_array().unwrap().iter();
        let samples: Vec<_> = rows
            .map(|row| Sample {
                start_ms: row[0].as_i64().unwrap(),
                at_ms: row[1].as_i64().unwrap(),
                value: f64::from_bits(u64::from_str_radix(row[2].as_str().unwrap(), 16).unwrap()).into(),
            })
            .collect();
        let chunk = unhex(vector["hex"].as_str().unwrap());
        check_decoding(encoding_of(vector), std::slice::from_ref(&chunk), &samples, name);
        assert_eq!(hex(&encode(encoding_of(vector), &samples)[0]), hex(&chunk), "{name}");
    }
}

#[test]
fn histogram_vectors_of_prometheus() {
    let Some(vectors) = vectors() else { return };
    for (name, vector) in vectors["histograms"].as_object().unwrap() {
        let encoding = encoding_of(vector);
        let is_whole = matches!(encoding, Encoding::Histogram | Encoding::HistogramWithStart);
        let text = vector["in"].as_str().unwrap();
        let samples: Vec<_> = text.split("{st=").skip(1).map(|text| parse_vector(text, is_whole)).collect();
        let chunks: Vec<_> =
            vector["chunks"].as_array().unwrap().iter().map(|chunk| unhex(chunk.as_str().unwrap())).collect();
        check_decoding(encoding, &chunks, &samples, name);
        let encoded: Vec<_> = encode(encoding, &samples).iter().map(|chunk| hex(chunk)).collect();
        assert_eq!(encoded, chunks.iter().map(|chunk| hex(chunk)).collect::<Vec<_>>(), "{name}");
    }
}

/// A sample as in `0 t=1 hint=0 schema=1 zt=0.1 zc=2 c=9 sum=1 pos=[{0 2}] [1 2] neg=[] [] cv=[]}`.
fn parse_vector(text: &str, is_whole: bool) -> Sample {
    let field = |key: &str| {
        let rest = text.split_once(key).expect(key).1;
        rest.split([' ', '}']).next().unwrap()
    };
    let list =
        |text: &str| -> Vec<f64> { text.split_whitespace().map(|number| number.parse().unwrap()).collect() };
    let side = |key: &str| {
        let rest = text.split_once(key).unwrap().1;
        let (spans, rest) = rest.split_once("] [").unwrap();
        let spans: Vec<_> = spans
            .split(['{', '}'])
            .filter(|span| !span.trim().is_empty())
            .map(|span| {
                let (offset, length) = span.split_once(' ').unwrap();
                BucketSpan { offset: offset.parse().unwrap(), length: length.parse().unwrap() }
            })
            .collect();
        let mut counts = list(rest.split(']').next().unwrap());
        if is_whole {
            (1..counts.len()).for_each(|number| counts[number] += counts[number - 1]);
        }
        (spans, counts)
    };
    let (positive_spans, positive_buckets) = side("pos=[");
    let (negative_spans, negative_buckets) = side("neg=[");
    let sum: f64 = field("sum=").parse().unwrap();
    let value = FloatHistogram {
        counter_reset_hint: if field("hint=") == "3" {
            CounterResetHint::Gauge
        } else {
            CounterResetHint::Unknown
        },
        schema: field("schema=").parse().unwrap(),
        zero_threshold: field("zt=").parse().unwrap(),
        zero_count: field("zc=").parse().unwrap(),
        count: field(" c=").parse().unwrap(),
        sum: if sum.is_nan() { stale_nan() } else { sum },
        positive_spans,
        negative_spans,
        positive_buckets,
        negative_buckets,
        custom_values: list(text.split_once("cv=[").unwrap().1.split(']').next().unwrap()),
    };
    assert!(is_stale_nan(value.sum) || !value.sum.is_nan());
    let start_ms = text.split(' ').next().unwrap().parse().unwrap();
    Sample { at_ms: field("t=").parse().unwrap(), start_ms, value: value.into() }
}
