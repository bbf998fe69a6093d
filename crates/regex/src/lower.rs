//! Tree → [`Hir`]: the meaning of a Go pattern in the vocabulary of the Rust engines.

use regex_syntax::hir::{
    Capture, Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, Look as HirLook, Repetition,
};

use crate::tree::{ClassItem, Kind, Look, Node, NodeId, Tree};

/// Whether capture groups are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Groups {
    Kept,
    Dropped,
}

/// Whether the whole text has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    WholeText,
    Anywhere,
}

/// Translates the tree bottom-up, in a loop.
pub(crate) fn lower(tree: &Tree, groups: Groups, extent: Extent) -> Hir {
    let mut done: Vec<Hir> = Vec::with_capacity(tree.len());
    for id in tree.ids() {
        let subs = tree.children(id).iter().map(|sub| take(&mut done, *sub)).collect();
        done.push(lower_node(tree, tree.node(id), subs, groups));
    }
    let root = take(&mut done, tree.root());
    match extent {
        Extent::Anywhere => root,
        Extent::WholeText => Hir::concat(vec![Hir::look(HirLook::Start), root, Hir::look(HirLook::End)]),
    }
}

fn take(done: &mut [Hir], id: NodeId) -> Hir {
    std::mem::replace(&mut done[id.index()], Hir::empty())
}

fn lower_node(tree: &Tree, node: &Node, mut subs: Vec<Hir>, groups: Groups) -> Hir {
    match node.kind {
        Kind::Empty => Hir::empty(),
        Kind::Literal { text, fold: false } => Hir::literal(tree.text(text).as_bytes()),
        Kind::Literal { text, fold: true } => Hir::concat(tree.text(text).chars().map(folded_char).collect()),
        Kind::Any { newline: true } => Hir::dot(Dot::AnyChar),
        Kind::Any { newline: false } => Hir::dot(Dot::AnyCharExceptLF),
        Kind::Class { items, negated, fold } => {
            Hir::class(Class::Unicode(class(tree.items(items), negated, fold)))
        }
        Kind::Look(look) => Hir::look(lower_look(look)),
        Kind::Concat => Hir::concat(subs),
        Kind::Alternate => Hir::alternation(subs),
        Kind::Capture { index } => capture(index, subs.pop(), groups),
        Kind::Repeat { min, max, greedy } => repetition(min, max, greedy, subs.pop()),
    }
}

/// Names stay with the tree: Go allows one name for several groups, the engines do not.
fn capture(index: u32, sub: Option<Hir>, groups: Groups) -> Hir {
    let sub = sub.unwrap_or_else(Hir::empty);
    match groups {
        Groups::Dropped => sub,
        Groups::Kept => Hir::capture(Capture { index, name: None, sub: Box::new(sub) }),
    }
}

fn repetition(min: u32, max: Option<u32>, greedy: bool, sub: Option<Hir>) -> Hir {
    let sub = Box::new(sub.unwrap_or_else(Hir::empty));
    Hir::repetition(Repetition { min, max, greedy, sub })
}

fn lower_look(look: Look) -> HirLook {
    match look {
        Look::TextStart => HirLook::Start,
        Look::TextEnd => HirLook::End,
        Look::LineStart => HirLook::StartLF,
        Look::LineEnd => HirLook::EndLF,
        Look::WordBoundary => HirLook::WordAscii,
        Look::NotWordBoundary => HirLook::WordAsciiNegate,
    }
}

/// All characters that `c` stands for under `(?i)`.
pub(crate) fn folds(c: char) -> ClassUnicode {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    class.case_fold_simple();
    class
}

fn folded_char(c: char) -> Hir {
    let class = folds(c);
    match class.literal() {
        Some(bytes) => Hir::literal(bytes),
        None => Hir::class(Class::Unicode(class)),
    }
}

/// The set a character class denotes.
pub(crate) fn class(items: &[ClassItem], negated: bool, fold: bool) -> ClassUnicode {
    let ranges = items.iter().filter_map(|item| match *item {
        ClassItem::Range(lo, hi) => Some((lo, hi)),
        _ => None,
    });
    let mut set = ClassUnicode::new(ranges.flat_map(|(lo, hi)| without_surrogates(lo, hi)));
    fold_class(&mut set, fold);
    for item in items {
        if let Some(named) = named_class(item, fold) {
            set.union(&named);
        }
    }
    if negated {
        set.negate();
    }
    set
}

/// Folding comes before negation: `(?i)\W` excludes the Kelvin sign, which folds to `k`.
fn named_class(item: &ClassItem, fold: bool) -> Option<ClassUnicode> {
    let (mut set, negated) = match *item {
        ClassItem::Range(..) => return None,
        ClassItem::Ascii { ranges, negated } => (ascii(ranges), negated),
        ClassItem::Unicode { table, negated } => (table.class(), negated),
    };
    fold_class(&mut set, fold);
    if negated {
        set.negate();
    }
    Some(set)
}

fn ascii(ranges: &[(u8, u8)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|&(lo, hi)| ClassUnicodeRange::new(lo.into(), hi.into())))
}

fn fold_class(set: &mut ClassUnicode, fold: bool) {
    if fold {
        set.case_fold_simple();
    }
}

/// The characters among the code points `lo..=hi`: up to two ranges.
fn without_surrogates(lo: u32, hi: u32) -> impl Iterator<Item = ClassUnicodeRange> {
    [(lo, hi.min(0xD7FF)), (lo.max(0xE000), hi)]
        .into_iter()
        .filter(|(lo, hi)| lo <= hi)
        .filter_map(|(lo, hi)| Some(ClassUnicodeRange::new(char::from_u32(lo)?, char::from_u32(hi)?)))
}
