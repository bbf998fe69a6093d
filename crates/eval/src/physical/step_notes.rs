//! What is to be said of a step: of several annotations only the last survives.

use narthex_diag::Span;

use crate::{AnnotationKind, QueryContext};

/// One place for an annotation per step.
#[derive(Debug, Default)]
pub(super) struct StepNotes {
    last: Vec<Option<AnnotationKind>>,
}

impl StepNotes {
    /// Puts `note` in the place of `step` among `steps`.
    pub(super) fn put(&mut self, step: usize, steps: usize, note: AnnotationKind) {
        if self.last.is_empty() {
            self.last.resize(steps, None);
        }
        self.last[step] = Some(note);
    }

    /// Says what is left, of the part of the query at `span`.
    pub(super) fn annotate(&mut self, context: &QueryContext, span: Span) {
        for note in std::mem::take(&mut self.last).into_iter().flatten() {
            context.annotate(note, span);
        }
    }
}
