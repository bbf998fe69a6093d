//! Sets of series numbers.
//!
//! Most values of most labels have one series, so that a set of few stands where its handle does; larger ones are
//! compressed bitmaps.

use roaring::{MultiOps, RoaringBitmap};

/// So many numbers take no more room than the handle of a bitmap.
const FEW: usize = 4;

/// A set of series numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Postings(Set);

#[derive(Clone, Debug, PartialEq)]
enum Set {
    Few(Few),
    /// More than [`FEW`].
    Many(Box<RoaringBitmap>),
}

/// Rising numbers; those behind `count` are 0, so that equal sets are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Few {
    count: u8,
    numbers: [u32; FEW],
}

impl Default for Set {
    fn default() -> Set {
        Set::Few(Few::default())
    }
}

impl Few {
    fn as_slice(&self) -> &[u32] {
        self.numbers.get(..usize::from(self.count)).unwrap_or(&[])
    }

    fn of(numbers: impl IntoIterator<Item = u32>) -> Few {
        let mut few = Few::default();
        for (place, number) in few.numbers.iter_mut().zip(numbers) {
            *place = number;
            few.count += 1;
        }
        few
    }

    /// Those that are in `postings`.
    fn within(&self, postings: &Postings) -> Postings {
        let kept = self.as_slice().iter().copied().filter(|&number| postings.contains(number));
        Postings(Set::Few(Few::of(kept)))
    }

    /// With one more that is not among them; `None` when there is no place.
    fn with(&self, number: u32) -> Option<Few> {
        if usize::from(self.count) == FEW {
            return None;
        }
        let place = self.as_slice().partition_point(|&one| one < number);
        let (before, behind) = self.as_slice().split_at(place);
        Some(Few::of(before.iter().copied().chain([number]).chain(behind.iter().copied())))
    }
}

impl Postings {
    /// No series.
    pub fn new() -> Postings {
        Postings::default()
    }

    /// From rising numbers, each once; what is not rising is put in its place.
    pub fn from_rising(numbers: impl IntoIterator<Item = u32>) -> Postings {
        let mut numbers = numbers.into_iter();
        let few = Few::of(numbers.by_ref().take(FEW));
        let is_sorted = few.as_slice().is_sorted_by(|a, b| a < b);
        match numbers.next() {
            None if is_sorted => Postings(Set::Few(few)),
            next => {
                let all = few.as_slice().iter().copied().chain(next).chain(numbers);
                let mut bitmap = RoaringBitmap::new();
                all.for_each(|number| push(&mut bitmap, number));
                Postings::from(bitmap)
            }
        }
    }

    /// Adds a series.
    pub fn insert(&mut self, series: u32) {
        match &mut self.0 {
            Set::Many(bitmap) => push(bitmap, series),
            Set::Few(few) if few.as_slice().contains(&series) => {}
            Set::Few(few) => match few.with(series) {
                Some(more) => *few = more,
                None => {
                    let mut bitmap: RoaringBitmap = few.as_slice().iter().copied().collect();
                    push(&mut bitmap, series);
                    self.0 = Set::Many(Box::new(bitmap));
                }
            },
        }
    }

    /// Number of series.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Set::Few(few) => u64::from(few.count),
            Set::Many(bitmap) => bitmap.len(),
        }
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the series is among them.
    pub fn contains(&self, series: u32) -> bool {
        match &self.0 {
            Set::Few(few) => few.as_slice().contains(&series),
            Set::Many(bitmap) => bitmap.contains(series),
        }
    }

    /// The numbers, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (few, many) = match &self.0 {
            Set::Few(few) => (few.as_slice(), None),
            Set::Many(bitmap) => (&[][..], Some(bitmap.iter())),
        };
        few.iter().copied().chain(many.into_iter().flatten())
    }

    /// All series of any of `sets`.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Postings>) -> Postings {
        let mut union = Union::default();
        sets.into_iter().for_each(|set| union.add(set));
        union.finish()
    }

    /// The series that are in both.
    pub fn intersection(left: &Postings, right: &Postings) -> Postings {
        match (&left.0, &right.0) {
            // Without copying either first.
            (Set::Many(left), Set::Many(right)) => Postings::from(&**left & &**right),
            (Set::Few(few), _) => few.within(right),
            (_, Set::Few(few)) => few.within(left),
        }
    }

    /// Keeps only the series that are also in `other`.
    pub fn intersect_with(&mut self, other: &Postings) {
        match (&mut self.0, &other.0) {
            (Set::Many(bitmap), Set::Many(other)) => {
                **bitmap &= &**other;
                self.shrink();
            }
            _ => *self = Postings::intersection(self, other),
        }
    }

    /// Takes away the series of `other`.
    pub fn subtract(&mut self, other: &Postings) {
        match (&mut self.0, &other.0) {
            (Set::Few(few), _) => {
                *few = Few::of(few.as_slice().iter().copied().filter(|&number| !other.contains(number)));
            }
            (Set::Many(bitmap), Set::Many(other)) => **bitmap -= &**other,
            (Set::Many(bitmap), Set::Few(few)) => {
                few.as_slice().iter().for_each(|&number| {
                    bitmap.remove(number);
                });
            }
        }
        self.shrink();
    }

    /// Whether a series is in both.
    pub fn overlaps(&self, other: &Postings) -> bool {
        match (&self.0, &other.0) {
            (Set::Many(bitmap), Set::Many(other)) => !bitmap.is_disjoint(other),
            (Set::Few(few), _) => few.as_slice().iter().any(|&number| other.contains(number)),
            (_, Set::Few(few)) => few.as_slice().iter().any(|&number| self.contains(number)),
        }
    }

    /// Bytes held outside of the handle, about.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Set::Few(_) => 0,
            Set::Many(bitmap) => size_of::<RoaringBitmap>() + bitmap.serialized_size(),
        }
    }

    /// A bitmap of few becomes a set of few.
    fn shrink(&mut self) {
        if let Set::Many(bitmap) = &self.0
            && bitmap.len() <= FEW as u64
        {
            self.0 = Set::Few(Few::of(bitmap.iter()));
        }
    }
}

/// Series are numbered in the order in which they come, so that nearly every insertion is at the end.
fn push(bitmap: &mut RoaringBitmap, series: u32) {
    if bitmap.try_push(series).is_err() {
        bitmap.insert(series);
    }
}

impl From<RoaringBitmap> for Postings {
    fn from(bitmap: RoaringBitmap) -> Postings {
        let mut postings = Postings(Set::Many(Box::new(bitmap)));
        postings.shrink();
        postings
    }
}

impl FromIterator<u32> for Postings {
    fn from_iter<T: IntoIterator<Item = u32>>(series: T) -> Postings {
        Postings::from(series.into_iter().collect::<RoaringBitmap>())
    }
}

/// Sets being united, in any order.
#[derive(Debug, Default)]
pub struct Union {
    few: Vec<u32>,
    many: Vec<RoaringBitmap>,
}

/// Bitmaps up to this length are united by sorting their numbers.
const SORTED: u64 = 256;
/// So many bitmaps are united at a time.
const UNITED: usize = 64;

impl Union {
    /// Adds the series of a set.
    pub fn add(&mut self, set: &Postings) {
        match &set.0 {
            Set::Few(few) => self.few.extend_from_slice(few.as_slice()),
            // Of many small bitmaps the numbers are sooner sorted than the bitmaps united.
            Set::Many(bitmap) if bitmap.len() <= SORTED => self.few.extend(bitmap.iter()),
            Set::Many(bitmap) => {
                self.many.push((**bitmap).clone());
                if self.many.len() >= UNITED {
                    let united = std::mem::take(&mut self.many).union();
                    self.many.push(united);
                }
            }
        }
    }

    /// Adds series one by one.
    pub fn extend(&mut self, series: impl IntoIterator<Item = u32>) {
        self.few.extend(series);
    }

    /// All series that were added.
    pub fn finish(mut self) -> Postings {
        self.few.sort_unstable();
        self.few.dedup();
        if self.many.is_empty() {
            return Postings::from_rising(self.few);
        }
        let mut few = RoaringBitmap::new();
        self.few.into_iter().for_each(|number| push(&mut few, number));
        Postings::from(self.many.into_iter().chain([few]).union())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn numbers() -> impl Strategy<Value = BTreeSet<u32>> {
        prop::collection::btree_set(prop_oneof![0..12u32, 65_530..65_545u32, any::<u32>()], 0..9)
    }

    fn listed(postings: &Postings) -> BTreeSet<u32> {
        assert_eq!(postings.iter().count() as u64, postings.len());
        assert!(postings.iter().is_sorted());
        postings.iter().collect()
    }

    proptest! {
        #[test]
        fn small_and_large_sets_behave_as_sets(left in numbers(), right in numbers(), one: u32) {
            let [a, b] = [&left, &right].map(|set| Postings::from_rising(set.iter().copied()));
            prop_assert_eq!(&a, &left.iter().rev().copied().collect::<Postings>());
            prop_assert_eq!(listed(&Postings::union([&a, &b])), &left | &right);
            prop_assert_eq!(a.overlaps(&b), !left.is_disjoint(&right));
            prop_assert_eq!(listed(&Postings::intersection(&a, &b)), &left & &right);
            let mut both = a.clone();
            both.intersect_with(&b);
            prop_assert_eq!(&both, &(&left & &right).into_iter().collect::<Postings>());
            let mut rest = a.clone();
            rest.subtract(&b);
            prop_assert_eq!(&rest, &(&left - &right).into_iter().collect::<Postings>());
            let (mut more, mut expected) = (a, left);
            for number in right.into_iter().rev().chain([one]) {
                more.insert(number);
                expected.insert(number);
                prop_assert!(more.contains(number));
            }
            prop_assert_eq!(listed(&more), expected);
        }
    }

    #[test]
    fn a_handle_is_no_larger_than_a_vector() {
        assert!(size_of::<Postings>() <= size_of::<Vec<u32>>());
        assert_eq!(Postings::from_rising([1, 2, 3, 4]).heap_bytes(), 0);
        assert_eq!(Postings::from_rising([3, 2, 2]).iter().collect::<Vec<_>>(), [2, 3]);
    }
}
