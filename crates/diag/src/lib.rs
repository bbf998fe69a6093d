//! What is wrong and where: spans, sources and the one diagnostic type.
//!
//! The same [`Diagnostic`] is a parse error, a query annotation, a lint finding and a configuration error, so
//! that every surface (terminal, JSON, editors, CI) shows the same spans. Nothing here renders text.
//!
//! Reading order: [`span`], [`source`], [`span_map`], [`diagnostic`], [`sink`],
//! [`mod@nearest`].

pub mod diagnostic;
pub mod nearest;
pub mod sink;
pub mod source;
pub mod span;
pub mod span_map;

pub use diagnostic::{Annotation, Applicability, Code, Diagnostic, Edit, Severity, Suggestion};
pub use nearest::nearest;
pub use sink::Diagnostics;
pub use source::{LineColumn, LineIndex, Source, SourceId, SourceMap};
pub use span::{Span, Spanned};
pub use span_map::SpanMap;
