//! Data that looks random and is the same in every run.

/// Sebastiano Vigna's SplitMix64: one 64-bit word of state, every seed is good.
///
/// Source: <https://prng.di.unimi.it/splitmix64.c> (public domain), after Steele, Lea and Flood 2014.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The generator of a seed.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number in `0..end`, 0 when `end` is 0. The bias of multiply-and-shift is below `end / 2⁶⁴`.
    pub fn below(&mut self, end: usize) -> usize {
        let product = u128::from(self.next_u64()) * end as u128;
        usize::try_from(product >> 64).expect("the product shifted is below `end`")
    }

    /// A number in `from..=to`; `from` when `to` is below it.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let values = u128::from(to.max(from).abs_diff(from)) + 1;
        let offset = (u128::from(self.next_u64()) * values) >> 64;
        from.wrapping_add_unsigned(u64::try_from(offset).expect("the product shifted is below 2⁶⁴"))
    }

    /// A float in `0.0..1.0` with 53 random bits.
    pub fn unit_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Whether an event of that probability happens; never at 0, always at 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit_f64() < probability
    }

    /// One element; `None` of an empty slice.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Puts the elements in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_reference_implementation() {
        let mut random = SplitMix64::new(1_234_567);
        let words = [6_457_827_717_110_365_317u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(words.map(|_| random.next_u64()), words);
    }

    #[test]
    fn ranges_are_covered_and_never_left() {
        let mut random = SplitMix64::new(7);
        let mut seen = [0usize; 5];
        for _ in 0..1000 {
            seen[random.below(5)] += 1;
            assert!((-2..=2).contains(&random.between(-2, 2)));
            assert!((0.0..1.0).contains(&random.unit_f64()));
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
        assert_eq!((random.below(0), random.between(3, 1)), (0, 3));
        random.between(i64::MIN, i64::MAX);
        assert!(random.pick::<u8>(&[]).is_none() && random.chance(1.0) && !random.chance(0.0));
    }

    #[test]
    fn a_shuffle_keeps_every_element() {
        let mut items: Vec<usize> = (0..50).collect();
        SplitMix64::new(1).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.iter().copied().eq(0..50));
    }
}
