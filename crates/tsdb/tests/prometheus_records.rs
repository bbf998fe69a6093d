//! Whether the records of Prometheus say what they are recorded to say.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use narthex_model::{FloatHistogram, SampleValue};
use narthex_testkit::{Golden, fixtures, shared_fixtures};
use narthex_tsdb::fs::{Fs, MemoryFs};
use narthex_tsdb::prometheus::head_chunks::HeadChunks;
use narthex_tsdb::prometheus::log::{Segment, read_segments};
use narthex_tsdb::prometheus::record::Record;
use narthex_tsdb::prometheus::snapshot::SnapshotRecord;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.lines().filter(|line| !line.starts_with('#')).collect();
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn value(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(float) => format!("{float:?} {:016x}", float.to_bits()),
        SampleValue::Histogram(histogram) => of_histogram(histogram),
    }
}

fn of_histogram(histogram: &FloatHistogram) -> String {
    let spans = |spans: &[narthex_model::BucketSpan]| {
        spans.iter().map(|span| format!("{}+{}", span.offset, span.length)).collect::<Vec<_>>().join(" ")
    };
    format!(
        "{:?} schema {} zero {:?}:{} count {} sum {} positive [{}] {:?} negative [{}] {:?} bounds {:?}",
        histogram.counter_reset_hint,
        histogram.schema,
        histogram.zero_threshold,
        histogram.zero_count,
        histogram.count,
        histogram.sum,
        spans(&histogram.positive_spans),
        histogram.positive_buckets,
        spans(&histogram.negative_spans),
        histogram.negative_buckets,
        histogram.custom_values,
    )
}

fn render(record: &Record) -> String {
    let mut text = String::new();
    let out = &mut text;
    match record {
        Record::Series(list) => list.iter().for_each(|entry| {
            writeln!(out, "series {} {}", entry.reference, entry.labels).unwrap();
        }),
        Record::Samples(list) => list.iter().for_each(|entry| {
            let start =
                if entry.start_ms == 0 { String::new() } else { format!(" start {}", entry.start_ms) };
            writeln!(out, "sample {} @{}{start} {}", entry.reference, entry.at_ms, value(&entry.value))
                .unwrap();
        }),
        Record::Tombstones(list) => list.iter().for_each(|entry| {
            writeln!(out, "tombstone {} {}..{}", entry.reference, entry.range.min_ms, entry.range.max_ms)
                .unwrap();
        }),
        Record::Exemplars(list) => list.iter().for_each(|entry| {
            let labels = &entry.labels;
            writeln!(out, "exemplar {} @{} {} {labels}", entry.reference, entry.at_ms, entry.value).unwrap();
        }),
        Record::Markers(list) => list.iter().for_each(|entry| {
            writeln!(
                out,
                "marker {} file {} byte {}",
                entry.reference,
                entry.chunk >> 32,
                entry.chunk as u32
            )
            .unwrap();
        }),
        Record::Metadata(list) => list.iter().for_each(|entry| {
            writeln!(out, "metadata {} {:?} {:?} {:?}", entry.reference, entry.kind, entry.unit, entry.help)
                .unwrap();
        }),
        other => writeln!(out, "{other:?}").unwrap(),
    }
    text
}

fn render_outcome(bytes: &[u8]) -> String {
    Record::decode(bytes).map_or_else(|reason| format!("refused: {reason}\n"), |record| render(&record))
}

#[test]
fn records_say_what_was_recorded() {
    let mut golden = Golden::of("prometheus", "out");
    for fixture in fixtures("prometheus", "hex") {
        golden.check(&fixture.name, &render_outcome(&bytes(&fixture.text)));
    }
    golden.finish();
}

#[test]
fn a_record_cut_short_is_refused_or_ends_with_an_entry() {
    for fixture in fixtures("prometheus", "hex") {
        let bytes = bytes(&fixture.text);
        let Ok(whole) = Record::decode(&bytes) else { continue };
        let whole = render(&whole);
        for len in 1..bytes.len() {
            if let Ok(record) = Record::decode(&bytes[..len])
                && !matches!(record, Record::Unknown(_))
            {
                assert!(whole.starts_with(&render(&record)), "{} cut to {len} bytes", fixture.name);
            }
        }
    }
}

/// What was written by Prometheus itself; the expectations are readings of the format's description.
#[test]
fn records_of_prometheus_are_read() {
    let Some(path) = shared_fixtures("vectors/vectors.json") else { return };
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let record = |name: &str| render_outcome(&bytes(vectors["wal_records"][name].as_str().unwrap()));
    let histogram = "schema 1 zero 0.001:2 count 9 sum 18.4 positive [0+2 1+2] [1.0, 2.0, 1.0, 1.0] \
                     negative [0+1] [2.0] bounds []";
    let custom = "schema -53 zero 0.0:0 count 6 sum 7.5 positive [0+3] [1.0, 2.0, 3.0] negative [] [] \
                  bounds [0.5, 1.0001]";
    assert_eq!(record("series"), "series 1 {__name__=\"up\", job=\"a\"}\nseries 2 {__name__=\"x\"}\n");
    assert_eq!(
        record("samples"),
        "sample 2 @1700000000000 1.5 3ff8000000000000\nsample 1 @1699999999999 2.0 4000000000000000\n"
    );
    let all = "-9223372036854775808..9223372036854775807";
    assert_eq!(
        record("tombstones"),
        format!("tombstone 1 100..200\ntombstone 1 300..400\ntombstone 2 {all}\n")
    );
    assert_eq!(record("exemplars"), "exemplar 1 @1700000000000 0.5 {trace_id=\"ab\"}\n");
    assert_eq!(record("mmapmarkers"), "marker 1 file 1 byte 8\n");
    assert_eq!(record("metadata"), "metadata 300 Counter \"s\" \"hi\"\n");
    assert_eq!(record("hist"), format!("sample 1 @1700000000000 Unknown {histogram}\n"));
    assert_eq!(record("fhist"), format!("sample 1 @1700000000000 Unknown {histogram}\n"));
    assert_eq!(record("nhcb"), format!("sample 1 @1700000000000 Unknown {custom}\n"));
    assert!(
        record("fnhcb").starts_with("sample 1 @1700000000000 Unknown schema -53 zero 0.0:0 count 6 sum 7.5")
    );
    assert_eq!(
        record("samplesv2"),
        "sample 2 @1700000000000 start 1699999999000 1.5 3ff8000000000000\n\
         sample 1 @1699999999999 start 1699999999000 2.0 4000000000000000\n\
         sample 5 @1700000000000 3.0 4008000000000000\n\
         sample 6 @1700000000000 start 1699999999500 4.0 4010000000000000\n"
    );
    for name in ["histv2", "fhistv2"] {
        let start = "sample 1 @1700000000000 start 1699999999000 Unknown";
        assert!(record(name).starts_with(&format!("{start} {histogram}\n")), "{}", record(name));
    }
    assert!(record("histv2").contains(custom), "{}", record("histv2"));
}

#[test]
fn files_of_prometheus_are_read() {
    let Some(path) = shared_fixtures("vectors/vectors.json") else { return };
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let vector = |name: &str| bytes(vectors[name].as_str().unwrap());
    let plain = segment_text(&vector("wal_head_plain"));
    assert_eq!(plain, segment_text(&vector("wal_head_snappy")));
    assert!(plain.starts_with("series 1 {__name__=\"up\", job=\"a\"}\n"), "{plain}");
    assert_eq!(segment_text(&vector("wbl_head")), "marker 1 file 0 byte 0\n");

    let fs = MemoryFs::new();
    put(&fs, "/chunks_head/000001", &vector("chunks_head_first"));
    let mut chunks = HeadChunks::open(&fs, Path::new("/chunks_head")).unwrap();
    let mut found = Vec::new();
    let damage = chunks.read(&mut |chunk, bytes| {
        found.push((*chunk, bytes.to_vec()));
        Ok(())
    });
    assert_eq!(damage.unwrap(), None);
    let [(chunk, bytes)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((chunk.reference, chunk.is_out_of_order, chunk.place), (1, true, 1 << 32 | 8));
    assert_eq!(&chunks.load(chunk).unwrap(), bytes);
    let mut samples = narthex_storage::SampleBuffer::new();
    chunk.encoding.unwrap().decode_into(bytes, &mut samples).unwrap();
    assert_eq!(samples.floats.timestamps.len(), 32);
    assert_eq!(samples.floats.timestamps.first(), Some(&chunk.range.min_ms));
    assert_eq!(samples.floats.timestamps.last(), Some(&chunk.range.max_ms));
}

#[test]
fn a_snapshot_of_prometheus_is_read() {
    let Some(path) = shared_fixtures("vectors/vectors.json") else { return };
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut series = Vec::new();
    let mut others = String::new();
    for record in vectors["snapshot_records"].as_array().unwrap() {
        match SnapshotRecord::decode(&bytes(record.as_str().unwrap())).unwrap() {
            SnapshotRecord::Series(found) => series.push(found),
            SnapshotRecord::Other(record) => others += &render(&record),
        }
    }
    let names: Vec<&str> = series.iter().map(|series| series.labels.metric_name()).collect();
    assert_eq!(names, ["up", "lat", "flat"]);
    for series in &series {
        let chunk = series.chunk.as_ref().unwrap();
        let mut samples = narthex_storage::SampleBuffer::new();
        chunk.encoding.unwrap().decode_into(&chunk.bytes, &mut samples).unwrap();
        let times = [samples.floats.timestamps, samples.histograms.timestamps].concat();
        assert_eq!(times.first(), Some(&chunk.range.min_ms));
        assert_eq!(times.last(), Some(&chunk.range.max_ms));
    }
    assert_eq!(others.lines().filter(|line| line.starts_with("tombstone")).count(), 3, "{others}");
    assert_eq!(others.lines().filter(|line| line.starts_with("exemplar 1 @")).count(), 1, "{others}");
}

fn put(fs: &MemoryFs, path: &str, bytes: &[u8]) {
    fs.create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    fs.create(Path::new(path)).unwrap().write_all(bytes).unwrap();
}

fn segment_text(bytes: &[u8]) -> String {
    let fs = MemoryFs::new();
    put(&fs, "/wal/00000000", bytes);
    let segment = Segment { number: 0, path: "/wal/00000000".into(), len: bytes.len() as u64 };
    let mut text = String::new();
    let damage = read_segments(&fs, &[segment], 0, &mut |record| {
        text += &render(&record);
        Ok(())
    });
    assert_eq!(damage.unwrap(), None);
    text
}
