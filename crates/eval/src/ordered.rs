//! Sorting that can be stopped, for lists as long as a query's memory allows.

use std::cmp::Ordering;

use crate::{EvalError, QueryContext};

/// So many elements are sorted or merged between two looks at the interrupt.
const RUN: usize = 4096;

/// The places `0..len` in the order that `compare` gives them; of equal ones the first stays first.
///
/// # Errors
/// When the query was told to stop, or would hold more bytes than it may.
pub(crate) fn ordered(
    len: usize,
    context: &QueryContext,
    compare: impl Fn(usize, usize) -> Ordering,
) -> Result<Vec<usize>, EvalError> {
    let _held = context.reserve(2 * len * size_of::<usize>())?;
    let mut places: Vec<usize> = (0..len).collect();
    for run in places.chunks_mut(RUN) {
        context.check()?;
        run.sort_by(|&a, &b| compare(a, b));
    }
    let mut merged = Vec::with_capacity(len);
    let mut width = RUN;
    while width < len {
        merged.clear();
        for pair in places.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, &mut merged, context, &compare)?;
        }
        std::mem::swap(&mut places, &mut merged);
        width *= 2;
    }
    Ok(places)
}

fn merge(
    mut left: &[usize],
    mut right: &[usize],
    merged: &mut Vec<usize>,
    context: &QueryContext,
    compare: &impl Fn(usize, usize) -> Ordering,
) -> Result<(), EvalError> {
    while let ([first, rest_left @ ..], [second, rest_right @ ..]) = (left, right) {
        if merged.len().is_multiple_of(RUN) {
            context.check()?;
        }
        if compare(*first, *second).is_le() {
            merged.push(*first);
            left = rest_left;
        } else {
            merged.push(*second);
            right = rest_right;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    Ok(())
}

/// The elements of `list` in the order of `places`, which has each place once.
pub(crate) fn rearranged<T>(list: Vec<T>, places: &[usize]) -> Vec<T> {
    let mut slots: Vec<Option<T>> = list.into_iter().map(Some).collect();
    places.iter().filter_map(|&place| slots[place].take()).collect()
}

#[cfg(test)]
mod tests {
    use narthex_plan::QueryParameters;
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;
    use crate::context::EvalOptions;

    fn context() -> QueryContext {
        QueryContext::new(QueryParameters::instant(0, 1, 1), Limits::DEFAULT, EvalOptions::STABLE)
    }

    #[test]
    fn a_query_that_is_told_to_stop_sorts_no_further() {
        let context = context();
        context.cancel();
        assert!(ordered(2, &context, |a, b| a.cmp(&b)).is_err());
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_stable_sort(seed in 1..u64::MAX, len in 0..20_000_usize) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 56
            };
            let keys: Vec<u64> = (0..len).map(|_| next()).collect();
            let places = ordered(len, &context(), |a, b| keys[a].cmp(&keys[b])).unwrap();
            let mut expected: Vec<usize> = (0..len).collect();
            expected.sort_by_key(|&place| keys[place]);
            prop_assert_eq!(&places, &expected);
            prop_assert!(rearranged(keys, &places).is_sorted());
        }
    }
}
