//! `narthex tsdb list`: the blocks of a store.

use std::path::Path;

use narthex_tsdb::block::Block;
use narthex_tsdb::fs::{Fs, OsFs};

use super::store::open_blocks;
use super::units;
use crate::exit::{Ended, Outcome};
use crate::screen::Screen;
use crate::tsdb_args::ListArgs;

/// Runs the command.
pub(super) fn run(args: &ListArgs, screen: &Screen) -> Ended {
    let blocks = open_blocks(&args.store.dir, screen)?;
    let form = if args.human_readable { Form::Human } else { Form::Plain };
    screen.print(&table(&blocks, form))?;
    Ok(Outcome::Clean)
}

/// How times and sizes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Milliseconds and bytes.
    Plain,
    /// Dates and units.
    Human,
}

const HEAD: [&str; 8] =
    ["BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE"];

/// A line for each block, below their headings.
pub(super) fn table(blocks: &[Block], form: Form) -> String {
    let rows = blocks.iter().map(|block| row(block, form));
    units::table(&std::iter::once(HEAD.map(str::to_owned)).chain(rows).collect::<Vec<_>>())
}

fn row(block: &Block, form: Form) -> [String; 8] {
    let meta = block.meta();
    let time = |at_ms: i64| if form == Form::Human { units::date(at_ms) } else { at_ms.to_string() };
    let size_bytes = size_bytes(block.dir());
    [
        meta.ulid.to_string(),
        time(meta.min_ms),
        time(meta.max_ms),
        units::duration(meta.max_ms - meta.min_ms),
        meta.stats.samples.to_string(),
        meta.stats.chunks.to_string(),
        meta.stats.series.to_string(),
        if form == Form::Human { units::size(size_bytes) } else { size_bytes.to_string() },
    ]
}

/// Bytes of all files of a block; what vanishes meanwhile counts nothing.
fn size_bytes(dir: &Path) -> u64 {
    let files = |dir: &Path| OsFs.list(dir).unwrap_or_default();
    let here = files(dir).into_iter();
    let here = here.filter(|entry| ["index", "meta.json", "tombstones"].contains(&&*entry.name));
    here.chain(files(&dir.join("chunks"))).map(|entry| entry.len).sum()
}
