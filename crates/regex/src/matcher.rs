//! [`Regex`]: a pattern with the semantics of a Prometheus matcher.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex_automata::{Anchored, Input, meta};

use crate::captures::Captures;
use crate::engine::{self, Automaton};
use crate::error::{Error, ErrorKind};
use crate::literals::{Plan, Verdict};
use crate::lower::{Extent, Groups, lower};
use crate::parse::{Flags, parse};
use crate::simulation::Simulation;
use crate::tree::Tree;

/// `(?s)`: in matchers the dot matches newlines too.
const FLAGS: Flags = Flags { fold: false, multi_line: false, dot_newline: true, ungreedy: false };

/// A pattern that has to match a whole text, with the dot matching newlines: Go's `^(?s:pattern)$`.
///
/// Construction parses and looks for literals only; the automaton is built when a text first needs it and is then
/// shared by all clones. Equality is equality of the patterns.
#[derive(Clone)]
pub struct Regex {
    inner: Arc<Inner>,
}

struct Inner {
    pattern: Box<str>,
    plan: Plan,
    matches_empty: bool,
    group_names: Vec<Option<Box<str>>>,
    /// In place of automata that would be too large.
    simulation: Option<Simulation>,
    automaton: OnceLock<Option<Automaton>>,
    capturing: OnceLock<Option<meta::Regex>>,
}

impl Regex {
    /// Parses `pattern` in Go's syntax.
    ///
    /// # Errors
    ///
    /// The faults Go reports, with its texts; and [`ErrorKind::TooLarge`] for patterns whose automaton might take
    /// more than 16 MiB or 50 ms to compile and that are too long to be matched without one. A plain list of alternatives needs no automaton and may be long.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        let mut tree = parse(pattern, FLAGS)?;
        let plan = Plan::of(&tree, pattern.len());
        let needs_engine = !plan.is_complete() || !tree.names.is_empty();
        let simulation = if needs_engine { simulation(pattern, &tree)? } else { None };
        let inner = Inner {
            pattern: pattern.into(),
            plan,
            matches_empty: tree.node(tree.root()).nullable,
            simulation,
            group_names: std::mem::take(&mut tree.names),
            automaton: OnceLock::new(),
            capturing: OnceLock::new(),
        };
        let height = tree.node(tree.root()).height;
        let needs_engine = needs_engine && inner.simulation.is_none();
        if needs_engine && engine::needs_stack(height) && !inner.is_compiled() {
            return Err(Error::new(ErrorKind::NestingDepth, pattern, 0..pattern.len()));
        }
        Ok(Regex { inner: Arc::new(inner) })
    }

    /// The pattern as given, without the implied anchors.
    pub fn pattern(&self) -> &str {
        &self.inner.pattern
    }

    /// Whether all of `haystack` matches; linear in its length.
    pub fn is_match(&self, haystack: &str) -> bool {
        match self.inner.plan.decide(haystack) {
            Verdict::Match => true,
            Verdict::NoMatch => false,
            Verdict::Unknown => self.inner.is_match(haystack),
        }
    }

    /// Everything the pattern matches, sorted and without duplicates, if that is a short list.
    ///
    /// Classes, repetitions and case folding are expanded to at most 256 strings; the alternatives spelled out in the
    /// pattern are all listed. The list may be empty: `[^\x00-\x{10FFFF}]` matches nothing.
    pub fn exact_set(&self) -> Option<&[String]> {
        match &self.inner.plan {
            Plan::Set { strings, .. } => Some(strings),
            _ => None,
        }
    }

    /// The only string the pattern matches, if there is exactly one.
    pub fn literal(&self) -> Option<&str> {
        match self.exact_set() {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// A literal that every matching text begins with, if one is known; never empty.
    pub fn prefix(&self) -> Option<&str> {
        Some(self.inner.plan.prefix()).filter(|prefix| !prefix.is_empty())
    }

    /// Whether the empty text matches, that is, whether a matcher accepts an absent label.
    pub fn matches_empty(&self) -> bool {
        self.inner.matches_empty
    }

    /// Whether the pattern is `.*` in one of its plain spellings, so that every text matches.
    pub fn is_match_all(&self) -> bool {
        matches!(&self.inner.plan, Plan::Gapped(gapped) if gapped.is_all())
    }

    /// The groups of the match of all of `haystack`, if it matches.
    pub fn captures<'r, 'h>(&'r self, haystack: &'h str) -> Option<Captures<'r, 'h>> {
        let names = &self.inner.group_names[..];
        if names.is_empty() {
            return self
                .is_match(haystack)
                .then(|| Captures::new(haystack, names, vec![Some((0, haystack.len()))]));
        }
        if self.inner.plan.decide(haystack) == Verdict::NoMatch {
            return None;
        }
        if let Some(simulation) = &self.inner.simulation {
            return simulation.groups(haystack).map(|slots| Captures::new(haystack, names, slots));
        }
        let engine = self.inner.capturing()?;
        let input = Input::new(haystack).anchored(Anchored::Yes);
        engine::groups(engine, &input, names.len()).map(|slots| Captures::new(haystack, names, slots))
    }
}

impl Inner {
    fn is_match(&self, haystack: &str) -> bool {
        match &self.simulation {
            Some(simulation) => simulation.is_match(haystack),
            None => self.automaton().is_some_and(|automaton| automaton.is_match(haystack)),
        }
    }

    /// Compiles at once what is otherwise compiled on first need, for patterns where that might fail.
    fn is_compiled(&self) -> bool {
        self.automaton().is_some() && (self.group_names.is_empty() || self.capturing().is_some())
    }

    /// The automaton; a pattern that was accepted can be compiled, see [`crate::engine`].
    fn automaton(&self) -> Option<&Automaton> {
        let build = || {
            let tree = self.tree()?;
            let hir = lower(&tree, Groups::Dropped, Extent::WholeText);
            engine::compile(tree.node(tree.root()).height, || Automaton::new(&hir))
        };
        self.automaton.get_or_init(build).as_ref()
    }

    fn capturing(&self) -> Option<&meta::Regex> {
        let build = || {
            let tree = self.tree()?;
            let hir = lower(&tree, Groups::Kept, Extent::WholeText);
            engine::compile(tree.node(tree.root()).height, || engine::capturing(&hir))
        };
        self.capturing.get_or_init(build).as_ref()
    }

    /// The tree again: parsing twice is cheaper than keeping all trees.
    fn tree(&self) -> Option<Tree> {
        parse(&self.pattern, FLAGS).ok()
    }
}

/// What stands in for the automaton of a pattern for which that might be too large.
fn simulation(pattern: &str, tree: &Tree) -> Result<Option<Simulation>, Error> {
    let root = tree.node(tree.root());
    let Err(too_large) = check_cost(pattern, tree) else { return Ok(None) };
    let simulation = engine::compile(root.height, || Simulation::new(tree));
    simulation.map(Some).ok_or(too_large)
}

/// Refuses patterns whose automaton might be too large.
pub(crate) fn check_cost(pattern: &str, tree: &Tree) -> Result<(), Error> {
    if tree.node(tree.root()).cost > engine::COST_MAX {
        return Err(Error::new(ErrorKind::TooLarge, pattern, 0..pattern.len()));
    }
    Ok(())
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Regex").field(&self.pattern()).finish()
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pattern())
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        self.pattern() == other.pattern()
    }
}

impl Eq for Regex {}

impl std::str::FromStr for Regex {
    type Err = Error;

    fn from_str(pattern: &str) -> Result<Regex, Error> {
        Regex::new(pattern)
    }
}
