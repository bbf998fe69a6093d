//! The series of an operator that names them one by one, within the memory of the query.

use std::sync::Arc;

use super::SeriesMetadata;
use crate::memory::{Reservation, label_bytes, list_bytes};
use crate::{EvalError, QueryContext};

/// Series that are found one after the other. They count, with the texts of their labels, until the list is dropped.
#[derive(Debug, Default)]
pub(crate) struct SeriesList {
    series: Vec<SeriesMetadata>,
    /// What the texts take.
    text_bytes: usize,
    held: Reservation,
}

impl SeriesList {
    /// Without series yet.
    ///
    /// # Errors
    /// When the query was told to stop.
    pub(crate) fn new(context: &QueryContext) -> Result<SeriesList, EvalError> {
        context.check()?;
        Ok(SeriesList { held: context.reserve(0)?, ..SeriesList::default() })
    }

    /// Adds a series; `origin` is the one it is made of, whose labels it may share.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may, or was told to stop.
    pub(crate) fn push(
        &mut self,
        context: &QueryContext,
        series: SeriesMetadata,
        origin: Option<&SeriesMetadata>,
    ) -> Result<(), EvalError> {
        let shares = origin.is_some_and(|origin| origin.labels.shares_text(&series.labels));
        let text = if shares { 0 } else { label_bytes(&series.labels) };
        context.check()?;
        // A growing list has up to as much room again.
        self.held.grow_soon(text + 2 * size_of::<SeriesMetadata>())?;
        self.text_bytes += text;
        self.series.push(series);
        Ok(())
    }

    /// Number of series.
    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    /// The series of number `at`.
    pub(crate) fn get(&self, at: usize) -> &SeriesMetadata {
        &self.series[at]
    }

    /// The series of number `at`, to be changed.
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut SeriesMetadata {
        &mut self.series[at]
    }

    /// The series, and what they and their labels take.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may.
    pub(crate) fn finish(mut self) -> Result<(Arc<[SeriesMetadata]>, Reservation), EvalError> {
        self.held.grow(0)?;
        let list = list_bytes(self.series.len());
        let series: Arc<[SeriesMetadata]> = self.series.into();
        self.held.resize(self.text_bytes + list)?;
        Ok((series, self.held))
    }
}

/// What `rename` makes of each series, in the same order, and what they take.
///
/// # Errors
/// As [`SeriesList::push`].
pub(crate) fn renamed(
    series: &[SeriesMetadata],
    context: &QueryContext,
    rename: impl Fn(&SeriesMetadata) -> SeriesMetadata,
) -> Result<(Arc<[SeriesMetadata]>, Reservation), EvalError> {
    let mut list = SeriesList::new(context)?;
    for one in series {
        list.push(context, rename(one), Some(one))?;
    }
    list.finish()
}
