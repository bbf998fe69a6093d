//! The samples that queries are asked about.

use std::fmt::Write;

use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, LabelsBuilder, SampleValue, Timestamp};
use narthex_promqltest::random::samples;
use narthex_storage::Appender;
use narthex_testkit::SplitMix64;
use narthex_tsdb::{Database, Head, HeadLimits};

use crate::stored;

/// Time, start of the counter (0 for unknown), value.
pub(crate) type Sample = (Timestamp, Timestamp, SampleValue);

/// Labels and samples in time order.
pub(crate) type Series = (Labels, Vec<Sample>);

/// Series and the store that holds them.
pub(crate) struct Data {
    pub(crate) seed: u64,
    pub(crate) series: Vec<Series>,
    pub(crate) head: Head,
    /// The same, most of it in blocks whose chunks are summed up.
    pub(crate) database: Database,
}

impl Data {
    /// Now and then with start times of counters, and with so many series that several workers share them.
    pub(crate) fn new(seed: u64) -> Data {
        let mut random = SplitMix64::new(seed ^ 0x5eed);
        let (has_starts, is_wide) = (random.below(2) == 0, random.below(8) == 0);
        let stored = samples::series(&mut || random.next_u64());
        let mut series: Vec<Series> = Vec::new();
        for one in stored {
            let mut started_ms = 0;
            let mut before_ms = -1000;
            let with_start = |(at_ms, value): (Timestamp, SampleValue)| {
                if has_starts && random.below(20) == 0 {
                    // Unknown, before the sample before, at it, or behind it.
                    let choices = [0, before_ms - 20_000, before_ms, before_ms + 4000, at_ms];
                    started_ms = choices[random.below(choices.len())].max(0);
                }
                before_ms = at_ms;
                (at_ms, started_ms, value)
            };
            series.push((one.labels, one.samples.into_iter().map(with_start).collect()));
        }
        if is_wide {
            let copy = |(labels, samples): &Series| {
                (LabelsBuilder::from_labels(labels).set("replica", "2").build(), samples.clone())
            };
            let copies: Vec<_> = series.iter().map(copy).collect();
            series.extend(copies);
            series.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Data::of(seed, series)
    }

    pub(crate) fn of(seed: u64, series: Vec<Series>) -> Data {
        let mut head = Head::new(HeadLimits::EMBEDDED);
        for (labels, samples) in &series {
            for (at_ms, started_ms, value) in samples {
                head.append(labels, *at_ms, value.clone(), *started_ms).expect("samples come in order");
            }
        }
        head.commit().expect("memory takes everything");
        let database = stored::database(seed, &series, &head);
        Data { seed, series, head, database }
    }

    /// One series a line.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (labels, samples) in &self.series {
            let _ = write!(text, "    {labels}");
            for (at_ms, started_ms, value) in samples {
                let _ = match value {
                    SampleValue::Float(value) if is_stale_nan(*value) => write!(text, " {at_ms}:stale"),
                    SampleValue::Float(value) => write!(text, " {at_ms}:{value}"),
                    SampleValue::Histogram(value) => {
                        write!(text, " {at_ms}:{value}/{}/{:?}", value.schema, value.counter_reset_hint)
                    }
                };
                if *started_ms != 0 {
                    let _ = write!(text, "@{started_ms}");
                }
            }
            text.push('\n');
        }
        text
    }
}
