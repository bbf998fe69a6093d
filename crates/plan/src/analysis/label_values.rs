//! Which values a label may have; that it is not there is the empty value, as it is to every matcher.

use std::fmt;

use narthex_model::labels::quote;
use narthex_model::{MatchOp, Matcher};

/// Values listed one by one beyond this many are no longer told apart.
const LISTED_MAX: usize = 64;

/// A set of values that holds every value the label can have, and perhaps more.
#[derive(Clone, PartialEq, Debug)]
pub enum LabelValues<'e> {
    /// Any value.
    Any,
    /// Any value but the empty one: the label is there.
    NonEmpty,
    /// Only this value.
    Exact(&'e str),
    /// One of these; none at all when the label's conditions contradict each other.
    OneOf(Vec<&'e str>),
    /// What satisfies all of these matchers.
    Satisfying(Vec<&'e Matcher>),
}

impl<'e> LabelValues<'e> {
    /// The values that satisfy all of `matchers`, which look at one label.
    pub fn of_matchers(matchers: Vec<&'e Matcher>) -> LabelValues<'e> {
        let exact = |matcher: &&&'e Matcher| matcher.op() == MatchOp::Equal;
        if let Some(value) = matchers.iter().find(exact).and_then(|matcher| matcher.value().as_str()) {
            let is_possible = matchers.iter().all(|matcher| matcher.matches(value));
            return if is_possible { LabelValues::Exact(value) } else { LabelValues::OneOf(Vec::new()) };
        }
        if matchers.len() > 1 && contradict(&matchers) {
            return LabelValues::OneOf(Vec::new());
        }
        LabelValues::Satisfying(matchers)
    }

    /// Whether `value` is in the set.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            LabelValues::Any => true,
            LabelValues::NonEmpty => !value.is_empty(),
            LabelValues::Exact(only) => *only == value,
            LabelValues::OneOf(values) => values.contains(&value),
            LabelValues::Satisfying(matchers) => matchers.iter().all(|matcher| matcher.matches(value)),
        }
    }

    /// Whether the label may be missing.
    pub fn may_be_absent(&self) -> bool {
        self.accepts("")
    }

    /// Whether the label is certainly missing.
    pub fn is_absent(&self) -> bool {
        self.listed().is_some_and(|values| !values.is_empty() && values.iter().all(|value| value.is_empty()))
    }

    /// Whether no value at all is possible.
    pub fn is_impossible(&self) -> bool {
        self.listed().is_some_and(|values| values.is_empty())
    }

    /// The only value there can be.
    pub fn exact(&self) -> Option<&'e str> {
        match self.listed()?.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// All values, when they can be listed.
    pub fn listed(&self) -> Option<Vec<&'e str>> {
        match self {
            LabelValues::Any | LabelValues::NonEmpty => None,
            LabelValues::Exact(only) => Some(vec![only]),
            LabelValues::OneOf(values) => Some(values.clone()),
            LabelValues::Satisfying(matchers) => {
                let set = matchers.iter().find_map(|matcher| finite_set(matcher))?;
                let values = set.iter().map(String::as_str);
                Some(values.filter(|value| self.accepts(value)).collect())
            }
        }
    }

    /// Whether the two sets certainly share no value.
    pub fn is_disjoint_from(&self, other: &LabelValues<'e>) -> bool {
        if let Some(values) = self.listed() {
            return !values.iter().any(|value| other.accepts(value));
        }
        if let Some(values) = other.listed() {
            return !values.iter().any(|value| self.accepts(value));
        }
        match (self.prefix(), other.prefix()) {
            (Some(a), Some(b)) => !a.starts_with(b) && !b.starts_with(a),
            _ => false,
        }
    }

    fn prefix(&self) -> Option<&'e str> {
        let LabelValues::Satisfying(matchers) = self else { return None };
        let mut wanted = matchers.iter().filter(|matcher| matcher.op() == MatchOp::Regex);
        wanted.find_map(|matcher| matcher.regex()?.prefix())
    }

    /// A set that holds the values of both.
    #[must_use]
    pub fn union(&self, other: &LabelValues<'e>) -> LabelValues<'e> {
        if self == other {
            return self.clone();
        }
        if let (Some(mut values), Some(more)) = (self.listed(), other.listed())
            && values.len() + more.len() <= LISTED_MAX
        {
            values.extend(more);
            values.sort_unstable();
            values.dedup();
            return match values.as_slice() {
                [only] => LabelValues::Exact(only),
                _ => LabelValues::OneOf(values),
            };
        }
        match self.may_be_absent() || other.may_be_absent() {
            true => LabelValues::Any,
            false => LabelValues::NonEmpty,
        }
    }

    /// A set that holds the values that are in both.
    #[must_use]
    pub fn intersection(&self, other: &LabelValues<'e>) -> LabelValues<'e> {
        match (self, other) {
            (LabelValues::Any, known) | (known, LabelValues::Any) => known.clone(),
            (LabelValues::Exact(value), limit) | (limit, LabelValues::Exact(value)) => {
                match limit.accepts(value) {
                    true => LabelValues::Exact(value),
                    false => LabelValues::OneOf(Vec::new()),
                }
            }
            (LabelValues::OneOf(values), limit) | (limit, LabelValues::OneOf(values)) => {
                LabelValues::OneOf(values.iter().copied().filter(|value| limit.accepts(value)).collect())
            }
            (LabelValues::NonEmpty, known) | (known, LabelValues::NonEmpty) => known.clone(),
            (LabelValues::Satisfying(a), LabelValues::Satisfying(b)) => {
                LabelValues::Satisfying(a.iter().chain(b).copied().collect())
            }
        }
    }
}

/// The values a wanting matcher accepts, when they can be listed.
fn finite_set(matcher: &Matcher) -> Option<&[String]> {
    (matcher.op() == MatchOp::Regex).then(|| matcher.regex()?.exact_set()).flatten()
}

/// Whether no value satisfies all: each of a list of alternatives is refused, or the same pattern is wanted and
/// refused.
fn contradict(matchers: &[&Matcher]) -> bool {
    let all = |value: &str| matchers.iter().all(|matcher| matcher.matches(value));
    if let Some(values) = matchers.iter().find_map(|matcher| finite_set(matcher)) {
        return !values.iter().any(|value| all(value));
    }
    let of = |op| matchers.iter().filter(move |matcher| matcher.op() == op);
    of(MatchOp::Regex).any(|wanted| of(MatchOp::NotRegex).any(|refused| refused.value() == wanted.value()))
}

/// As a matcher would say it, without the label's name.
impl fmt::Display for LabelValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |value: &str| {
            let mut out = String::new();
            quote(&mut out, value.as_bytes());
            out
        };
        match self {
            LabelValues::Any => f.write_str("=?"),
            LabelValues::NonEmpty => f.write_str("!=\"\""),
            LabelValues::Exact(value) => write!(f, "={}", quoted(value)),
            LabelValues::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                write!(f, "=({})", values.join("|"))
            }
            LabelValues::Satisfying(matchers) => {
                let shown = |matcher: &&Matcher| {
                    format!("{}{}", matcher.op().as_str(), quoted(&matcher.value().to_str_lossy()))
                };
                f.write_str(&matchers.iter().map(shown).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(op: MatchOp, value: &str) -> Matcher {
        Matcher::new("a", op, value.into()).unwrap()
    }

    #[test]
    fn sets_of_matchers() {
        let list = matcher(MatchOp::Regex, "a|b");
        let open = matcher(MatchOp::Regex, "a.*");
        let not_open = matcher(MatchOp::NotRegex, "a.*");
        let maybe = matcher(MatchOp::Regex, "|x");
        let only_empty = matcher(MatchOp::Equal, "");
        let set = |matchers: &[&'static Matcher]| LabelValues::of_matchers(matchers.to_vec());
        let leak = |matcher: Matcher| -> &'static Matcher { Box::leak(Box::new(matcher)) };
        let (list, open, not_open) = (leak(list), leak(open), leak(not_open));
        let (maybe, only_empty) = (leak(maybe), leak(only_empty));

        assert!(set(&[list, not_open]).accepts("b") && !set(&[list, not_open]).accepts("a"));
        assert!(set(&[open, not_open]).is_impossible());
        assert!(set(&[maybe]).may_be_absent() && !set(&[maybe]).is_absent());
        assert!(set(&[only_empty]).is_absent());
        assert!(set(&[open]).is_disjoint_from(&LabelValues::Exact("b")));
        assert!(set(&[list]).is_disjoint_from(&set(&[maybe])));
        assert!(!set(&[maybe]).is_disjoint_from(&set(&[only_empty])));
        assert!(!LabelValues::NonEmpty.is_disjoint_from(&LabelValues::Any));
        assert_eq!(set(&[list, not_open]).exact(), Some("b"));
    }

    #[test]
    fn unions_and_intersections_lose_no_value() {
        let list = LabelValues::OneOf(vec!["a", "b"]);
        assert_eq!(list.union(&LabelValues::Exact("")).to_string(), r#"=(""|"a"|"b")"#);
        assert_eq!(list.union(&LabelValues::NonEmpty), LabelValues::NonEmpty);
        assert_eq!(LabelValues::Exact("").union(&LabelValues::NonEmpty), LabelValues::Any);
        assert_eq!(list.intersection(&LabelValues::Exact("b")), LabelValues::Exact("b"));
        assert!(list.intersection(&LabelValues::Exact("c")).is_impossible());
    }
}
