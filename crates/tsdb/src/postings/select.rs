//! Matchers to series.
//!
//! A matcher that an absent label satisfies takes away the series whose value does not satisfy it; any other one keeps
//! those whose value does. Either way only values in the dictionary are looked at, and of a regular expression with
//! known values or a known prefix only these.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

use narthex_model::{MatchOp, Matcher};

use super::{LabelPostings, Postings, PostingsIndex};

/// What a matcher says of the result.
enum Condition<'a> {
    /// Nothing: every series satisfies it.
    Always,
    /// Only these.
    Within(Cow<'a, Postings>),
    /// None of these.
    Without(Cow<'a, Postings>),
}

impl PostingsIndex {
    /// The series that satisfy every matcher; all series without matchers.
    pub fn select(&self, matchers: &[Matcher]) -> Postings {
        let mut within = Vec::new();
        let mut without = Vec::new();
        for matcher in matchers {
            match self.condition(matcher) {
                Condition::Always => {}
                Condition::Within(postings) if postings.is_empty() => return Postings::new(),
                Condition::Within(postings) => within.push(postings),
                Condition::Without(postings) => without.push(postings),
            }
        }
        // From the smallest on, every step is cheap.
        within.sort_by_key(|postings| postings.len());
        let mut within = within.into_iter();
        let mut selected = within.next().map_or_else(|| self.all.clone(), Cow::into_owned);
        within.for_each(|postings| selected.intersect_with(&postings));
        without.iter().for_each(|postings| selected.subtract(postings));
        selected
    }

    fn condition(&self, matcher: &Matcher) -> Condition<'_> {
        let accepts_absent = matcher.matches_empty();
        match self.names.get(matcher.name()) {
            None if accepts_absent => Condition::Always,
            None => Condition::Within(Cow::Owned(Postings::new())),
            Some(label) if accepts_absent => {
                label.refused(matcher).map_or(Condition::Always, Condition::Without)
            }
            Some(label) => Condition::Within(label.accepted(matcher)),
        }
    }
}

impl LabelPostings {
    /// The series whose value satisfies a matcher that an absent label does not satisfy.
    fn accepted(&self, matcher: &Matcher) -> Cow<'_, Postings> {
        match matcher.op() {
            MatchOp::Equal => self.of_value(matcher.value().as_str()),
            MatchOp::Regex => self.described(matcher),
            // `!=""`: the label is there.
            MatchOp::NotEqual => Cow::Borrowed(&self.any),
            MatchOp::NotRegex => {
                let mut accepted = self.any.clone();
                accepted.subtract(&self.described(matcher));
                Cow::Owned(accepted)
            }
        }
    }

    /// The series whose value does not satisfy a matcher that an absent label satisfies; `None` when there is none by
    /// its form.
    fn refused(&self, matcher: &Matcher) -> Option<Cow<'_, Postings>> {
        match matcher.op() {
            MatchOp::NotEqual => Some(self.of_value(matcher.value().as_str())),
            MatchOp::NotRegex => Some(self.described(matcher)),
            // `=""`: the label is not there.
            MatchOp::Equal => Some(Cow::Borrowed(&self.any)),
            MatchOp::Regex => {
                if matcher.regex().is_some_and(|regex| regex.is_match_all()) {
                    return None;
                }
                let mut refused = self.any.clone();
                refused.subtract(&self.described(matcher));
                Some(Cow::Owned(refused))
            }
        }
    }

    fn of_value(&self, value: Option<&str>) -> Cow<'_, Postings> {
        let found = value.and_then(|value| self.values.get(value));
        found.map_or_else(|| Cow::Owned(Postings::new()), Cow::Borrowed)
    }

    /// The series whose value the regular expression of a matcher describes.
    fn described(&self, matcher: &Matcher) -> Cow<'_, Postings> {
        let Some(regex) = matcher.regex() else { return Cow::Owned(Postings::new()) };
        if let Some(values) = regex.exact_set() {
            let known = values.iter().filter_map(|value| self.values.get(value.as_str()));
            return Cow::Owned(Postings::union(known));
        }
        let candidates = with_prefix(&self.values, regex.prefix().unwrap_or(""));
        let described = candidates.filter(|(value, _)| regex.is_match(value));
        Cow::Owned(Postings::union(described.map(|(_, postings)| postings)))
    }
}

/// The values that begin with `prefix`: they stand side by side.
fn with_prefix<'a>(
    values: &'a BTreeMap<Box<str>, Postings>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Postings)> {
    let from = values.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
    from.map(|(value, postings)| (&**value, postings)).take_while(move |(value, _)| value.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_model::Labels;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const VALUES: [&str; 7] = ["", "a", "ab", "abc", "b", "\n", "ä"];
    const PATTERNS: [&str; 12] =
        ["", "a", "a|b", "a.*", "ab.+", ".*", ".+", "(a|b)?", "[^a]*", "(?i)A", "ä|zzz", "x.*"];

    fn matcher(name: usize, op: usize, text: usize) -> Matcher {
        let name = ["x", "y", "absent"][name % 3];
        let op = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex][op % 4];
        let text = match op {
            MatchOp::Equal | MatchOp::NotEqual => VALUES[text % VALUES.len()],
            MatchOp::Regex | MatchOp::NotRegex => PATTERNS[text % PATTERNS.len()],
        };
        Matcher::new(name, op, text.into()).unwrap()
    }

    proptest! {
        #[test]
        fn selection_equals_looking_at_every_series(
            series in prop::collection::vec((0..VALUES.len(), 0..VALUES.len()), 0..40),
            matchers in prop::collection::vec((any::<usize>(), any::<usize>(), any::<usize>()), 0..4),
        ) {
            let matchers: Vec<_> = matchers.into_iter().map(|(name, op, text)| matcher(name, op, text)).collect();
            let mut index = PostingsIndex::new();
            let mut expected = BTreeSet::new();
            for (number, (x, y)) in (0u32..).zip(series) {
                let labels = Labels::from_pairs([("x", VALUES[x]), ("y", VALUES[y])]);
                index.insert(number, &labels);
                if matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name()))) {
                    expected.insert(number);
                }
            }
            let selected: BTreeSet<_> = index.select(&matchers).iter().collect();
            prop_assert_eq!(selected, expected, "{:?}", matchers);
        }
    }

    #[test]
    fn dictionaries_are_sorted_and_limited_to_a_selection() {
        let mut index = PostingsIndex::new();
        index.insert(0, &Labels::from_pairs([("x", "b"), ("y", "1")]));
        index.insert(1, &Labels::from_pairs([("x", "a")]));
        let one = index.select(&[Matcher::equal("x", "a")]);
        assert_eq!(index.names().collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(index.values("x").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(index.names_of(&one).collect::<Vec<_>>(), ["x"]);
        assert_eq!(index.values_of("x", &one).collect::<Vec<_>>(), ["a"]);
        assert_eq!(index.values("z").count(), 0);
    }
}
