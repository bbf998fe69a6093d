//! How label sets compare: their order, and where they differ.

use std::cmp::Ordering;

use super::{Iter, Labels};

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Labels) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Pair by pair, name before value; a prefix sorts first. The order of every matrix result.
impl Ord for Labels {
    fn cmp(&self, other: &Labels) -> Ordering {
        let equal = common_bytes(self.0.as_bytes(), other.0.as_bytes());
        if equal == self.0.len() && equal == other.0.len() {
            return Ordering::Equal;
        }
        // Neighbours of a sorted list begin alike: only the text that holds the first difference is looked at.
        let (mut left, mut right) = (self.iter(), other.iter());
        loop {
            let (one, two) = (left.take_text(), right.take_text());
            if self.0.len() - left.rest.len() > equal || one.is_none() || two.is_none() {
                return one.cmp(&two);
            }
        }
    }
}

/// How many bytes two lists begin with in common.
fn common_bytes(left: &[u8], right: &[u8]) -> usize {
    let (left_words, right_words) = (left.as_chunks::<16>().0, right.as_chunks::<16>().0);
    let words = left_words.iter().zip(right_words).take_while(|(left, right)| left == right).count();
    let rest = left[words * 16..].iter().zip(&right[words * 16..]);
    words * 16 + rest.take_while(|(left, right)| left == right).count()
}

/// How many bytes two lists end with in common.
fn common_bytes_behind(left: &[u8], right: &[u8]) -> usize {
    let words = left.as_rchunks::<16>().1.iter().rev().zip(right.as_rchunks::<16>().1.iter().rev());
    let equal = words.take_while(|(left, right)| left == right).count() * 16;
    let rest = left[..left.len() - equal].iter().rev().zip(right[..right.len() - equal].iter().rev());
    equal + rest.take_while(|(left, right)| left == right).count()
}

/// How one set differs from another.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// So many pairs both begin with.
    pub first: usize,
    /// Then come pairs of the one.
    pub between: Iter<'a>,
    /// So many pairs both end with.
    pub last: usize,
}

impl Labels {
    /// Where this set differs from `other`.
    pub fn difference(&self, other: &Labels) -> Difference<'_> {
        let equal = common_bytes(self.0.as_bytes(), other.0.as_bytes());
        let mut pairs = self.iter();
        let mut first = 0;
        loop {
            let mut next = pairs.clone();
            if next.next().is_none() || self.0.len() - next.rest.len() > equal {
                break;
            }
            pairs = next;
            first += 1;
        }
        // Up to here both are the same. Behind, what is left of both is the same only where it is as long.
        let start = pairs.rest;
        let mut others = Iter { rest: &other.0[self.0.len() - start.len()..] };
        let equal = common_bytes_behind(start.as_bytes(), others.rest.as_bytes());
        loop {
            match pairs.rest.len().cmp(&others.rest.len()) {
                Ordering::Equal if pairs.rest.len() <= equal => break,
                Ordering::Equal => drop((pairs.next(), others.next())),
                Ordering::Greater => drop(pairs.next()),
                Ordering::Less => drop(others.next()),
            }
        }
        let between = Iter { rest: &start[..start.len() - pairs.rest.len()] };
        Difference { first, between, last: pairs.count() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::labels;
    use super::*;

    proptest! {
        #[test]
        fn sets_are_compared_pair_by_pair(left in labels(), right in labels()) {
            prop_assert_eq!(left.cmp(&right), left.iter().cmp(right.iter()));
            prop_assert_eq!(left.cmp(&right).is_eq(), left.key() == right.key());
        }

        #[test]
        fn a_difference_stands_between_what_is_the_same(left in labels(), right in labels()) {
            let Difference { first, between, last } = left.difference(&right);
            let others: Vec<_> = right.iter().collect();
            let (head, tail) = (&others[..first], &others[others.len() - last..]);
            prop_assert!(first + last <= others.len());
            let joined: Vec<_> = head.iter().copied().chain(between).chain(tail.iter().copied()).collect();
            prop_assert_eq!(joined, left.iter().collect::<Vec<_>>());
            prop_assert_eq!(left.difference(&left).first, left.len());
        }
    }
}
