//! The kernels of functions: arithmetic over columns and windows, without state.
//!
//! One file per family; each matches exhaustively on its family's enum, so that a function without a kernel does not
//! compile.

pub mod date;
pub mod extended;
mod extrapolation;
pub mod histogram;
mod histogram_classic;
mod histogram_rate;
mod lanes;
mod lines;
pub mod math;
mod over_floats;
pub mod over_time;
pub mod rate;
mod rate_floats;
pub mod regression;
mod sliding;
mod sum_over_time;
pub(crate) mod summarised;
mod sums;
mod transitions;
pub mod trigonometry;
mod variance;

use narthex_diag::Span;
use narthex_model::Labels;

use crate::{AnnotationKind, QueryContext};

/// What a kernel knows of the series it works on, besides its samples.
#[derive(Clone, Copy, Debug)]
pub struct SeriesContext<'a> {
    /// The query.
    pub query: &'a QueryContext,
    /// The metric name, empty when it is no longer known.
    pub metric: &'a str,
    /// All labels of the input series.
    pub labels: &'a Labels,
    /// The call.
    pub call_span: Span,
    /// The argument that annotations point at.
    pub arg_span: Span,
}

impl SeriesContext<'_> {
    /// Says something about the argument.
    pub fn annotate(&self, kind: AnnotationKind) {
        self.query.annotate(kind, self.arg_span);
    }

    /// Says something about the argument that ends with its metric name.
    pub fn annotate_metric(&self, kind: impl FnOnce(String) -> AnnotationKind) {
        self.annotate(kind(self.metric.to_owned()));
    }
}
