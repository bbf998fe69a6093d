//! What queries take: time per series and step, memory, allocations; as a Markdown table, or held against the goals.
//!
//! `cargo xtask bench-report` runs this in release. `goals` as the first argument measures the goals alone, or those
//! that are named behind it, and fails when one is missed; other arguments choose queries by a part of `suite: query`.

#![expect(clippy::disallowed_methods, reason = "a measuring command asks the machine")]

mod goals;
mod measure;

use std::alloc::System;
use std::process::ExitCode;

use measure::{Measured, OneThread};
use narthex_benches::suites::{SUITES, Suite};
use narthex_tsdb::{Head, HeadLimits};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what all threads allocate.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, parts)) = arguments.split_first()
        && first == "goals"
    {
        return if goals::report(parts) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!(
        "| suite | query | steps | series | ns per series and step | CPU ms | peak KiB | allocations | per series |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|");
    let one_thread = OneThread::new();
    SUITES.iter().for_each(|suite| report(suite, &arguments, &one_thread));
    ExitCode::SUCCESS
}

/// A row for each query that is chosen.
fn report(suite: &Suite, parts: &[String], one_thread: &OneThread) {
    let is_chosen = |text: &str| {
        let name = format!("{}: {text}", suite.name);
        parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()))
    };
    let chosen: Vec<_> = suite.queries.iter().filter(|query| is_chosen(query.text)).collect();
    if chosen.is_empty() {
        return;
    }
    let mut head = Head::new(HeadLimits::EMBEDDED);
    (suite.fill)(&mut head).expect("times rise");
    for query in chosen {
        let Measured { cpu_ms, series, bytes_peak, allocations } =
            one_thread.measure(&head, query.text, query.times.parameters());
        let (steps, series_at_least) = (query.times.steps, series.max(1));
        let ns = cpu_ms * 1e6 / (series_at_least * steps) as f64;
        let (kib, text) = (bytes_peak.div_ceil(1024), query.text.replace('|', "\\|"));
        let each = allocations as f64 / series_at_least as f64;
        println!(
            "| {} | `{text}` | {steps} | {series} | {ns:.1} | {cpu_ms:.3} | {kib} | {allocations} | {each:.2} |",
            suite.name
        );
    }
}
