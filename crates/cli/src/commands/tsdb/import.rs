//! `narthex tsdb import` and `narthex tsdb create-blocks-from openmetrics`: blocks of an OpenMetrics file of any size.
//!
//! The file is read in pieces, and its samples are put into one head per block. When these grow too large, the ones of
//! the latest blocks are let go of; they are made by reading the file once more. Nothing is written before all of the
//! file is known to be right.

mod pieces;
mod windows;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use narthex_diag::{Code, Diagnostic, SourceMap};
use narthex_exposition::{Entry, Format, Mode, Sample};
use narthex_model::{Labels, LabelsBuilder, TimeRange, Timestamp};
use narthex_tsdb::block::{Block, BlockLimits, BlockWriter, Compaction, NewBlock, Ulid};
use narthex_tsdb::fs::{Fs, OsFs};

use self::pieces::{Piece, Pieces};
use self::windows::{Window, Windows};
use super::list;
use super::store::trouble;
use crate::entropy::entropy;
use crate::exit::{Ended, Outcome, Trouble};
use crate::input::{SAMPLE_REFUSED, name_of};
use crate::paths::STDIN;
use crate::screen::Screen;
use crate::times::now_ms;
use crate::tsdb_args::ImportArgs;

/// A sample that says not when it was taken.
const NO_TIMESTAMP: Code = Code("EXP011");
/// Reading ends when that many things are wrong.
const DIAGNOSTICS_MAX: usize = 100;
/// Bytes that heads take before some are let go of.
const HEAD_BYTES_MAX: usize = 256 << 20;

/// Runs the command.
pub(super) fn run(args: &ImportArgs, screen: &Screen) -> Ended {
    let mut import = Import { args, blocks: Vec::new(), entropy: entropy() };
    let mut windows = Windows::new(HEAD_BYTES_MAX);
    loop {
        let is_sound = import.read(&mut windows, screen)?;
        if !is_sound {
            return Ok(Outcome::Findings);
        }
        OsFs.create_dir_all(Path::new(&args.dir)).map_err(|error| Trouble::new(error.to_string()))?;
        for window in windows.take() {
            import.write(&window)?;
        }
        if !windows.advance() {
            break;
        }
        if args.file == STDIN {
            return Err(Trouble::new("too much to be read once only: name a file instead of standard input"));
        }
    }
    if !args.quiet && !import.blocks.is_empty() {
        let form = if args.human_readable { list::Form::Human } else { list::Form::Plain };
        screen.print(&list::table(&import.blocks, form))?;
    }
    Ok(Outcome::Clean)
}

struct Import<'a> {
    args: &'a ImportArgs,
    blocks: Vec<Block>,
    entropy: u128,
}

impl Import<'_> {
    /// Puts the samples of the file into their windows, or tells what is wrong with it.
    fn read(&self, windows: &mut Windows, screen: &Screen) -> Result<bool, Trouble> {
        let mut pieces = Pieces::new(open(&self.args.file)?, name_of(&self.args.file));
        let mut wrong = 0;
        while let Some(piece) = pieces.next()? {
            let diagnostics = self.read_piece(&piece, windows);
            if diagnostics.is_empty() {
                continue;
            }
            wrong += diagnostics.len();
            tell(&piece, diagnostics, screen);
            if wrong >= DIAGNOSTICS_MAX {
                screen.note("there may be more: the rest was not read\n");
                break;
            }
        }
        Ok(wrong == 0)
    }

    fn read_piece(&self, piece: &Piece<'_>, windows: &mut Windows) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        // The samples of a series mostly stand together.
        let mut last: Option<(&str, Labels)> = None;
        for entry in narthex_exposition::parse(piece.text(), Format::OpenMetrics, Mode::File) {
            let outcome = match entry {
                Ok(Entry::Sample(sample)) => self.sample(&sample, &mut last, windows),
                Ok(_) => {
                    last = None;
                    Ok(())
                }
                Err(error) => Err(error),
            };
            diagnostics.extend(outcome.err().map(|error| *error));
            if diagnostics.len() >= DIAGNOSTICS_MAX {
                break;
            }
        }
        diagnostics
    }

    fn sample<'t>(
        &self,
        sample: &Sample<'t>,
        last: &mut Option<(&'t str, Labels)>,
        windows: &mut Windows,
    ) -> Result<(), Box<Diagnostic>> {
        let at_ms = sample.timestamp_ms.ok_or_else(|| {
            let message = "expected a timestamp behind the value: blocks hold samples of the past";
            Box::new(Diagnostic::error(NO_TIMESTAMP, message, sample.series_span))
        })?;
        let labels = match last.take() {
            Some((text, labels)) if text == sample.series => labels,
            _ => self.labels(sample)?,
        };
        let taken = windows.put(at_ms, &labels, sample.value);
        *last = Some((sample.series, labels));
        taken.map_err(|error| {
            Box::new(Diagnostic::error(SAMPLE_REFUSED, error.to_string(), sample.series_span))
        })
    }

    fn labels(&self, sample: &Sample<'_>) -> Result<Labels, Box<Diagnostic>> {
        let labels = sample.labels()?;
        if self.args.labels.is_empty() {
            return Ok(labels);
        }
        let mut labels = LabelsBuilder::from_labels(&labels);
        for (name, value) in &self.args.labels {
            labels.set(name, value);
        }
        Ok(labels.build())
    }

    /// Makes a block.
    fn write(&mut self, window: &Window) -> Result<(), Trouble> {
        let TimeRange { min_ms, max_ms } = window.range;
        let dir = Path::new(&self.args.dir);
        let ulid = Ulid::from_parts(now_ms(), self.entropy.wrapping_add(self.blocks.len() as u128));
        let write = || {
            let mut writer = BlockWriter::create(&OsFs, dir, ulid, BlockLimits::PROMETHEUS)?;
            writer.add_all(&mut window.head.source(window.range))?;
            let compaction = Compaction::of_head(ulid);
            let max_ms: Timestamp = max_ms.saturating_add(1);
            match writer.finish(NewBlock { min_ms, max_ms, compaction, thanos: None })? {
                Some(meta) => Block::open(&OsFs, &dir.join(meta.ulid.to_string())).map(Some),
                None => Ok(None),
            }
        };
        self.blocks.extend(write().map_err(|error| trouble(&error))?);
        Ok(())
    }
}

fn open(path: &str) -> Result<Box<dyn Read>, Trouble> {
    if path == STDIN {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|error| Trouble::io("read", path, &error))?;
    Ok(Box::new(file))
}

fn tell(piece: &Piece<'_>, diagnostics: Vec<Diagnostic>, screen: &Screen) {
    let mut sources = SourceMap::new();
    let (name, text, shift) = piece.in_file();
    let source = sources.add(name, text);
    let placed =
        diagnostics.into_iter().map(|one| one.map_spans(|span| span.shifted(shift)).in_source(source));
    screen.complain(&placed.collect::<Vec<_>>(), &sources);
}
