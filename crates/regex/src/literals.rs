//! What can be decided about a pattern by comparing strings, so that most matchers never need an automaton.

use crate::gapped::{self, Gapped};
use crate::strings;
use crate::tree::{Kind, NodeId, Tree};

/// Most alternatives tried one after the other before an automaton is the better choice.
const BRANCHES_MAX: usize = 16;

/// How texts are matched.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Membership in a sorted list; the list is everything the pattern matches.
    Set { strings: Vec<String>, shortest: usize, longest: usize },
    /// Literals with arbitrary text between them.
    Gapped(Gapped),
    /// The texts equal to this one but for the case of ASCII letters, as long as they are ASCII themselves.
    FoldedAscii(String),
    /// Any of several plans.
    AnyOf(Vec<Plan>),
    /// An automaton, asked only about texts that have the literal ends.
    Automaton { prefix: String, suffix: String },
}

/// A plan's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    NoMatch,
    /// Only the automaton knows.
    Unknown,
}

impl From<bool> for Verdict {
    fn from(matches: bool) -> Verdict {
        if matches { Verdict::Match } else { Verdict::NoMatch }
    }
}

impl Plan {
    /// Chooses the plan for a pattern anchored at both ends.
    pub(crate) fn of(tree: &Tree, pattern_bytes: usize) -> Plan {
        if let Some(strings) = strings::exact_set(tree, pattern_bytes) {
            return Plan::set(strings);
        }
        let root = tree.root();
        Plan::comparing(tree, root).or_else(|| Plan::branches(tree, root)).unwrap_or_else(|| {
            Plan::Automaton {
                prefix: end_literal(tree, root, End::Front),
                suffix: end_literal(tree, root, End::Back),
            }
        })
    }

    fn set(strings: Vec<String>) -> Plan {
        let lengths = || strings.iter().map(String::len);
        let (shortest, longest) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
        Plan::Set { strings, shortest, longest }
    }

    fn comparing(tree: &Tree, id: NodeId) -> Option<Plan> {
        match tree.kind(id) {
            Kind::Literal { text, fold: true } if tree.text(text).is_ascii() => {
                Some(Plan::FoldedAscii(tree.text(text).to_owned()))
            }
            Kind::Literal { text, fold: false } => Some(Plan::set(vec![tree.text(text).to_owned()])),
            Kind::Empty => Some(Plan::set(vec![String::new()])),
            _ => Gapped::of(tree, id).map(Plan::Gapped),
        }
    }

    fn branches(tree: &Tree, mut id: NodeId) -> Option<Plan> {
        while let (Kind::Capture { .. }, &[sub]) = (tree.kind(id), tree.children(id)) {
            id = sub;
        }
        let subs = tree.children(id);
        if tree.kind(id) != Kind::Alternate || subs.len() > BRANCHES_MAX {
            return None;
        }
        subs.iter().map(|&sub| Plan::comparing(tree, sub)).collect::<Option<_>>().map(Plan::AnyOf)
    }

    pub(crate) fn decide(&self, haystack: &str) -> Verdict {
        match self {
            Plan::Set { strings, shortest, longest } => {
                let fits = (*shortest..=*longest).contains(&haystack.len());
                (fits && strings.binary_search_by(|s| s.as_str().cmp(haystack)).is_ok()).into()
            }
            Plan::Gapped(gapped) => gapped.is_match(haystack).into(),
            Plan::FoldedAscii(text) => folded(text, haystack),
            Plan::AnyOf(plans) => any(plans, haystack),
            Plan::Automaton { prefix, suffix } => {
                let ends = gapped::starts_with(haystack, prefix) && gapped::ends_with(haystack, suffix);
                if ends { Verdict::Unknown } else { Verdict::NoMatch }
            }
        }
    }

    /// Whether [`Plan::decide`] never needs the automaton.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Plan::Set { .. } | Plan::Gapped(_) => true,
            Plan::AnyOf(plans) => plans.iter().all(Plan::is_complete),
            Plan::FoldedAscii(_) | Plan::Automaton { .. } => false,
        }
    }

    /// A literal every matching text begins with; empty if none is known.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Plan::Set { strings, .. } => match &strings[..] {
                [first, .., last] => common_prefix(first, last),
                _ => strings.first().map_or("", |only| only),
            },
            Plan::Gapped(gapped) => gapped.prefix(),
            Plan::FoldedAscii(_) => "",
            Plan::AnyOf(plans) => plans.iter().map(Plan::prefix).reduce(common_prefix).unwrap_or(""),
            Plan::Automaton { prefix, .. } => prefix,
        }
    }
}

/// Beyond ASCII two characters fold to ASCII letters, which is left to the automaton.
fn folded(text: &str, haystack: &str) -> Verdict {
    if haystack.is_ascii() { haystack.eq_ignore_ascii_case(text).into() } else { Verdict::Unknown }
}

fn any(plans: &[Plan], haystack: &str) -> Verdict {
    let mut verdict = Verdict::NoMatch;
    for plan in plans {
        match plan.decide(haystack) {
            Verdict::Match => return Verdict::Match,
            Verdict::Unknown => verdict = Verdict::Unknown,
            Verdict::NoMatch => {}
        }
    }
    verdict
}

fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let differ = a.char_indices().zip(b.chars().map(Some).chain(std::iter::repeat(None)));
    let same = differ.map(|((at, x), y)| (at, Some(x) == y)).find(|(_, equal)| !equal);
    &a[..same.map_or(a.len(), |(at, _)| at)]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

/// The literal that every match has at one end; assertions in front of it do not matter.
fn end_literal(tree: &Tree, mut id: NodeId, end: End) -> String {
    loop {
        let outermost = match tree.kind(id) {
            Kind::Literal { text, fold: false } => return tree.text(text).to_owned(),
            Kind::Concat | Kind::Capture { .. } => {
                let subs = tree.children(id);
                let solid = |id: &&NodeId| !matches!(tree.kind(**id), Kind::Look(_) | Kind::Empty);
                if end == End::Front { subs.iter().find(solid) } else { subs.iter().rev().find(solid) }
            }
            _ => None,
        };
        match outermost {
            Some(&sub) => id = sub,
            None => return String::new(),
        }
    }
}
