//! How a plan is computed: vectorized, series-major operators and their kernels.
//!
//! A query becomes a tree of [`physical::Operator`]s. Each says once which series it yields, then hands them out in
//! batches: a column of all steps per series. Leaves read samples through the `storage` seam and nowhere else.
//!
//! ```
//! use narthex_eval::{Engine, EngineOptions, QueryValue};
//! use narthex_model::Labels;
//! use narthex_plan::QueryParameters;
//! use narthex_promql::{ParseOptions, parse};
//! use narthex_storage::{Appender, MemoryStorage};
//!
//! let mut store = MemoryStorage::new();
//! let requests = Labels::from_pairs([("__name__", "requests_total"), ("job", "api")]);
//! for second in 0..=60 {
//!     store.append(&requests, second * 1000, (second as f64 * 5.0).into(), 0)?;
//! }
//! let expr = parse("sum(rate(requests_total[1m]))", &ParseOptions::STABLE).into_result()?;
//! let parameters = QueryParameters::instant(60_000, 300_000, 60_000);
//! let result = Engine::new(EngineOptions::STABLE).evaluate(&store, &expr, parameters)?;
//! let QueryValue::Vector(samples) = result.value else { unreachable!("sum yields an instant vector") };
//! assert_eq!(samples[0].value, 5.0.into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: [`engine`], [`group`], [`result`], [`mod@column`], [`physical`], [`functions`], [`context`], [`profile`], [`limits`], [`gate`],
//! [`mod@features`], [`annotation`].

mod aggregations;
pub mod annotation;
mod arith;
pub mod column;
pub mod context;
pub mod engine;
pub mod error;
pub mod features;
pub mod functions;
pub mod gate;
pub mod group;
mod kahan;
mod label_table;
pub mod limits;
mod matching;
mod memory;
mod ordered;
pub mod physical;
pub mod profile;
pub mod quantile;
pub mod result;

pub use annotation::{Annotation, AnnotationKind, Annotations};
pub use column::{SampleRef, StepColumn, Window, Windows};
pub use context::QueryContext;
pub use engine::{Engine, EngineOptions, Query};
pub use error::{EvalError, EvalErrorKind};
pub use features::EngineFeature;
pub use gate::{GateLimits, QueryGate};
pub use group::QueryGroup;
pub use limits::{LimitKind, Limits};
pub use profile::{Figures, OperatorProfile, Profile};
pub use result::{QueryResult, QueryValue};
