//! How long a sample takes into a float chunk and out of it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use narthex_benches::samples::{CHUNK_SAMPLES, KINDS, Sample};
use narthex_storage::SampleBuffer;
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::chunk::xor2::Xor2Encoder;

/// Enough that no branch predictor knows them by heart; the bytes fit into the second level cache.
const CHUNKS: usize = 1000;

/// An encoding and how samples are put into it.
type Coder = (Encoding, &'static str, fn(&[Sample]) -> Vec<u8>);

const CODERS: &[Coder] = &[(Encoding::Xor, "xor", xor), (Encoding::Xor2, "xor2", xor2)];

fn xor(samples: &[Sample]) -> Vec<u8> {
    let mut encoder = XorEncoder::new();
    assert!(samples.iter().all(|&(at_ms, value)| encoder.push(at_ms, value)));
    encoder.into_bytes()
}

fn xor2(samples: &[Sample]) -> Vec<u8> {
    let mut encoder = Xor2Encoder::new();
    assert!(samples.iter().all(|&(at_ms, value)| encoder.push(at_ms, value, 0)));
    encoder.into_bytes()
}

fn chunk(criterion: &mut Criterion) {
    for kind in KINDS {
        let plain = kind.chunks(CHUNKS);
        let mut group = criterion.benchmark_group(format!("chunk/{}", kind.name));
        group.throughput(Throughput::Elements((CHUNKS * CHUNK_SAMPLES) as u64));
        for coder in CODERS {
            measure(&mut group, *coder, &plain);
        }
        group.finish();
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, coder: Coder, plain: &[Vec<Sample>]) {
    let (encoding, name, encode) = coder;
    let packed: Vec<Vec<u8>> = plain.iter().map(|samples| encode(samples)).collect();
    let bytes: usize = packed.iter().map(Vec::len).sum();
    eprintln!("{name}: {:.2} bytes per sample", bytes as f64 / (CHUNKS * CHUNK_SAMPLES) as f64);
    let mut buffer = SampleBuffer::new();
    for (samples, chunk) in plain.iter().zip(&packed) {
        decode(encoding, chunk, &mut buffer);
        let read = buffer.floats.timestamps.iter().zip(&buffer.floats.values);
        assert!(read.map(|(at_ms, value)| (*at_ms, *value)).eq(samples.iter().copied()));
    }
    group.bench_function(format!("{name}_encode"), |bencher| {
        bencher.iter(|| plain.iter().map(|samples| encode(black_box(samples)).len()).sum::<usize>());
    });
    group.bench_function(format!("{name}_decode"), |bencher| {
        bencher.iter(|| packed.iter().for_each(|chunk| decode(encoding, black_box(chunk), &mut buffer)));
    });
}

/// One chunk into the buffer, which keeps its memory as a query's does.
fn decode(encoding: Encoding, chunk: &[u8], buffer: &mut SampleBuffer) {
    buffer.clear();
    let decoded = encoding.decode_into(chunk, buffer);
    assert_eq!(decoded, Ok(()));
    black_box(&buffer.floats);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = chunk
}
criterion_main!(benches);
