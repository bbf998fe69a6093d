//! Decodes the XOR chunks of a kind of series a number of times and prints how many samples that were: `decode KIND
//! TIMES`. `cargo xtask instructions` counts what it takes.

#![expect(clippy::disallowed_methods, reason = "a measuring command is told what to do")]

use std::hint::black_box;
use std::process::ExitCode;

use narthex_benches::samples::{KINDS, Kind, Sample};
use narthex_storage::SampleBuffer;
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::xor::XorEncoder;

/// Enough that what differs between chunks evens out.
const CHUNKS: usize = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((kind, times)) = parsed(&arguments) else {
        let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        eprintln!("usage: decode KIND TIMES; KIND is one of {}", kinds.join(", "));
        return ExitCode::FAILURE;
    };
    let chunks: Vec<Vec<u8>> = kind.chunks(CHUNKS).iter().map(|samples| encoded(samples)).collect();
    println!("{}", decoded(&chunks, times));
    ExitCode::SUCCESS
}

fn parsed(arguments: &[String]) -> Option<(&'static Kind, usize)> {
    let [kind, times] = arguments else { return None };
    Some((KINDS.iter().find(|known| known.name == kind)?, times.parse().ok()?))
}

fn encoded(samples: &[Sample]) -> Vec<u8> {
    let mut encoder = XorEncoder::new();
    assert!(samples.iter().all(|&(at_ms, value)| encoder.push(at_ms, value)));
    encoder.into_bytes()
}

/// Decodes every chunk so many times into one buffer, as a query does; the number of samples.
fn decoded(chunks: &[Vec<u8>], times: usize) -> usize {
    let mut buffer = SampleBuffer::new();
    let mut samples = 0;
    for chunk in std::iter::repeat_n(chunks, times).flatten() {
        buffer.clear();
        let outcome = Encoding::Xor.decode_into(black_box(chunk), &mut buffer);
        assert_eq!(outcome, Ok(()));
        samples += black_box(&buffer).len();
    }
    samples
}
