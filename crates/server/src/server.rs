//! A server and what it serves.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use narthex_api::Api;
use narthex_model::Timestamp;
use narthex_remote::Ingest;
use tokio::sync::Notify;

use crate::gate::Gate;
use crate::listen;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::seats::Seats;
use crate::write::WriteBudget;

/// What is served, once it is there.
pub struct Services {
    /// The store behind the API.
    pub api: Api,
    /// The store behind remote write (`--web.enable-remote-write-receiver`); without it the receiver is off.
    pub ingest: Option<Arc<dyn Ingest>>,
    /// Appends metrics of the store, in text format, to those of the server.
    pub metrics: Option<MetricsPage>,
}

/// Appends metrics in text format.
pub type MetricsPage = Box<dyn Fn(&mut String) + Send + Sync>;

/// A server. Shared by everything that belongs to it.
pub struct Server {
    pub(crate) options: ServerOptions,
    pub(crate) services: OnceLock<Services>,
    pub(crate) gate: Gate,
    pub(crate) seats: Arc<Seats>,
    pub(crate) write_budget: WriteBudget,
    pub(crate) metrics: Metrics,
    stop: Notify,
}

impl Server {
    /// A server that is not ready yet.
    pub fn new(options: ServerOptions) -> Arc<Server> {
        Arc::new(Server {
            gate: Gate::new(&options),
            // One thread stays for those who have no seat.
            seats: Seats::new(threads() - 1),
            write_budget: WriteBudget::new(options.write_bytes_max),
            metrics: Metrics::default(),
            services: OnceLock::new(),
            stop: Notify::new(),
            options,
        })
    }

    /// Makes the server ready. Later calls change nothing.
    pub fn provide(&self, services: Services) {
        let _ = self.services.set(services);
    }

    /// Ends [`Server::run`], also if it has not begun.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Serves until `stop` is done or [`Server::stop`] was called, then lets running requests end; blocks the thread.
    ///
    /// # Errors
    /// When no runtime can be made or the listener cannot be used.
    pub fn run(self: &Arc<Server>, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
        std::thread::scope(|scope| {
            let watchman = std::thread::Builder::new().name("narthex-watch".to_owned());
            watchman.spawn_scoped(scope, || self.seats.watch())?;
            let served = self.serve(listener, stop);
            self.seats.end();
            served
        })
    }

    fn serve(self: &Arc<Server>, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads())
            .thread_name("narthex-http")
            // Every admitted request, and as many remote writes, must find a thread.
            .max_blocking_threads(2 * self.options.queries_max + 16)
            .enable_all()
            .build()?;
        let served = runtime.block_on(async {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let stop = async {
                tokio::select! {
                    () = stop => {}
                    () = self.stop.notified() => {}
                }
            };
            listen::serve(self, listener, stop).await;
            Ok(())
        });
        // Computations that were told to stop end soon; a stuck disk must not keep the process.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        served
    }
}

/// How many threads serve connections: one for each core, and one more.
fn threads() -> usize {
    1 + std::thread::available_parallelism().map_or(2, usize::from).min(8)
}

/// The wall clock.
pub(crate) fn now_ms() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX)
}
