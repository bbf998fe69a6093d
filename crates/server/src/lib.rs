//! The HTTP server around the API: sockets, limits and threads, and nothing that decides what an answer is.
//!
//! Connections live on a few asynchronous threads. A request of the API, admitted by a gate, is computed by the thread of
//! its connection as long as another one stays free, otherwise on a thread of its own, and writes its body into a short
//! channel: a slow reader slows the writer down, a reader that leaves stops the query. Whatever a client can make large or slow has a limit in [`ServerOptions`].
//!
//! A server listens before its store is open: until [`Server::provide`] it says that it is not ready.
//!
//! Reading order: [`options`], [`server`], `listen`, `routes`, `run`, `seats`, `body`, `write`.

#![expect(clippy::disallowed_methods, reason = "a server reads the clock")]

mod body;
mod connections;
mod gate;
mod guard;
mod listen;
mod metrics;
pub mod options;
mod patience;
mod plain;
mod routes;
mod run;
mod seats;
pub mod server;
mod upload;
mod write;

pub use listen::terminated;
pub use options::ServerOptions;
pub use server::{Server, Services};
