//! One stream of batches, those who take them, and what is kept for the slower ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::{Sink, locked};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::physical::SeriesMetadata;
use crate::{EvalError, QueryContext, StepColumn};

/// Most bytes that an outlet keeps for takers that lag behind, if the query may hold many.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// Of what a query may hold, an outlet keeps no more than one part of so many.
const SHARE_OF_LIMIT: usize = 8;

/// Most bytes that an outlet keeps.
pub(super) fn kept_bytes_max(context: &QueryContext) -> usize {
    KEPT_BYTES_MAX.min(context.limits.bytes_max / SHARE_OF_LIMIT)
}

#[derive(Default)]
pub(super) struct Outlet<'a> {
    takers: Vec<Taker<'a>>,
    kept: VecDeque<Kept>,
    /// Number of the first batch that is kept.
    first_kept: usize,
    kept_bytes: usize,
}

enum Taker<'a> {
    /// Asks for batches: the number of the next one, and of the first that is not kept for it, when it is left behind.
    Asks { next: usize, until: Option<usize> },
    /// Is handed columns.
    Fed(Arc<Mutex<dyn Sink + 'a>>),
    /// Wants nothing, or was left behind.
    Gone,
}

struct Kept {
    first: usize,
    columns: Vec<StepColumn>,
    held: Reservation,
    bytes: usize,
}

impl<'a> Outlet<'a> {
    pub(super) fn join(&mut self) -> usize {
        self.takers.push(Taker::Asks { next: self.first_kept, until: None });
        self.takers.len() - 1
    }

    pub(super) fn join_sink(&mut self, sink: Arc<Mutex<dyn Sink + 'a>>) -> usize {
        self.takers.push(Taker::Fed(sink));
        self.takers.len() - 1
    }

    pub(super) fn leave(&mut self, taker: usize) {
        self.takers[taker] = Taker::Gone;
        self.release();
    }

    /// Whether this taker still takes part.
    pub(super) fn serves(&self, taker: usize) -> bool {
        match &self.takers[taker] {
            Taker::Asks { next, until } => *until != Some(*next),
            Taker::Fed(_) => true,
            Taker::Gone => false,
        }
    }

    /// Whether anybody takes anything.
    pub(super) fn is_wanted(&self) -> bool {
        self.is_asked() || self.takers.iter().any(|taker| matches!(taker, Taker::Fed(_)))
    }

    /// Whether anybody asks for the batches that come.
    pub(super) fn is_asked(&self) -> bool {
        self.takers.iter().any(|taker| matches!(taker, Taker::Asks { until: None, .. }))
    }

    /// Whether nobody but this taker takes anything, and nothing is kept for it.
    pub(super) fn is_sole(&self, taker: usize) -> bool {
        let others = || self.takers.iter().enumerate().filter(|(at, _)| *at != taker);
        self.kept.is_empty() && others().all(|(_, other)| matches!(other, Taker::Gone))
    }

    /// Leaves everybody behind who would have to be waited for: all who ask, when others are fed, else all but the
    /// first.
    pub(super) fn leave_behind_askers(&mut self) {
        let is_fed = self.takers.iter().any(|taker| matches!(taker, Taker::Fed(_)));
        let askers = self.takers.iter_mut().filter(|taker| matches!(taker, Taker::Asks { .. }));
        askers.skip(usize::from(!is_fed)).for_each(|taker| *taker = Taker::Gone);
    }

    pub(super) fn begin(&self, series: &Arc<[SeriesMetadata]>) {
        self.sinks().for_each(|sink| locked(sink).begin(series));
    }

    pub(super) fn feed(&self, series: usize, column: &StepColumn) {
        self.sinks().for_each(|sink| locked(sink).accept(series, column));
    }

    fn sinks(&self) -> impl Iterator<Item = &Mutex<dyn Sink + 'a>> {
        self.takers.iter().filter_map(|taker| match taker {
            Taker::Fed(sink) => Some(&**sink),
            _ => None,
        })
    }

    /// Keeps the columns of the series from number `first` on for all who ask.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may.
    pub(super) fn keep(
        &mut self,
        first: usize,
        columns: Vec<StepColumn>,
        context: &QueryContext,
    ) -> Result<(), EvalError> {
        let bytes = columns.iter().map(StepColumn::size_bytes).sum();
        self.kept.push_back(Kept { first, columns, held: context.reserve(bytes)?, bytes });
        self.kept_bytes += bytes;
        Ok(())
    }

    /// When more is kept than may be, those who lag behind get that, and nothing more.
    pub(super) fn leave_laggards_behind(&mut self, bytes_max: usize) {
        if self.kept_bytes <= bytes_max {
            return;
        }
        let end = self.first_kept + self.kept.len();
        for taker in &mut self.takers {
            // Who has all but the last batch is the one who asks for it.
            if let Taker::Asks { next, until } = taker
                && *next + 1 < end
                && until.is_none()
            {
                *until = Some(end);
            }
        }
    }

    /// Hands the next batch that is kept to a taker, if there is one.
    pub(super) fn take(&mut self, taker: usize, batch: &mut SeriesBatch) -> bool {
        let Taker::Asks { next, .. } = &mut self.takers[taker] else { return false };
        let at = *next - self.first_kept;
        if at >= self.kept.len() {
            return false;
        }
        *next += 1;
        let is_last = at == 0 && self.slowest() > self.first_kept;
        let Some(kept) = self.kept.get_mut(at) else { return false };
        batch.start(kept.first);
        if is_last {
            // From here on the batch counts.
            drop(std::mem::take(&mut kept.held));
            batch.columns.append(&mut kept.columns);
        } else {
            kept.columns.iter().for_each(|column| batch.push_copy(column));
        }
        self.release();
        true
    }

    /// The number of the batch that the slowest taker asks for next.
    fn slowest(&self) -> usize {
        let next = |taker: &Taker<'_>| match taker {
            Taker::Asks { next, .. } => Some(*next),
            _ => None,
        };
        self.takers.iter().filter_map(next).min().unwrap_or(usize::MAX)
    }

    /// Drops what everybody has.
    fn release(&mut self) {
        let slowest = self.slowest();
        while self.first_kept < slowest {
            let Some(kept) = self.kept.pop_front() else { return };
            self.kept_bytes -= kept.bytes;
            self.first_kept += 1;
        }
    }
}
