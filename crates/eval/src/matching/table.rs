//! The result series of every possible pair.

use std::collections::HashMap;

use narthex_model::Labels;
use narthex_model::labels::{METRIC_NAME, METRIC_TYPE, METRIC_UNIT};
use narthex_plan::logical::{Cardinality, Matching, MatchingLabels};
use narthex_promql::ast::GroupSide;

use super::{MatchGroups, is_listed};
use crate::arith::Operation;
use crate::memory::{label_bytes, table_bytes};
use crate::physical::SeriesMetadata;
use crate::physical::relabel::SeriesList;
use crate::{EvalError, QueryContext};

/// Which operand an element comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The left operand.
    Left,
    /// The right operand.
    Right,
}

/// The side with many elements per group; the other one must be unique. Without grouping it is the left one, whose
/// elements must then be unique too.
pub(crate) fn many_side(matching: &Matching) -> Side {
    match matching.cardinality {
        Cardinality::Grouped { many: GroupSide::Right, .. } => Side::Right,
        _ => Side::Left,
    }
}

/// A series of the "many" side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ManySeries {
    /// Its match group.
    pub group: usize,
    /// The first of its results; one per class of the group follows.
    pub first_slot: usize,
}

/// A match group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// What partners of the "one" side add to a result: they are of the same class when that is the same.
    classes: Vec<Labels>,
    /// The class of an invented partner.
    pub filled_class: Option<usize>,
    /// The first result of an invented element of the "many" side.
    pub filled_slot: Option<usize>,
}

impl Group {
    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.classes.len()
    }

    fn class(&mut self, included: Labels) -> usize {
        let known = self.classes.iter().position(|class| *class == included);
        known.unwrap_or_else(|| {
            self.classes.push(included);
            self.classes.len() - 1
        })
    }
}

/// Partners and results, worked out from labels alone.
#[derive(Debug)]
pub(crate) struct MatchTable {
    /// The result series; a slot is a place in this list.
    pub output: SeriesList,
    /// Every series of the "many" side.
    pub many: Vec<ManySeries>,
    /// Group and class of every series of the "one" side.
    pub ones: Vec<(usize, usize)>,
    /// The groups.
    pub groups: Vec<Group>,
    /// The match groups with their labels.
    pub match_groups: MatchGroups,
    /// For slots of one group with equal labels, which may not both have an element at a step, their common number.
    pub collisions: Vec<Option<usize>>,
    /// Number of different collisions.
    pub collision_count: usize,
}

/// What decides the labels of results.
#[derive(Clone, Copy)]
pub(crate) struct ResultRule<'a> {
    /// The operator.
    pub operation: Operation,
    /// How partners are found.
    pub matching: &'a Matching,
}

impl ResultRule<'_> {
    fn include(&self) -> &[Box<str>] {
        match &self.matching.cardinality {
            Cardinality::Grouped { include, .. } => include,
            _ => &[],
        }
    }

    /// What a partner adds to a result.
    fn included(&self, partner: &Labels) -> Labels {
        let include = self.include();
        if include.is_empty() {
            return Labels::empty();
        }
        partner.filtered(|name, _| include.iter().any(|label| **label == *name))
    }

    /// Value that stands in for a missing element of the "many" side. As upstream has it, that is the one of
    /// `fill_left` even where `group_right` makes the right side the "many" one.
    pub(crate) fn fill_many(&self) -> Option<f64> {
        self.matching.fill_left
    }

    /// Value that stands in for a missing element of the "one" side.
    pub(crate) fn fill_one(&self) -> Option<f64> {
        self.matching.fill_right
    }

    /// Whether the results of partners of one each have a label of this name.
    fn keeps(&self, name: &str) -> bool {
        match (&self.matching.cardinality, &self.matching.labels) {
            (Cardinality::OneToOne, MatchingLabels::On(names)) => is_listed(names, name),
            (Cardinality::OneToOne, MatchingLabels::Ignoring(names)) => !is_listed(names, name),
            _ => true,
        }
    }

    /// The result of an element of the "many" side and a partner that adds `included`.
    fn result(&self, many: &SeriesMetadata, included: &Labels, context: &QueryContext) -> SeriesMetadata {
        let makes_quantity = self.operation.makes_quantity();
        let kept = many.labels.filtered(|name, _| {
            !(makes_quantity && matches!(name, METRIC_NAME | METRIC_TYPE | METRIC_UNIT)) && self.keeps(name)
        });
        let kept = with_included(kept, self.include(), included);
        let drops_name = many.drops_name && !makes_quantity;
        let result = SeriesMetadata { labels: kept, drops_name };
        if self.operation.returns_bool { result.without_name(context) } else { result }
    }
}

/// `labels` with those of `include` as the partner has them, absent ones included.
fn with_included(labels: Labels, include: &[Box<str>], included: &Labels) -> Labels {
    include.iter().fold(labels, |labels, name| labels.with(name, included.value(name)))
}

impl MatchTable {
    /// The table of all series of both sides.
    pub(crate) fn new(
        rule: ResultRule<'_>,
        many: &[SeriesMetadata],
        ones: &[SeriesMetadata],
        context: &QueryContext,
    ) -> Result<MatchTable, EvalError> {
        let mut groups = MatchGroups::new(context)?;
        let many_groups = groups.assign(many, &rule.matching.labels, context)?;
        let one_groups = groups.assign(ones, &rule.matching.labels, context)?;
        let of_series = many.len() * size_of::<ManySeries>() + ones.len() * size_of::<(usize, usize)>();
        groups.held.grow(of_series + groups.len() * size_of::<Group>())?;
        let mut table = MatchTable {
            output: SeriesList::new(context)?,
            many: Vec::with_capacity(many.len()),
            ones: Vec::with_capacity(ones.len()),
            groups: vec![Group::default(); groups.len()],
            collisions: Vec::new(),
            collision_count: 0,
            match_groups: groups,
        };
        table.add_ones(rule, ones, &one_groups, context)?;
        table.add_many(rule, many, &many_groups, context)?;
        table.add_filled(rule, context)?;
        if matches!(rule.matching.cardinality, Cardinality::Grouped { .. }) {
            table.find_collisions(context)?;
        }
        Ok(table)
    }

    fn add_ones(
        &mut self,
        rule: ResultRule<'_>,
        ones: &[SeriesMetadata],
        one_groups: &[usize],
        context: &QueryContext,
    ) -> Result<(), EvalError> {
        for (series, &group) in ones.iter().zip(one_groups) {
            context.check()?;
            let included = rule.included(&series.labels);
            // A partner may be the first of its class.
            self.match_groups.held.grow(label_bytes(&included) + 2 * size_of::<Labels>())?;
            let class = self.groups[group].class(included);
            self.ones.push((group, class));
        }
        if rule.fill_one().is_some() {
            for (group, labels) in self.groups.iter_mut().zip(self.match_groups.labels()) {
                group.filled_class = Some(group.class(rule.included(labels)));
            }
        }
        Ok(())
    }

    fn add_many(
        &mut self,
        rule: ResultRule<'_>,
        many: &[SeriesMetadata],
        many_groups: &[usize],
        context: &QueryContext,
    ) -> Result<(), EvalError> {
        for (series, &group) in many.iter().zip(many_groups) {
            self.many.push(ManySeries { group, first_slot: self.output.len() });
            let classes = &self.groups[group].classes;
            for included in classes {
                self.output.push(context, rule.result(series, included, context), Some(series))?;
            }
        }
        Ok(())
    }

    /// Results of partners without an element on the "many" side, which then is invented from the matching labels.
    fn add_filled(&mut self, rule: ResultRule<'_>, context: &QueryContext) -> Result<(), EvalError> {
        if rule.fill_many().is_none() {
            return Ok(());
        }
        for &(group, _) in &self.ones {
            let group_labels = &self.match_groups.labels()[group];
            let group = &mut self.groups[group];
            if group.filled_slot.is_some() {
                continue;
            }
            group.filled_slot = Some(self.output.len());
            let invented = SeriesMetadata { labels: group_labels.clone(), drops_name: false };
            for included in &group.classes {
                self.output.push(context, rule.result(&invented, included, context), Some(&invented))?;
            }
        }
        Ok(())
    }

    fn find_collisions(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        let _held = context.reserve(table_bytes::<(usize, &Labels), usize>(self.output.len()))?;
        self.match_groups.held.grow(self.output.len() * size_of::<Option<usize>>())?;
        let mut seen: HashMap<(usize, &Labels), usize> = HashMap::with_capacity(self.output.len());
        let mut collisions = vec![None; self.output.len()];
        let mut count = 0;
        let of_many = self.many.iter().map(|many| (many.group, many.first_slot));
        let of_filled =
            self.groups.iter().enumerate().filter_map(|(at, group)| Some((at, group.filled_slot?)));
        for (group, first) in of_many.chain(of_filled) {
            context.check()?;
            for slot in first..first + self.groups[group].classes() {
                let other = *seen.entry((group, &self.output.get(slot).labels)).or_insert(slot);
                if other != slot {
                    let number = *collisions[other].get_or_insert_with(|| {
                        count += 1;
                        count - 1
                    });
                    collisions[slot] = Some(number);
                }
            }
        }
        self.collisions = collisions;
        self.collision_count = count;
        Ok(())
    }
}
