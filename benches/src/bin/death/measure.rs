//! What a case takes: CPU time of all threads, and memory beyond what was there before. Linux only.

use std::fmt;

use narthex_benches::machine::{cpu_ms, with_peak_bytes};

use crate::cases::Prepare;

/// Rust's default for threads; the main thread has more.
const STACK_BYTES: usize = 2 << 20;

/// What a case took.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Measured {
    pub(crate) cpu_ms: f64,
    pub(crate) bytes: usize,
    /// How it ended, in one line.
    pub(crate) outcome: String,
}

/// What a case says of itself.
pub(crate) struct Ended {
    pub(crate) outcome: String,
    /// The CPU time that counts, where that is not all of it.
    pub(crate) cpu_ms: Option<f64>,
}

impl From<String> for Ended {
    fn from(outcome: String) -> Ended {
        Ended { outcome, cpu_ms: None }
    }
}

/// One line, as [`Measured::read`] reads it.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome.lines().next().unwrap_or("");
        write!(f, "{}\t{}\t{outcome}", self.cpu_ms, self.bytes)
    }
}

impl Measured {
    /// What another process printed.
    pub(crate) fn read(line: &str) -> Option<Measured> {
        let mut columns = line.trim_end().splitn(3, '\t');
        let cpu_ms = columns.next()?.parse().ok()?;
        let bytes = columns.next()?.parse().ok()?;
        Some(Measured { cpu_ms, bytes, outcome: columns.next()?.to_owned() })
    }
}

/// Prepares a case, which does not count, then runs it.
pub(crate) fn run(prepare: Prepare) -> Measured {
    let run = move || {
        let case = prepare();
        let (bytes, (ended, took_ms)) = with_peak_bytes(|| {
            let before_ms = cpu_ms();
            let ended = case();
            (ended, cpu_ms() - before_ms)
        });
        Measured { cpu_ms: ended.cpu_ms.unwrap_or(took_ms), bytes, outcome: ended.outcome }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread");
    thread.join().expect("a case does not panic")
}
