//! `narthex tsdb analyze`: what a block is made of.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, Matcher, TimeRange};
use narthex_tsdb::block::{Block, ChunkSource, EncodedChunk};
use narthex_tsdb::fs::OsFs;

use super::chunk_sizes::ChunkSizes;
use super::store::{block_dirs, matchers_of, trouble};
use super::units;
use crate::exit::{Ended, Outcome, Trouble};
use crate::screen::Screen;
use crate::tsdb_args::AnalyzeArgs;

/// Runs the command.
pub(super) fn run(args: &AnalyzeArgs, screen: &Screen) -> Ended {
    let matchers = args.selector.as_deref().map(matchers_of).transpose()?;
    let block = open(&args.store.dir, args.block.as_deref())?;
    let (mut counts, mut sizes) = (Counts::default(), ChunkSizes::default());
    let meta = block.meta();
    let length_ms = meta.max_ms.saturating_sub(meta.min_ms).unsigned_abs();
    let (mut labels, mut chunks) = (Labels::empty(), Vec::new());
    let mut source = block.source(TimeRange::ALL);
    while source.next_series(&mut labels, &mut chunks).map_err(|error| trouble(&error))? {
        if matches(&labels, matchers.as_deref().unwrap_or_default()) {
            counts.add(&labels, length_ms.saturating_sub(covered_ms(&chunks)));
            sizes.add(&chunks);
        }
    }
    let mut out = String::new();
    write_head(&block, args.selector.as_deref().zip(matchers.as_deref()), &counts, &mut out);
    counts.write(length_ms, args.limit, &mut out);
    if args.extended {
        sizes.write(&mut out);
    }
    screen.print(&out)?;
    Ok(Outcome::Clean)
}

/// The block with that name, or the newest one.
fn open(dir: &str, name: Option<&str>) -> Result<Block, Trouble> {
    let dirs = block_dirs(dir)?;
    let found = match name {
        Some(name) => dirs.iter().find(|(ulid, _)| ulid.to_string() == name),
        None => dirs.iter().max_by_key(|(ulid, _)| *ulid),
    };
    let (_, path) = found.ok_or_else(|| match name {
        Some(name) => Trouble::new(format!("no block {name} in {dir}")),
        None => Trouble::new(format!("no blocks in {dir}")),
    })?;
    Block::open(&OsFs, path).map_err(|error| trouble(&error))
}

fn matches(labels: &Labels, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
}

/// From the first sample to the last.
fn covered_ms(chunks: &[EncodedChunk]) -> u64 {
    let ends = chunks.first().zip(chunks.last());
    ends.map_or(0, |(first, last)| last.max_ms.saturating_sub(first.min_ms).unsigned_abs())
}

fn write_head(block: &Block, selector: Option<(&str, &[Matcher])>, counts: &Counts, out: &mut String) {
    let meta = block.meta();
    let mut line = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(out, "{text}");
    };
    line(format_args!("Block ID: {}", meta.ulid));
    line(format_args!("Duration: {}", units::duration(meta.max_ms - meta.min_ms)));
    line(format_args!("Total Series: {}", meta.stats.series));
    if let Some((selector, _)) = selector {
        line(format_args!("Matcher: {selector}"));
    }
    line(format_args!("Label names: {}", counts.names.len()));
    if selector.is_some() {
        line(format_args!("Matched series: {}", counts.series));
    }
    line(format_args!("Postings (unique label pairs): {}", counts.pairs.len()));
    let entries: u64 = counts.pairs.values().map(|pair| pair.series).sum();
    line(format_args!("Postings entries (total label pairs): {entries}"));
}

/// How much there is of each label.
#[derive(Debug, Default)]
struct Counts {
    series: u64,
    /// By `name=value`.
    pairs: HashMap<Box<str>, Pair>,
    names: BTreeMap<Box<str>, Name>,
    metrics: HashMap<Box<str>, u64>,
}

#[derive(Debug, Default)]
struct Pair {
    series: u64,
    /// Milliseconds of the block that the series do not cover, all together.
    uncovered_ms: u64,
}

#[derive(Debug, Default)]
struct Name {
    values: u64,
    value_bytes: u64,
    uncovered_ms: u64,
}

impl Counts {
    fn add(&mut self, labels: &Labels, uncovered_ms: u64) {
        self.series += 1;
        for (name, value) in labels.iter() {
            let pair = self.pairs.entry(format!("{name}={value}").into()).or_default();
            let of_name = self.names.entry(name.into()).or_default();
            if pair.series == 0 {
                of_name.values += 1;
                of_name.value_bytes += value.len() as u64;
            }
            pair.series += 1;
            pair.uncovered_ms = pair.uncovered_ms.saturating_add(uncovered_ms);
            of_name.uncovered_ms = of_name.uncovered_ms.saturating_add(uncovered_ms);
        }
        if let Some(metric) = labels.get(METRIC_NAME) {
            *self.metrics.entry(metric.into()).or_default() += 1;
        }
    }

    fn write(&self, length_ms: u64, limit: usize, out: &mut String) {
        let lengths = |uncovered_ms: u64| (uncovered_ms as f64 / length_ms as f64) as u64;
        let pairs = |count: &dyn Fn(&Pair) -> u64| {
            self.pairs.iter().map(|(pair, counts)| (count(counts), &**pair)).collect::<Vec<_>>()
        };
        let names = |count: &dyn Fn(&Name) -> u64| {
            self.names.iter().map(|(name, counts)| (count(counts), &**name)).collect::<Vec<_>>()
        };
        let metrics = self.metrics.iter().map(|(metric, &series)| (series, &**metric)).collect();
        let lists = [
            ("Label pairs most involved in churning", pairs(&|pair| lengths(pair.uncovered_ms))),
            ("Label names most involved in churning", names(&|name| lengths(name.uncovered_ms))),
            ("Most common label pairs", pairs(&|pair| pair.series)),
            ("Label names with highest cumulative label value length", names(&|name| name.value_bytes)),
            ("Highest cardinality labels", names(&|name| name.values)),
            ("Highest cardinality metric names", metrics),
        ];
        for (title, mut items) in lists {
            items.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(right.1)));
            let _ = writeln!(out, "\n{title}:");
            items.iter().take(limit).for_each(|(count, item)| {
                let _ = writeln!(out, "{count} {item}");
            });
        }
    }
}
