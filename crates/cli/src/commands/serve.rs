//! `narthex serve`: answers queries over HTTP.

mod data;
mod metrics;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use narthex_api::{Api, ApiOptions, BuildInfo};
use narthex_eval::EngineOptions;
use narthex_server::options::Regex;
use narthex_server::{Server, ServerOptions, Services, terminated};
use narthex_storage::Queryable;

use crate::args::ServeArgs;
use crate::exit::{Ended, Outcome, Trouble};
use crate::screen::Screen;

/// Clients take the version for one of Prometheus and ask for no more than that one can do.
const VERSION: &str = concat!("3.5.0+narthex.", env!("CARGO_PKG_VERSION"));

/// Runs the command: listens at once, opens the data meanwhile, ends when it is told to or there are no data.
pub(crate) fn run(args: &ServeArgs, screen: &Screen) -> Ended {
    let cannot = |error| Trouble::io("listen on", &args.listen, &error);
    let listener = TcpListener::bind(&args.listen).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let server = Server::new(server_options(args));
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| {
            let opened = data::open(args, screen);
            let kept = opened.map(|store| {
                server.provide(Services {
                    api: api(args, store.queryable),
                    ingest: store.ingest,
                    metrics: store.metrics,
                });
                screen.note(&format!("serving {} on http://{address}\n", args.data));
                store.keeper
            });
            if kept.is_err() {
                server.stop();
            }
            kept
        });
        let stopped = async {
            // Without signals the process can still be killed.
            if terminated().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let served = server.run(listener, stopped).map_err(cannot);
        let opened = opening.join().unwrap_or_else(|_| Err(Trouble::new("opening the data broke off")));
        opened?.map_or(Ok(()), data::Keeper::stop)?;
        served.map(|()| Outcome::Clean)
    })
}

fn server_options(args: &ServeArgs) -> ServerOptions {
    let duration = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    ServerOptions {
        query_timeout: duration(args.timeout_ms),
        queries_max: args.queries_max.max(1),
        connections_max: args.connections_max.max(1),
        idle_timeout: duration(args.idle_timeout_ms),
        hosts: args.hosts.clone(),
        cors_origin: args.cors_origin.clone(),
        ..ServerOptions::default()
    }
}

fn api(args: &ServeArgs, queryable: Arc<dyn Queryable>) -> Api {
    let (limits, eval) = (args.limits.limits(), args.features.eval_options());
    let options = ApiOptions {
        engine: EngineOptions { limits, eval, ..EngineOptions::STABLE },
        parse: args.features.parse_options(),
        lookback_ms: args.lookback_ms,
        build: BuildInfo { version: VERSION.to_owned(), revision: String::new() },
        ..ApiOptions::default()
    };
    Api::new(queryable, options)
}

/// Reads a regular expression.
pub(crate) fn parse_regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}
