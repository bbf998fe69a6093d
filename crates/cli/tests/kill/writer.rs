//! One client that writes batch after batch until the server is gone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Series of one writer.
pub(crate) const SERIES: usize = 50;
/// Time of the first batch.
pub(crate) const START_MS: i64 = 1_780_000_000_000;
/// Distance of two batches.
pub(crate) const STEP_MS: i64 = 250;

/// How far a writer got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Batches that the server has acknowledged.
    pub(crate) batches: u64,
    /// Whether another one was sent and not answered.
    pub(crate) in_flight: bool,
}

/// What the writers of one run know of each other.
#[derive(Debug)]
pub(crate) struct Race {
    /// Batches of each writer.
    batches: Vec<AtomicU64>,
    /// The server was killed.
    pub(crate) is_over: AtomicBool,
}

/// A server takes samples in order within half a block's time of the newest one: nobody gets further ahead than this.
const LEAD_MAX: u64 = 10;

impl Race {
    pub(crate) fn new(progress: &[Progress]) -> Race {
        let batches = progress.iter().map(|one| AtomicU64::new(one.batches)).collect();
        Race { batches, is_over: AtomicBool::new(false) }
    }

    /// Waits until the others are near; false when there is nobody to wait for any more.
    fn wait(&self, writer: usize, batches: u64) -> bool {
        self.batches[writer].store(batches, Ordering::Release);
        let last = || self.batches.iter().map(|one| one.load(Ordering::Acquire)).min().unwrap_or(batches);
        while batches > last() + LEAD_MAX {
            if self.is_over.load(Ordering::Acquire) {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

/// The value of one sample: different wherever it may be mistaken for another.
pub(crate) fn value(writer: usize, series: usize, batch: u64) -> f64 {
    (writer * 1_000_000_000 + series * 10_000_000) as f64 + batch as f64
}

/// Writes until the server does not answer. An answer that is no success counts as no answer only once the server is
/// dead.
pub(crate) fn write(writer: usize, port: u16, mut progress: Progress, race: &Race) -> Progress {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return progress };
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    while race.wait(writer, progress.batches) {
        let body = snappy(&request(writer, progress.batches));
        progress.in_flight = true;
        match post(&mut stream, &body) {
            Some(status) if (200..300).contains(&status) => {
                progress = Progress { batches: progress.batches + 1, in_flight: false };
            }
            Some(status) if !race.is_over.load(Ordering::Acquire) => {
                panic!("writer {writer}, batch {}: status {status}", progress.batches);
            }
            _ => return progress,
        }
    }
    progress
}

pub(crate) fn post(stream: &mut TcpStream, body: &[u8]) -> Option<u16> {
    let head = format!(
        "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: snappy\r\nContent-Type: \
         application/x-protobuf\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
    let mut answer = Vec::new();
    let mut byte = [0; 1];
    // Answers without a body end with their head; others are not read on, the connection is given up then.
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        answer.push(byte[0]);
    }
    String::from_utf8(answer).ok()?.split(' ').nth(1)?.parse().ok()
}

/// A write request of remote write 1.0: one sample of every series.
fn request(writer: usize, batch: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for series in 0..SERIES {
        let mut one = Vec::new();
        let labels = [
            ("__name__", "killed".to_owned()),
            ("series", series.to_string()),
            ("writer", writer.to_string()),
        ];
        for (name, value) in labels {
            let mut label = Vec::new();
            bytes_field(1, name.as_bytes(), &mut label);
            bytes_field(2, value.as_bytes(), &mut label);
            bytes_field(1, &label, &mut one);
        }
        let mut sample = vec![1 << 3 | 1];
        sample.extend(value(writer, series, batch).to_le_bytes());
        sample.push(2 << 3);
        varint((START_MS + batch as i64 * STEP_MS) as u64, &mut sample);
        bytes_field(2, &sample, &mut one);
        bytes_field(1, &one, &mut out);
    }
    out
}

pub(crate) fn bytes_field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A snappy block that holds everything as literals.
pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(bytes.len() as u64, &mut out);
    for piece in bytes.chunks(1 << 16) {
        out.push(61 << 2);
        out.extend((piece.len() as u16).wrapping_sub(1).to_le_bytes());
        out.extend_from_slice(piece);
    }
    out
}
