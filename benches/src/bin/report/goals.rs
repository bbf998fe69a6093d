//! The figures that the engine is held to, over the series that the Thanos engine is measured with.

use narthex_api::{Answer, ChunkSink, Closed, Data, Format};
use narthex_benches::cluster::{Cluster, INTERVAL_MS};
use narthex_benches::fleet;
use narthex_benches::machine::with_peak_bytes;
use narthex_eval::QueryValue;
use narthex_model::TimeRange;
use narthex_plan::QueryParameters;
use narthex_tsdb::{Head, HeadLimits};

use crate::measure::{OneThread, cpu_mean_ms, pool, prepared, wall_ms};

const SUM: &str = "sum(http_requests_total)";
const SUM_RATE: &str = "sum(rate(http_requests_total[1m]))";

/// Two hours, half a minute a step.
const STEPS: i64 = 241;
/// As many as a request may ask for.
const MANY_STEPS: i64 = 11_000;

/// A figure and what it is held to.
struct Goal {
    name: &'static str,
    unit: &'static str,
    measured: f64,
    bound: Bound,
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// Measures what is chosen by parts of names, or all; whether the goals are met.
pub(crate) fn report(parts: &[String]) -> bool {
    println!("| figure | measured | goal | |");
    println!("|---|--:|--:|---|");
    let is_chosen = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));
    let chosen = FIGURES.iter().filter(|figure| is_chosen(figure.0));
    let missed = chosen.map(|figure| figure.1()).filter(|is_met| !is_met);
    missed.count() == 0
}

/// A name, and what measures and prints the figure and says whether it is met.
type Figure = (&'static str, fn() -> bool);

const FIGURES: &[Figure] = &[
    ("time", time),
    ("threads", speed_up),
    ("allocations", allocations),
    ("json", || answer("json", 25.0)),
    ("csv", || answer("csv", 25.0)),
    ("memory", memory),
];

fn filled(cluster: Cluster) -> Head {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    cluster.fill(&mut head).expect("times rise");
    head
}

fn steps(count: i64, step_ms: i64) -> QueryParameters {
    QueryParameters::range(
        TimeRange::new(0, (count - 1) * step_ms),
        step_ms,
        QueryParameters::LOOKBACK_MS,
        60_000,
    )
}

/// CPU time per series and step, on one thread.
fn time() -> bool {
    let head = filled(Cluster::COMPARED);
    let of = |name, text, most_ns| print(&time_of(&head, name, text, most_ns));
    of("`sum(x)`", SUM, 10.0) & of("`sum(rate(x[1m]))`", SUM_RATE, 18.0)
}

fn time_of(head: &Head, name: &'static str, text: &str, most_ns: f64) -> Goal {
    let measured = OneThread::new().measure(head, text, steps(STEPS, INTERVAL_MS));
    let ns = measured.cpu_ms * 1e6 / (measured.series as f64 * STEPS as f64);
    Goal { name, unit: "ns per series and step", measured: ns, bound: Bound::AtMost(most_ns) }
}

fn speed_up() -> bool {
    let head = filled(Cluster::COMPARED);
    let wall = |threads| wall_ms(&pool(threads), &head, SUM_RATE, steps(STEPS, INTERVAL_MS));
    let (name, unit) = ("two threads against one, `sum(rate(x[1m]))`", "times as fast by the clock");
    print(&Goal { name, unit, measured: wall(1) / wall(2), bound: Bound::AtLeast(1.8) })
}

fn allocations() -> bool {
    let head = filled(Cluster::COMPARED);
    // A rate has series of its own, without names: a text and a label set for each, before anything is computed.
    steady_state(&head, "`sum(x)`", SUM, 0.01) & steady_state(&head, "`sum(rate(x[1m]))`", SUM_RATE, 2.01)
}

/// Allocations for each further series, and for each further step, of which there are to be none.
fn steady_state(head: &Head, name: &'static str, text: &str, most_per_series: f64) -> bool {
    let one_thread = OneThread::new();
    let count = |text: &str, count| one_thread.allocations(head, text, steps(count, INTERVAL_MS)) as f64;
    let third = text.replace("http_requests_total", "http_requests_total{container=\"c1\"}");
    let (all, fewer_series, fewer_steps) = (count(text, STEPS), count(&third, STEPS), count(text, STEPS / 2));
    let further = (Cluster::COMPARED.request_series() - Cluster::COMPARED.pods) as f64;
    let per_series = (all - fewer_series) / further;
    // With fewer steps there are fewer batches, each of more series.
    let per_step = ((all - fewer_steps) / (STEPS - STEPS / 2) as f64).max(0.0);
    println!("| {name}: allocations | {all:.0} | | in all |");
    print(&Goal {
        name,
        unit: "allocations per further series",
        measured: per_series,
        bound: Bound::AtMost(most_per_series),
    }) & print(&Goal {
        name,
        unit: "allocations per further step",
        measured: per_step,
        bound: Bound::AtMost(0.1),
    })
}

/// What a query over many series and steps takes besides the data.
fn memory() -> bool {
    let cluster = Cluster { pods: 3334, containers: 3, samples: 721 };
    let head = filled(cluster);
    let step_ms = (cluster.samples as i64 - 1) * INTERVAL_MS / (MANY_STEPS - 1);
    let query = prepared(SUM, steps(MANY_STEPS, step_ms));
    let (bytes, _) = with_peak_bytes(|| query.evaluate(&head).expect("it can be evaluated"));
    let (name, unit) = ("`sum(x)`, 10,002 series, 11,000 steps", "MiB besides the data");
    print(&Goal { name, unit, measured: bytes as f64 / 1048576.0, bound: Bound::AtMost(64.0) })
}

/// Takes the bytes of an answer and forgets them.
struct Nowhere;

impl ChunkSink for Nowhere {
    fn accept(&mut self, _: Vec<u8>) -> Result<(), Closed> {
        Ok(())
    }
}

/// CPU time of writing a point of 250 series of the fleet, as they come, at 240 steps: whole numbers, decimals, sums of
/// floats.
fn answer(format: &'static str, most_ns: f64) -> bool {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    fleet::fill(&mut head).expect("times rise");
    let query = prepared("limit_ratio(0.125, {job='fleet'})", steps(240, 60_000));
    let value = query.evaluate(&head).expect("it can be evaluated").value;
    let points = match &value {
        QueryValue::Matrix(series) => series.iter().map(|one| one.floats.len()).sum(),
        _ => 0,
    };
    let answer = Answer::new(Data::Query(value, None));
    let format = Format::by_name(format).expect("it is a format");
    let ms = cpu_mean_ms(|| answer.write_as(format, &mut Nowhere));
    let ns = ms * 1e6 / points as f64;
    let (name, unit) = (format.media_type, "ns per point of a written answer");
    print(&Goal { name, unit, measured: ns, bound: Bound::AtMost(most_ns) })
}

/// Whether the goal is met.
fn print(goal: &Goal) -> bool {
    let Goal { name, unit, measured, .. } = goal;
    let (is_met, bound) = match goal.bound {
        Bound::AtMost(most) => (*measured <= most, format!("≤ {most}")),
        Bound::AtLeast(least) => (*measured >= least, format!("≥ {least}")),
    };
    println!("| {name}: {unit} | {measured:.2} | {bound} | {} |", if is_met { "met" } else { "MISSED" });
    is_met
}
