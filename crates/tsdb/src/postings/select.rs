//! Matchers to series.
//!
//! A matcher that an absent label satisfies takes away the series whose value does not satisfy it; any other one keeps
//! those whose value does. Either way only values in the dictionary are looked at, and of a regular expression with
//! known values or a known prefix only these.

use narthex_model::{MatchOp, Matcher};

use super::{Dictionary, Held, Postings, Union};

/// What a matcher says of the result.
enum Condition<'a> {
    /// Nothing: every series satisfies it.
    Always,
    /// Only these.
    Within(Held<'a>),
    /// None of these.
    Without(Held<'a>),
}

/// The series that satisfy every matcher; all series without matchers.
///
/// # Errors
/// When the dictionary cannot be read.
pub fn select<D: Dictionary>(dictionary: &D, matchers: &[Matcher]) -> Result<Postings, D::Error> {
    let mut within = Vec::new();
    let mut without = Vec::new();
    for matcher in cheapest_first(matchers) {
        match condition(dictionary, matcher)? {
            Condition::Always => {}
            Condition::Within(postings) if postings.is_empty() => return Ok(Postings::new()),
            Condition::Within(postings) => within.push(postings),
            Condition::Without(postings) => without.push(postings),
        }
    }
    // From the smallest on, every step is cheap.
    within.sort_by_key(|postings| postings.len());
    let mut within = within.into_iter();
    let first = within.next().map_or_else(|| dictionary.all(), Ok)?;
    let mut selected = match within.next() {
        Some(second) => Postings::intersection(&first, &second),
        None => first.into_owned(),
    };
    within.for_each(|postings| selected.intersect_with(&postings));
    without.iter().for_each(|postings| selected.subtract(postings));
    Ok(selected)
}

/// Those that look up one value before those that go through many: an empty result ends the search.
fn cheapest_first(matchers: &[Matcher]) -> Vec<&Matcher> {
    let mut matchers: Vec<_> = matchers.iter().collect();
    matchers.sort_by_key(|matcher| matcher.op() != MatchOp::Equal);
    matchers
}

fn condition<'d, D: Dictionary>(dictionary: &'d D, matcher: &Matcher) -> Result<Condition<'d>, D::Error> {
    let accepts_absent = matcher.matches_empty();
    if !dictionary.has_name(matcher.name()) {
        let none = || Condition::Within(Held::Owned(Postings::new()));
        return Ok(if accepts_absent { Condition::Always } else { none() });
    }
    if accepts_absent {
        return Ok(refused(dictionary, matcher)?.map_or(Condition::Always, Condition::Without));
    }
    accepted(dictionary, matcher).map(Condition::Within)
}

/// The series whose value satisfies a matcher that an absent label does not satisfy.
fn accepted<'d, D: Dictionary>(dictionary: &'d D, matcher: &Matcher) -> Result<Held<'d>, D::Error> {
    match matcher.op() {
        MatchOp::Equal => of_value(dictionary, matcher),
        MatchOp::Regex => described(dictionary, matcher),
        // `!=""`: the label is there.
        MatchOp::NotEqual => dictionary.of_name(matcher.name()),
        MatchOp::NotRegex => undescribed(dictionary, matcher),
    }
}

/// The series whose value does not satisfy a matcher that an absent label satisfies; `None` when there is none by its
/// form.
fn refused<'d, D: Dictionary>(dictionary: &'d D, matcher: &Matcher) -> Result<Option<Held<'d>>, D::Error> {
    match matcher.op() {
        MatchOp::NotEqual => of_value(dictionary, matcher).map(Some),
        MatchOp::NotRegex => described(dictionary, matcher).map(Some),
        // `=""`: the label is not there.
        MatchOp::Equal => dictionary.of_name(matcher.name()).map(Some),
        MatchOp::Regex if matcher.regex().is_some_and(|regex| regex.is_match_all()) => Ok(None),
        MatchOp::Regex => undescribed(dictionary, matcher).map(Some),
    }
}

fn of_value<'d, D: Dictionary>(dictionary: &'d D, matcher: &Matcher) -> Result<Held<'d>, D::Error> {
    match matcher.value().as_str() {
        Some(value) => dictionary.of_value(matcher.name(), value),
        // No value is anything but UTF-8.
        None => Ok(Held::Owned(Postings::new())),
    }
}

/// The series whose value the regular expression of a matcher describes.
fn described<'d, D: Dictionary>(dictionary: &'d D, matcher: &Matcher) -> Result<Held<'d>, D::Error> {
    let Some(regex) = matcher.regex() else { return Ok(Held::Owned(Postings::new())) };
    let Some(values) = regex.exact_set() else {
        // Every value in a dictionary has a character, and a dot stands for any.
        if regex.pattern() == ".+" {
            return dictionary.of_name(matcher.name());
        }
        return dictionary
            .of_values(matcher.name(), regex.prefix().unwrap_or(""), &|value| regex.is_match(value));
    };
    if let [value] = values {
        return dictionary.of_value(matcher.name(), value);
    }
    let mut union = Union::default();
    for value in values {
        union.add(&*dictionary.of_value(matcher.name(), value)?);
    }
    Ok(Held::Owned(union.finish()))
}

/// The series that have the label with a value that the regular expression does not describe.
fn undescribed<'d, D: Dictionary>(dictionary: &'d D, matcher: &Matcher) -> Result<Held<'d>, D::Error> {
    let mut rest = dictionary.of_name(matcher.name())?.into_owned();
    rest.subtract(&*described(dictionary, matcher)?);
    Ok(Held::Owned(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postings::PostingsIndex;
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
