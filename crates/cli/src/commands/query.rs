//! `narthex query`: evaluates an expression over the samples of files.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use narthex_diag::Diagnostic;
use narthex_eval::engine::Query;
use narthex_eval::{Engine, EngineOptions, EvalError, QueryResult};
use narthex_model::{TimeRange, Timestamp};
use narthex_storage::{MergedQuerier, Querier, Queryable, StorageError};
use narthex_tsdb::db::Database;

use super::tsdb::store::{is_store, open_store};
use super::{ReadQuery, read_query};
use crate::args::QueryArgs;
use crate::exit::{Ended, Outcome, Trouble};
use crate::input::{Samples, load_samples};
use crate::screen::Screen;
use crate::times::now_ms;

/// Runs the command.
pub(crate) fn run(args: &QueryArgs, screen: &Screen) -> Ended {
    let query = match read_query(&args.expr, &args.features.parse_options(), screen) {
        Ok(query) => query,
        Err(outcome) => return Ok(outcome),
    };
    let (dirs, files): (Vec<String>, Vec<String>) =
        args.data.iter().cloned().partition(|path| is_store(path));
    let samples = load_samples(&files, args.at.unwrap_or_else(now_ms))?;
    if !samples.diagnostics.is_empty() {
        screen.complain(&samples.diagnostics, &samples.sources);
        return Ok(Outcome::Findings);
    }
    let data = Data::open(samples, &dirs, screen)?;
    let at_ms = args.at.or(data.newest_ms()).unwrap_or_else(now_ms);
    let parameters = args.range.parameters(at_ms, args.defaults)?;
    let (eval, limits) = (args.features.eval_options(), args.limits.limits());
    let engine = Engine::new(EngineOptions { eval, limits, ..EngineOptions::STABLE });
    let prepared = engine.prepare(&query.expr, parameters);
    match prepared.and_then(|prepared| evaluate_within(&prepared, &data, args.timeout_ms)) {
        Ok(result) => show(args, &query, &result, screen),
        Err(error) => {
            screen.complain(&[error.to_diagnostic().in_source(query.source)], &query.sources);
            Ok(Outcome::Findings)
        }
    }
}

/// What a query looks at: samples of files and stores.
struct Data {
    samples: Samples,
    stores: Vec<Database>,
}

impl Data {
    fn open(samples: Samples, dirs: &[String], screen: &Screen) -> Result<Data, Trouble> {
        let stores = dirs.iter().map(|dir| open_store(dir, screen)).collect::<Result<_, _>>()?;
        Ok(Data { samples, stores })
    }

    fn newest_ms(&self) -> Option<Timestamp> {
        self.stores.iter().filter_map(Database::newest_ms).chain(self.samples.newest_ms).max()
    }
}

impl Queryable for Data {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        let stores = self.stores.iter().map(|store| store.querier(range));
        let queriers = std::iter::once(self.samples.head.querier(range)).chain(stores);
        Ok(Box::new(MergedQuerier::new(queriers.collect::<Result<_, _>>()?)))
    }
}

/// Evaluates a query; another thread tells it when its time is up.
fn evaluate_within(query: &Query, data: &Data, timeout_ms: i64) -> Result<QueryResult, EvalError> {
    let context = query.context();
    let timeout = Duration::from_millis(timeout_ms.unsigned_abs());
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let clock = &context;
        scope.spawn(move || {
            if is_done.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                clock.expire();
            }
        });
        let result = query.evaluate_in(&context, data);
        drop(done);
        result
    })
}

fn show(args: &QueryArgs, query: &ReadQuery, result: &QueryResult, screen: &Screen) -> Ended {
    let annotations: Vec<Diagnostic> = result
        .annotations
        .iter()
        .map(|annotation| annotation.to_diagnostic().in_source(query.source))
        .collect();
    screen.complain(&annotations, &query.sources);
    screen.print(&args.output.write(&result.value))?;
    Ok(Outcome::Clean)
}
