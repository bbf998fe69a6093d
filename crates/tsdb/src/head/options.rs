//! How a head behaves and what it may hold.

use narthex_model::Timestamp;

/// Length of the stretches of time that chunks and blocks are aligned to, as in Prometheus.
pub const BLOCK_RANGE_MS: i64 = 2 * 3600 * 1000;

/// What a head may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// Most series; a sample of another one is refused.
    pub series_max: u32,
    /// Most bytes of all names and values of one series; a series with more is refused.
    pub label_bytes_max: usize,
}

impl HeadLimits {
    /// What an embedded store holds without being asked: a million series take about a gigabyte.
    pub const EMBEDDED: HeadLimits = HeadLimits { series_max: 1_000_000, label_bytes_max: 0x10_0000 };
}

/// How a head behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadOptions {
    /// What it may hold.
    pub limits: HeadLimits,
    /// Chunks do not reach over multiples of this, so that blocks of this length are cut without decoding.
    pub chunk_range_ms: i64,
    /// A sample is in order only if it is not older than the newest of the head by more than this; what is older may be
    /// in a block by now.
    pub in_order_span_ms: i64,
    /// A sample that is not in order is taken if it is not older than the newest of the head by more than this; 0 for
    /// none.
    pub out_of_order_window_ms: i64,
    /// Most exemplars; the oldest go first. 0 for none.
    pub exemplars_max: usize,
}

impl HeadOptions {
    /// A store in memory only: samples of a series in order, however old.
    pub const EMBEDDED: HeadOptions = HeadOptions {
        limits: HeadLimits::EMBEDDED,
        chunk_range_ms: BLOCK_RANGE_MS,
        in_order_span_ms: i64::MAX,
        out_of_order_window_ms: 0,
        exemplars_max: 0,
    };

    /// The newest part of a store on disk, with the rules of Prometheus.
    pub const DATABASE: HeadOptions = HeadOptions {
        limits: HeadLimits { series_max: 10_000_000, label_bytes_max: 0x1_0000 },
        chunk_range_ms: BLOCK_RANGE_MS,
        in_order_span_ms: BLOCK_RANGE_MS / 2,
        out_of_order_window_ms: 0,
        exemplars_max: 100_000,
    };
}

impl From<HeadLimits> for HeadOptions {
    fn from(limits: HeadLimits) -> HeadOptions {
        HeadOptions { limits, ..HeadOptions::EMBEDDED }
    }
}

/// From which times on samples are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    /// Samples in order.
    pub(super) in_order_ms: Timestamp,
    /// Samples out of order; `None`: none.
    pub(super) out_of_order_ms: Option<Timestamp>,
}

impl HeadOptions {
    /// The bounds when `newest_ms` is the time of the newest sample and samples before `valid_from_ms` are in blocks.
    pub(super) fn bounds(&self, newest_ms: Timestamp, valid_from_ms: Timestamp) -> Bounds {
        let window_ms = self.out_of_order_window_ms;
        Bounds {
            in_order_ms: valid_from_ms.max(newest_ms.saturating_sub(self.in_order_span_ms)),
            out_of_order_ms: (window_ms > 0).then(|| newest_ms.saturating_sub(window_ms)),
        }
    }
}
