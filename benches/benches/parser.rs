//! How long reading an expression takes, and with `--features peers` how long `promql-parser` takes for it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use narthex_benches::expressions::{Expression, GOALS, UPSTREAM_INVALID, UPSTREAM_VALID};
use narthex_promql::{ParseOptions, parse};

fn parser(criterion: &mut Criterion) {
    for (is_valid, expressions) in [(true, GOALS), (true, UPSTREAM_VALID), (false, UPSTREAM_INVALID)] {
        for expression in expressions {
            let mut group = criterion.benchmark_group(format!("parser/{}", expression.name));
            ours(&mut group, expression, is_valid);
            #[cfg(feature = "peers")]
            peer(&mut group, expression, is_valid);
            group.finish();
        }
    }
}

fn ours(group: &mut BenchmarkGroup<'_, WallTime>, expression: &Expression, is_valid: bool) {
    let parsed = parse(expression.text, &ParseOptions::ALL).into_result();
    assert_eq!(parsed.is_ok(), is_valid, "{}: {parsed:?}", expression.text);
    group.bench_function("narthex", |bencher| {
        bencher.iter(|| parse(black_box(expression.text), &ParseOptions::ALL));
    });
}

/// Leaves out what the peer judges otherwise: a refusal is not a measure of reading.
#[cfg(feature = "peers")]
fn peer(group: &mut BenchmarkGroup<'_, WallTime>, expression: &Expression, is_valid: bool) {
    use promql_parser::parser::parse;

    if parse(expression.text).is_ok() != is_valid {
        eprintln!("promql-parser judges {} otherwise; not measured", expression.text);
        return;
    }
    group.bench_function("promql-parser", |bencher| bencher.iter(|| parse(black_box(expression.text))));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = parser
}
criterion_main!(benches);
