//! What a query at the command line looks at: samples of files and stores.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use narthex_eval::{EvalError, Query, QueryContext, QueryResult};
use narthex_model::{TimeRange, Timestamp};
use narthex_storage::{MergedQuerier, Querier, Queryable, StorageError};
use narthex_tsdb::db::Database;

use super::tsdb::store::{is_store, open_store};
use crate::data_args::DataArgs;
use crate::exit::Trouble;
use crate::input::{Samples, load_samples};
use crate::screen::Screen;
use crate::times::now_ms;

/// Samples of files and stores, read as one.
pub(crate) struct Data {
    samples: Samples,
    stores: Vec<Database>,
}

impl Data {
    /// Loads the files and opens the stores; `None` when something is wrong in a file, which is drawn.
    ///
    /// # Errors
    /// When something cannot be read.
    pub(crate) fn open(args: &DataArgs, screen: &Screen) -> Result<Option<Data>, Trouble> {
        let (dirs, files): (Vec<String>, Vec<String>) =
            args.data.iter().cloned().partition(|path| is_store(path));
        let samples = load_samples(&files, args.at.unwrap_or_else(now_ms))?;
        if !samples.diagnostics.is_empty() {
            screen.complain(&samples.diagnostics, &samples.sources);
            return Ok(None);
        }
        let stores = dirs.iter().map(|dir| open_store(dir, screen)).collect::<Result<_, _>>()?;
        Ok(Some(Data { samples, stores }))
    }

    /// The time to evaluate at unless a range is given: as told, otherwise the newest sample's, without samples now.
    pub(crate) fn at_ms(&self, args: &DataArgs) -> Timestamp {
        let newest_ms =
            || self.stores.iter().filter_map(Database::newest_ms).chain(self.samples.newest_ms).max();
        args.at.or_else(newest_ms).unwrap_or_else(now_ms)
    }
}

impl Queryable for Data {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        let stores = self.stores.iter().map(|store| store.querier(range));
        let queriers = std::iter::once(self.samples.head.querier(range)).chain(stores);
        Ok(Box::new(MergedQuerier::new(queriers.collect::<Result<_, _>>()?)))
    }
}

/// Evaluates a query in a context made for it; another thread tells it when its time is up.
///
/// # Errors
/// As [`Query::evaluate_in`].
pub(crate) fn evaluate_within(
    query: &Query,
    context: &QueryContext,
    data: &Data,
    timeout_ms: i64,
) -> Result<QueryResult, EvalError> {
    let timeout = Duration::from_millis(timeout_ms.unsigned_abs());
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                context.expire();
            }
        });
        let result = query.evaluate_in(context, data);
        drop(done);
        result
    })
}
