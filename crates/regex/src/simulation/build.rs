//! The steps of a pattern: repetitions copied out, equal classes kept once, all within bounds.

use regex_syntax::hir::ClassUnicode;

use super::Step;
use crate::lower;
use crate::tree::{ClassItem, Kind, NodeId, Tree};

/// Most steps of a pattern.
const STEPS_MAX: usize = 16_384;

/// Most cost of all different classes together, in the units of [`crate::engine::COST_MAX`].
const CLASS_COST_MAX: u64 = 30_000;

/// So many classes are compared to find one that is the same.
const CLASSES_COMPARED_MAX: usize = 64;

/// A class as written, and the set of its characters.
struct BuiltClass<'t> {
    items: &'t [ClassItem],
    negated: bool,
    fold: bool,
    set: ClassUnicode,
}

/// Walks a tree; the depth of recursion is its height.
pub(super) struct Builder<'t> {
    tree: &'t Tree,
    steps: Vec<Step>,
    classes: Vec<BuiltClass<'t>>,
    class_cost: u64,
}

impl<'t> Builder<'t> {
    /// The steps and classes of a whole pattern; `None` when they are too many.
    pub(super) fn run(tree: &'t Tree) -> Option<(Vec<Step>, Vec<ClassUnicode>)> {
        let mut builder = Builder { tree, steps: Vec::new(), classes: Vec::new(), class_cost: 0 };
        builder.node(tree.root())?;
        builder.add(Step::Match)?;
        Some((builder.steps, builder.classes.into_iter().map(|class| class.set).collect()))
    }

    /// Adds a step and yields its place; `None` when there are too many.
    fn add(&mut self, step: Step) -> Option<usize> {
        self.steps.push(step);
        (self.steps.len() <= STEPS_MAX).then(|| self.steps.len() - 1)
    }

    fn here(&self) -> u32 {
        self.steps.len() as u32
    }

    fn node(&mut self, id: NodeId) -> Option<()> {
        let tree = self.tree;
        match tree.kind(id) {
            Kind::Empty => {}
            Kind::Literal { text, fold } => {
                for character in tree.text(text).chars() {
                    self.literal(character, fold)?;
                }
            }
            Kind::Any { newline } => {
                self.add(Step::Any { newline })?;
            }
            Kind::Class { items, negated, fold } => {
                let class = self.class(tree.items(items), negated, fold, tree.node(id).cost)?;
                self.add(Step::Class(class))?;
            }
            Kind::Look(look) => {
                self.add(Step::Look(look))?;
            }
            Kind::Concat => {
                for &sub in tree.children(id) {
                    self.node(sub)?;
                }
            }
            Kind::Alternate => self.alternate(tree.children(id))?,
            Kind::Capture { index } => {
                self.add(Step::Save(2 * index))?;
                tree.children(id).iter().try_for_each(|&sub| self.node(sub))?;
                self.add(Step::Save(2 * index + 1))?;
            }
            Kind::Repeat { min, max, greedy } => {
                let &sub = tree.children(id).first()?;
                self.repeat(sub, min, max, greedy)?;
            }
        }
        Some(())
    }

    fn literal(&mut self, character: char, fold: bool) -> Option<()> {
        if !fold {
            return self.add(Step::Char(character)).map(|_| ());
        }
        let forms = lower::folds(character);
        if let [only] = forms.ranges()
            && only.start() == only.end()
        {
            return self.add(Step::Char(character)).map(|_| ());
        }
        let known = self.classes.iter().take(CLASSES_COMPARED_MAX).position(|class| class.set == forms);
        let class = match known {
            Some(known) => known as u32,
            None => self.add_class(BuiltClass { items: &[], negated: false, fold, set: forms }, 4)?,
        };
        self.add(Step::Class(class)).map(|_| ())
    }

    fn class(&mut self, items: &'t [ClassItem], negated: bool, fold: bool, cost: u64) -> Option<u32> {
        let is_same = |class: &BuiltClass<'_>| {
            !class.items.is_empty() && class.items == items && (class.negated, class.fold) == (negated, fold)
        };
        if let Some(known) = self.classes.iter().take(CLASSES_COMPARED_MAX).position(is_same) {
            return Some(known as u32);
        }
        // Known before the set is made, which may take long.
        if self.class_cost.saturating_add(cost) > CLASS_COST_MAX {
            return None;
        }
        self.add_class(BuiltClass { items, negated, fold, set: lower::class(items, negated, fold) }, cost)
    }

    fn add_class(&mut self, class: BuiltClass<'t>, cost: u64) -> Option<u32> {
        self.class_cost = self.class_cost.saturating_add(cost);
        self.classes.push(class);
        (self.class_cost <= CLASS_COST_MAX).then(|| self.classes.len() as u32 - 1)
    }

    fn alternate(&mut self, branches: &[NodeId]) -> Option<()> {
        let mut ends = Vec::new();
        let Some((&last, others)) = branches.split_last() else { return Some(()) };
        for &branch in others {
            let split = self.add(Step::Match)?;
            self.node(branch)?;
            ends.push(self.add(Step::Match)?);
            self.steps[split] = Step::Split(split as u32 + 1, self.here());
        }
        self.node(last)?;
        let end = self.here();
        ends.into_iter().for_each(|place| self.steps[place] = Step::Jump(end));
        Some(())
    }

    /// `x{2,5}` is `xx(x(x(x)?)?)?`.
    fn repeat(&mut self, sub: NodeId, min: u32, max: Option<u32>, greedy: bool) -> Option<()> {
        for _ in 0..min {
            // Even what adds no step takes time.
            self.add(Step::Jump(self.here() + 1))?;
            self.node(sub)?;
        }
        let Some(max) = max else { return self.star(sub, greedy) };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.add(Step::Match)?);
            self.node(sub)?;
        }
        let end = self.here();
        for split in splits {
            self.steps[split] = choice(split as u32 + 1, end, greedy);
        }
        Some(())
    }

    fn star(&mut self, sub: NodeId, greedy: bool) -> Option<()> {
        let split = self.add(Step::Match)?;
        self.node(sub)?;
        self.add(Step::Jump(split as u32))?;
        self.steps[split] = choice(split as u32 + 1, self.here(), greedy);
        Some(())
    }
}

fn choice(on: u32, end: u32, greedy: bool) -> Step {
    if greedy { Step::Split(on, end) } else { Step::Split(end, on) }
}
