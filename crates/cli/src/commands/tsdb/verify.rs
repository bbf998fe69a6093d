//! `narthex tsdb verify`: whether every byte of a store is what was written.

use std::path::Path;

use narthex_model::Timestamp;
use narthex_tsdb::block::Block;
use narthex_tsdb::db::OWN_DIR;
use narthex_tsdb::fs::OsFs;
use narthex_tsdb::head::HeadOptions;
use narthex_tsdb::prometheus::{DamageKind, ForeignHead, ForeignOptions};
use narthex_tsdb::wal;

use super::store::block_dirs;
use crate::exit::{Ended, Outcome, Trouble};
use crate::screen::Screen;
use crate::tsdb_args::DirArgs;

/// Runs the command.
pub(super) fn run(args: &DirArgs, screen: &Screen) -> Ended {
    let mut has_damage = false;
    for (ulid, dir) in block_dirs(&args.dir)? {
        let verified = Block::open(&OsFs, &dir).and_then(|block| {
            block.verify()?;
            Ok(block.warnings().to_vec())
        });
        let found = verified.unwrap_or_else(|error| vec![error]);
        has_damage |= !found.is_empty();
        let lines: String = found.iter().map(|damage| format!("block {ulid}: {damage}\n")).collect();
        screen.print(if lines.is_empty() { format!("block {ulid}: sound\n") } else { lines }.as_str())?;
    }
    has_damage |= verify_foreign(&args.dir, screen)?;
    has_damage |= verify_own(&args.dir, screen)?;
    Ok(Outcome::of(has_damage))
}

/// Whether there is damage in what Prometheus keeps beside its blocks.
fn verify_foreign(dir: &str, screen: &Screen) -> Result<bool, Trouble> {
    let options = ForeignOptions { head: HeadOptions::EMBEDDED, min_valid_ms: Timestamp::MIN };
    let report = match ForeignHead::read(&OsFs, Path::new(dir), options) {
        Ok(foreign) => foreign.report,
        Err(error) => {
            screen.print(&format!("log: cannot be read: {error}\n"))?;
            return Ok(true);
        }
    };
    let mut has_damage = report.refused > 0;
    for damage in &report.damages {
        let is_torn = damage.kind == DamageKind::Torn;
        has_damage |= !is_torn;
        let what = if is_torn { "ends within a record" } else { "damaged" };
        screen.print(&format!("log: {what}: {damage}\n"))?;
    }
    if let Some(reason) = &report.first_refusal {
        screen.print(&format!("log: {} samples cannot be taken: {reason}\n", report.refused))?;
    }
    if report.records + report.head_chunks > 0 {
        let chunks = report.head_chunks;
        screen.print(&format!("log: {} records and {chunks} head chunks read\n", report.records))?;
    }
    Ok(has_damage)
}

/// Whether there is damage in our own log.
fn verify_own(dir: &str, screen: &Screen) -> Result<bool, Trouble> {
    let log_dir = Path::new(dir).join(OWN_DIR).join("wal");
    let report = match wal::replay(&OsFs, &log_dir, &mut |_| {}) {
        Ok(report) => report,
        Err(error) => {
            screen.print(&format!("own log: {error}\n"))?;
            return Ok(true);
        }
    };
    let mut has_damage = false;
    for damage in &report.damages {
        has_damage |= damage.kind != wal::DamageKind::Torn;
        screen.print(&format!("own log: {damage}\n"))?;
    }
    if report.records > 0 {
        screen
            .print(&format!("own log: {} records with {} samples read\n", report.records, report.samples))?;
    }
    Ok(has_damage)
}
