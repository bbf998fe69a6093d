//! Leaving out empty buckets.

use super::spans::{SpanBuilder, indices};
use super::{BucketSpan, FloatHistogram};

impl FloatHistogram {
    /// Removes empty buckets, except between two populated ones that are at most `empty_max` buckets apart; there
    /// empty ones are listed so that one span covers both.
    pub fn compact(&mut self, empty_max: u32) {
        compact_side(&mut self.positive_spans, &mut self.positive_buckets, empty_max);
        compact_side(&mut self.negative_spans, &mut self.negative_buckets, empty_max);
    }
}

fn compact_side(spans: &mut Vec<BucketSpan>, buckets: &mut Vec<f64>, empty_max: u32) {
    if is_compact(spans, buckets, empty_max) {
        return;
    }
    let mut builder = SpanBuilder::default();
    let mut kept = Vec::with_capacity(buckets.len());
    let mut end: Option<i32> = None;
    for (index, &count) in indices(spans).zip(buckets.iter()).filter(|bucket| *bucket.1 != 0.0) {
        let filled = end.filter(|&end| index >= end && index.abs_diff(end) <= empty_max);
        for empty in filled.map_or(index..index, |end| end..index) {
            builder.push(empty);
            kept.push(0.0);
        }
        builder.push(index);
        kept.push(count);
        end = Some(index.wrapping_add(1));
    }
    *spans = builder.finish();
    *buckets = kept;
}

/// Whether there is nothing to do.
fn is_compact(spans: &[BucketSpan], buckets: &[f64], empty_max: u32) -> bool {
    let is_apart = |span: &BucketSpan| u32::try_from(span.offset).is_ok_and(|gap| gap > empty_max);
    spans.iter().all(|span| span.length > 0)
        && spans.iter().skip(1).all(is_apart)
        && buckets.iter().all(|count| *count != 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(spans: &[(i32, u32)], buckets: &[f64], empty_max: u32) -> (Vec<(i32, u32)>, Vec<f64>) {
        let spans = spans.iter().map(|&(offset, length)| BucketSpan { offset, length }).collect();
        let mut histogram = FloatHistogram {
            negative_spans: spans,
            negative_buckets: buckets.to_vec(),
            ..FloatHistogram::default()
        };
        histogram.compact(empty_max);
        let spans = histogram.negative_spans.iter().map(|span| (span.offset, span.length)).collect();
        (spans, histogram.negative_buckets)
    }

    #[test]
    fn empty_buckets_go_and_near_spans_merge() {
        assert_eq!(compacted(&[(1, 2)], &[0.0, 0.0], 0), (vec![], vec![]));
        assert_eq!(
            compacted(&[(-2, 3), (0, 1)], &[0.0, 1.0, 2.0, 3.0], 0),
            (vec![(-1, 3)], vec![1.0, 2.0, 3.0])
        );
        assert_eq!(compacted(&[(0, 4)], &[1.0, 0.0, 0.0, 1.0], 1), (vec![(0, 1), (2, 1)], vec![1.0, 1.0]));
        assert_eq!(compacted(&[(0, 1), (2, 1)], &[1.0, 1.0], 2), (vec![(0, 4)], vec![1.0, 0.0, 0.0, 1.0]));
        assert_eq!(
            compacted(&[(0, 1), (2, 0), (1, 1)], &[1.0, 1.0], 0),
            (vec![(0, 1), (3, 1)], vec![1.0, 1.0])
        );
    }
}
