//! Making a histogram coarser.

use super::FloatHistogram;
use super::total::Total;

impl FloatHistogram {
    /// The same observations at a schema that is at most its own; buckets are merged, never split.
    ///
    /// `None` when `schema` is finer, or one of the two is that of custom buckets.
    pub fn copy_to_schema(&self, schema: i32) -> Option<FloatHistogram> {
        if schema == self.schema {
            return Some(self.clone());
        }
        if schema > self.schema || self.uses_custom_buckets() || schema == super::CUSTOM_BUCKETS_SCHEMA {
            return None;
        }
        let mut total = Total::<f64>::from(self.clone());
        total.reduce_to(schema);
        Some(total.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA};

    #[test]
    fn buckets_are_merged_by_twos() {
        let fine = FloatHistogram {
            schema: 1,
            positive_spans: vec![BucketSpan { offset: -3, length: 6 }],
            positive_buckets: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            ..FloatHistogram::default()
        };
        let coarse = fine.copy_to_schema(0).unwrap();
        assert_eq!(coarse.positive_spans, [BucketSpan { offset: -1, length: 3 }]);
        assert_eq!(coarse.positive_buckets, [3.0, 7.0, 11.0]);
        assert_eq!(fine.copy_to_schema(2), None);
        assert_eq!(fine.copy_to_schema(CUSTOM_BUCKETS_SCHEMA), None);
    }
}
