//! What reading series took: counted by stores, shown beside the operator that read.

use std::ops::AddAssign;

/// Sums over any number of reads. Counting is for those who ask: see [`SeriesSet::read_counted`](crate::SeriesSet).
///
/// What a store does not know stays 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReadCounters {
    /// Samples that were handed out.
    pub samples_decoded: u64,
    /// Samples within the range that were not decoded because something known of their chunk said enough.
    pub samples_skipped: u64,
    /// Chunks of which at least one sample was decoded.
    pub chunks_decoded: u64,
    /// Chunks within the range, or other runs of samples, that were not decoded.
    pub chunks_skipped: u64,
    /// Encoded bytes of the chunks that were decoded.
    pub bytes_read: u64,
    /// Reads, or parts of them, that a cache answered.
    pub cache_hits: u64,
}

impl AddAssign for ReadCounters {
    fn add_assign(&mut self, other: ReadCounters) {
        self.samples_decoded += other.samples_decoded;
        self.samples_skipped += other.samples_skipped;
        self.chunks_decoded += other.chunks_decoded;
        self.chunks_skipped += other.chunks_skipped;
        self.bytes_read += other.bytes_read;
        self.cache_hits += other.cache_hits;
    }
}
