//! How a plan is computed: vectorized, series-major operators and their kernels.
//!
//! A query becomes a tree of [`physical::Operator`]s. Each says once which series it yields, then hands them out in
//! batches: a column of all steps per series. Leaves read samples through the `storage` seam and nowhere else.
//!
//! Reading order: [`engine`], [`result`], [`column`], [`physical`], [`functions`], [`context`], [`annotation`].

mod aggregations;
pub mod annotation;
mod arith;
pub mod column;
pub mod context;
pub mod engine;
pub mod error;
pub mod functions;
mod kahan;
pub mod limits;
mod matching;
pub mod physical;
pub mod quantile;
pub mod result;

pub use annotation::{Annotation, AnnotationKind, Annotations};
pub use column::{SampleRef, StepColumn, Window, Windows};
pub use context::QueryContext;
pub use engine::{Engine, EngineOptions, Query};
pub use error::{EvalError, EvalErrorKind};
pub use limits::Limits;
pub use result::{QueryResult, QueryValue};
