//! The parsed pattern: an arena in which children always precede their parents.
//!
//! That order lets every bottom-up pass be a loop, and dropping a tree is dropping a few vectors, so no pattern can
//! exhaust the stack. Properties that limits need (height, copies, cost) are kept per node as it is added.

use crate::unicode::Table;

/// Greatest height of a tree, as in Go.
pub(crate) const HEIGHT_MAX: u32 = 1000;

/// Index of a node in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// Zero-width assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

/// A span of one of the tree's pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    start: u32,
    end: u32,
}

impl Slice {
    const EMPTY: Slice = Slice { start: 0, end: 0 };

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a node matches. `fold` is Go's `(?i)`: simple case folding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    Literal { text: Slice, fold: bool },
    Any { newline: bool },
    Class { items: Slice, negated: bool, fold: bool },
    Look(Look),
    Concat,
    Alternate,
    Capture { index: u32 },
    Repeat { min: u32, max: Option<u32>, greedy: bool },
}

/// One member of a character class; code points may be surrogates, which match nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClassItem {
    Range(u32, u32),
    Ascii { ranges: &'static [(u8, u8)], negated: bool },
    Unicode { table: Table, negated: bool },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    children: Slice,
    /// Levels below and including this node.
    pub(crate) height: u32,
    /// Product of the counted repetitions on the worst path.
    pub(crate) copies: u32,
    /// Estimated automaton states; see [`crate::engine`] for what a unit is worth.
    pub(crate) cost: u64,
    /// Whether the empty text as a whole is matched.
    pub(crate) nullable: bool,
    /// Whether the strings matched may be few enough to list.
    pub(crate) finite: bool,
}

/// A parsed pattern. The last node added is the root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    edges: Vec<NodeId>,
    text: String,
    items: Vec<ClassItem>,
    /// Names of the capture groups; group `i + 1` is at `i`.
    pub(crate) names: Vec<Option<Box<str>>>,
    root: u32,
}

impl Tree {
    pub(crate) fn with_capacity(pattern_bytes: usize) -> Tree {
        let nodes = Vec::with_capacity((pattern_bytes + 2).min(16));
        Tree { nodes, text: String::with_capacity(pattern_bytes.min(64)), ..Tree::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    pub(crate) fn root(&self) -> NodeId {
        NodeId(self.root)
    }

    pub(crate) fn set_root(&mut self, id: NodeId) {
        self.root = id.0;
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(crate) fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    pub(crate) fn children(&self, id: NodeId) -> &[NodeId] {
        &self.edges[self.node(id).children.range()]
    }

    pub(crate) fn text(&self, slice: Slice) -> &str {
        &self.text[slice.range()]
    }

    pub(crate) fn items(&self, slice: Slice) -> &[ClassItem] {
        &self.items[slice.range()]
    }

    /// Adds a leaf for one character.
    pub(crate) fn add_char(&mut self, c: char, fold: bool) -> NodeId {
        let start = self.text.len() as u32;
        self.text.push(c);
        let text = Slice { start, end: self.text.len() as u32 };
        self.add_leaf(Kind::Literal { text, fold })
    }

    /// Adds a leaf for a character class.
    pub(crate) fn add_class(&mut self, items: &[ClassItem], negated: bool, fold: bool) -> NodeId {
        let start = self.items.len() as u32;
        self.items.extend_from_slice(items);
        let items = Slice { start, end: self.items.len() as u32 };
        self.add_leaf(Kind::Class { items, negated, fold })
    }

    pub(crate) fn add_leaf(&mut self, kind: Kind) -> NodeId {
        self.add(kind, Slice::EMPTY)
    }

    pub(crate) fn add_parent(&mut self, kind: Kind, children: &[NodeId]) -> NodeId {
        let start = self.edges.len() as u32;
        self.edges.extend_from_slice(children);
        self.add(kind, Slice { start, end: self.edges.len() as u32 })
    }

    fn add(&mut self, kind: Kind, children: Slice) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        let node = self.measure(kind, children);
        self.nodes.push(node);
        id
    }

    /// Appends literal `right` to its left neighbour and reports whether that was possible.
    pub(crate) fn join_literals(&mut self, left: NodeId, right: NodeId) -> bool {
        let (Kind::Literal { text: a, fold }, Kind::Literal { text: b, fold: b_fold }) =
            (self.kind(left), self.kind(right))
        else {
            return false;
        };
        if fold != b_fold || a.end != b.start {
            return false;
        }
        let kind = Kind::Literal { text: Slice { start: a.start, end: b.end }, fold };
        self.nodes[left.index()] = self.measure(kind, Slice::EMPTY);
        if right.index() + 1 == self.nodes.len() {
            self.nodes.pop();
        }
        true
    }

    fn measure(&self, kind: Kind, children: Slice) -> Node {
        let below = self.edges[children.range()].iter().map(|&id| self.node(id));
        let height = 1 + below.clone().map(|n| n.height).max().unwrap_or(0);
        let copies = below.clone().map(|n| n.copies).max().unwrap_or(1);
        let cost = below.clone().fold(0u64, |sum, n| sum.saturating_add(n.cost));
        let nullable = match kind {
            Kind::Alternate => below.clone().any(|n| n.nullable),
            _ => below.clone().all(|n| n.nullable),
        };
        let finite = below.clone().all(|n| n.finite);
        let node = Node { kind, children, height, copies, cost, nullable, finite };
        self.measure_kind(node, below.len() as u64)
    }

    fn measure_kind(&self, node: Node, branches: u64) -> Node {
        match node.kind {
            Kind::Concat => node,
            Kind::Empty => Node { cost: 1, ..node },
            Kind::Any { .. } => Node { cost: COST_ANY, nullable: false, finite: false, ..node },
            Kind::Look(look) => Node { cost: 1, nullable: look != Look::WordBoundary, ..node },
            Kind::Literal { text, fold } => {
                let cost = text.range().len() as u64 * if fold { 4 } else { 1 };
                Node { cost, nullable: false, ..node }
            }
            Kind::Class { items, negated, fold } => {
                let cost = self.class_cost(items, negated, fold);
                Node { cost, nullable: false, finite: !negated, ..node }
            }
            Kind::Alternate => Node { cost: node.cost.saturating_add(branches), ..node },
            Kind::Capture { .. } => Node { cost: node.cost.saturating_add(2), ..node },
            Kind::Repeat { min, max, .. } => repeat(node, min, max),
        }
    }

    fn class_cost(&self, items: Slice, negated: bool, fold: bool) -> u64 {
        let own: u64 = self.items(items).iter().map(|item| item.cost(fold)).sum();
        1 + own + if negated { COST_ANY } else { 0 }
    }
}

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// States that any one UTF-8 encoded character takes.
const COST_ANY: u64 = 12;

impl ClassItem {
    fn cost(&self, fold: bool) -> u64 {
        match *self {
            // Folding visits every code point of the range, hence the share of its width.
            ClassItem::Range(lo, hi) if fold && hi > 0x7F => COST_ANY + u64::from(hi.abs_diff(lo)) / 64,
            ClassItem::Range(_, hi) if hi > 0x7F => COST_ANY,
            ClassItem::Range(..) => 1,
            ClassItem::Ascii { ranges, negated } => ranges.len() as u64 + if negated { COST_ANY } else { 0 },
            ClassItem::Unicode { table, .. } => table.cost(fold),
        }
    }
}

/// A repetition is compiled by copying: `x{2,5}` is `xx(x(x(x)?)?)?`.
fn repeat(node: Node, min: u32, max: Option<u32>) -> Node {
    let times = max.unwrap_or(min);
    let copies = match max {
        Some(0) => 1,
        _ => node.copies.saturating_mul(times.max(1)),
    };
    let cost = node.cost.saturating_add(2).saturating_mul(u64::from(times.max(1))).saturating_add(2);
    Node { copies, cost, nullable: min == 0 || node.nullable, finite: node.finite && max.is_some(), ..node }
}
