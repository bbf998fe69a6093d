//! Watching rules being evaluated.

use std::cell::RefCell;
use std::sync::Arc;

use narthex_eval::result::InstantSample;
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_rulefmt::unit_test::TestGroup;
use narthex_rules::{EngineQueries, RuleDefinition, RuleError, RuleQueries, Surroundings};
use narthex_template::{Data, QuerySource, Sample};

use super::Coverage;
use super::points::{Collector, Comparison, Point, RulePoints};
use super::tested::Asked;
use crate::files::RuleSource;
use crate::run::Place;

/// The points of the rules of one test file.
pub(crate) struct Recorder {
    sources: Vec<Arc<RuleSource>>,
    /// By file, group and rule.
    points: Vec<Vec<Vec<RulePoints>>>,
}

impl Recorder {
    /// Nothing is covered yet.
    pub(crate) fn new(sources: &[Arc<RuleSource>]) -> Recorder {
        let points = sources.iter().map(|source| {
            let groups = source.parse.file.groups.iter().map(|group| {
                let rules = group.rules.iter();
                rules.map(|rule| Collector::collect(source, &group.name.value, rule)).collect()
            });
            groups.collect()
        });
        Recorder { points: points.collect(), sources: sources.to_vec() }
    }

    /// A test has run that asks for rules.
    pub(crate) fn tested(&mut self, test: &TestGroup) {
        let asked = Asked::by(test);
        for (source, groups) in self.sources.iter().zip(&mut self.points) {
            for (definition, rules) in source.groups.iter().zip(groups) {
                for (rule, points) in definition.rules.iter().zip(rules) {
                    if asked.asks_for(rule)
                        && let Some(point) = points.points.first_mut()
                    {
                        point.is_covered = true;
                    }
                }
            }
        }
    }

    /// Answers the queries of a group, and looks at the answers.
    pub(crate) fn observe<'a>(&'a mut self, place: &Place, queries: &'a EngineQueries<'a>) -> Observed<'a> {
        Observed { queries, rules: RefCell::new(&mut self.points[place.file][place.group]) }
    }

    /// What was covered.
    pub(crate) fn finish(self) -> Coverage {
        let points = self.points.into_iter().flatten().flatten().flat_map(|rule| rule.points);
        Coverage(points.map(|Point { point, is_covered }| (point, is_covered)).collect())
    }
}

/// Queries that are looked at.
pub(crate) struct Observed<'a> {
    queries: &'a EngineQueries<'a>,
    rules: RefCell<&'a mut Vec<RulePoints>>,
}

impl RuleQueries for Observed<'_> {
    fn evaluate(
        &self,
        index: usize,
        rule: &RuleDefinition,
        at_ms: Timestamp,
    ) -> Result<Vec<InstantSample>, RuleError> {
        let samples = self.queries.evaluate(index, rule, at_ms)?;
        if let Some(points) = self.rules.borrow_mut().get_mut(index) {
            points.look(&samples, at_ms, self.queries);
        }
        Ok(samples)
    }

    fn query(&self, text: &str, at_ms: Timestamp) -> Result<Vec<InstantSample>, RuleError> {
        self.queries.query(text, at_ms)
    }

    fn surroundings(&self) -> &Surroundings {
        self.queries.surroundings()
    }
}

impl RulePoints {
    fn look(&mut self, samples: &[InstantSample], at_ms: Timestamp, queries: &EngineQueries<'_>) {
        let RulePoints { points, sides, comparisons, templates } = self;
        for (side, point) in sides {
            if !points[*point].is_covered {
                let yields = queries.instant(side, at_ms).is_ok_and(|samples| !samples.is_empty());
                points[*point].is_covered = yields;
            }
        }
        for comparison in comparisons {
            let first = comparison.first_point;
            if !(points[first].is_covered && points[first + 1].is_covered) {
                let (holds, fails) = comparison.outcomes(at_ms, queries);
                points[first].is_covered |= holds;
                points[first + 1].is_covered |= fails;
            }
        }
        for (template, first) in templates {
            let count = template.branches.len();
            if points[*first..*first + count].iter().all(|point| point.is_covered) {
                continue;
            }
            for sample in samples {
                let data = data_of(sample, at_ms, queries.surroundings());
                for branch in template.rendered(&data, &Answers(queries)) {
                    points[*first + branch].is_covered = true;
                }
            }
        }
    }
}

impl Comparison {
    /// Whether it holds for a series, whether it does not for one.
    fn outcomes(&self, at_ms: Timestamp, queries: &EngineQueries<'_>) -> (bool, bool) {
        let Ok(kept) = queries.instant(&self.whole, at_ms) else { return (false, false) };
        if self.is_bool {
            let says = |wanted: f64| kept.iter().any(|one| one.value == SampleValue::Float(wanted));
            return (says(1.0), says(0.0));
        }
        let all = queries.instant(&self.operand, at_ms).map_or(0, |samples| samples.len());
        (!kept.is_empty(), kept.len() < all)
    }
}

fn data_of(sample: &InstantSample, at_ms: Timestamp, surroundings: &Surroundings) -> Data {
    Data {
        labels: Labels::clone(&sample.labels),
        external_labels: surroundings.external_labels.clone(),
        external_url: surroundings.external_url.clone(),
        value: sample.value.clone(),
        now_ms: at_ms,
    }
}

/// The queries of templates.
struct Answers<'a>(&'a EngineQueries<'a>);

impl QuerySource for Answers<'_> {
    fn query(&self, expression: &str, at_ms: Timestamp) -> Result<Vec<Sample>, String> {
        let samples = self.0.query(expression, at_ms).map_err(|error| error.to_string())?;
        Ok(samples.into_iter().map(|InstantSample { labels, value, .. }| Sample { labels, value }).collect())
    }
}
