//! How long reading and checking rule files takes, over 40,000 rules.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use narthex_benches::rules::{RULES_PER_FILE, file};
use narthex_lint::{LintConfig, Linter};
use narthex_rulefmt::Options;

const RULES: usize = 40_000;

fn rules(criterion: &mut Criterion) {
    let files: Vec<String> = (0..RULES / RULES_PER_FILE).map(file).collect();
    for text in &files {
        let parse = narthex_rulefmt::parse(text, &Options::PROMETHEUS);
        assert!(parse.diagnostics.is_empty(), "{:?}", parse.diagnostics);
        assert_eq!(parse.file.rules().count(), RULES_PER_FILE);
    }
    let mut group = criterion.benchmark_group("rules_40k");
    group.throughput(Throughput::Elements(RULES as u64));
    group.bench_function("yaml", |bencher| {
        bencher.iter(|| {
            files.iter().map(|text| narthex_yaml::parse(black_box(text)).documents.len()).sum::<usize>()
        });
    });
    group.bench_function("rulefmt", |bencher| {
        let read =
            |text: &String| narthex_rulefmt::parse(black_box(text), &Options::PROMETHEUS).diagnostics.len();
        bencher.iter(|| files.iter().map(read).sum::<usize>());
    });
    let linter = Linter::new(&LintConfig::default());
    group.bench_function("lint", |bencher| {
        bencher.iter(|| files.iter().map(|text| linter.lint_file(black_box(text)).len()).sum::<usize>());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(5));
    targets = rules
}
criterion_main!(benches);
