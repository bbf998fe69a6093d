//! What a run of float samples amounts to: enough for functions of windows that the run lies in as a whole.

/// Bound of the integers that floats add up without rounding, whatever the order.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// What one or more float samples of a series in a row, none of them a stale marker, amount to.
///
/// Every field has the very bits that a walk over the samples gives, and [`Summary::append`] keeps it so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Summary {
    /// Number of samples.
    pub samples: u64,
    /// Value of the first sample.
    pub first: f64,
    /// Value of the last sample.
    pub last: f64,
    /// The least value, the earliest of equal ones; a NaN only where there is nothing else, the last one then.
    pub min: f64,
    /// The greatest value, likewise.
    pub max: f64,
    /// The sum from 0 on, where all values are integers and small enough for every order of additions to be exact.
    pub sum: Option<f64>,
    /// Samples whose value is another than that of the sample before; a NaN is no other than a NaN.
    pub changes: u64,
    /// Samples whose value is less than that of the sample before.
    pub resets: u64,
}

/// What is asked of a summary besides what each of them tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SummaryNeed {
    /// Nothing.
    Any,
    /// That [`Summary::sum`] is there.
    Sum,
    /// That no value is less than the one before it.
    NoResets,
}

impl Summary {
    /// Of the values of samples; `None` without samples.
    pub fn of(values: &[f64]) -> Option<Summary> {
        let (&first, &last) = (values.first()?, values.last()?);
        let pairs = || values.iter().zip(values.get(1..).unwrap_or(&[]));
        Some(Summary {
            samples: values.len() as u64,
            first,
            last,
            min: best(values, |value, best| value < best),
            max: best(values, |value, best| value > best),
            sum: exact_sum(values),
            changes: pairs().map(|(&before, &value)| u64::from(is_change(before, value))).sum(),
            resets: pairs().map(|(before, value)| u64::from(value < before)).sum(),
        })
    }

    /// Adds the samples of a later run, which begins behind this one.
    pub fn append(&mut self, later: &Summary) {
        let sum = self.sum.zip(later.sum).filter(|_| self.magnitude() + later.magnitude() < EXACT_MAX);
        self.sum = sum.map(|(sum, later)| sum + later);
        self.changes += later.changes + u64::from(is_change(self.last, later.first));
        self.resets += later.resets + u64::from(later.first < self.last);
        self.min = better(self.min, later.min, |value, best| value < best);
        self.max = better(self.max, later.max, |value, best| value > best);
        self.samples += later.samples;
        self.last = later.last;
    }

    /// Whether it tells what is asked for.
    pub fn serves(&self, need: SummaryNeed) -> bool {
        match need {
            SummaryNeed::Any => true,
            SummaryNeed::Sum => self.sum.is_some(),
            SummaryNeed::NoResets => self.resets == 0,
        }
    }

    /// A bound of the sum of the absolute values, where there is an exact sum.
    fn magnitude(&self) -> f64 {
        match self.sum {
            Some(sum) if self.min >= 0.0 => sum,
            _ => self.samples as f64 * self.min.abs().max(self.max.abs()),
        }
    }
}

fn is_change(before: f64, value: f64) -> bool {
    value != before && !(value.is_nan() && before.is_nan())
}

fn better(best: f64, value: f64, beats: impl Fn(f64, f64) -> bool) -> f64 {
    if beats(value, best) || best.is_nan() { value } else { best }
}

fn best(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> f64 {
    values.iter().fold(f64::NAN, |best, &value| better(best, value, &beats))
}

fn exact_sum(values: &[f64]) -> Option<f64> {
    let magnitude: f64 = values.iter().map(|value| value.abs()).sum();
    // A NaN or an infinity among them makes the comparison false.
    let is_exact = magnitude < EXACT_MAX && values.iter().all(|value| value.trunc() == *value);
    is_exact.then(|| values.iter().fold(0.0, |sum, value| sum + value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => (-4i32..4).prop_map(f64::from),
            1 => Just(f64::NAN),
            1 => Just(-f64::NAN),
            1 => Just(-0.0),
            1 => Just(0.5),
            1 => Just(f64::INFINITY),
            1 => Just(4e15),
        ]
    }

    /// Everything that is told, with all bits.
    fn bits(summary: &Summary) -> [u64; 9] {
        let Summary { samples, first, last, min, max, sum, changes, resets } = summary;
        let (sum, has_sum) = (sum.unwrap_or(0.0), u64::from(sum.is_some()));
        let [first, last, min, max, sum] = [first, last, min, max, &sum].map(|value| value.to_bits());
        [*samples, first, last, min, max, sum, has_sum, *changes, *resets]
    }

    proptest! {
        #[test]
        fn parts_make_the_whole(values in prop::collection::vec(any_value(), 2..30), cuts in prop::collection::vec(1..30usize, 0..4)) {
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut < values.len()).collect();
            cuts.extend([0, values.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut parts = cuts.windows(2).map(|pair| Summary::of(&values[pair[0]..pair[1]]).unwrap());
            let mut joined = parts.next().unwrap();
            parts.for_each(|part| joined.append(&part));
            let mut whole = Summary::of(&values).unwrap();
            if joined.sum.is_none() {
                // The bound of a part with values of both signs is a rough one.
                whole.sum = None;
            }
            prop_assert_eq!(bits(&joined), bits(&whole));
        }
    }

    #[test]
    fn a_sum_is_told_where_no_addition_rounds() {
        let sum = |values: &[f64]| Summary::of(values).unwrap().sum;
        assert_eq!(sum(&[1.0, -3.0, 5e15]), Some(5e15 - 2.0));
        assert_eq!(sum(&[-0.0, -0.0]).map(f64::to_bits), Some(0));
        assert_eq!((sum(&[0.5, 0.5]), sum(&[5e15, 5e15]), sum(&[f64::INFINITY])), (None, None, None));
        let mut half = Summary::of(&[5e15]).unwrap();
        half.append(&Summary::of(&[-5e15]).unwrap());
        assert_eq!((half.sum, half.serves(SummaryNeed::Sum)), (None, false));
        assert!(half.serves(SummaryNeed::Any) && !half.serves(SummaryNeed::NoResets));
    }
}
