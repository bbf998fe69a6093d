//! What a case takes: CPU time of all threads, and memory beyond what was there before. Linux only.

use std::fmt;
use std::fs;

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
        let before_kib = status_kib("VmRSS");
        // Lets the highest mark fall to what is there now.
        let is_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
        let before_ms = cpu_ms();
        let ended = case();
        let took_ms = cpu_ms() - before_ms;
        let after_kib = if is_reset { status_kib("VmHWM") } else { status_kib("VmRSS") };
        let bytes = after_kib.saturating_sub(before_kib) * 1024;
        Measured { cpu_ms: ended.cpu_ms.unwrap_or(took_ms), bytes, outcome: ended.outcome }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread");
    thread.join().expect("a case does not panic")
}

/// CPU time of all threads that are there.
pub(crate) fn cpu_ms() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it");
    let of_task = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    tasks.filter_map(Result::ok).filter_map(of_task).sum::<f64>() / 1e6
}

fn status_kib(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with(field)).expect("processes have memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}
