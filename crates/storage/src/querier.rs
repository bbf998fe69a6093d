//! What the engine asks of a store.

use std::sync::Arc;

use narthex_model::{Matcher, TimeRange};

use crate::{SeriesExemplars, SeriesSet, StorageError, WindowGrid};

/// What a selection is for. Every field is a hint: a store may ignore it, and must return at least what the matchers,
/// the range and the windows ask for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SelectHints {
    /// Distance of two evaluation times in milliseconds; 0 for a single one.
    pub step_ms: i64,
    /// Length of the window that each evaluation looks at, in milliseconds; 0 for an instant selector.
    pub range_ms: i64,
    /// Only count, sum and reset hints of histograms are looked at: buckets need not be decoded.
    pub histogram_stats_only: bool,
    /// Only the first so many series are needed; 0 for all.
    pub series_max: usize,
    /// Only samples in these windows are looked at; `None` for all of the range.
    pub windows: Option<WindowGrid>,
}

/// A source of series: a store, a block, several of them merged.
pub trait Queryable: Send + Sync {
    /// A view that stays consistent while a query uses it. It need not see samples outside of `range`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError>;

    /// The exemplars within `range` of the series that satisfy all matchers of any of `selectors`, in the order of labels.
    /// Stores that keep none have none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn exemplars(
        &self,
        selectors: &[Vec<Matcher>],
        range: TimeRange,
    ) -> Result<Vec<SeriesExemplars>, StorageError> {
        let _ = (selectors, range);
        Ok(Vec::new())
    }
}

/// A consistent view of a store.
pub trait Querier: Send + Sync {
    /// The series that satisfy every matcher and may have samples in `range`, sorted by labels, each label set once.
    /// Without matchers: all series.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError>;

    /// Names of all labels of the series that satisfy every matcher, sorted, each once.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError>;

    /// Values of one label over the series that satisfy every matcher, sorted, each once.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError>;

    /// What is known to be missing from what this querier has handed out so far: damaged parts of the store that lie
    /// where it looked. One sentence each, without a final stop; asked after reading.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A shared querier is one.
impl<Q: Querier + ?Sized> Querier for Arc<Q> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        (**self).select(matchers, range, hints)
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        (**self).label_names(matchers)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        (**self).label_values(name, matchers)
    }

    fn warnings(&self) -> Vec<String> {
        (**self).warnings()
    }
}
