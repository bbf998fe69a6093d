//! The HTTP server around the API: sockets, limits and threads, and nothing that decides what an answer is.
//!
//! Connections live on a few asynchronous threads that never compute. Each request of the API is computed on a thread
//! of its own, admitted by a gate, and writes its body into a short channel: a slow reader slows the writer down, a
//! reader that leaves stops the query. Whatever a client can make large or slow has a limit in [`ServerOptions`].
//!
//! A server listens before its store is open: until [`Server::provide`] it says that it is not ready.
//!
//! Reading order: [`options`], [`server`], `listen`, `routes`, `run`, `body`, `write`.

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
pub mod server;
mod upload;
mod write;

pub use listen::terminated;
pub use options::ServerOptions;
pub use server::{Server, Services};
