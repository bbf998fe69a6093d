//! What a store answers that is not told what a selection is for.

use narthex_model::{Matcher, TimeRange};

use crate::{Querier, Queryable, SelectHints, SeriesSet, StorageError};

/// A store that is not told what a selection is for, and so hands out every sample: what answers with hints are held
/// against, and what they are faster than.
pub struct WithoutHints<'a>(pub &'a dyn Queryable);

impl Queryable for WithoutHints<'_> {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(QuerierWithoutHints(self.0.querier(range)?)))
    }
}

struct QuerierWithoutHints<'a>(Box<dyn Querier + 'a>);

impl Querier for QuerierWithoutHints<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        _: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        self.0.select(matchers, range, &SelectHints::default())
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.0.label_names(matchers)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.0.label_values(name, matchers)
    }

    fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }
}
