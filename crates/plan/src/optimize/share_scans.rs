//! Reads series once for all selectors that want them.
//!
//! `rate(a{code="5"}[5m]) / on () group_left () sum(rate(a[1h]))` → both windows are cut from one scan of `a`.
//!
//! Selectors share a scan when they look from the same instants and the conditions of one are among those of the
//! others: its series are then all series, and each of the others picks those that satisfy its further conditions.
//! Every series is read over the longest window of those who want it, so that nothing is read that no selector asked
//! for. Windows of days stay by themselves: stores know what their chunks amount to, and need not read them for many
//! functions.

use std::collections::{HashMap, HashSet};

use narthex_promql::functions::FunctionId;

use super::structure::{Place, Structure, matcher_keys, parts, parts_mut, read_often};
use super::{OptimizerPass, Rewrite};
use crate::LogicalPlan;
use crate::logical::{LogicalNode, Selector, TimeShift};

/// Longer windows are not cut from a scan.
const WINDOW_MAX_MS: i64 = 6 * 3_600_000;

/// See the module.
pub(super) struct ShareScans;

impl OptimizerPass for ShareScans {
    fn name(&self) -> &'static str {
        "share_scans"
    }

    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        self.run_group(std::slice::from_mut(plan))
    }

    fn run_group(&self, plans: &mut [LogicalPlan]) -> Rewrite {
        if !read_often(plans) {
            return Rewrite::Unchanged;
        }
        let structure = Structure::new(plans);
        let mut leaves = Leaves::default();
        let mut at = 0;
        for plan in &*plans {
            leaves.collect(&plan.root, &structure.places, &mut at);
        }
        let mut mark = Mark { numbers: leaves.numbers(), at: 0, rewrite: Rewrite::Unchanged };
        for plan in plans {
            mark.visit(&mut plan.root);
        }
        mark.rewrite
    }
}

/// A selector that can take its samples from a scan.
struct Leaf {
    /// Number of its node in the walk.
    at: usize,
    matchers: Vec<String>,
}

/// What selectors of one scan have in common, besides the conditions.
#[derive(PartialEq, Eq, Hash)]
struct Common {
    grid: usize,
    shift: TimeShift,
    metric: Option<String>,
}

#[derive(Default)]
struct Leaves {
    /// In the order of their first leaves, so that numbers do not depend on hashes.
    groups: Vec<Vec<Leaf>>,
    by_common: HashMap<Common, usize>,
    /// Values that are computed once: only where they occur first.
    seen: HashSet<u32>,
}

impl Leaves {
    fn collect(&mut self, node: &LogicalNode, places: &[Place], at: &mut usize) {
        let place = places[*at];
        if let LogicalNode::Shared { number, .. } = node
            && !self.seen.insert(*number)
        {
            *at += place.size;
            return;
        }
        if let Some(selector) = readable(node) {
            let (grid, shift) = (place.grid, selector.shift);
            let common = Common { grid, shift, metric: selector.metric_name().map(str::to_owned) };
            let group = *self.by_common.entry(common).or_insert_with(|| {
                self.groups.push(Vec::new());
                self.groups.len() - 1
            });
            self.groups[group].push(Leaf { at: *at, matchers: matcher_keys(selector) });
        }
        *at += 1;
        for part in parts(node) {
            self.collect(part, places, at);
        }
    }

    /// The scan of each leaf that shares one.
    fn numbers(self) -> HashMap<usize, u32> {
        let mut scans: Vec<Vec<usize>> = self.groups.into_iter().flat_map(scans_of).collect();
        scans.retain(|scan| scan.len() > 1);
        scans.sort_unstable_by_key(|scan| scan.iter().min().copied());
        let numbered = (1..).zip(scans);
        numbered.flat_map(|(number, scan)| scan.into_iter().map(move |at| (at, number))).collect()
    }
}

/// Each leaf is read by the first scan whose conditions are all among its own.
fn scans_of(mut leaves: Vec<Leaf>) -> Vec<Vec<usize>> {
    leaves.sort_by_key(|leaf| leaf.matchers.len());
    let mut scans: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    for leaf in leaves {
        let is_wider = |wide: &Vec<String>| wide.iter().all(|one| leaf.matchers.binary_search(one).is_ok());
        match scans.iter_mut().find(|(wide, _)| is_wider(wide)) {
            Some((_, members)) => members.push(leaf.at),
            None => scans.push((leaf.matchers, vec![leaf.at])),
        }
    }
    scans.into_iter().map(|(_, members)| members).collect()
}

/// The selector of a node that is computed from samples alone: an instant selector, or a function of windows and
/// numbers. Borders that look beyond the window are left to selectors that read for themselves.
fn readable(node: &LogicalNode) -> Option<&Selector> {
    let selector = match node {
        LogicalNode::VectorSelector { selector, .. } => selector,
        LogicalNode::Call { function, args, .. } if is_of_windows(*function) => {
            let (windows, others): (Vec<_>, Vec<_>) = args.iter().partition(|arg| is_short(arg));
            let are_numbers = others.iter().all(|arg| matches!(arg, LogicalNode::Number { .. }));
            match windows.as_slice() {
                [LogicalNode::MatrixSelector { selector, .. }] if are_numbers => selector,
                _ => return None,
            }
        }
        _ => return None,
    };
    selector.extension.is_none().then_some(selector)
}

/// Whether the samples of a window are read one by one in any case.
fn is_short(node: &LogicalNode) -> bool {
    matches!(node, LogicalNode::MatrixSelector { range_ms, .. } if *range_ms <= WINDOW_MAX_MS)
}

fn is_of_windows(function: FunctionId) -> bool {
    matches!(function, FunctionId::Rate(_) | FunctionId::OverTime(_) | FunctionId::Regression(_))
}

struct Mark {
    numbers: HashMap<usize, u32>,
    at: usize,
    rewrite: Rewrite,
}

impl Mark {
    fn visit(&mut self, node: &mut LogicalNode) {
        if readable(node).is_some() {
            let number = self.numbers.get(&self.at).copied();
            self.set(node, number);
        }
        self.at += 1;
        for part in parts_mut(node) {
            self.visit(part);
        }
    }

    fn set(&mut self, node: &mut LogicalNode, number: Option<u32>) {
        let selector = match node {
            LogicalNode::Call { args, .. } => args.iter_mut().find_map(LogicalNode::selector_mut),
            leaf => leaf.selector_mut(),
        };
        if let Some(selector) = selector
            && selector.scan != number
        {
            selector.scan = number;
            self.rewrite = Rewrite::Changed;
        }
    }
}
