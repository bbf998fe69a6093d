//! `and`, `or`, `unless`: which elements are there.

use std::sync::Arc;

use narthex_plan::logical::MatchingLabels;
use narthex_promql::operators::BinaryOp;

use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::{Presence, SeriesBatch};
use crate::matching::MatchGroups;
use crate::memory::{Reservation, list_bytes, presence_bytes};
use crate::{EvalError, QueryContext};

/// Streams one side past the steps at which the other side has its match groups. For `or` the left side is streamed
/// as it is, then the right side past it.
pub(super) struct SetOperation<'a> {
    op: BinaryOp,
    labels: &'a MatchingLabels,
    lhs: BoxedOperator<'a>,
    rhs: BoxedOperator<'a>,
    steps: usize,
    /// Match group of each series, left and right.
    groups: [Vec<usize>; 2],
    /// Steps at which the side that is compared with has each group.
    present: Vec<Presence>,
    phase: Phase,
    held: [Reservation; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Left,
    /// After all left series of an `or`.
    Right,
}

impl<'a> SetOperation<'a> {
    /// `lhs op rhs` over `steps` steps, matched by `labels`.
    pub(super) fn new(
        op: BinaryOp,
        labels: &'a MatchingLabels,
        lhs: BoxedOperator<'a>,
        rhs: BoxedOperator<'a>,
        steps: usize,
    ) -> SetOperation<'a> {
        let (groups, present) = ([Vec::new(), Vec::new()], Vec::new());
        let held = Default::default();
        SetOperation { op, labels, lhs, rhs, steps, groups, present, phase: Phase::Start, held }
    }

    /// Notes where the right side is.
    fn read_right(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        let mut batch = SeriesBatch::new();
        while self.rhs.next_batch(context, &mut batch)? {
            for (series, column) in batch.iter() {
                self.present[self.groups[1][series]].union_with(column.presence());
            }
        }
        Ok(())
    }

    fn next_left(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.lhs.next_batch(context, batch)?;
        for (series, column) in (batch.first..).zip(&mut batch.columns) {
            let present = &mut self.present[self.groups[0][series]];
            match self.op {
                BinaryOp::And => column.retain(present),
                BinaryOp::Unless => column.remove_all(present),
                _ => present.union_with(column.presence()),
            }
        }
        Ok(has_more)
    }

    fn next_right(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.rhs.next_batch(context, batch)?;
        for (series, column) in (batch.first..).zip(&mut batch.columns) {
            column.remove_all(&self.present[self.groups[1][series]]);
        }
        batch.first += self.groups[0].len();
        Ok(has_more)
    }
}

impl Operator for SetOperation<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let (left, right) = (self.lhs.series(context)?, self.rhs.series(context)?);
        let mut groups = MatchGroups::new(context)?;
        let left_groups = groups.assign(&left, self.labels, context)?;
        self.groups = [left_groups, groups.assign(&right, self.labels, context)?];
        let mut never = Presence::default();
        never.reset(self.steps);
        groups.held.grow(groups.len() * presence_bytes(self.steps))?;
        self.present = vec![never; groups.len()];
        if self.op == BinaryOp::Or {
            let list = context.reserve(2 * list_bytes(left.len() + right.len()))?;
            self.held = [groups.held, list];
            return Ok(left.iter().chain(right.iter()).cloned().collect());
        }
        self.held = [groups.held, Reservation::default()];
        Ok(left)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        if self.phase == Phase::Start {
            self.phase = Phase::Left;
            if self.op != BinaryOp::Or {
                self.read_right(context)?;
            }
        }
        if self.phase == Phase::Left {
            if self.next_left(context, batch)? {
                return Ok(true);
            }
            if self.op != BinaryOp::Or {
                return Ok(false);
            }
            self.phase = Phase::Right;
        }
        self.next_right(context, batch)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: format!("set {}", self.op.as_str()), inputs: vec![&*self.lhs, &*self.rhs] }
    }
}
