//! Binary operators between the elements of two vectors.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::logical::{Cardinality, Matching};

use super::step_notes::StepNotes;
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::arith::{Operation, compute_all};
use crate::column::{Presence, SeriesBatch};
use crate::limits::column_samples;
use crate::matching::one_side::{OneColumn, OneSide};
use crate::matching::table::{MatchTable, ResultRule, Side, many_side};
use crate::memory::{Reservation, column_bytes, presence_bytes};
use crate::{EvalError, QueryContext, SampleRef, StepColumn};

/// Joins two vectors: reads the side that must be unique completely, then streams the other one past it.
pub(super) struct VectorBinary<'a> {
    rule: ResultRule<'a>,
    many: BoxedOperator<'a>,
    one: BoxedOperator<'a>,
    steps: usize,
    span: Span,
    /// From `series` to the last batch. Boxed: chains of operators are built and read by recursion.
    join: Option<Box<Join>>,
}

/// The state of a join.
struct Join {
    table: MatchTable,
    ones: Arc<[SeriesMetadata]>,
    many_batch: SeriesBatch,
    one_side: OneSide,
    /// Steps at which an element of the "many" side had a partner, per group; where that must be known.
    matched: Vec<Presence>,
    /// Steps at which labels that may occur once have occurred.
    collided: Vec<Presence>,
    notes: StepNotes,
    has_read_one_side: bool,
    is_done: bool,
    held_samples: usize,
    /// Columns of the side that must be unique.
    one_bytes: Reservation,
    /// The result series, and tables over groups and steps.
    _held: [Reservation; 2],
}

impl<'a> VectorBinary<'a> {
    /// `lhs op rhs` over `steps` steps; the expression stands at `span`.
    pub(super) fn new(
        operation: Operation,
        matching: &'a Matching,
        lhs: BoxedOperator<'a>,
        rhs: BoxedOperator<'a>,
        steps: usize,
        span: Span,
    ) -> VectorBinary<'a> {
        let (many, one) = if many_side(matching) == Side::Left { (lhs, rhs) } else { (rhs, lhs) };
        VectorBinary { rule: ResultRule { operation, matching }, many, one, steps, span, join: None }
    }

    fn one_side(&self) -> Side {
        if many_side(self.rule.matching) == Side::Left { Side::Right } else { Side::Left }
    }

    /// Works out partners and results. Apart from `series`, which chains of operators make recurse.
    fn prepare(
        &mut self,
        many: &[SeriesMetadata],
        ones: Arc<[SeriesMetadata]>,
        context: &QueryContext,
    ) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let mut table = MatchTable::new(self.rule, many, &ones, context)?;
        let (output, output_held) = std::mem::take(&mut table.output).finish()?;
        let mut never = Presence::default();
        never.reset(self.steps);
        let tracks = self.must_be_unique() || self.rule.fill_many().is_some();
        let tracked = if tracks { table.groups.len() } else { 0 };
        let of_groups = (tracked + table.collision_count) * presence_bytes(self.steps);
        let of_groups = context.reserve(of_groups + table.groups.len() * size_of::<OneColumn>())?;
        self.join = Some(Box::new(Join {
            one_side: OneSide::new(table.groups.len(), self.steps),
            matched: vec![never.clone(); tracked],
            collided: vec![never; table.collision_count],
            notes: StepNotes::default(),
            has_read_one_side: false,
            is_done: false,
            held_samples: 0,
            one_bytes: context.reserve(0)?,
            _held: [output_held, of_groups],
            ones,
            many_batch: SeriesBatch::new(),
            table,
        }));
        Ok(output)
    }

    /// Reads the side that must be unique.
    fn read_one_side(&mut self, context: &QueryContext, join: &mut Join) -> Result<(), EvalError> {
        let mut batch = SeriesBatch::new();
        while self.one.next_batch(context, &mut batch)? {
            let held = batch.columns.iter().map(column_samples).sum();
            context.hold_samples(held)?;
            join.held_samples += held;
            let mut columns = Vec::with_capacity(batch.columns.len());
            let first = batch.first;
            batch.take_columns(&mut columns, &mut join.one_bytes)?;
            for (series, column) in (first..).zip(columns) {
                join.one_bytes.grow(join.one_side.room_bytes(join.table.ones[series].0, self.steps))?;
                join.one_side.add(series, join.table.ones[series].0, column);
            }
        }
        // With a value for what is missing, an empty side is no reason not to look at the other.
        if self.rule.fill_many().is_some() || self.rule.fill_one().is_some() {
            let mut all = Presence::default();
            all.reset(self.steps);
            all.set_all();
            join.one_side.check_unique(&all, &join.ones, &join.table, self.one_side(), self.span)?;
        }
        Ok(())
    }

    fn join_column(
        &self,
        join: &mut Join,
        series: usize,
        column: &mut StepColumn,
        context: &QueryContext,
        batch: &mut SeriesBatch,
    ) -> Result<(), EvalError> {
        context.check()?;
        join.one_side.check_unique(column.presence(), &join.ones, &join.table, self.one_side(), self.span)?;
        let many = join.table.many[series];
        let group = &join.table.groups[many.group];
        let (classes, filled_class) = (group.classes(), group.filled_class.unwrap_or(0));
        if classes == 0 {
            return Ok(());
        }
        let fill = self.rule.fill_one();
        if fill.is_none() && self.join_floats(join, series, column)? {
            // Swapped, not taken: both batches keep the memory of their columns.
            std::mem::swap(batch.push_column(self.steps), column);
            return Ok(());
        }
        let base = batch.columns.len();
        self.push_columns(classes, context, batch)?;
        let Join { table, one_side, matched, collided, notes, .. } = join;
        let one = one_side.group(many.group);
        for (step, element) in column.iter() {
            let found = one.and_then(|one| Some((one.column.get(step)?, class_at(table, one, step))));
            let filled = || Some((SampleRef::Float(fill?), filled_class));
            let Some((partner, class)) = found.or_else(filled) else { continue };
            self.note_match(matched, many.group, step)?;
            let outcome = self.apply(element, partner);
            if let Some(note) = outcome.note {
                notes.put(step, self.steps, note);
            }
            if let Some(value) = outcome.value {
                claim(table, collided, many.first_slot + class, step, self.span)?;
                batch.columns[base + class].set(step, value);
            }
        }
        Ok(())
    }

    /// Arithmetic over floats alone in groups of one result per element: all steps at once, in place.
    fn join_floats(
        &self,
        join: &mut Join,
        series: usize,
        column: &mut StepColumn,
    ) -> Result<bool, EvalError> {
        let many = join.table.many[series];
        let collides = join.table.collisions.get(many.first_slot).copied().flatten().is_some();
        let Some(one) = join.one_side.group(many.group) else { return Ok(false) };
        let is_plain = !column.has_histograms()
            && !one.column.has_histograms()
            && !collides
            && join.table.groups[many.group].classes() == 1
            && self.rule.operation.makes_quantity();
        if !is_plain {
            return Ok(false);
        }
        column.retain(one.column.presence());
        if let Some(matched) = join.matched.get_mut(many.group) {
            if self.must_be_unique() && matched.intersects(column.presence()) {
                return Err(self.many_to_one());
            }
            matched.union_with(column.presence());
        }
        let op = self.rule.operation.op;
        match many_side(self.rule.matching) {
            Side::Left => compute_all(op, column.values_mut(), one.column.values()),
            Side::Right => {
                let mut left = one.column.values().to_vec();
                compute_all(op, &mut left, column.values());
                column.values_mut().copy_from_slice(&left);
                true
            }
        };
        Ok(true)
    }

    /// Adds absent columns for the results of one series, one at a time within the memory of the query.
    fn push_columns(
        &self,
        classes: usize,
        context: &QueryContext,
        batch: &mut SeriesBatch,
    ) -> Result<(), EvalError> {
        if classes > 1 {
            drop(context.reserve(classes * column_bytes(self.steps))?);
        }
        for _ in 0..classes {
            batch.push_column(self.steps);
        }
        // A batch grows with the number of partners of a series.
        if classes > 1 { batch.settle(context) } else { Ok(()) }
    }

    fn apply(&self, many: SampleRef<'_>, one: SampleRef<'_>) -> crate::arith::Outcome {
        match many_side(self.rule.matching) {
            Side::Left => self.rule.operation.apply(many, one),
            Side::Right => self.rule.operation.apply(one, many),
        }
    }

    /// Whether elements of both sides must be unique.
    fn must_be_unique(&self) -> bool {
        self.rule.matching.cardinality == Cardinality::OneToOne
    }

    fn many_to_one(&self) -> EvalError {
        let message =
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
        EvalError::execution(message, self.span)
    }

    fn note_match(&self, matched: &mut [Presence], group: usize, step: usize) -> Result<(), EvalError> {
        let Some(matched) = matched.get_mut(group) else { return Ok(()) };
        if self.must_be_unique() && matched.get(step) {
            return Err(self.many_to_one());
        }
        matched.set(step);
        Ok(())
    }

    /// Results of elements without a partner on the "many" side.
    fn join_unmatched(
        &self,
        join: &mut Join,
        context: &QueryContext,
        batch: &mut SeriesBatch,
    ) -> Result<(), EvalError> {
        let Some(fill) = self.rule.fill_many() else { return Ok(()) };
        let Join { table, one_side, matched, collided, notes, .. } = join;
        let mut filled: Vec<(usize, usize)> = (table.groups.iter().enumerate())
            .filter_map(|(at, group)| Some((group.filled_slot?, at)))
            .collect();
        filled.sort_unstable();
        for (slot, group) in filled {
            let base = batch.columns.len();
            self.push_columns(table.groups[group].classes(), context, batch)?;
            let Some(one) = one_side.group(group) else { continue };
            for (step, element) in one.column.iter().filter(|(step, _)| !matched[group].get(*step)) {
                let class = class_at(table, one, step);
                let outcome = self.apply(SampleRef::Float(fill), element);
                if let Some(note) = outcome.note {
                    notes.put(step, self.steps, note);
                }
                if let Some(value) = outcome.value {
                    claim(table, collided, slot + class, step, self.span)?;
                    batch.columns[base + class].set(step, value);
                }
            }
        }
        Ok(())
    }

    /// Fills `batch` with the results of the next series; `false` when all sides are read.
    fn advance(
        &mut self,
        context: &QueryContext,
        join: &mut Join,
        batch: &mut SeriesBatch,
    ) -> Result<bool, EvalError> {
        let mut many_batch = std::mem::take(&mut join.many_batch);
        while self.many.next_batch(context, &mut many_batch)? {
            let first = many_batch.first;
            // Operators without any series may yield a batch nevertheless.
            let Some(many) = join.table.many.get(first) else { continue };
            batch.start(many.first_slot);
            for (series, column) in (first..).zip(&mut many_batch.columns) {
                self.join_column(join, series, column, context, batch)?;
            }
            if !batch.columns.is_empty() {
                join.many_batch = many_batch;
                return Ok(true);
            }
        }
        let filled_first = join.table.groups.iter().filter_map(|group| group.filled_slot).min();
        batch.start(filled_first.unwrap_or(0));
        join.is_done = true;
        self.join_unmatched(join, context, batch)?;
        join.notes.annotate(context, self.span);
        context.release_samples(join.held_samples);
        Ok(!batch.columns.is_empty())
    }
}

/// The class of the partner at `step`.
fn class_at(table: &MatchTable, one: &OneColumn, step: usize) -> usize {
    table.ones[one.owner(step)].1
}

/// Takes the place of a result's labels within its match group at `step`.
fn claim(
    table: &MatchTable,
    collided: &mut [Presence],
    slot: usize,
    step: usize,
    span: Span,
) -> Result<(), EvalError> {
    let Some(number) = table.collisions.get(slot).copied().flatten() else { return Ok(()) };
    if collided[number].get(step) {
        let message = "multiple matches for labels: grouping labels must ensure unique matches";
        return Err(EvalError::execution(message, span));
    }
    collided[number].set(step);
    Ok(())
}

impl Operator for VectorBinary<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let many = self.many.series(context)?;
        let ones = self.one.series(context)?;
        self.prepare(&many, ones, context)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        context.check()?;
        let Some(mut join) = self.join.take() else {
            batch.start(0);
            return Ok(false);
        };
        if !std::mem::replace(&mut join.has_read_one_side, true) {
            self.read_one_side(context, &mut join)?;
        }
        let has_more = self.advance(context, &mut join, batch)?;
        if !join.is_done {
            self.join = Some(join);
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        let kind = match self.rule.matching.cardinality {
            Cardinality::Grouped { .. } => "many to one",
            _ => "one to one",
        };
        let (many, one): (&dyn Operator, &dyn Operator) = (&*self.many, &*self.one);
        let inputs = if self.one_side() == Side::Right { vec![many, one] } else { vec![one, many] };
        Description { line: format!("vector {} vector, {kind}", self.rule.operation.op.as_str()), inputs }
    }
}
