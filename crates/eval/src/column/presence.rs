//! Which steps have a sample: one bit each.

/// A bitmap over steps.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Presence {
    words: Vec<u64>,
    steps: usize,
}

impl Clone for Presence {
    fn clone(&self) -> Presence {
        Presence { words: self.words.clone(), steps: self.steps }
    }

    /// Keeps the memory.
    fn clone_from(&mut self, other: &Presence) {
        self.words.clone_from(&other.words);
        self.steps = other.steps;
    }
}

impl Presence {
    /// No step of `steps` has a sample.
    pub fn reset(&mut self, steps: usize) {
        self.words.clear();
        self.words.resize(steps.div_ceil(64), 0);
        self.steps = steps;
    }

    /// Every step has a sample.
    pub fn set_all(&mut self) {
        self.words.fill(u64::MAX);
        let spare = self.words.len() * 64 - self.steps;
        if let Some(last) = self.words.last_mut() {
            *last >>= spare;
        }
    }

    /// Whether `step` has a sample.
    pub fn get(&self, step: usize) -> bool {
        self.words.get(step / 64).is_some_and(|word| word >> (step % 64) & 1 == 1)
    }

    /// Says that `step` has a sample.
    pub fn set(&mut self, step: usize) {
        self.words[step / 64] |= 1 << (step % 64);
    }

    /// Says that `step` has none.
    pub fn unset(&mut self, step: usize) {
        self.words[step / 64] &= !(1 << (step % 64));
    }

    /// Number of steps with a sample.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no step has a sample.
    pub fn is_none(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether every step has a sample.
    pub fn is_all(&self) -> bool {
        self.count() == self.steps
    }

    /// Whether a step has a sample here and there.
    pub fn intersects(&self, other: &Presence) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Adds the steps of `other`, which has as many.
    pub fn union_with(&mut self, other: &Presence) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Keeps only the steps of `other`, which has as many.
    pub fn intersect_with(&mut self, other: &Presence) {
        for (word, kept) in self.words.iter_mut().zip(&other.words) {
            *word &= kept;
        }
    }

    /// Takes away the steps of `other`, which has as many.
    pub fn subtract(&mut self, other: &Presence) {
        for (word, less) in self.words.iter_mut().zip(&other.words) {
            *word &= !less;
        }
    }

    /// The words, 64 steps each, the first step in the lowest bit; bits past the last step are 0.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words for writing; bits past the last step must stay 0.
    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Steps with a sample, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// Bytes held.
    pub fn size_bytes(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_past_the_last_step_stay_zero() {
        for steps in [0, 1, 63, 64, 65, 128] {
            let mut presence = Presence::default();
            presence.reset(steps);
            presence.set_all();
            assert_eq!(presence.count(), steps);
            assert!(presence.is_all());
            assert_eq!(presence.iter().collect::<Vec<_>>(), (0..steps).collect::<Vec<_>>());
        }
    }
}
