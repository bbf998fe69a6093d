//! What a server accepts, and for how long.

use std::time::Duration;

pub use narthex_regex::Regex;

/// How a server works; the defaults are upstream's where upstream has the flag.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Longest time of a query (`--query.timeout`); a request may ask for less.
    pub query_timeout: Duration,
    /// Most requests that are computed at once (`--query.max-concurrency`).
    pub queries_max: usize,
    /// Most requests that wait for their turn; more are refused at once.
    pub queries_waiting_max: usize,
    /// Longest wait for a turn.
    pub queue_timeout: Duration,
    /// Most connections at once (`--web.max-connections`). One more, and the one that has been idle longest is closed.
    pub connections_max: usize,
    /// An idle connection is closed after that long (`--web.read-timeout`).
    pub idle_timeout: Duration,
    /// From the first byte of a request to the end of its head.
    pub header_timeout: Duration,
    /// Time for the body of a request.
    pub body_timeout: Duration,
    /// A client that takes no byte for that long is left.
    pub write_timeout: Duration,
    /// Time for running requests to end when the server stops.
    pub stop_timeout: Duration,
    /// Longest head of a request: its line with the URL, and its headers.
    pub head_bytes_max: usize,
    /// Longest form.
    pub form_bytes_max: usize,
    /// Longest body of remote write, compressed, and again decompressed.
    pub write_bytes_max: usize,
    /// Which names the server answers to besides addresses, names without a dot and names that no public name server
    /// knows; `*` for all. Others get 421: a page elsewhere may have led a browser here (DNS rebinding).
    pub hosts: Vec<String>,
    /// Origins whose pages may read answers (`--web.cors.origin`); none but the server's own without it.
    pub cors_origin: Option<Regex>,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            query_timeout: Duration::from_secs(120),
            queries_max: 20,
            queries_waiting_max: 200,
            queue_timeout: Duration::from_secs(10),
            connections_max: 512,
            idle_timeout: Duration::from_secs(300),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(10),
            head_bytes_max: 128 << 10,
            form_bytes_max: 10 << 20,
            write_bytes_max: 32 << 20,
            hosts: Vec::new(),
            cors_origin: None,
        }
    }
}
