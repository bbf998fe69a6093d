//! A query that differs made as small as it goes, with as few series and steps.

use narthex_model::TimeRange;
use narthex_plan::{QueryKind, QueryParameters};
use narthex_promql::ast::{Fill, Modifiers, walk, walk_mut};
use narthex_promql::{Expr, ParseOptions, parse};

use crate::case::Case;
use crate::data::{Data, Series};
use crate::judge::{Judge, Outcome};

/// The failure in words, after shrinking.
pub(crate) fn shrunk(judge: &Judge, case: Case, data: &Data) -> String {
    let original = case.query.clone();
    let case = shrunk_query(judge, shrunk_times(judge, case, data), data);
    let (data, case) = shrunk_series(judge, case, data);
    let failure = match judge.judge(&case, &data) {
        Outcome::Different(failure) | Outcome::Unsupported(failure) => failure,
        _ => "differs no longer".to_owned(),
    };
    let (seed, query, circumstances) = (case.seed, &case.query, case.circumstances());
    let samples = data.text();
    format!("seed {seed}: {original}\n  as small as {query}\n  {circumstances}\n  {failure}\n{samples}")
}

fn fails(judge: &Judge, case: &Case, data: &Data) -> bool {
    matches!(judge.judge(case, data), Outcome::Different(_) | Outcome::Unsupported(_))
}

/// One step instead of many, if that is enough.
fn shrunk_times(judge: &Judge, case: Case, data: &Data) -> Case {
    let QueryParameters { kind, grid, lookback_ms, subquery_step_ms, .. } = case.parameters;
    if kind == QueryKind::Instant {
        return case;
    }
    for at_ms in grid.timestamps() {
        let range = TimeRange::new(at_ms, at_ms);
        let one = [
            QueryParameters::instant(at_ms, lookback_ms, subquery_step_ms),
            QueryParameters::range(range, grid.step_ms, lookback_ms, subquery_step_ms),
        ];
        for parameters in one {
            let smaller = Case { parameters, ..case.clone() };
            if fails(judge, &smaller, data) {
                return smaller;
            }
        }
    }
    case
}

/// Takes the first smaller query that still fails, again and again.
fn shrunk_query(judge: &Judge, mut case: Case, data: &Data) -> Case {
    loop {
        let Ok(expr) = parse(&case.query, &ParseOptions::ALL).into_result() else { return case };
        let length = case.query.len();
        let smaller = smaller(&expr).into_iter().map(|expr| expr.to_string());
        let smaller =
            smaller.filter(|query| query.len() < length).map(|query| Case { query, ..case.clone() });
        match smaller.into_iter().find(|smaller| fails(judge, smaller, data)) {
            Some(found) => case = found,
            None => return case,
        }
    }
}

/// The expression with one node replaced by one below it, or with less written at it.
fn smaller(expr: &Expr) -> Vec<Expr> {
    let mut nodes: Vec<&Expr> = Vec::new();
    walk(expr, &mut |node| nodes.push(node));
    let mut smaller = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let mut below: Vec<&Expr> = Vec::new();
        walk(node, &mut |one| below.push(one));
        let fits = |one: &&&Expr| number == 0 || one.value_type() == node.value_type();
        smaller.extend(below[1..].iter().filter(fits).map(|&one| replaced(expr, number, one)));
    }
    for (number, node) in nodes.iter().enumerate() {
        smaller.extend(simplified(node).iter().map(|one| replaced(expr, number, one)));
    }
    smaller
}

fn replaced(expr: &Expr, number: usize, by: &Expr) -> Expr {
    let mut result = expr.clone();
    let mut seen = 0;
    walk_mut(&mut result, &mut |node| {
        if seen == number {
            *node = by.clone();
            // What is below is not counted again.
            seen = usize::MAX / 2;
        }
        seen += 1;
    });
    result
}

/// The node with one thing less.
fn simplified(node: &Expr) -> Vec<Expr> {
    let mut simplified = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Expr)| {
        let mut changed = node.clone();
        change(&mut changed);
        simplified.push(changed);
    };
    if let Some(selector) = node.selector() {
        offer(&|one| one.selector_mut().into_iter().for_each(|one| one.modifiers = Modifiers::default()));
        offer(&|one| one.selector_mut().into_iter().for_each(|one| one.modifiers.at = None));
        offer(&|one| one.selector_mut().into_iter().for_each(|one| one.modifiers.offset = None));
        for number in 0..selector.matchers.len() {
            offer(&|one| {
                one.selector_mut().into_iter().for_each(|one| {
                    one.matchers.remove(number);
                });
            });
        }
    }
    match node {
        Expr::Subquery(_) => {
            offer(&|one| {
                if let Expr::Subquery(one) = one {
                    one.modifiers = Modifiers::default();
                }
            });
            offer(&|one| {
                if let Expr::Subquery(one) = one {
                    one.step = None;
                }
            });
        }
        Expr::Aggregate(_) => offer(&|one| {
            if let Expr::Aggregate(one) = one {
                one.grouping = None;
            }
        }),
        Expr::Binary(_) => {
            offer(&|one| {
                if let Expr::Binary(one) = one {
                    one.matching = None;
                }
            });
            offer(&|one| {
                if let Expr::Binary(one) = one {
                    one.fill = Fill::default();
                }
            });
            offer(&|one| {
                if let Expr::Binary(one) = one {
                    one.bool_modifier = None;
                }
            });
        }
        _ => {}
    }
    simplified
}

/// Only the series and samples that are needed.
fn shrunk_series(judge: &Judge, case: Case, data: &Data) -> (Data, Case) {
    let is_enough = |series: &[Series]| fails(judge, &case, &Data::of(data.seed, series.to_vec()));
    let mut series = needed(data.series.clone(), is_enough);
    for at in 0..series.len() {
        let samples = series[at].1.clone();
        series[at].1 = needed(samples, |samples| {
            let mut series = series.clone();
            series[at].1 = samples.to_vec();
            is_enough(&series)
        });
    }
    (Data::of(data.seed, series), case)
}

/// Leaves out runs of items, shorter and shorter ones, as long as the rest is enough.
fn needed<T: Clone>(mut items: Vec<T>, is_enough: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut size = items.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < items.len() {
            let mut fewer = items.clone();
            fewer.drain(at..items.len().min(at + size));
            if is_enough(&fewer) {
                items = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    items
}
