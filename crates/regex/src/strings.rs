//! The complete set of strings a pattern matches, where that set is finite and small.

use crate::lower;
use crate::tree::{ClassItem, Kind, Look, NodeId, Tree};

/// Most strings a class, a product or folding may expand to; an alternation as written may list more.
const STRINGS_MAX: usize = 256;

/// Most bytes of all strings together, unless the pattern itself is longer.
const BYTES_MAX: usize = 64 << 10;

/// All strings matched by `tree` anchored at both ends, sorted and without duplicates.
pub(crate) fn exact_set(tree: &Tree, pattern_bytes: usize) -> Option<Vec<String>> {
    if !tree.node(tree.root()).finite {
        return None;
    }
    let mut set = Vec::new();
    let limits = Limits { strings: STRINGS_MAX.max(tree.len()), bytes: BYTES_MAX.max(pattern_bytes) };
    let place = Place { at_start: true, at_end: true };
    Expansion { tree, limits }.extend(tree.root(), place, &mut set)?;
    if set.len() > 1 {
        set.sort_unstable();
        set.dedup();
    }
    Some(set)
}

struct Limits {
    strings: usize,
    bytes: usize,
}

/// Whether a node touches the ends of the text, where assertions about them are empty.
#[derive(Clone, Copy)]
struct Place {
    at_start: bool,
    at_end: bool,
}

const INSIDE: Place = Place { at_start: false, at_end: false };

struct Expansion<'t> {
    tree: &'t Tree,
    limits: Limits,
}

impl Expansion<'_> {
    /// Appends the strings of one node; `None` if they are too many or not known.
    fn extend(&self, id: NodeId, place: Place, out: &mut Vec<String>) -> Option<()> {
        match self.tree.kind(id) {
            Kind::Empty => out.push(String::new()),
            Kind::Literal { text, fold: false } => out.push(self.tree.text(text).to_owned()),
            Kind::Literal { text, fold: true } => self.folded(self.tree.text(text), out)?,
            Kind::Class { items, negated, fold } => {
                out.extend(self.class(self.tree.items(items), negated, fold)?.into_iter().map(String::from));
            }
            Kind::Look(look) => return place.is_empty(look).then(|| out.push(String::new())),
            Kind::Concat => self.concat(id, place, out)?,
            Kind::Alternate | Kind::Capture { .. } => {
                for &sub in self.tree.children(id) {
                    self.extend(sub, place, out)?;
                }
            }
            Kind::Repeat { min, max: Some(max), .. } => self.repeat(id, min, max, out)?,
            Kind::Any { .. } | Kind::Repeat { max: None, .. } => return None,
        }
        (out.len() <= self.limits.strings).then_some(())
    }

    fn concat(&self, id: NodeId, place: Place, out: &mut Vec<String>) -> Option<()> {
        let subs = self.tree.children(id);
        let is_look = |id: &NodeId| matches!(self.tree.kind(*id), Kind::Look(_));
        let first = subs.iter().take_while(|id| is_look(id)).count();
        let last = subs.len() - subs.iter().rev().take_while(|id| is_look(id)).count();
        let mut product = vec![String::new()];
        for (at, &sub) in subs.iter().enumerate() {
            let here =
                Place { at_start: place.at_start && at <= first, at_end: place.at_end && at + 1 >= last };
            let mut strings = Vec::new();
            self.extend(sub, here, &mut strings)?;
            product = self.product(product, &strings)?;
        }
        out.append(&mut product);
        Some(())
    }

    fn repeat(&self, id: NodeId, min: u32, max: u32, out: &mut Vec<String>) -> Option<()> {
        let mut once = Vec::new();
        let sub = *self.tree.children(id).first()?;
        self.extend(sub, INSIDE, &mut once)?;
        let mut times = vec![String::new()];
        for count in 0..=max {
            if count >= min {
                self.fits(out.len() + times.len(), 1, 0)?;
                out.extend_from_slice(&times);
            }
            if count < max {
                times = self.product(times, &once)?;
            }
        }
        Some(())
    }

    fn product(&self, mut left: Vec<String>, right: &[String]) -> Option<Vec<String>> {
        if let [only] = right {
            let bytes = left.iter().map(String::len).sum::<usize>();
            self.fits(left.len(), 1, bytes + left.len() * only.len())?;
            left.iter_mut().for_each(|text| text.push_str(only));
            return Some(left);
        }
        let total = |set: &[String]| set.iter().map(String::len).sum::<usize>();
        let bytes =
            total(&left).saturating_mul(right.len()).saturating_add(total(right).saturating_mul(left.len()));
        self.fits(left.len(), right.len(), bytes)?;
        Some(left.iter().flat_map(|a| right.iter().map(move |b| [a.as_str(), b].concat())).collect())
    }

    fn fits(&self, left: usize, right: usize, bytes: usize) -> Option<()> {
        let strings = left.saturating_mul(right);
        // A product may not exceed the bound by being long; only what the pattern spells out may.
        (strings <= self.limits.strings
            && (right <= 1 || strings <= STRINGS_MAX)
            && bytes <= self.limits.bytes)
            .then_some(())
    }

    fn folded(&self, text: &str, out: &mut Vec<String>) -> Option<()> {
        let mut product = vec![String::new()];
        for c in text.chars() {
            let forms: Vec<String> = chars(&lower::folds(c)).map(String::from).collect();
            product = self.product(product, &forms)?;
        }
        out.append(&mut product);
        Some(())
    }

    /// The members of a class that is small as written, so that no large table is ever built for this.
    fn class(&self, items: &[ClassItem], negated: bool, fold: bool) -> Option<Vec<char>> {
        let size: u64 = items.iter().map(width).sum();
        if negated || size > STRINGS_MAX as u64 {
            return None;
        }
        Some(chars(&lower::class(items, negated, fold)).collect())
    }
}

impl Place {
    fn is_empty(self, look: Look) -> bool {
        match look {
            Look::TextStart | Look::LineStart => self.at_start,
            Look::TextEnd | Look::LineEnd => self.at_end,
            Look::WordBoundary | Look::NotWordBoundary => false,
        }
    }
}

fn width(item: &ClassItem) -> u64 {
    match *item {
        ClassItem::Range(lo, hi) => u64::from(hi.abs_diff(lo)) + 1,
        ClassItem::Ascii { negated: false, .. } => 1,
        ClassItem::Ascii { negated: true, .. } | ClassItem::Unicode { .. } => u64::MAX / 1024,
    }
}

fn chars(class: &regex_syntax::hir::ClassUnicode) -> impl Iterator<Item = char> {
    class.ranges().iter().flat_map(|range| range.start()..=range.end())
}
