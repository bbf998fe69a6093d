//! Remote write 1.0 and 2.0: the body of a request to samples in a store, without sockets.
//!
//! A body is decoded as it lies there: label texts are borrowed, no tree of messages is built, nothing is allocated
//! beyond what the bytes hold. A request that cannot be decoded changes nothing; of one that can, every good sample is
//! stored and every other one is told of.
//!
//! A store takes part by implementing [`Ingest`].
//!
//! Reading order: [`write`](mod@write), [`ingest`], [`wire`].

pub mod ingest;
pub mod wire;
pub mod write;

pub use ingest::{Ingest, ReceiveError, Received, receive};
pub use wire::DecodeError;
pub use write::{Version, decode, decompress};
