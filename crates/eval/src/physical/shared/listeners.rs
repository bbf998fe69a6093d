//! Who hears the annotations of what is computed once for several.

use std::sync::Mutex;

use narthex_diag::Span;

use super::{Places, locked};
use crate::{AnnotationKind, QueryContext};

/// The queries, or parts of one, that a value is computed for; each hears annotations at its own places.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<(QueryContext, Places)>>);

impl Listeners {
    pub(super) fn add(&self, context: QueryContext, places: Places) {
        locked(&self.0).push((context, places));
    }

    /// Tells everybody.
    pub(crate) fn annotate(&self, kind: &AnnotationKind, span: Span) {
        for (context, places) in &*locked(&self.0) {
            context.annotate(kind.clone(), places.moved(span));
        }
    }
}
