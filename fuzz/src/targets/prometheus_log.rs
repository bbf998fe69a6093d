//! Any bytes as what Prometheus keeps beside its blocks: an error, or what fits into a few times the bytes.

use std::path::Path;

use narthex_model::{FloatHistogram, SampleValue};
use narthex_tsdb::HeadLimits;
use narthex_tsdb::fs::{Fs, MemoryFs};
use narthex_tsdb::prometheus::head_chunks::HeadChunks;
use narthex_tsdb::prometheus::log::{read_segments, segments};
use narthex_tsdb::prometheus::record::Record;
use narthex_tsdb::prometheus::snapshot::SnapshotRecord;
use narthex_tsdb::prometheus::{ForeignHead, ForeignOptions, Packing};

/// What a decoded record may take per byte of it: 16, and its texts themselves.
const RATIO_MAX: usize = 17;
/// What a packed record may take besides, per byte and in all: a window that is never filled.
const ZSTD_RATIO_MAX: usize = 1024 + 16;
const ZSTD_BYTES_FREE: usize = 512 << 10;
const SNAPPY_RATIO_MAX: usize = 22;

/// See the module.
pub fn target(data: &[u8]) {
    let Some((&what, bytes)) = data.split_first() else { return };
    match what % 6 {
        0 => check_record(bytes),
        1 => check_snapshot_record(bytes),
        2 => check_unpacking(Packing::Snappy, bytes, bytes.len() * SNAPPY_RATIO_MAX),
        3 => check_unpacking(Packing::Zstd, bytes, bytes.len() * ZSTD_RATIO_MAX + ZSTD_BYTES_FREE),
        4 => check_head_chunks(bytes),
        _ => check_directory(bytes),
    }
}

fn check_record(bytes: &[u8]) {
    if let Ok(record) = Record::decode(bytes) {
        let taken = record_bytes(&record);
        assert!(taken <= RATIO_MAX * bytes.len(), "{taken} bytes out of {}", bytes.len());
    }
}

fn check_snapshot_record(bytes: &[u8]) {
    let taken = match SnapshotRecord::decode(bytes) {
        Ok(SnapshotRecord::Series(series)) => {
            series.labels.size_bytes() + series.chunk.map_or(0, |chunk| chunk.bytes.capacity())
        }
        Ok(SnapshotRecord::Other(record)) => record_bytes(&record),
        Err(_) => 0,
    };
    assert!(taken <= RATIO_MAX * bytes.len(), "{taken} bytes out of {}", bytes.len());
}

fn record_bytes(record: &Record) -> usize {
    match record {
        Record::Series(list) => {
            size_of_list(list) + list.iter().map(|entry| entry.labels.size_bytes()).sum::<usize>()
        }
        Record::Samples(list) => {
            size_of_list(list) + list.iter().map(|entry| value_bytes(&entry.value)).sum::<usize>()
        }
        Record::Exemplars(list) => {
            size_of_list(list) + list.iter().map(|entry| entry.labels.size_bytes()).sum::<usize>()
        }
        Record::Metadata(list) => {
            let text =
                |entry: &narthex_tsdb::prometheus::record::MetadataEntry| entry.unit.len() + entry.help.len();
            size_of_list(list) + list.iter().map(text).sum::<usize>()
        }
        Record::Tombstones(list) => size_of_list(list),
        Record::Markers(list) => size_of_list(list),
        _ => 0,
    }
}

fn size_of_list<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

fn value_bytes(value: &SampleValue) -> usize {
    let SampleValue::Histogram(histogram) = value else { return 0 };
    let FloatHistogram { positive_spans, negative_spans, positive_buckets, negative_buckets, .. } =
        &**histogram;
    let spans = size_of_list(positive_spans) + size_of_list(negative_spans);
    let floats = [positive_buckets, negative_buckets, &histogram.custom_values];
    // Two counters stand in front of a shared value.
    16 + size_of::<FloatHistogram>() + spans + floats.map(size_of_list).iter().sum::<usize>()
}

fn check_unpacking(packing: Packing, bytes: &[u8], bytes_max: usize) {
    let mut unpacked = Vec::new();
    if let Ok(record) = packing.unpack(bytes, &mut unpacked) {
        check_record(record);
    }
    assert!(unpacked.capacity() <= bytes_max.next_power_of_two(), "{} bytes", unpacked.capacity());
}

fn disk(path: &str, bytes: &[u8]) -> MemoryFs {
    let fs = MemoryFs::new();
    let path = Path::new(path);
    let parent = path.parent().expect("paths of this target have one");
    fs.create_dir_all(parent).expect("nothing fails in memory");
    let mut file = fs.create(path).expect("nothing fails in memory");
    file.write_all(bytes).expect("nothing fails in memory");
    fs
}

fn check_head_chunks(bytes: &[u8]) {
    let fs = disk("/chunks_head/000001", bytes);
    let mut chunks = HeadChunks::open(&fs, Path::new("/chunks_head")).expect("the file is there");
    let mut end = 0;
    let read = chunks.read(&mut |chunk, data| {
        assert!(chunk.place > end && data.len() <= bytes.len());
        end = chunk.place;
        Ok(())
    });
    read.expect("a damaged file is no failure");
}

/// One half is the log, the other that of out-of-order samples.
fn check_directory(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let fs = disk("/data/wal/00000000", first);
    fs.create_dir_all(Path::new("/data/wbl")).expect("nothing fails in memory");
    let mut file = fs.create(Path::new("/data/wbl/00000000")).expect("nothing fails in memory");
    file.write_all(second).expect("nothing fails in memory");
    let found = segments(&fs, Path::new("/data/wal")).expect("nothing fails in memory");
    let mut records = 0;
    let mut count = |_| {
        records += 1;
        Ok(())
    };
    read_segments(&fs, &found, 0, &mut count).expect("a damaged file is no failure");
    // A fragment takes seven bytes or more.
    assert!(records <= first.len() / 7);
    let limits = HeadLimits { series_max: 1000, ..HeadLimits::EMBEDDED };
    let options = ForeignOptions { head: limits.into(), min_valid_ms: i64::MIN };
    let head = ForeignHead::read(&fs, Path::new("/data"), options);
    if let Ok(foreign) = head {
        assert!(foreign.report.records >= records as u64);
    }
}
