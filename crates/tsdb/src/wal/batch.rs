//! What one commit holds: the unit that the head takes and the log keeps.

use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};
pub use narthex_storage::Exemplar;

/// Names a series of the head, in memory and in the log. Never given to another series.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SeriesId(u64);

impl SeriesId {
    /// The series that is the `generation`-th in its slot.
    pub(crate) fn new(slot: u32, generation: u32) -> SeriesId {
        SeriesId(u64::from(generation) << 32 | u64::from(slot))
    }

    /// Place in the head's table.
    pub(crate) fn slot(self) -> u32 {
        self.0 as u32
    }

    /// How many series had the slot before.
    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The id with this number in files.
    pub fn from_number(number: u64) -> SeriesId {
        SeriesId(number)
    }

    /// The number in files.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// A sample of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose.
    pub series: SeriesId,
    /// When.
    pub at_ms: Timestamp,
    /// When its counter started, 0 for unknown.
    pub start_ms: Timestamp,
    /// What.
    pub value: SampleValue,
}

/// What kind of metric it is; the number is the one in files.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum MetricType {
    /// Not known.
    #[default]
    Unknown = 0,
    /// Only rises, or falls to zero.
    Counter = 1,
    /// Rises and falls.
    Gauge = 2,
    /// Counts by bucket that only rise.
    Histogram = 3,
    /// Counts by bucket that rise and fall.
    GaugeHistogram = 4,
    /// Quantiles.
    Summary = 5,
    /// Labels that say something, at the value 1.
    Info = 6,
    /// Flags, one per series.
    StateSet = 7,
}

impl MetricType {
    /// All types, by number.
    pub const ALL: [MetricType; 8] = [
        MetricType::Unknown,
        MetricType::Counter,
        MetricType::Gauge,
        MetricType::Histogram,
        MetricType::GaugeHistogram,
        MetricType::Summary,
        MetricType::Info,
        MetricType::StateSet,
    ];
}

/// What is known of a metric besides its samples.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Its type.
    pub metric_type: MetricType,
    /// Its unit, empty for unknown.
    pub unit: Box<str>,
    /// What it means, empty for unknown.
    pub help: Box<str>,
}

/// What one commit holds. Parts take effect in the order of the fields.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Batch {
    /// Series that are new, in front of all that belongs to them.
    pub series: Vec<(SeriesId, Labels)>,
    /// Metadata by metric name.
    pub metadata: Vec<(Box<str>, Metadata)>,
    /// Samples in the order in which they came.
    pub samples: Vec<Sample>,
    /// Exemplars in the order in which they came.
    pub exemplars: Vec<(SeriesId, Exemplar)>,
    /// Stretches of series whose samples are to be gone.
    pub deletions: Vec<(SeriesId, TimeRange)>,
    /// Whether a series may have several of the samples, so that their order counts.
    pub has_repeats: bool,
}

impl Batch {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
            && self.metadata.is_empty()
            && self.samples.is_empty()
            && self.exemplars.is_empty()
            && self.deletions.is_empty()
    }

    /// Forgets the content, keeps the memory.
    pub fn clear(&mut self) {
        self.series.clear();
        self.metadata.clear();
        self.samples.clear();
        self.exemplars.clear();
        self.deletions.clear();
        self.has_repeats = false;
    }
}
