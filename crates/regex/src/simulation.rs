//! Matching character by character, for patterns whose automaton over bytes would be too large.
//!
//! A class of letters is some hundred states over bytes, here it is one step; Go simulates its patterns the same way.
//! Slower than an automaton where that fits, but linear: every character visits each step once at most. The steps in
//! work are kept in order of preference, so that groups hold what a backtracking matcher would find first.

mod build;

use regex_syntax::hir::ClassUnicode;

use self::build::Builder;
use crate::tree::{Look, Tree};

/// What a thread of the simulation does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Consumes a character of a class.
    Class(u32),
    /// Consumes this character.
    Char(char),
    /// Consumes any character.
    Any { newline: bool },
    /// Goes on if the place is right.
    Look(Look),
    /// Goes on at the first place, or else at the second.
    Split(u32, u32),
    /// Goes on elsewhere.
    Jump(u32),
    /// Notes the place of a border of a group.
    Save(u32),
    /// The pattern ends here.
    Match,
}

/// A pattern as steps.
#[derive(Debug)]
pub(crate) struct Simulation {
    steps: Vec<Step>,
    classes: Vec<ClassUnicode>,
    slots: usize,
}

impl Simulation {
    /// The steps of a whole pattern; `None` when they are too many. The depth of recursion is the height of the tree.
    pub(crate) fn new(tree: &Tree) -> Option<Simulation> {
        let (steps, classes) = Builder::run(tree)?;
        Some(Simulation { steps, classes, slots: 2 * (tree.names.len() + 1) })
    }

    /// Whether all of `haystack` matches.
    pub(crate) fn is_match(&self, haystack: &str) -> bool {
        self.run(haystack, 0).is_some()
    }

    /// Where the groups are in the match of all of `haystack`; group 0 is all of it.
    pub(crate) fn groups(&self, haystack: &str) -> Option<Vec<Option<(usize, usize)>>> {
        let mut slots = self.run(haystack, self.slots)?;
        slots[..2].copy_from_slice(&[Some(0), Some(haystack.len())]);
        Some(slots.chunks_exact(2).map(|pair| pair[0].zip(pair[1])).collect())
    }

    /// The borders that the preferred match notes, the first `slots` of them.
    fn run(&self, haystack: &str, slots: usize) -> Option<Vec<Option<usize>>> {
        let mut now = Threads::new(self.steps.len(), slots);
        let mut next = Threads::new(self.steps.len(), slots);
        let mut stack = Vec::new();
        now.start(0);
        self.follow(0, &mut vec![None; slots], haystack, 0, &mut now, &mut stack);
        for (at, character) in haystack.char_indices() {
            let after = at + character.len_utf8();
            next.start(after);
            for thread in 0..now.places.len() {
                let place = now.places[thread] as usize;
                if self.consumes(self.steps[place], character) {
                    let mut noted = now.noted(thread).to_vec();
                    self.follow(place + 1, &mut noted, haystack, after, &mut next, &mut stack);
                }
            }
            std::mem::swap(&mut now, &mut next);
            if now.places.is_empty() {
                return None;
            }
        }
        let is_match = |place: &u32| matches!(self.steps[*place as usize], Step::Match);
        now.places.iter().position(is_match).map(|thread| now.noted(thread).to_vec())
    }

    fn consumes(&self, step: Step, character: char) -> bool {
        match step {
            Step::Class(class) => contains(&self.classes[class as usize], character),
            Step::Char(wanted) => wanted == character,
            Step::Any { newline } => newline || character != '\n',
            _ => false,
        }
    }

    /// Adds a thread at every step that is reached from `place` without consuming anything, best first.
    fn follow(
        &self,
        place: usize,
        noted: &mut [Option<usize>],
        haystack: &str,
        at: usize,
        threads: &mut Threads,
        stack: &mut Vec<Pending>,
    ) {
        stack.push(Pending::Follow(place as u32));
        while let Some(pending) = stack.pop() {
            let place = match pending {
                Pending::Follow(place) => place,
                Pending::Restore(slot, before) => {
                    noted[slot] = before;
                    continue;
                }
            };
            if !threads.visit(place) {
                continue;
            }
            match self.steps[place as usize] {
                Step::Jump(to) => stack.push(Pending::Follow(to)),
                Step::Split(first, second) => {
                    stack.extend([Pending::Follow(second), Pending::Follow(first)]);
                }
                Step::Look(look) if holds(look, haystack, at) => stack.push(Pending::Follow(place + 1)),
                Step::Look(_) => {}
                Step::Save(slot) => {
                    if let Some(border) = noted.get_mut(slot as usize) {
                        stack.push(Pending::Restore(slot as usize, border.replace(at)));
                    }
                    stack.push(Pending::Follow(place + 1));
                }
                Step::Class(_) | Step::Char(_) | Step::Any { .. } | Step::Match => {
                    threads.places.push(place);
                    threads.notes.extend_from_slice(noted);
                }
            }
        }
    }
}

/// What is left to do while following steps.
enum Pending {
    Follow(u32),
    /// A border as it was before the branch that is done.
    Restore(usize, Option<usize>),
}

/// The steps in work at one place of the text.
struct Threads {
    places: Vec<u32>,
    /// Of each thread the borders noted so far.
    notes: Vec<Option<usize>>,
    slots: usize,
    /// When each step was last visited: the mark of the place in the text.
    visited: Vec<u64>,
    mark: u64,
}

impl Threads {
    fn new(steps: usize, slots: usize) -> Threads {
        Threads { places: Vec::new(), notes: Vec::new(), slots, visited: vec![0; steps], mark: 0 }
    }

    /// Empties the list for the place `at`.
    fn start(&mut self, at: usize) {
        self.places.clear();
        self.notes.clear();
        self.mark = at as u64 + 1;
    }

    /// Whether the step is visited for the first time.
    fn visit(&mut self, place: u32) -> bool {
        let mark = &mut self.visited[place as usize];
        std::mem::replace(mark, self.mark) != self.mark
    }

    fn noted(&self, thread: usize) -> &[Option<usize>] {
        &self.notes[thread * self.slots..][..self.slots]
    }
}

fn contains(class: &ClassUnicode, character: char) -> bool {
    let ranges = class.ranges();
    let at = ranges.partition_point(|range| range.end() < character);
    ranges.get(at).is_some_and(|range| range.start() <= character)
}

fn holds(look: Look, haystack: &str, at: usize) -> bool {
    let bytes = haystack.as_bytes();
    let (before, after) = (at.checked_sub(1).map(|at| bytes[at]), bytes.get(at).copied());
    let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match look {
        Look::TextStart => before.is_none(),
        Look::TextEnd => after.is_none(),
        Look::LineStart => before.is_none_or(|byte| byte == b'\n'),
        Look::LineEnd => after.is_none_or(|byte| byte == b'\n'),
        Look::WordBoundary => is_word(before) != is_word(after),
        Look::NotWordBoundary => is_word(before) == is_word(after),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Regex;
    use crate::parse::{Flags, parse};

    fn simulation(pattern: &str) -> Simulation {
        let flags = Flags { dot_newline: true, ..Flags::default() };
        Simulation::new(&parse(pattern, flags).unwrap()).unwrap()
    }

    #[test]
    fn groups_hold_what_is_preferred() {
        let groups = |pattern: &str, text: &str| simulation(pattern).groups(text);
        assert_eq!(
            groups("(a|ab)(c|bcd)(d*)", "abcd"),
            Some(vec![Some((0, 4)), Some((0, 1)), Some((1, 4)), Some((4, 4))])
        );
        assert_eq!(groups("(a+?)(a*)", "aaa"), Some(vec![Some((0, 3)), Some((0, 1)), Some((1, 3))]));
        assert_eq!(groups("(a)|(b)", "b"), Some(vec![Some((0, 1)), None, Some((0, 1))]));
        assert_eq!(groups("(a)|(b)", "c"), None);
    }

    #[test]
    fn what_has_too_many_steps_is_refused() {
        let tree = |pattern: &str| parse(pattern, Flags::default()).unwrap();
        assert!(Simulation::new(&tree(&"a".repeat(20_000))).is_none());
        assert!(Simulation::new(&tree(&"(?i)[\u{100}-\u{10ffff}][\u{101}-\u{10ffff}]".repeat(2))).is_none());
        assert!(Simulation::new(&tree(r"(?:\p{L}\d){1,500}")).is_some());
    }

    proptest! {
        #[test]
        fn the_simulation_agrees_with_the_automaton(
            pattern in r"([ab.é]|\(a\||\)|\*|\?|\{1,2\}|\||\\b|[$^]|\[\^a\]|\(\?i:k\)|\(b){1,12}",
            texts in prop::collection::vec("[abkKé\u{212a}\n1]{0,6}", 1..8),
        ) {
            let Ok(regex) = Regex::new(&pattern) else { return Ok(()) };
            let simulation = simulation(&pattern);
            for text in texts {
                prop_assert_eq!(simulation.is_match(&text), regex.is_match(&text), "{} on {:?}", pattern, text);
                prop_assert_eq!(simulation.groups(&text).is_some(), regex.is_match(&text));
            }
        }
    }
}
