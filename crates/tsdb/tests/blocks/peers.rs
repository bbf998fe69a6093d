//! Whether Prometheus's own tool reads our blocks as we do, and we read its blocks.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use narthex_model::number::format_g;
use narthex_model::{Labels, SampleValue, TimeRange};
use narthex_storage::{Queryable, SampleBuffer, SelectHints};
use narthex_testkit::{ScratchDir, SplitMix64, peer};
use narthex_tsdb::block::{Block, Ulid};
use narthex_tsdb::fs::OsFs;

use crate::build::{Series, histogram, labels, ulid, write_block};

fn run(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Of histograms with whole counts the tool loses the first samples: it goes through floats, float histograms and these
/// in turn, and each of the first two turns takes a sample off before it sees that it is of another kind.
const LOST_BY_PROMTOOL: usize = 2;

/// What `promtool tsdb dump` prints, sorted. No series has samples of two kinds.
fn dump(blocks: &[Block]) -> Vec<String> {
    let mut lines = Vec::new();
    for block in blocks {
        let querier = block.querier(TimeRange::ALL).unwrap();
        let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).unwrap();
        let mut samples = SampleBuffer::new();
        for series in 0..set.len() {
            set.read(series, TimeRange::ALL, &mut samples).unwrap();
            let labels = set.labels(series);
            for (at_ms, value) in samples.floats.timestamps.iter().zip(&samples.floats.values) {
                lines.push(format!("{labels} {} {at_ms}", format_g(*value)));
            }
            let histograms = samples.histograms.timestamps.iter().zip(&samples.histograms.values);
            for (at_ms, value) in histograms.skip(LOST_BY_PROMTOOL) {
                lines.push(format!("{labels} {value} {at_ms}"));
            }
        }
    }
    lines.sort();
    lines
}

fn sorted_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Without printing all of it.
fn assert_same(theirs: &[String], ours: &[String]) {
    let difference = theirs.iter().zip(ours).find(|(theirs, ours)| theirs != ours);
    assert_eq!((difference, ours.len()), (None, theirs.len()));
}

fn blocks_in(dir: &Path) -> Vec<Block> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let is_block = |name: &str| name.parse::<Ulid>().is_ok();
    let dirs = entries.filter(|entry| is_block(&entry.file_name().to_string_lossy()));
    dirs.map(|entry| Block::open(&OsFs, &entry.path()).unwrap()).collect()
}

fn random_series() -> Vec<Series> {
    let mut random = SplitMix64::new(11);
    let mut series = Vec::new();
    for number in 0..300 {
        let pod = format!("pod-{number}");
        let text = ["", "quote\"", "line\nfeed", "ünïcode"][random.below(4)];
        let metric = ["up", "requests_total"][number % 2];
        let labels = Labels::from_pairs([("__name__", metric), ("pod", &pod), ("text", text)]);
        let mut at_ms = 1_700_000_000_000 + random.between(0, 1000);
        let mut samples = Vec::new();
        for _ in 0..random.between(1, 300) {
            at_ms += random.between(1, 30_000);
            let value = match random.below(3) {
                0 => random.between(-1000, 1000) as f64,
                1 => random.unit_f64(),
                _ => f64::from_bits(random.next_u64() >> 1),
            };
            // The tool prints every NaN alike, and so do we.
            samples.push((at_ms, SampleValue::from(value), 0));
        }
        series.push((labels, samples));
    }
    let histograms =
        (0..50).map(|at| (1_700_000_000_000 + at * 15_000, histogram(at as f64 + 1.0).into(), 0));
    series.push((labels("__name__=latency,job=a"), histograms.collect()));
    series
}

#[test]
fn promtool_reads_our_blocks_as_we_do() {
    let Some(promtool) = peer("promtool") else { return };
    let scratch = ScratchDir::new("block-dump");
    let dir = scratch.path().to_str().unwrap();
    fs::create_dir(scratch.join("wal")).unwrap();
    let meta = write_block(&OsFs, scratch.path(), ulid(1), &random_series(), 120).unwrap().unwrap();
    let list = run(&promtool, &["tsdb", "list", dir]);
    let row = list.lines().find(|line| line.contains(&meta.ulid.to_string())).unwrap();
    let columns: Vec<&str> = row.split_whitespace().collect();
    for count in
        [meta.min_ms as u64, meta.max_ms as u64, meta.stats.samples, meta.stats.chunks, meta.stats.series]
    {
        assert!(columns.contains(&count.to_string().as_str()), "{count} in {row}");
    }
    let analysis = run(&promtool, &["tsdb", "analyze", dir]);
    assert!(analysis.contains("Total Series: 301"), "{analysis}");
    assert!(analysis.contains("300 pod"), "{analysis}");
    let theirs = sorted_lines(&run(&promtool, &["tsdb", "dump", dir]));
    let ours = dump(&blocks_in(scratch.path()));
    assert_same(&theirs, &ours);
    assert_eq!((theirs.len() + LOST_BY_PROMTOOL) as u64, meta.stats.samples);
}

#[test]
fn promtool_sees_what_we_deleted_and_marked() {
    let Some(promtool) = peer("promtool") else { return };
    let scratch = ScratchDir::new("block-deleted");
    fs::create_dir(scratch.join("wal")).unwrap();
    write_block(&OsFs, scratch.path(), ulid(1), &random_series(), 120).unwrap();
    let block = blocks_in(scratch.path()).remove(0);
    let odd =
        narthex_model::Matcher::new("pod", narthex_model::MatchOp::Regex, "pod-.*[13579]".into()).unwrap();
    let deleted = block.delete(&OsFs, &[odd], TimeRange::new(1_700_000_100_000, 1_700_001_000_000)).unwrap();
    assert!(deleted > 100);
    let theirs = sorted_lines(&run(&promtool, &["tsdb", "dump", scratch.path().to_str().unwrap()]));
    assert_same(&theirs, &dump(&[block]));
}

#[test]
fn we_read_the_blocks_of_promtool() {
    let Some(promtool) = peer("promtool") else { return };
    let scratch = ScratchDir::new("block-import");
    let mut random = SplitMix64::new(3);
    let mut text = String::from("# TYPE requests counter\n");
    let mut expected = Vec::new();
    for number in 0..200 {
        for at in 0..100 {
            // Over several blocks of two hours.
            let (at_s, value) = (1_700_000_000 + at * 180, random.between(0, 1_000_000));
            let _ = writeln!(text, "requests_total{{pod=\"pod-{number}\"}} {value} {at_s}");
            let labels = format!("{{__name__=\"requests_total\", pod=\"pod-{number}\"}}");
            expected.push(format!("{labels} {} {at_s}000", format_g(value as f64)));
        }
    }
    text.push_str("# EOF\n");
    let input = scratch.join("input.txt");
    fs::write(&input, text).unwrap();
    let data = scratch.join("data");
    let (input, output) = (input.to_str().unwrap(), data.to_str().unwrap());
    run(&promtool, &["tsdb", "create-blocks-from", "openmetrics", input, output]);
    let blocks = blocks_in(&data);
    assert!(blocks.len() > 2);
    for block in &blocks {
        assert_eq!((block.verify(), block.warnings()), (Ok(()), &[][..]));
    }
    expected.sort();
    assert_same(&expected, &dump(&blocks));
}
