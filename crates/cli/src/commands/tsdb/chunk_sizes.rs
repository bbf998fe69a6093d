//! How large the chunks of a block are, as bars.

use std::fmt::Write;

use narthex_model::histogram::spans::bucket_count;
use narthex_storage::SampleBuffer;
use narthex_tsdb::block::EncodedChunk;
use narthex_tsdb::chunk::Encoding;

/// Sizes of all chunks.
#[derive(Debug, Default)]
pub(super) struct ChunkSizes {
    chunks: u64,
    float_samples: Vec<u64>,
    float_bytes: Vec<u64>,
    histogram_samples: Vec<u64>,
    histogram_bytes: Vec<u64>,
    histogram_buckets: Vec<u64>,
}

impl ChunkSizes {
    pub(super) fn add(&mut self, chunks: &[EncodedChunk]) {
        for chunk in chunks {
            self.chunks += 1;
            let (samples, bytes) = (u64::from(chunk.samples), chunk.bytes.len() as u64);
            if matches!(chunk.encoding, Encoding::Xor | Encoding::Xor2) {
                self.float_samples.push(samples);
                self.float_bytes.push(bytes);
            } else {
                self.histogram_samples.push(samples);
                self.histogram_bytes.push(bytes);
                self.histogram_buckets.push(buckets(chunk));
            }
        }
    }

    pub(super) fn write(self, out: &mut String) {
        *out += "\nCompaction analysis:\n\n";
        let columns = [
            ("samples per float chunk", self.float_samples),
            ("bytes per float chunk", self.float_bytes),
            ("samples per histogram chunk", self.histogram_samples),
            ("bytes per histogram chunk", self.histogram_bytes),
            ("buckets per histogram chunk", self.histogram_buckets),
        ];
        for (title, sizes) in columns {
            write_bars(title, sizes, self.chunks, out);
        }
    }
}

/// Buckets of all histograms of a chunk; all of them have the same.
fn buckets(chunk: &EncodedChunk) -> u64 {
    let mut samples = SampleBuffer::new();
    if chunk.encoding.decode_into(&chunk.bytes, &mut samples).is_err() {
        return 0;
    }
    let count = |spans| bucket_count(spans) as u64;
    let first = samples.histograms.values.first();
    first.map_or(0, |value| count(&value.positive_spans) + count(&value.negative_spans))
}

/// A bar for each range of sizes, as long as its share in percent.
fn write_bars(title: &str, mut sizes: Vec<u64>, total: u64, out: &mut String) {
    sizes.sort_unstable();
    let (Some(&min), Some(&max)) = (sizes.first(), sizes.last()) else {
        let _ = writeln!(out, "{title}: N/A\n");
        return;
    };
    let step = step(max - min);
    let (start, end) = (min - min % step, max - max % step + step);
    let mut bars = vec![0u64; ((end - start) / step + 1) as usize];
    sizes.iter().for_each(|size| bars[((size - start) / step) as usize] += 1);
    let average = sizes.iter().sum::<u64>() / sizes.len() as u64;
    let _ = writeln!(out, "{title} (min/avg/max): {min}/{average}/{max}");
    let digits = |number: u64| number.to_string().len();
    let widths = (digits(end), digits(end + step), digits(bars.iter().copied().max().unwrap_or(0)));
    for (place, &count) in bars.iter().enumerate() {
        let from = place as u64 * step + start;
        let bar = "#".repeat((100 * count / total.max(1)) as usize);
        let _ = writeln!(
            out,
            "[{:left$}, {:right$}]: {count:width$} {bar}",
            from + 1,
            from + step,
            left = widths.0,
            right = widths.1,
            width = widths.2,
        );
    }
    out.push('\n');
}

/// A power of ten that makes about ten ranges of what lies between smallest and largest.
fn step(between: u64) -> u64 {
    let mut step = 10;
    while step < between / 10 && step <= 10_000 {
        step *= 10;
    }
    step
}
