//! What there is to cover in a rule, and how to find out whether it is.

use narthex_diag::Span;
use narthex_promql::Expr;
use narthex_promql::ast::visit::walk;
use narthex_promql::ast::{Binary, ValueType};
use narthex_promql::operators::BinaryOp;
use narthex_rulefmt::{Entry, Rule};

use super::branches::MarkedTemplate;
use super::{CoveragePoint, PointKind};
use crate::files::RuleSource;

/// A rule with its points: the first is the rule itself.
pub(super) struct RulePoints {
    pub(super) points: Vec<Point>,
    /// Expressions that cover a point when they yield a series.
    pub(super) sides: Vec<(Expr, usize)>,
    pub(super) comparisons: Vec<Comparison>,
    /// Templates, and the point of the first branch of each.
    pub(super) templates: Vec<(MarkedTemplate, usize)>,
}

/// A point and whether it is covered.
pub(super) struct Point {
    pub(super) point: CoveragePoint,
    pub(super) is_covered: bool,
}

/// A comparison that keeps or drops the series of one operand.
pub(super) struct Comparison {
    pub(super) whole: Expr,
    pub(super) operand: Expr,
    /// With `bool` it says 1 or 0 of each.
    pub(super) is_bool: bool,
    /// The point that is covered when it holds; the next one is when it does not.
    pub(super) first_point: usize,
}

/// Collects the points of one rule.
pub(super) struct Collector<'a> {
    source: &'a RuleSource,
    rule: &'a Rule,
    group: &'a str,
    found: RulePoints,
}

impl<'a> Collector<'a> {
    pub(super) fn collect(source: &'a RuleSource, group: &'a str, rule: &'a Rule) -> RulePoints {
        let found = RulePoints {
            points: Vec::new(),
            sides: Vec::new(),
            comparisons: Vec::new(),
            templates: Vec::new(),
        };
        let mut collector = Collector { source, rule, group, found };
        let gap = if matches!(rule, Rule::Alerting(_)) { "no test names it" } else { "no test selects it" };
        collector.add(PointKind::Rule, rule.name().span(), gap);
        walk(&rule.expr().parse.expr, &mut |expr| {
            if let Expr::Binary(binary) = expr {
                collector.binary(binary);
            }
        });
        for entry in rule.labels().iter().chain(rule.annotations()) {
            collector.template(entry);
        }
        collector.found
    }

    /// The number of the new point.
    fn add(&mut self, kind: PointKind, span: Span, gap: impl Into<String>) -> usize {
        let place = self.source.source.line_column(span.start as usize);
        let point = CoveragePoint {
            file: self.source.source.name.clone(),
            span,
            kind,
            line: place.line,
            column: place.column,
            rule: self.rule.subject(self.group),
            gap: gap.into(),
        };
        self.found.points.push(Point { point, is_covered: false });
        self.found.points.len() - 1
    }

    fn binary(&mut self, binary: &Binary) {
        let query = self.rule.expr();
        if binary.op == BinaryOp::Or {
            for side in [&binary.lhs, &binary.rhs] {
                let point =
                    self.add(PointKind::OrBranch, query.locate(side.span()), "it never yields anything");
                self.found.sides.push((side.clone(), point));
            }
        } else if binary.op.is_comparison() {
            let is_vector = |expr: &Expr| expr.value_type() == Some(ValueType::InstantVector);
            let Some(operand) = [&binary.lhs, &binary.rhs].into_iter().find(|expr| is_vector(expr)) else {
                return;
            };
            let span = query.locate(binary.op_span);
            let first_point = self.add(PointKind::Comparison, span, "it never holds");
            self.add(PointKind::Comparison, span, "it never fails to hold");
            self.found.comparisons.push(Comparison {
                whole: Expr::Binary(Box::new(binary.clone())),
                operand: operand.clone(),
                is_bool: binary.bool_modifier.is_some(),
                first_point,
            });
        }
    }

    fn template(&mut self, entry: &Entry) {
        let Some(marked) = entry.template.as_ref().and_then(MarkedTemplate::new) else { return };
        let map = entry.value.span_map(&self.source.source.text);
        let first_point = self.found.points.len();
        for branch in &marked.branches {
            let span = entry.value.source.locate(branch.span, &map);
            self.add(PointKind::TemplateBranch, span, branch.gap);
        }
        self.found.templates.push((marked, first_point));
    }
}
