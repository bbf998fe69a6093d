//! Whether a block answers like the reference store.

use std::path::Path;

use narthex_model::{Labels, MatchOp, Matcher, SampleValue, TimeRange};
use narthex_storage::{Appender, MemoryStorage, Queryable, SelectHints};
use narthex_tsdb::block::Block;
use narthex_tsdb::fs::MemoryFs;
use proptest::prelude::*;

use crate::build::{
    DATA, Series, block_dir, histogram, labels, read, read_all, small_series, ulid, write_block,
};

const VALUES: [&str; 6] = ["", "a", "ab", "abc", "b", "ä\n"];
const PATTERNS: [&str; 9] = ["", "a", "a|b", "a.*", ".*", ".+", "(a|b)?", "[^a]*", "x.*"];

fn matcher((name, op, text): (usize, usize, usize)) -> Matcher {
    let name = ["x", "y", "__name__", "absent"][name % 4];
    let op = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex][op % 4];
    let text = match op {
        MatchOp::Equal | MatchOp::NotEqual => VALUES[text % VALUES.len()],
        MatchOp::Regex | MatchOp::NotRegex => PATTERNS[text % PATTERNS.len()],
    };
    Matcher::new(name, op, text.into()).unwrap()
}

fn series() -> impl Strategy<Value = Series> {
    let sample = (1..40i64, 0..6u8);
    let samples = prop::collection::vec(sample, 1..20).prop_map(|steps| {
        let mut at_ms = 0;
        let of_step = |(step_ms, kind): (i64, u8)| {
            at_ms += step_ms;
            let value: SampleValue = match kind {
                0 => histogram(at_ms as f64).into(),
                _ => (at_ms as f64 / 7.0).into(),
            };
            (at_ms, value, if kind == 1 { at_ms - 5 } else { 0 })
        };
        steps.into_iter().map(of_step).collect()
    });
    let names = (0..VALUES.len(), 0..VALUES.len(), 0..3usize);
    (names, samples).prop_map(|((x, y, metric), samples)| {
        let metric = ["up", "down", "a"][metric];
        (Labels::from_pairs([("x", VALUES[x]), ("y", VALUES[y]), ("__name__", metric)]), samples)
    })
}

fn store_of(series: &[Series]) -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for (labels, samples) in series {
        for (at_ms, value, start_ms) in samples {
            store.append(labels, *at_ms, value.clone(), *start_ms).unwrap();
        }
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_block_answers_like_the_reference_store(
        mut series in prop::collection::vec(series(), 1..12),
        matchers in prop::collection::vec(any::<(usize, usize, usize)>(), 0..4),
        (min_ms, length_ms) in (-10..300i64, 0..300i64),
        samples_max in 1..8usize,
    ) {
        series.sort_by(|a, b| a.0.cmp(&b.0));
        series.dedup_by(|a, b| a.0 == b.0);
        let expected = store_of(&series);
        let fs = MemoryFs::new();
        let meta = write_block(&fs, Path::new(DATA), ulid(1), &series, samples_max).unwrap().unwrap();
        let block = Block::open(&fs, &block_dir(ulid(1))).unwrap();
        prop_assert_eq!(&*block.meta(), &meta);
        prop_assert_eq!(block.verify(), Ok(()));
        let samples: usize = series.iter().map(|(_, samples)| samples.len()).sum();
        prop_assert_eq!((meta.stats.series, meta.stats.samples), (series.len() as u64, samples as u64));
        let matchers: Vec<Matcher> = matchers.into_iter().map(matcher).collect();
        let range = TimeRange::new(min_ms, min_ms + length_ms);
        prop_assert_eq!(read(&block, &matchers, range), read(&expected, &matchers, range));
        let (ours, reference) = (block.querier(range).unwrap(), expected.querier(range).unwrap());
        prop_assert_eq!(ours.label_names(&matchers), reference.label_names(&matchers));
        for name in ["x", "__name__", "absent"] {
            prop_assert_eq!(ours.label_values(name, &matchers), reference.label_values(name, &matchers));
        }
    }
}

#[test]
fn many_series_are_read_by_several_workers_in_order() {
    let series: Vec<Series> = (0..5000)
        .map(|number| {
            let pod = format!("pod-{number:05}");
            let labels =
                Labels::from_pairs([("__name__", "m"), ("pod", &pod), ("zone", ["a", "b"][number % 2])]);
            (labels, vec![(number as i64, 1.0.into(), 0)])
        })
        .collect();
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &series, 120).unwrap();
    let block = Block::open(&fs, &block_dir(ulid(1))).unwrap();
    let expected = store_of(&series);
    let zone = [Matcher::equal("zone", "b")];
    let range = TimeRange::new(100, 4900);
    assert_eq!(read(&block, &zone, range), read(&expected, &zone, range));
    // The second time from kept postings.
    assert_eq!(read(&block, &zone, range), read(&expected, &zone, range));
    let few = SelectHints { series_max: 3, ..SelectHints::default() };
    assert_eq!(block.querier(range).unwrap().select(&zone, range, &few).unwrap().len(), 3);
    let querier = block.querier(range).unwrap();
    let pods = querier.label_values("pod", &zone).unwrap();
    assert_eq!((pods.len(), pods[0].as_str()), (2500, "pod-00001"));
    assert_eq!(querier.label_values("zone", &[Matcher::equal("__name__", "m")]).unwrap(), ["a", "b"]);
}

#[test]
fn deleted_samples_are_not_seen() {
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &small_series(), 2).unwrap();
    let dir = block_dir(ulid(1));
    let block = Block::open(&fs, &dir).unwrap();
    let before = block.querier(TimeRange::ALL).unwrap();
    let job = [Matcher::equal("job", "a")];
    assert_eq!(block.delete(&fs, &job, TimeRange::new(1010, 1030)), Ok(2));
    assert_eq!(block.delete(&fs, &job, TimeRange::new(5000, 6000)), Ok(0));
    let after = read_all(&block).unwrap();
    let times = |number: usize| after[number].1.iter().map(|sample| sample.0).collect::<Vec<_>>();
    assert_eq!((times(0), times(1), times(2)), (vec![1000, 1015, 1040, 1055], vec![1000, 1045], vec![-7]));
    assert_eq!(before.select(&job, TimeRange::ALL, &SelectHints::default()).unwrap().len(), 2);
    drop(before);
    let opened = Block::open(&fs, &dir).unwrap();
    assert_eq!(read_all(&opened).unwrap(), after);
    assert_eq!((opened.meta().stats.tombstones, opened.warnings()), (2, &[][..]));
    assert_eq!(opened.meta(), block.meta());
    assert_eq!(labels("__name__=up,instance=x,job=b"), after[0].0);
}
