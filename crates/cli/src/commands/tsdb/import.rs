//! `narthex tsdb import` and `narthex tsdb create-blocks-from openmetrics`: blocks of an OpenMetrics file.

use std::path::Path;

use narthex_diag::{Code, Diagnostic, SourceMap};
use narthex_exposition::{Entry, Mode, Sample};
use narthex_model::{Labels, LabelsBuilder, TimeRange, Timestamp};
use narthex_storage::Appender;
use narthex_tsdb::block::{Block, BlockLimits, BlockMeta, BlockWriter, Compaction, NewBlock, Ulid};
use narthex_tsdb::fs::{Fs, OsFs};
use narthex_tsdb::head::{BLOCK_RANGE_MS, Head, HeadOptions};

use super::list::{self, Form};
use super::store::trouble;
use crate::entropy::entropy;
use crate::exit::{Ended, Outcome, Trouble};
use crate::input::{name_of, read_text};
use crate::screen::Screen;
use crate::times::now_ms;
use crate::tsdb_args::ImportArgs;

/// A sample that says not when it was taken.
const NO_TIMESTAMP: Code = Code("EXP011");

type Timed = (Timestamp, Labels, f64);

/// Runs the command.
pub(super) fn run(args: &ImportArgs, screen: &Screen) -> Ended {
    let mut sources = SourceMap::new();
    let source = sources.add(name_of(&args.file), read_text(&args.file)?);
    let text = sources.get(source).map_or("", |source| &source.text);
    let (mut samples, diagnostics) = read_samples(text, &args.labels);
    if !diagnostics.is_empty() {
        let diagnostics: Vec<_> = diagnostics.into_iter().map(|one| one.in_source(source)).collect();
        screen.complain(&diagnostics, &sources);
        return Ok(Outcome::Findings);
    }
    // Stable: of two values of one series at one instant the first in the file counts.
    samples.sort_by_key(|sample| sample.0);
    OsFs.create_dir_all(Path::new(&args.dir)).map_err(|error| Trouble::new(error.to_string()))?;
    let mut blocks = Vec::new();
    let entropy = entropy();
    for part in samples.chunk_by(|left, right| window(left.0) == window(right.0)) {
        if let Some(meta) = write_block(part, &args.dir, entropy + blocks.len() as u128)? {
            let dir = Path::new(&args.dir).join(meta.ulid.to_string());
            blocks.push(Block::open(&OsFs, &dir).map_err(|error| trouble(&error))?);
        }
    }
    if !args.quiet && !blocks.is_empty() {
        let form = if args.human_readable { Form::Human } else { Form::Plain };
        screen.print(&list::table(&blocks, form))?;
    }
    Ok(Outcome::Clean)
}

/// Number of the stretch of time that goes into one block.
fn window(at_ms: Timestamp) -> i64 {
    at_ms.div_euclid(BLOCK_RANGE_MS)
}

/// All samples of a file, with these labels, and what is wrong with it.
fn read_samples(text: &str, labels: &[(String, String)]) -> (Vec<Timed>, Vec<Diagnostic>) {
    let (mut samples, mut diagnostics) = (Vec::new(), Vec::new());
    for entry in narthex_exposition::parse(text, narthex_exposition::Format::OpenMetrics, Mode::File) {
        match entry {
            Ok(Entry::Sample(sample)) => match timed(&sample, labels) {
                Ok(timed) => samples.push(timed),
                Err(diagnostic) => diagnostics.push(*diagnostic),
            },
            Ok(_) => {}
            Err(error) => diagnostics.push(*error),
        }
    }
    (samples, diagnostics)
}

fn timed(sample: &Sample<'_>, extra: &[(String, String)]) -> Result<Timed, Box<Diagnostic>> {
    let at_ms = sample.timestamp_ms.ok_or_else(|| {
        let message = "expected a timestamp behind the value: blocks hold samples of the past";
        Box::new(Diagnostic::error(NO_TIMESTAMP, message, sample.series_span))
    })?;
    let mut labels = LabelsBuilder::from_labels(&sample.labels()?);
    extra.iter().for_each(|(name, value)| {
        labels.set(name, value);
    });
    Ok((at_ms, labels.build(), sample.value))
}

/// A block of the samples of one stretch of time, which are in time order.
fn write_block(samples: &[Timed], dir: &str, entropy: u128) -> Result<Option<BlockMeta>, Trouble> {
    let mut head = Head::new(HeadOptions::EMBEDDED);
    for (at_ms, labels, value) in samples {
        // As in a scrape: a sample that is there already is passed over.
        let _ = Appender::append(&mut head, labels, *at_ms, (*value).into(), 0);
    }
    Appender::commit(&mut head).map_err(|error| trouble(&error))?;
    let range = TimeRange::new(samples[0].0, samples[samples.len() - 1].0);
    let ulid = Ulid::from_parts(now_ms(), entropy);
    let mut writer = BlockWriter::create(&OsFs, Path::new(dir), ulid, BlockLimits::PROMETHEUS)
        .map_err(|error| trouble(&error))?;
    writer.add_all(&mut head.source(range)).map_err(|error| trouble(&error))?;
    let block = NewBlock {
        min_ms: range.min_ms,
        max_ms: range.max_ms + 1,
        compaction: Compaction::of_head(ulid),
        thanos: None,
    };
    writer.finish(block).map_err(|error| trouble(&error))
}
