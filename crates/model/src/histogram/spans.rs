//! Which bucket indices a list of spans covers, and how counts move from one such layout to another.

use super::BucketSpan;

/// Indices of the buckets of `spans`, in order.
pub fn indices(spans: &[BucketSpan]) -> Indices<'_> {
    Indices { spans: spans.iter(), next: 0, left: 0 }
}

/// Iterator of [`indices`].
#[derive(Clone, Debug)]
pub struct Indices<'a> {
    spans: std::slice::Iter<'a, BucketSpan>,
    next: i32,
    left: u32,
}

impl Iterator for Indices<'_> {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        while self.left == 0 {
            let span = self.spans.next()?;
            self.next = self.next.wrapping_add(span.offset);
            self.left = span.length;
        }
        self.left -= 1;
        let index = self.next;
        self.next = index.wrapping_add(1);
        Some(index)
    }
}

/// Indices of the buckets of `spans`, last first.
pub fn indices_backward(spans: &[BucketSpan]) -> impl Iterator<Item = i32> {
    let add = |end: i32, span: &BucketSpan| end.wrapping_add(span.offset).wrapping_add_unsigned(span.length);
    let mut end = spans.iter().fold(0i32, add);
    spans.iter().rev().flat_map(move |span| {
        let last = end;
        end = last.wrapping_sub_unsigned(span.length).wrapping_sub(span.offset);
        (1..=span.length).map(move |distance| last.wrapping_sub_unsigned(distance))
    })
}

/// Number of buckets of `spans`.
pub fn bucket_count(spans: &[BucketSpan]) -> usize {
    spans.iter().map(|span| span.length as usize).fold(0, usize::saturating_add)
}

/// Collects rising indices into spans, neighbours into one.
#[derive(Clone, Debug, Default)]
pub struct SpanBuilder {
    spans: Vec<BucketSpan>,
    end: i32,
}

impl SpanBuilder {
    /// Adds an index behind all earlier ones.
    pub fn push(&mut self, index: i32) {
        match self.spans.last_mut() {
            Some(last) if index == self.end => last.length += 1,
            _ => self.spans.push(BucketSpan { offset: index.wrapping_sub(self.end), length: 1 }),
        }
        self.end = index.wrapping_add(1);
    }

    /// The spans.
    pub fn finish(self) -> Vec<BucketSpan> {
        self.spans
    }
}

impl FromIterator<i32> for SpanBuilder {
    fn from_iter<T: IntoIterator<Item = i32>>(indices: T) -> SpanBuilder {
        let mut builder = SpanBuilder::default();
        indices.into_iter().for_each(|index| builder.push(index));
        builder
    }
}

/// The layout that has the buckets of both.
pub fn union(left: &[BucketSpan], right: &[BucketSpan]) -> Vec<BucketSpan> {
    let (mut left, mut right) = (indices(left).peekable(), indices(right).peekable());
    let mut builder = SpanBuilder::default();
    loop {
        let index = match (left.peek(), right.peek()) {
            (Some(&one), Some(&other)) => one.min(other),
            (Some(&one), None) | (None, Some(&one)) => one,
            (None, None) => return builder.finish(),
        };
        left.next_if_eq(&index);
        right.next_if_eq(&index);
        builder.push(index);
    }
}

/// The counts of layout `from` in layout `to`, which has all its buckets; new buckets are empty.
pub fn spread<T: Copy + Default>(counts: &[T], from: &[BucketSpan], to: &[BucketSpan]) -> Vec<T> {
    let mut source = indices(from).zip(counts).peekable();
    let place = |index| source.next_if(|next| next.0 == index).map_or_else(T::default, |next| *next.1);
    indices(to).map(place).collect()
}

/// Whether both lists of spans cover the same buckets, however they are cut.
pub fn same_layout(left: &[BucketSpan], right: &[BucketSpan]) -> bool {
    left == right || (bucket_count(left) == bucket_count(right) && indices(left).eq(indices(right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(indices: &[i32]) -> Vec<BucketSpan> {
        indices.iter().copied().collect::<SpanBuilder>().finish()
    }

    #[test]
    fn indices_are_what_the_spans_were_built_of() {
        for list in [&[][..], &[0], &[-3, -2, 5, 6, 9], &[7, 8]] {
            assert_eq!(indices(&spans(list)).collect::<Vec<_>>(), list);
            let mut backward: Vec<_> = indices_backward(&spans(list)).collect();
            backward.reverse();
            assert_eq!(backward, list);
            assert_eq!(bucket_count(&spans(list)), list.len());
        }
        assert_eq!(
            spans(&[1, 2, 4]),
            [BucketSpan { offset: 1, length: 2 }, BucketSpan { offset: 1, length: 1 }]
        );
    }

    #[test]
    fn a_union_has_the_buckets_of_both() {
        let both = union(&spans(&[0, 1, 5]), &spans(&[-2, 1, 2]));
        assert_eq!(both, spans(&[-2, 0, 1, 2, 5]));
        assert_eq!(spread(&[1, 2, 3], &spans(&[0, 1, 5]), &both), [0, 1, 2, 0, 3]);
        assert!(same_layout(
            &[BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: 0, length: 1 }],
            &spans(&[0, 1])
        ));
    }
}
