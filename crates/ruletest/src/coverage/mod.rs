//! What of the rules the tests have tried.
//!
//! Of each rule: whether a test asks for its result; whether each side of an `or` ever gave a series; whether each
//! comparison ever kept one and ever dropped one; whether each branch of a template was ever rendered.

mod branches;
mod points;
mod record;
mod tested;

use std::collections::BTreeMap;

use narthex_diag::Span;

pub(crate) use record::Recorder;

/// What can be covered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PointKind {
    /// A rule: a test names the alert or selects the series.
    Rule,
    /// A side of an `or`: it gave a series.
    OrBranch,
    /// One outcome of a comparison.
    Comparison,
    /// A branch of a template: it was rendered.
    TemplateBranch,
}

impl PointKind {
    /// All kinds.
    pub const ALL: [PointKind; 4] =
        [PointKind::Rule, PointKind::OrBranch, PointKind::Comparison, PointKind::TemplateBranch];

    /// What several of them are called.
    pub fn plural(self) -> &'static str {
        match self {
            PointKind::Rule => "rules",
            PointKind::OrBranch => "or branches",
            PointKind::Comparison => "comparison outcomes",
            PointKind::TemplateBranch => "template branches",
        }
    }
}

/// Something that a test can cover.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CoveragePoint {
    /// Path of the rule file.
    pub file: String,
    /// Where in the rule file.
    pub span: Span,
    /// What it is.
    pub kind: PointKind,
    /// Line and column of the span.
    pub line: usize,
    /// See [`CoveragePoint::line`].
    pub column: usize,
    /// The rule it belongs to: `alert Down (group api)`.
    pub rule: String,
    /// What was not tried when it is not covered.
    pub gap: String,
}

/// Points and whether they are covered; of several test files put together, by any of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage(BTreeMap<CoveragePoint, bool>);

impl Coverage {
    /// Adds what another file covers.
    pub fn merge(&mut self, other: Coverage) {
        for (point, is_covered) in other.0 {
            *self.0.entry(point).or_default() |= is_covered;
        }
    }

    /// All points, by file and place.
    pub fn points(&self) -> impl Iterator<Item = (&CoveragePoint, bool)> {
        self.0.iter().map(|(point, &is_covered)| (point, is_covered))
    }

    /// How many points of a kind are covered, of how many.
    pub fn of_kind(&self, kind: PointKind) -> (usize, usize) {
        let points = self.points().filter(|(point, _)| point.kind == kind);
        points.fold((0, 0), |(covered, all), (_, is_covered)| (covered + usize::from(is_covered), all + 1))
    }

    /// Percentage of all points that are covered; 100 when there are none.
    pub fn percentage(&self) -> f64 {
        let covered = self.0.values().filter(|&&is_covered| is_covered).count();
        if self.0.is_empty() { 100.0 } else { covered as f64 / self.0.len() as f64 * 100.0 }
    }
}
