//! What the head keeps besides samples, and what it makes of an odd log.

use narthex_model::histogram::BucketSpan;
use narthex_model::{FloatHistogram, Labels, Matcher, TimeRange};
use narthex_storage::StorageErrorKind;
use narthex_tsdb::Head;
use narthex_tsdb::head::{HeadLimits, HeadOptions};
use narthex_tsdb::wal::{Batch, Exemplar, Metadata, MetricType, Sample, SeriesId};

fn labels(series: usize) -> Labels {
    Labels::from_pairs([("__name__", "m"), ("series", ["d", "a", "c", "b"][series])])
}

#[test]
fn a_log_that_names_series_twice_or_far_off_is_understood() {
    let head = Head::new(HeadLimits::EMBEDDED);
    let id = SeriesId::from_number;
    let far = id(u64::MAX / 2);
    let sample = |series, at_ms| Sample { series, at_ms, start_ms: 0, value: 1.0.into() };
    let batch = Batch {
        series: vec![(id(7), labels(0)), (far, labels(0)), (id(7 | 1 << 32), labels(1)), (far, labels(0))],
        samples: vec![sample(id(7), 1), sample(far, 2), sample(id(7 | 1 << 32), 3), sample(id(99), 4)],
        ..Batch::default()
    };
    let restored = head.restore(&batch).unwrap();
    assert_eq!((restored.samples, restored.unknown, head.series_count()), (3, 1, 2));
    assert!(head.has_series(far) && head.has_series(id(7)) && head.has_series(id(7 | 1 << 32)));
    let mut appender = head.appender();
    appender.append_to(far, 9, 2.0.into(), 0).unwrap();
    let new = appender.append(&labels(2), 9, 2.0.into(), 0).unwrap();
    assert!(new != id(7) && new != id(7 | 1 << 32));
    assert_eq!(appender.commit().samples, 2);
    let few = Head::new(HeadLimits { series_max: 1, ..HeadLimits::EMBEDDED });
    assert_eq!(few.restore(&batch).unwrap_err().kind(), StorageErrorKind::LimitExceeded);
}

#[test]
fn exemplars_and_metadata_are_kept_within_bounds() {
    let head = Head::new(HeadOptions { exemplars_max: 3, ..HeadOptions::EMBEDDED });
    let exemplar = |at_ms: i64| Exemplar { labels: Labels::from_pairs([("id", "1")]), value: 0.5, at_ms };
    let mut appender = head.appender();
    let id = appender.append(&labels(0), 1, 1.0.into(), 0).unwrap();
    for at_ms in [1, 1, 3, 2, 4, 5] {
        appender.append_exemplar(id, exemplar(at_ms)).unwrap();
    }
    let long = Exemplar { labels: Labels::from_pairs([("id", "x".repeat(127).as_str())]), ..exemplar(6) };
    assert_eq!(appender.append_exemplar(id, long).unwrap_err().kind(), StorageErrorKind::InvalidSample);
    let metadata = Metadata { metric_type: MetricType::Counter, unit: "s".into(), help: "a".into() };
    appender.set_metadata("m", metadata.clone()).unwrap();
    assert_eq!((head.metadata().len(), head.exemplars(&[&[]], TimeRange::ALL).len()), (0, 0));
    appender.commit();
    assert_eq!(head.metadata_of("m"), Some(metadata.clone()));
    let found = head.exemplars(&[&[][..], &[Matcher::equal("series", "d")]], TimeRange::ALL);
    assert_eq!(found, [(labels(0), [3, 4, 5].map(exemplar).to_vec())]);
    assert!(head.exemplars(&[&[]], TimeRange::new(6, 9)).is_empty());
    appender.set_metadata("m", metadata).unwrap();
    assert!(appender.is_empty());
}

#[test]
fn what_is_too_long_is_never_taken_and_takes_nothing_else_with_it() {
    let short = HeadLimits { label_bytes_max: 9, ..HeadLimits::EMBEDDED };
    let refused = Head::new(short).appender().append(&labels(0), 1, 1.0.into(), 0).unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::InvalidSample);
    let head = Head::new(HeadLimits::EMBEDDED);
    let mut appender = head.appender();
    appender.append(&labels(0), 1, 1.0.into(), 0).unwrap();
    let wide = FloatHistogram {
        positive_spans: vec![BucketSpan { offset: 0, length: 2 << 20 }],
        positive_buckets: vec![0.0; 2 << 20],
        ..FloatHistogram::default()
    };
    let refused = appender.append(&labels(1), 1, wide.into(), 0).unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::InvalidSample);
    assert_eq!(appender.commit().samples, 1);
}
