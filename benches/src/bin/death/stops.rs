//! F21: how much is done after the order to stop, in each phase of reading and computing a query.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use narthex_benches::machine::cpu_ms;
use narthex_eval::{Engine, EngineOptions, Limits};
use narthex_model::Labels;
use narthex_promql::{Interrupt, ParseOptions, StopReason, parse, parse_interruptible};
use narthex_storage::{Appender, MemoryStorage, Queryable};

use crate::cases::{Case, any_of};
use crate::measure::Ended;
use crate::queries::{self, parameters, refusal};

/// Something that takes long unless it is told to stop; yields how it ended.
type Work = Box<dyn Fn(&Interrupt) -> String>;

/// When the order comes, as a share of the time that the whole work takes.
const MOMENTS: [(&str, f64); 2] = [("early", 0.25), ("late", 0.7)];

/// The order must not come too late: work that ends before it is done again, so many times at most.
const TRIES: usize = 5;

/// A text to read.
struct Text {
    name: &'static str,
    text: fn() -> String,
}

const TEXTS: &[Text] = &[
    Text { name: "read tokens", text: || "1 ".repeat(1 << 19) },
    Text { name: "read comments", text: || "# a\n".repeat(1 << 19) + "m" },
    Text { name: "read operands", text: || format!("max_of({}1, 2)", "(a + b) * ".repeat(400).repeat(100)) },
    Text { name: "read faults", text: || format!("m{{{}}}", "a b,".repeat(100_000)) },
    Text { name: "check types", text: || balanced("rate(m)", 15) },
];

/// A query, and the store it is evaluated over.
struct Long {
    name: &'static str,
    store: fn() -> MemoryStorage,
    steps: usize,
    query: &'static str,
}

const LONG: &[Long] = &[
    Long { name: "select", store: many, steps: 1, query: "count(m{i=~\".*[13579].*[02468]\", x!~\"b.*\"})" },
    Long { name: "read samples", store: queries::store, steps: 1, query: "count(count_over_time(m[10m]))" },
    Long { name: "evaluate at many steps", store: queries::store, steps: 3_000, query: "count(m)" },
    Long { name: "slide windows", store: queries::store, steps: 1_000, query: "count(rate(m[10m]))" },
    Long {
        name: "sort windows",
        store: queries::store,
        steps: 10,
        query: "count(quantile_over_time(0.5, m[10m:2s]))",
    },
    Long {
        name: "evaluate a subquery",
        store: queries::store,
        steps: 1,
        query: "count(max_over_time(m[10m:200ms]))",
    },
    Long {
        name: "evaluate one series",
        store: queries::store,
        steps: 1,
        query: "max_over_time(quantile_over_time(0.5, m{i=\"0001\"}[10m:10ms])[5m:1s])",
    },
    Long { name: "join", store: queries::store, steps: 1_000, query: "count(m * on (i) group_left (x) m)" },
    Long {
        name: "rewrite labels",
        store: many,
        steps: 1,
        query: "count(label_replace(label_join(m, \"y\", \",\", \"i\", \"x\", \"i\"), \"z\", \"$1\", \"y\", \"(.*)\"))",
    },
    Long {
        name: "count values",
        store: queries::store,
        steps: 60,
        query: "count(count_values(\"v\", m * time()))",
    },
    Long { name: "rank", store: queries::store, steps: 100, query: "count(topk(5000, m))" },
    Long { name: "group", store: queries::store, steps: 1_000, query: "count(quantile by (i) (0.5, m))" },
    Long { name: "sort", store: many, steps: 1, query: "sort_desc(m)" },
    Long { name: "sort by labels", store: many, steps: 1, query: "sort_by_label(m, \"x\", \"y\", \"i\")" },
    Long { name: "build a vector", store: many, steps: 1, query: "m" },
    Long { name: "build a matrix", store: queries::store, steps: 1_000, query: "m" },
    Long { name: "build a matrix of samples", store: queries::store, steps: 1, query: "m[10m]" },
];

/// The CPU time that something takes after it was told to stop.
pub(crate) fn stopped() -> Vec<Case> {
    let reading = TEXTS.iter().flat_map(|text| {
        at_moments(text.name, || {
            let text = (text.text)();
            Box::new(move |interrupt| match parse_interruptible(&text, &ParseOptions::ALL, interrupt) {
                Ok(_) => "finished".to_owned(),
                Err(reason) => format!("{reason:?}").to_lowercase(),
            })
        })
    });
    let planning = at_moments("plan", planning);
    let evaluating = LONG.iter().flat_map(|long| at_moments(long.name, || evaluating(long)));
    reading.chain(planning).chain(evaluating).collect()
}

fn at_moments(name: &str, work: impl Fn() -> Work + Send + Copy + 'static) -> impl Iterator<Item = Case> {
    MOMENTS.into_iter().map(move |(moment, share)| Case {
        name: format!("F21 {name}, {moment}"),
        cpu_max_ms: 100,
        bytes_max: usize::MAX,
        outcomes: any_of(&["canceled"]),
        prepare: Box::new(move || {
            let work = work();
            // The first run fills caches.
            let whole_ms = [(); 2].map(|()| whole_ms(&work))[1];
            Box::new(move || stopped_after(share * whole_ms, &work))
        }),
    })
}

/// A query that is long but flat.
fn planning() -> Work {
    let expr = parse(&balanced("sum by (a) (rate(m{b=\"c\"}[5m]))", 14), &ParseOptions::ALL).into_result();
    let expr = expr.expect("within the limits of the parser");
    let engine = Engine::new(EngineOptions::STABLE);
    Box::new(move |interrupt| match engine.prepare_interruptible(&expr, parameters(1), interrupt) {
        Ok(_) => "finished".to_owned(),
        Err(error) => refusal(&error),
    })
}

fn evaluating(long: &Long) -> Work {
    // Dropping the store is no part of a query.
    let store: &dyn Queryable = Box::leak(Box::new((long.store)()));
    let limits =
        Limits { points_max: usize::MAX, samples_max: usize::MAX, bytes_max: usize::MAX, ..Limits::DEFAULT };
    let engine = Engine::new(EngineOptions { limits, ..EngineOptions::STABLE });
    let expr = parse(long.query, &ParseOptions::ALL).into_result().expect("a valid query");
    let query = engine.prepare(&expr, parameters(long.steps)).expect("within the limits");
    Box::new(move |interrupt| match query.evaluate_in(&query.interruptible_context(interrupt), store) {
        Ok(_) => "finished".to_owned(),
        Err(error) => refusal(&error),
    })
}

/// 2 to the power of `levels` operands, nested as little as that many can be.
fn balanced(operand: &str, levels: u32) -> String {
    match levels {
        0 => operand.to_owned(),
        _ => {
            let half = balanced(operand, levels - 1);
            format!("({half} + {half})")
        }
    }
}

/// Two hundred thousand series of a sample each, in an order that is not that of their values.
fn many() -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for number in 0..200_000_u32 {
        let i = format!("{:06}", number.wrapping_mul(2_654_435_761) % 1_000_000);
        let unique = number.to_string();
        let x = format!("abcdefgh-{}", number % 7);
        let labels =
            Labels::from_pairs([("__name__", "m"), ("i", &i), ("x", &x), ("y", "all"), ("z", &unique)]);
        let value = f64::from(number.wrapping_mul(2_654_435_761));
        store.append(&labels, 600_000, value.into(), 0).expect("in order");
    }
    store
}

fn whole_ms(work: &Work) -> f64 {
    let before_ms = cpu_ms();
    work(&Interrupt::new());
    cpu_ms() - before_ms
}

/// Orders `work` to stop when it has taken so much CPU time; what it takes after that counts.
fn stopped_after(after_ms: f64, work: &Work) -> Ended {
    let mut ended = stop_once(after_ms, work);
    for _ in 1..TRIES {
        if ended.outcome == "finished" {
            ended = stop_once(after_ms, work);
        }
    }
    ended.outcome = format!("{} after {after_ms:.0} ms", ended.outcome);
    ended
}

fn stop_once(after_ms: f64, work: &Work) -> Ended {
    const LOOKS_EVERY: Duration = Duration::from_micros(200);
    let (interrupt, is_done) = (Interrupt::new(), AtomicBool::new(false));
    let stop_ms = cpu_ms() + after_ms;
    std::thread::scope(|scope| {
        let clock = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) && cpu_ms() < stop_ms {
                std::thread::sleep(LOOKS_EVERY);
            }
            interrupt.stop(StopReason::Canceled);
            cpu_ms()
        });
        let outcome = work(&interrupt);
        let ended_ms = cpu_ms();
        is_done.store(true, Ordering::Relaxed);
        let stopped_ms = clock.join().expect("a clock does not panic");
        Ended { outcome, cpu_ms: Some((ended_ms - stopped_ms).max(0.0)) }
    })
}
