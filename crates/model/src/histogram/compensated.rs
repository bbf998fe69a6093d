//! Sums that keep what rounding loses.

/// A running sum with Neumaier's compensation (Kahan's, that also works when the next summand is the larger one).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Compensated {
    /// The sum as plain addition gives it.
    pub sum: f64,
    /// What is missing from it.
    pub compensation: f64,
}

impl Compensated {
    /// Adds a number. Once the sum is infinite nothing is compensated.
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        if total.is_infinite() {
            self.compensation = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.compensation += (self.sum - total) + value;
        } else {
            self.compensation += (value - total) + self.sum;
        }
        self.sum = total;
    }

    /// The best float for the sum.
    pub fn value(self) -> f64 {
        self.sum + self.compensation
    }
}

/// A count on its way through additions: a plain float, or one that keeps what rounding loses.
pub(super) trait Count: Copy + Default {
    /// Adds another count.
    fn merge(&mut self, other: Self);
    /// The best float for it.
    fn value(self) -> f64;
    /// Every part changed by a linear function.
    fn map(self, change: impl Fn(f64) -> f64) -> Self;
}

impl Count for f64 {
    fn merge(&mut self, other: f64) {
        *self += other;
    }

    fn value(self) -> f64 {
        self
    }

    fn map(self, change: impl Fn(f64) -> f64) -> f64 {
        change(self)
    }
}

impl Count for Compensated {
    fn merge(&mut self, other: Compensated) {
        self.add(other.sum);
        self.compensation += other.compensation;
    }

    fn value(self) -> f64 {
        Compensated::value(self)
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Compensated {
        Compensated { sum: change(self.sum), compensation: change(self.compensation) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let mut sum = Compensated::default();
        [1.0, 1e100, 1.0, -1e100].into_iter().for_each(|value| sum.add(value));
        assert_eq!(sum.value(), 2.0);
        sum.add(f64::INFINITY);
        assert_eq!(sum.value(), f64::INFINITY);
    }
}
