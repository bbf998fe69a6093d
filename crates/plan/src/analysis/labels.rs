//! Which labels the elements of a vector have: the facts and their lattice.
//!
//! Facts hold for every element: the label's value is one of [`LabelValues`], a missing label having the empty value.
//! A set of facts is *closed* when all labels it does not name are missing. The metric name is a label like others.

use std::fmt;

use narthex_model::labels::METRIC_NAME;

use super::label_values::LabelValues;
use super::reason::{Reason, Why};

/// What is known of one label.
#[derive(Clone, PartialEq, Debug)]
pub struct LabelFact<'e> {
    /// Its name.
    pub name: &'e str,
    /// The values it may have.
    pub values: LabelValues<'e>,
    /// Why.
    pub reason: Reason,
}

/// What is known of labels that have no fact of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Others {
    /// Nothing.
    Any(Reason),
    /// They are missing.
    Absent(Reason),
}

/// What is known of the labels of every element of a vector.
#[derive(Clone, PartialEq, Debug)]
pub struct LabelFacts<'e> {
    named: Vec<LabelFact<'e>>,
    others: Others,
}

/// What a lookup finds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Known<'a, 'e> {
    /// The values the label may have.
    pub values: &'a LabelValues<'e>,
    /// Why.
    pub reason: Reason,
}

/// A label on which the two sides of a match never agree.
#[derive(Clone, PartialEq, Debug)]
pub struct Conflict<'e> {
    /// The label.
    pub label: &'e str,
    /// What it may be on the left side.
    pub left: LabelFact<'e>,
    /// What it may be on the right side.
    pub right: LabelFact<'e>,
}

impl<'e> LabelFacts<'e> {
    /// Nothing is known.
    pub fn any(reason: Reason) -> LabelFacts<'e> {
        LabelFacts { named: Vec::new(), others: Others::Any(reason) }
    }

    /// There are no labels.
    pub fn none(reason: Reason) -> LabelFacts<'e> {
        LabelFacts { named: Vec::new(), others: Others::Absent(reason) }
    }

    /// The facts that have a name, those about missing labels included.
    pub fn named(&self) -> &[LabelFact<'e>] {
        &self.named
    }

    /// What is known of all other labels.
    pub fn others(&self) -> Others {
        self.others
    }

    /// Whether all labels without a fact are missing.
    pub fn is_closed(&self) -> bool {
        matches!(self.others, Others::Absent(_))
    }

    /// What is known of a label.
    pub fn get(&self, name: &str) -> Known<'_, 'e> {
        if let Some(fact) = self.named.iter().find(|fact| fact.name == name) {
            return Known { values: &fact.values, reason: fact.reason };
        }
        match self.others {
            Others::Any(reason) => Known { values: &LabelValues::Any, reason },
            Others::Absent(reason) => Known { values: &LabelValues::Exact(""), reason },
        }
    }

    /// What is known of a label, as a fact of its own.
    pub fn fact(&self, name: &'e str) -> LabelFact<'e> {
        let known = self.get(name);
        LabelFact { name, values: known.values.clone(), reason: known.reason }
    }

    /// The labels that may be there, without the metric name; meaningful when the facts are closed.
    pub fn possible_names(&self) -> impl Iterator<Item = &'e str> {
        let possible = self.named.iter().filter(|fact| fact.name != METRIC_NAME && !fact.values.is_absent());
        possible.map(|fact| fact.name)
    }

    /// Replaces what is known of a label.
    pub(super) fn set(&mut self, name: &'e str, values: LabelValues<'e>, reason: Reason) {
        let fact = LabelFact { name, values, reason };
        match self.named.iter_mut().find(|fact| fact.name == name) {
            Some(known) => *known = fact,
            None => self.named.push(fact),
        }
    }

    /// The same without a metric name.
    pub(super) fn without_name(mut self, reason: Reason) -> LabelFacts<'e> {
        if !self.get(METRIC_NAME).values.is_absent() {
            self.set(METRIC_NAME, LabelValues::Exact(""), reason);
        }
        self
    }

    /// Only the labels in `names`; all others are missing.
    pub(super) fn keep(&self, names: impl Iterator<Item = &'e str>, reason: Reason) -> LabelFacts<'e> {
        let mut kept = LabelFacts::none(reason);
        for name in names {
            let fact = self.fact(name);
            kept.set(name, fact.values, fact.reason);
        }
        kept
    }

    /// What holds for the elements of both.
    pub(super) fn union(&self, other: &LabelFacts<'e>) -> LabelFacts<'e> {
        let others = match (self.others, other.others) {
            (Others::Absent(_), open @ Others::Any(_)) => open,
            (mine, _) => mine,
        };
        let mut all = LabelFacts { named: Vec::with_capacity(self.named.len()), others };
        for name in names_of_both(self, other) {
            let (a, b) = (self.get(name), other.get(name));
            let reason = if b.values.is_absent() { a.reason } else { b.reason };
            all.set(name, a.values.union(b.values), if a.values.is_absent() { b.reason } else { reason });
        }
        all
    }

    /// What is known of elements of `self` that have all labels but the metric name in common with an element of
    /// `other`.
    pub(super) fn agreeing_on_all(mut self, other: &LabelFacts<'e>) -> LabelFacts<'e> {
        let names: Vec<&'e str> = names_of_both(&self, other).filter(|name| *name != METRIC_NAME).collect();
        for name in names {
            self.narrow(name, other.get(name));
        }
        if let (Others::Any(_), Others::Absent(reason)) = (self.others, other.others) {
            // What is known of the labels that either names must outlive the closing.
            let names: Vec<&'e str> = names_of_both(&self, other).chain([METRIC_NAME]).collect();
            let known: Vec<LabelFact<'e>> = names.into_iter().map(|name| self.fact(name)).collect();
            self.others = Others::Absent(reason);
            for fact in known {
                self.set(fact.name, fact.values, fact.reason);
            }
        }
        self
    }

    /// Narrows a label to values that `known` allows too.
    pub(super) fn narrow(&mut self, name: &'e str, known: Known<'_, 'e>) {
        let mine = self.get(name);
        let values = mine.values.intersection(known.values);
        if values != *mine.values {
            self.set(name, values, known.reason);
        }
    }
}

/// Every name that one of them has a fact of, each once.
pub(super) fn names_of_both<'a, 'e>(
    a: &'a LabelFacts<'e>,
    b: &'a LabelFacts<'e>,
) -> impl Iterator<Item = &'e str> + use<'a, 'e> {
    let more = b.named.iter().filter(|fact| !a.named.iter().any(|known| known.name == fact.name));
    a.named.iter().chain(more).map(|fact| fact.name)
}

/// `{job="x", -instance}` when closed, `{job="x", …}` when other labels are possible.
impl fmt::Display for LabelFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |fact: &LabelFact<'_>| match fact.values.is_absent() {
            true => format!("-{}", fact.name),
            false => format!("{}{}", fact.name, fact.values),
        };
        let closed = self.is_closed();
        let named = self.named.iter().filter(|fact| !(closed && fact.values.is_absent()));
        let mut parts: Vec<String> = named.map(shown).collect();
        parts.sort_unstable();
        if !closed {
            parts.push("…".to_owned());
        }
        write!(f, "{{{}}}", parts.join(", "))
    }
}

/// The reason of labels nobody says anything of.
pub(super) fn unknown(span: narthex_diag::Span) -> Reason {
    Reason::new(span, Why::Unknown)
}
