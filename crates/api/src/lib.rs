//! Prometheus's HTTP API v1 without HTTP: parameters in, answers out, and the JSON of answers as it is streamed.
//!
//! Nothing here opens a socket or reads a clock. A server hands over the decoded parameters of a request, the time and a
//! token that stops the query; it gets an [`Answer`] whose bytes it pulls through a [`ChunkSink`], or an [`ApiError`]
//! with a status. Texts and bytes are those of Prometheus 3.
//!
//! ```
//! use std::sync::Arc;
//! use narthex_api::{Api, ApiOptions, Endpoint, Parameters, Request};
//! use narthex_storage::MemoryStorage;
//!
//! let api = Api::new(Arc::new(MemoryStorage::new()), ApiOptions::default());
//! let parameters = Parameters::parse(b"query=1%2B1&time=4", b"")?;
//! let request = Request::new(Endpoint::Query, parameters, 0);
//! let mut body = Vec::new();
//! api.answer(&request)?.write(&mut body)?;
//! assert_eq!(body, br#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: [`parameters`], [`times`], [`api`], [`answer`], [`chunks`], [`json`], [`mod@format`], [`tree`], [`error`].

pub mod answer;
pub mod api;
pub mod chunks;
mod endpoints;
pub mod error;
pub mod format;
pub mod json;
pub mod parameters;
pub mod times;
pub mod tree;

pub use answer::{Answer, Data};
pub use api::{Api, ApiOptions, BuildInfo, Endpoint, Request};
pub use chunks::{ChunkSink, Closed};
pub use error::{ApiError, ErrorKind};
pub use format::{FORMATS, Format};
pub use json::JsonWriter;
pub use parameters::Parameters;
