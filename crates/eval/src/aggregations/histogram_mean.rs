//! The mean of native histograms: sum over count, continued as a mean should the sum overflow.

use narthex_model::FloatHistogram;
use narthex_model::histogram::{HistogramSum, IncompatibleSchemas, Reconciliation};

/// A mean in the making.
#[derive(Clone)]
pub(crate) struct HistogramMean {
    total: HistogramSum,
    count: f64,
    /// Whether `total` is already a mean.
    is_mean: bool,
}

impl HistogramMean {
    /// The mean of one histogram.
    pub(crate) fn new(first: &FloatHistogram) -> HistogramMean {
        HistogramMean { total: HistogramSum::new(first), count: 1.0, is_mean: false }
    }

    /// Takes in another histogram.
    ///
    /// # Errors
    /// When it has other kinds of buckets than those before.
    pub(crate) fn add(&mut self, histogram: &FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas> {
        self.count += 1.0;
        if !self.is_mean {
            let mut tried = self.total.clone();
            let outcome = tried.add(histogram)?;
            if !tried.has_overflowed() {
                self.total = tried;
                return Ok(outcome);
            }
            self.is_mean = true;
            self.total.div(self.count - 1.0);
        }
        let mut share = histogram.clone();
        share.div(self.count);
        self.total.mul((self.count - 1.0) / self.count);
        self.total.add(&share)
    }

    /// The mean, compacted.
    pub(crate) fn finish(mut self) -> FloatHistogram {
        if !self.is_mean {
            self.total.div(self.count);
        }
        let mut mean = self.total.finish();
        mean.compact(0);
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_may_overflow() {
        let one = |count| FloatHistogram { count, ..FloatHistogram::default() };
        let mut mean = HistogramMean::new(&one(f64::MAX));
        for _ in 0..3 {
            assert!(mean.add(&one(f64::MAX)).is_ok());
        }
        assert!((mean.finish().count / f64::MAX - 1.0).abs() < 1e-12);
        let mut mean = HistogramMean::new(&one(1.0));
        assert!(mean.add(&one(2.0)).is_ok());
        assert_eq!(mean.finish().count, 1.5);
    }
}
