//! What the operating system knows of this process: CPU time and memory. Linux only.

use std::fs;

/// CPU time of all threads that are there, in milliseconds. The system counts on at each of its ticks.
pub fn cpu_ms() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it");
    let of_task = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    tasks.filter_map(Result::ok).filter_map(of_task).sum::<f64>() / 1e6
}

/// The memory that a run took at most beyond what was there before, and what it returned.
pub fn with_peak_bytes<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before_kib = status_kib("VmRSS");
    // Lets the highest mark fall to what is there now.
    let is_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let outcome = run();
    let after_kib = if is_reset { status_kib("VmHWM") } else { status_kib("VmRSS") };
    (after_kib.saturating_sub(before_kib) * 1024, outcome)
}

fn status_kib(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with(field)).expect("processes have memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}
