//! `narthex tsdb take-over`, `hand-back` and `snapshot`: a store from one program to the other.

use std::path::Path;
use std::sync::Arc;

use narthex_storage::StorageError;
use narthex_tsdb::db::snapshot::SnapshotHead;
use narthex_tsdb::db::{Database, DatabaseOptions};
use narthex_tsdb::fs::OsFs;

use super::store::{tell_gaps, trouble};
use crate::entropy::entropy;
use crate::exit::{Ended, Outcome, Trouble};
use crate::screen::Screen;
use crate::times::now_ms;
use crate::tsdb_args::{DirArgs, SnapshotArgs};

/// Runs `take-over`.
pub(super) fn take_over(args: &DirArgs, screen: &Screen) -> Ended {
    done(Database::take_over(Arc::new(OsFs), Path::new(&args.dir), options(), now_ms()))?;
    screen.note(&format!("{} is a store of narthex now; `narthex tsdb hand-back` undoes it\n", args.dir));
    Ok(Outcome::Clean)
}

/// Runs `hand-back`.
pub(super) fn hand_back(args: &DirArgs, screen: &Screen) -> Ended {
    if !Path::new(&args.dir).is_dir() {
        return Err(Trouble::new(format!("{}: there is no such directory", args.dir)));
    }
    let opened = Database::open(Arc::new(OsFs), Path::new(&args.dir), options());
    done(opened.and_then(|database| {
        tell_gaps(&database, screen);
        database.hand_back(now_ms())
    }))?;
    screen.note(&format!("{} is a store of Prometheus now\n", args.dir));
    Ok(Outcome::Clean)
}

/// Runs `snapshot`. The store may be in use.
pub(super) fn snapshot(args: &SnapshotArgs, screen: &Screen) -> Ended {
    let opened = Database::open_read_only(Arc::new(OsFs), Path::new(&args.dir), options());
    let target = Path::new(&args.target);
    done(opened.and_then(|database| {
        tell_gaps(&database, screen);
        database.snapshot(target, SnapshotHead::Included, now_ms())
    }))?;
    screen.note(&format!("{} is a copy of {}\n", args.target, args.dir));
    Ok(Outcome::Clean)
}

fn options() -> DatabaseOptions {
    DatabaseOptions::prometheus(entropy())
}

fn done(outcome: Result<(), StorageError>) -> Result<(), Trouble> {
    outcome.map_err(|error| trouble(&error))
}
