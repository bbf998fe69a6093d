//! How long intersecting and selecting among many series takes, beside a merge of sorted vectors.

use std::cmp::Ordering;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use narthex_model::{Labels, MatchOp, Matcher};
use narthex_testkit::SplitMix64;
use narthex_tsdb::postings::{Postings, PostingsIndex};

const SERIES: u32 = 1_000_000;
/// Series in each of two lists.
const LISTED: usize = 250_000;

/// Two lists of a shape.
type Shape = (&'static str, Vec<u32>, Vec<u32>);

fn shapes() -> Vec<Shape> {
    let every = |step: u32, from: u32| (from..SERIES).step_by(step as usize).take(LISTED).collect();
    let mut random = SplitMix64::new(1);
    let mut drawn = || {
        let mut numbers: Vec<u32> = (0..SERIES).collect();
        random.shuffle(&mut numbers);
        numbers.truncate(LISTED);
        numbers.sort_unstable();
        numbers
    };
    vec![
        ("random", drawn(), drawn()),
        ("strided_in_run", every(4, 0), (SERIES / 4..SERIES / 2).collect()),
        // Numbers of a block are places of entries: further apart.
        (
            "block",
            every(4, 0).into_iter().map(|one: u32| one * 6).collect(),
            drawn().into_iter().map(|one| one * 6).collect(),
        ),
    ]
}

/// What an index of sorted vectors does.
fn merge(left: &[u32], right: &[u32]) -> Vec<u32> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        match a.cmp(b) {
            Ordering::Less => drop(left.next()),
            Ordering::Greater => drop(right.next()),
            Ordering::Equal => {
                both.push(**a);
                left.next();
                right.next();
            }
        }
    }
    both
}

fn intersection(criterion: &mut Criterion) {
    for (name, left, right) in shapes() {
        let mut group = criterion.benchmark_group(format!("postings/and_250k/{name}"));
        let sets = [&left, &right].map(|list| Postings::from_rising(list.iter().copied()));
        assert!(Postings::intersection(&sets[0], &sets[1]).iter().eq(merge(&left, &right)));
        group.bench_function("ours", |bencher| {
            bencher.iter(|| Postings::intersection(black_box(&sets[0]), black_box(&sets[1])).len());
        });
        group.bench_function("merge", |bencher| {
            bencher.iter(|| merge(black_box(&left), black_box(&right)).len());
        });
        group.finish();
    }
}

/// The labels of Prometheus's own benchmark of queriers: a value per series, one of ten, one of two.
fn index() -> PostingsIndex {
    let mut index = PostingsIndex::new();
    for number in 0..SERIES {
        let (i, n) = (format!("{}", number / 10), format!("{}", number % 10));
        let j = if number % 2 == 0 { "foo" } else { "bar" };
        index.insert(number, &Labels::from_pairs([("i", i.as_str()), ("n", &n), ("j", j)]));
    }
    index
}

fn selection(criterion: &mut Criterion) {
    let index = index();
    let matcher = |name: &str, op: MatchOp, value: &str| {
        Matcher::new(name, op, value.into()).expect("the expressions above are valid")
    };
    let (n, j) = (matcher("n", MatchOp::Equal, "1"), matcher("j", MatchOp::Equal, "foo"));
    let cases = [
        ("n=1", vec![n.clone()]),
        ("n=1,j=foo", vec![n.clone(), j.clone()]),
        ("n=1,j!=foo", vec![n.clone(), matcher("j", MatchOp::NotEqual, "foo")]),
        ("i=~.*", vec![matcher("i", MatchOp::Regex, ".*")]),
        ("i=~1.+", vec![matcher("i", MatchOp::Regex, "1.+")]),
        ("i=~.+", vec![matcher("i", MatchOp::Regex, ".+")]),
        ("i=~X|Y|Z", vec![matcher("i", MatchOp::Regex, "X|Y|Z")]),
        ("i!~X|Y|Z", vec![matcher("i", MatchOp::NotRegex, "X|Y|Z")]),
        ("n=1,i!=2,j=foo", vec![n, matcher("i", MatchOp::NotEqual, "2"), j]),
    ];
    let mut group = criterion.benchmark_group("postings/select_1m");
    for (name, matchers) in &cases {
        group.bench_function(*name, |bencher| bencher.iter(|| index.select(black_box(matchers)).len()));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = intersection, selection
}
criterion_main!(benches);
