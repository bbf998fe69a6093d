//! Which nodes of some plans compute the same: those that are equal but for where they stand, on the same grid.

use std::collections::HashMap;
use std::fmt::Write;

use narthex_promql::ValueType;
use narthex_promql::functions::FunctionId;

use crate::logical::{LogicalNode, SelectedPart, Selector};
use crate::{LogicalPlan, QueryParameters};

/// What is known of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Nodes of one class compute the same.
    pub(super) class: usize,
    /// Nodes of one grid are evaluated at the same steps.
    pub(super) grid: usize,
    /// Number of nodes from here down.
    pub(super) size: usize,
    /// Whether it reads samples.
    pub(super) reads: bool,
}

/// The classes of all nodes of some plans with the same times.
#[derive(Debug)]
pub(super) struct Structure {
    /// In the order of a walk over [`parts`], parents first, plan after plan.
    pub(super) places: Vec<Place>,
    classes: HashMap<String, usize>,
}

impl Structure {
    pub(super) fn new(plans: &[LogicalPlan]) -> Structure {
        let mut structure = Structure { places: Vec::new(), classes: HashMap::new() };
        for plan in plans {
            let grid = structure.number_of(grid_key(&plan.parameters));
            structure.add(&plan.root, grid);
        }
        structure
    }

    /// Takes in a node and those below it; returns its place.
    fn add(&mut self, node: &LogicalNode, grid: usize) -> Place {
        let at = self.places.len();
        self.places.push(Place { class: 0, grid, size: 0, reads: is_leaf(node) });
        let below = match inner_grid_key(node, grid) {
            Some(key) => self.number_of(key),
            None => grid,
        };
        let mut key = String::new();
        for part in parts(node) {
            let place = self.add(part, below);
            self.places[at].reads |= place.reads;
            push(&mut key, format_args!("{} ", place.class));
            // What is computed once for all is what is computed.
            if matches!(node, LogicalNode::Shared { .. }) {
                self.places[at].class = place.class;
            }
        }
        if !matches!(node, LogicalNode::Shared { .. }) {
            push(&mut key, format_args!("at {grid} "));
            write_head(&mut key, node);
            self.places[at].class = self.number_of(key);
        }
        self.places[at].size = self.places.len() - at;
        self.places[at]
    }

    fn number_of(&mut self, key: String) -> usize {
        let next = self.classes.len();
        *self.classes.entry(key).or_insert(next)
    }

    /// How often each class is evaluated when every class is evaluated once wherever it can be: by how many nodes of
    /// distinct classes, and as how many roots.
    pub(super) fn uses(&self, plans: &[LogicalPlan]) -> Vec<usize> {
        let mut uses = vec![0; self.classes.len()];
        let mut at = 0;
        for plan in plans {
            self.count(&plan.root, &mut at, &mut uses);
        }
        uses
    }

    fn count(&self, node: &LogicalNode, at: &mut usize, uses: &mut [usize]) {
        let place = self.places[*at];
        if let LogicalNode::Shared { expr, .. } = node {
            *at += 1;
            self.count(expr, at, uses);
            return;
        }
        uses[place.class] += 1;
        if uses[place.class] > 1 && is_shareable(node, place) {
            *at += place.size;
            return;
        }
        *at += 1;
        for part in parts(node) {
            self.count(part, at, uses);
        }
    }
}

/// Whether samples are read in several places: else there is nothing to share.
pub(super) fn read_often(plans: &[LogicalPlan]) -> bool {
    let mut reads = 0;
    for plan in plans {
        plan.root.walk(&mut |node| reads += usize::from(is_leaf(node)));
    }
    reads > 1
}

/// The nodes right below that are computed. The conditions of the second argument of `info` are read as they are
/// written, and no value of it is.
pub(super) fn parts(node: &LogicalNode) -> Vec<&LogicalNode> {
    let mut children = node.children();
    if is_info(node) {
        children.truncate(1);
    }
    children
}

/// As [`parts`], to change them in place.
pub(super) fn parts_mut(node: &mut LogicalNode) -> Vec<&mut LogicalNode> {
    let is_info = is_info(node);
    let mut children = node.children_mut();
    if is_info {
        children.truncate(1);
    }
    children
}

fn is_info(node: &LogicalNode) -> bool {
    matches!(node, LogicalNode::Call { function: FunctionId::Info(_), .. })
}

/// `info` reads series of its own, whatever its arguments are.
fn is_leaf(node: &LogicalNode) -> bool {
    is_info(node) || matches!(node, LogicalNode::VectorSelector { .. } | LogicalNode::MatrixSelector { .. })
}

/// Whether a node can be computed once for several: a vector or scalar made of samples, as opposed to windows and to
/// what is known without any. Selectors of the times of samples are read together with the call around them.
pub(super) fn is_shareable(node: &LogicalNode, place: Place) -> bool {
    let is_part = matches!(node, LogicalNode::VectorSelector { part, .. } if *part != SelectedPart::Value);
    let is_value = matches!(node.value_type(), ValueType::InstantVector | ValueType::Scalar);
    place.reads && is_value && !is_part
}

fn push(key: &mut String, text: std::fmt::Arguments<'_>) {
    let written = key.write_fmt(text);
    debug_assert!(written.is_ok(), "a string takes any text");
}

fn grid_key(parameters: &QueryParameters) -> String {
    format!("grid {parameters:?}")
}

/// The grid of the nodes below, where it is another one.
fn inner_grid_key(node: &LogicalNode, grid: usize) -> Option<String> {
    match node {
        LogicalNode::Subquery { range_ms, step_ms, shift, .. } => {
            Some(format!("grid {grid} subquery {range_ms} {step_ms} {shift:?}"))
        }
        LogicalNode::StepInvariant { .. } => Some(format!("grid {grid} once")),
        _ => None,
    }
}

/// Everything that decides what a node computes, but for its parts and its place in the query.
fn write_head(key: &mut String, node: &LogicalNode) {
    match node {
        // The bits: zeros of either sign are different numbers to divide by.
        LogicalNode::Number { value, span: _ } => push(key, format_args!("number {:x}", value.to_bits())),
        LogicalNode::Text { value, span: _ } => push(key, format_args!("text {value:?}")),
        LogicalNode::VectorSelector { selector, part } => {
            push(key, format_args!("select {part:?} {}", selector_key(selector)));
        }
        LogicalNode::MatrixSelector { selector, range_ms, span: _ } => {
            push(key, format_args!("window {range_ms} {}", selector_key(selector)));
        }
        LogicalNode::Subquery { expr: _, range_ms, step_ms, shift, span: _ } => {
            push(key, format_args!("subquery {range_ms} {step_ms} {shift:?}"));
        }
        LogicalNode::Call { function, args, span: _ } => {
            let info = args.get(1).filter(|_| is_info(node)).map(written_selector);
            push(key, format_args!("call {function:?} {info:?}"));
        }
        LogicalNode::Absent { labels, expr: _, span: _ } => push(key, format_args!("absent {labels:?}")),
        LogicalNode::Aggregate { op, grouping, parameter, expr: _, span: _ } => {
            push(key, format_args!("aggregate {op:?} {grouping:?} {}", parameter.is_some()));
        }
        LogicalNode::Binary { op, returns_bool, matching, lhs: _, rhs: _, span: _ } => {
            let fill = [matching.fill_left, matching.fill_right].map(|value| value.map(f64::to_bits));
            let (labels, cardinality) = (&matching.labels, &matching.cardinality);
            push(key, format_args!("binary {op:?} {returns_bool} {labels:?} {cardinality:?} {fill:?}"));
        }
        LogicalNode::Negate { expr: _, span: _ } => key.push_str("negate"),
        LogicalNode::StepInvariant { expr: _ } => key.push_str("once"),
        LogicalNode::Shared { number: _, expr: _ } => {}
    }
}

/// The second argument of `info`; other passes may have wrapped it.
fn written_selector(node: &LogicalNode) -> String {
    match node {
        LogicalNode::VectorSelector { selector, .. } => selector_key(selector),
        LogicalNode::StepInvariant { expr } => written_selector(expr),
        other => format!("{other:?}"),
    }
}

/// What decides which samples a selector sees.
fn selector_key(selector: &Selector) -> String {
    let Selector { span: _, matchers: _, shift, extension, scan: _ } = selector;
    format!("{:?} {shift:?} {extension:?}", matcher_keys(selector))
}

/// The conditions as a set.
pub(super) fn matcher_keys(selector: &Selector) -> Vec<String> {
    let of_one = |matcher: &narthex_model::Matcher| {
        format!("{:?} {:?} {:?}", matcher.name(), matcher.op(), matcher.value())
    };
    let mut keys: Vec<String> = selector.matchers.iter().map(of_one).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
