//! The data that are served: a store on disk, or the samples of a file.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use narthex_remote::Ingest;
use narthex_server::server::MetricsPage;
use narthex_storage::{Appender, Queryable, StorageError};
use narthex_tsdb::db::Database;
use narthex_tsdb::fs::OsFs;

use super::metrics;
use crate::args::ServeArgs;
use crate::commands::tsdb::store::tell_gaps;
use crate::entropy::entropy;
use crate::exit::Trouble;
use crate::input::load_samples;
use crate::screen::Screen;
use crate::times::now_ms;

/// How often the log is asked whether it is to be made durable.
const SYNC_EVERY: Duration = Duration::from_millis(100);
/// So many of these later it is asked what else is to be done.
const SYNCS_PER_MAINTENANCE: u32 = 20;
/// A store that is only read is looked at again that much more rarely.
const SYNCS_PER_REFRESH: u32 = 150;

/// What is served.
pub(super) struct Store {
    /// What is read.
    pub(super) queryable: Arc<dyn Queryable>,
    /// What is written to, if it was asked for.
    pub(super) ingest: Option<Arc<dyn Ingest>>,
    /// What it tells of itself.
    pub(super) metrics: Option<MetricsPage>,
    /// What keeps it in order as long as it is served.
    pub(super) keeper: Option<Keeper>,
}

/// Opens a directory or a file. A directory is written only with the receiver; otherwise not one byte of it is changed.
pub(super) fn open(args: &ServeArgs, screen: &Screen) -> Result<Store, Trouble> {
    let path = Path::new(&args.data);
    // Prometheus makes the directory of its store, and so do we.
    if path.is_dir() || (args.enable_receiver && !path.exists()) {
        return open_directory(args, path, screen);
    }
    if args.enable_receiver {
        return Err(Trouble::new(format!("{} is no directory: it cannot be written to", args.data)));
    }
    let samples = load_samples(std::slice::from_ref(&args.data), now_ms())?;
    if samples.diagnostics.is_empty() {
        return Ok(Store { queryable: Arc::new(samples.head), ingest: None, metrics: None, keeper: None });
    }
    screen.complain(&samples.diagnostics, &samples.sources);
    Err(Trouble::new(format!("{} has samples that cannot be served", args.data)))
}

fn open_directory(args: &ServeArgs, path: &Path, screen: &Screen) -> Result<Store, Trouble> {
    let (fs, options) = (Arc::new(OsFs), args.storage.options(entropy()));
    let opened = if args.enable_receiver {
        Database::open(fs, path, options)
    } else {
        Database::open_read_only(fs, path, options)
    };
    let database =
        Arc::new(opened.map_err(|error| Trouble::new(format!("cannot open {}: {error}", args.data)))?);
    tell_gaps(&database, screen);
    let ingest: Option<Arc<dyn Ingest>> =
        if args.enable_receiver { Some(Arc::new(Written(Arc::clone(&database)))) } else { None };
    let keeper = Keeper::of(&database, args.enable_receiver);
    let metrics = metrics::page(Arc::clone(&database));
    Ok(Store { queryable: database, ingest, metrics: Some(metrics), keeper: Some(keeper) })
}

/// A store that remote write goes to.
struct Written(Arc<Database>);

impl Ingest for Written {
    fn appender(&self) -> Box<dyn Appender + '_> {
        Box::new(self.0.appender())
    }
}

/// A thread that does for a store what has to be done now and then.
pub(super) struct Keeper {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
    database: Arc<Database>,
}

impl Keeper {
    fn of(database: &Arc<Database>, is_written: bool) -> Keeper {
        let (stop, stopped) = mpsc::channel();
        let kept = Arc::clone(database);
        let thread = std::thread::spawn(move || keep(&kept, is_written, &stopped));
        Keeper { stop, thread, database: Arc::clone(database) }
    }

    /// Lets what is under way end and makes the log durable.
    ///
    /// # Errors
    /// When the log cannot be made durable.
    pub(super) fn stop(self) -> Result<(), Trouble> {
        drop(self.stop);
        let ended = self.thread.join();
        let synced = self.database.log().map_or(Ok(()), |log| log.sync());
        ended.map_err(|_| Trouble::new("the upkeep of the store broke off"))?;
        synced.map_err(|error| Trouble::new(format!("the newest samples may be lost: {error}")))
    }
}

fn keep(database: &Database, is_written: bool, stopped: &mpsc::Receiver<()>) {
    let mut round: u32 = 0;
    // What failed is tried again, so that a reason is told once.
    let mut told = None;
    while stopped.recv_timeout(SYNC_EVERY) == Err(RecvTimeoutError::Timeout) {
        round = round.wrapping_add(1);
        let outcome = if is_written { upkeep(database, round) } else { look_again(database, round) };
        let error = outcome.err();
        if let Some(error) = error.as_ref().filter(|error| told.as_ref() != Some(*error)) {
            eprintln!("warning: {error}");
        }
        told = error.or(told);
    }
}

fn upkeep(database: &Database, round: u32) -> Result<(), StorageError> {
    database.sync_if_due(now_ms())?;
    if round.is_multiple_of(SYNCS_PER_MAINTENANCE) {
        database.maintain(now_ms())?;
    }
    Ok(())
}

fn look_again(database: &Database, round: u32) -> Result<(), StorageError> {
    if round.is_multiple_of(SYNCS_PER_REFRESH) { database.refresh() } else { Ok(()) }
}
