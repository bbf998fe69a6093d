//! Whether records come out of segments as they were put in, and how far out of damaged ones.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use std::path::{Path, PathBuf};

use narthex_model::TimeRange;
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::fs::{Fs, MemoryFs};
use narthex_tsdb::prometheus::head_chunks::HeadChunks;
use narthex_tsdb::prometheus::log::{Segment, read_segments, segments};
use narthex_tsdb::prometheus::record::Record;
use narthex_tsdb::prometheus::{Damage, DamageKind, PAGE_BYTES};
use proptest::prelude::*;

const SNAPPY: u8 = 8;

/// A writer as plain as can be. A record is one that nobody knows, so that its first byte tells its number.
fn segment(records: &[Vec<u8>], packing: u8) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let mut rest = &record[..];
        let mut kind = 2;
        loop {
            let left = PAGE_BYTES - out.len() % PAGE_BYTES;
            if left < 7 {
                out.resize(out.len() + left, 0);
                continue;
            }
            let (part, after) = rest.split_at(rest.len().min(left - 7));
            let number = match (kind, after.is_empty()) {
                (2, true) => 1,
                (_, true) => 4,
                (kind, false) => kind,
            };
            out.push(number | packing);
            out.extend((part.len() as u16).to_be_bytes());
            out.extend(crc32c::crc32c(part).to_be_bytes());
            out.extend(part);
            if after.is_empty() {
                break;
            }
            (rest, kind) = (after, 3);
        }
    }
    out
}

fn put(fs: &MemoryFs, path: &Path, bytes: &[u8]) {
    fs.create_dir_all(path.parent().unwrap()).unwrap();
    fs.create(path).unwrap().write_all(bytes).unwrap();
}

fn log_of(files: &[(u64, &[u8])]) -> (MemoryFs, Vec<Segment>) {
    let fs = MemoryFs::new();
    fs.create_dir_all(Path::new("/wal")).unwrap();
    files.iter().for_each(|(number, bytes)| put(&fs, &Path::new("/wal").join(format!("{number:08}")), bytes));
    let found = segments(&fs, Path::new("/wal")).unwrap();
    (fs, found)
}

/// The types of the records that are read, and where reading stopped.
fn read(files: &[(u64, &[u8])]) -> (Vec<u8>, Option<Damage>) {
    let (fs, segments) = log_of(files);
    let mut found = Vec::new();
    let damage = read_segments(&fs, &segments, 0, &mut |record| {
        match record {
            Record::Unknown(number) => found.push(number),
            known => assert_eq!(known, Record::Unknown(0), "records of this test are of no known type"),
        }
        Ok(())
    });
    (found, damage.unwrap())
}

/// Records of given lengths; the first byte of each is its number from 100 on.
fn records(lengths: &[usize]) -> Vec<Vec<u8>> {
    let record = |(at, &len): (usize, &usize)| {
        (0..len.max(1)).map(|byte| if byte == 0 { 100 + at as u8 } else { (byte * 7) as u8 }).collect()
    };
    lengths.iter().enumerate().map(record).collect()
}

fn numbers(count: usize) -> Vec<u8> {
    (0..count).map(|at| 100 + at as u8).collect()
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let len = prop_oneof![
        1..100usize,
        20_000..40_000usize,
        Just(PAGE_BYTES - 7),
        Just(PAGE_BYTES - 14),
        60_000..140_000usize
    ];
    prop::collection::vec(len, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn records_are_read_as_written(lengths in lengths(), is_padded in any::<bool>()) {
        let mut bytes = segment(&records(&lengths), 0);
        if is_padded {
            bytes.resize(bytes.len().next_multiple_of(PAGE_BYTES) + PAGE_BYTES, 0);
        }
        prop_assert_eq!(read(&[(4, &bytes)]), (numbers(lengths.len()), None));
    }

    #[test]
    fn a_segment_cut_short_gives_what_came_before(lengths in lengths(), share in 0.0..1.0f64) {
        let bytes = segment(&records(&lengths), 0);
        let cut = (bytes.len() as f64 * share) as usize;
        let whole = (0..=lengths.len()).rev().find(|&count| segment(&records(&lengths[..count]), 0).len() <= cut);
        let (found, damage) = read(&[(0, &bytes[..cut])]);
        prop_assert_eq!(found.len(), whole.unwrap());
        prop_assert_eq!(&found, &numbers(found.len()));
        prop_assert!(damage.is_none_or(|damage| damage.kind == DamageKind::Torn && damage.offset <= cut as u64));
        // The same in the middle of the log is damage, and what follows is not read.
        let (again, damage) = read(&[(0, &bytes[..cut]), (1, &bytes)]);
        if let Some(damage) = damage {
            prop_assert_eq!((damage.kind, again), (DamageKind::Corrupt, found));
        }
    }

    #[test]
    fn a_changed_byte_ends_the_reading_at_its_record(lengths in lengths(), at in any::<usize>(), bit in 0..8u32) {
        let mut bytes = segment(&records(&lengths), 0);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let before = (0..=lengths.len()).rev().find(|&count| segment(&records(&lengths[..count]), 0).len() <= at).unwrap();
        let (found, damage) = read(&[(0, &bytes)]);
        prop_assert_eq!(found, numbers(before));
        prop_assert!(damage.is_some_and(|damage| damage.offset <= at as u64 + PAGE_BYTES as u64));
    }
}

#[test]
fn a_packed_record_is_unpacked_and_rubbish_is_refused() {
    let packed = snap::raw::Encoder::new().compress_vec(&records(&[5000])[0]).unwrap();
    assert_eq!(read(&[(0, &segment(&[packed], SNAPPY))]), (numbers(1), None));
    let (found, damage) = read(&[(0, &segment(&[vec![0xff, 0xff, 0xff, 0x7f, 1]], SNAPPY))]);
    assert_eq!((found, damage.unwrap().reason.as_str()), (vec![], "compressed record cannot be unpacked"));
    let (found, damage) = read(&[(0, &segment(&records(&[5]), 16))]);
    assert_eq!((found, damage.unwrap().kind), (vec![], DamageKind::Corrupt));
}

#[test]
fn a_missing_segment_ends_the_reading() {
    let bytes = segment(&records(&[5]), 0);
    let (found, damage) = read(&[(3, &bytes), (4, &bytes), (6, &bytes)]);
    let damage = damage.unwrap();
    assert_eq!((found, damage.file, damage.offset), (vec![100, 100], PathBuf::from("/wal/00000006"), 0));
}

#[test]
fn padding_with_content_is_damage() {
    let mut bytes = segment(&records(&[5]), 0);
    let end = bytes.len();
    bytes.resize(PAGE_BYTES, 0);
    bytes[end + 40] = 1;
    let (found, damage) = read(&[(0, &bytes)]);
    assert_eq!((found, damage.unwrap().offset), (vec![100], end as u64 + 40));
}

/// A file of head chunks with these series numbers, each chunk of one byte.
fn head_chunks(references: &[u64]) -> Vec<u8> {
    let mut out = vec![0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0];
    for &reference in references {
        let mut chunk = reference.to_be_bytes().to_vec();
        chunk.extend([5i64, 9].map(i64::to_be_bytes).concat());
        chunk.extend([1, 1, 0xaa]);
        out.extend(&chunk);
        out.extend(crc32c::crc32c(&chunk).to_be_bytes());
    }
    out
}

fn read_head_chunks(files: &[(u64, &[u8])]) -> (Vec<u64>, Option<Damage>) {
    let (fs, _) = log_of(files);
    let mut found = Vec::new();
    let mut chunks = HeadChunks::open(&fs, Path::new("/wal")).unwrap();
    let damage = chunks.read(&mut |chunk, bytes| {
        assert_eq!((chunk.range, bytes), (TimeRange::new(5, 9), &[0xaa][..]));
        assert_eq!(chunk.encoding, Some(Encoding::Xor));
        found.push(chunk.reference);
        Ok(())
    });
    (found, damage.unwrap())
}

#[test]
fn head_chunks_end_where_zeros_begin() {
    let mut first = head_chunks(&[1, 2]);
    first.resize(first.len() + 1000, 0);
    let second = head_chunks(&[3]);
    assert_eq!(read_head_chunks(&[(1, &first), (2, &second), (3, &[0; 64])]), (vec![1, 2, 3], None));
    assert_eq!(read_head_chunks(&[(1, &[])]), (vec![], None));
    let (found, damage) = read_head_chunks(&[(1, &first), (3, &second)]);
    assert_eq!((found, damage.unwrap().file), (vec![1, 2], PathBuf::from("/wal/00000003")));
    let (found, damage) = read_head_chunks(&[(1, b"something else"), (2, &second)]);
    assert_eq!((found, damage.unwrap().kind), (vec![], DamageKind::Corrupt));
}

#[test]
fn damaged_head_chunks_are_none() {
    let bytes = head_chunks(&[1, 2, 3]);
    let chunk_len = (bytes.len() - 8) / 3;
    for len in 8..bytes.len() {
        let (found, damage) = read_head_chunks(&[(1, &bytes[..len])]);
        assert_eq!(found.len(), (len - 8) / chunk_len, "cut to {len}");
        let rest = &bytes[8 + found.len() * chunk_len..len];
        assert_eq!(damage.is_some(), rest.iter().any(|&byte| byte != 0), "cut to {len}");
    }
    for at in 8..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        let (found, damage) = read_head_chunks(&[(1, &bytes)]);
        assert_eq!(found.len(), (at - 8) / chunk_len, "changed at {at}");
        assert_eq!(damage.unwrap().offset, (8 + (at - 8) / chunk_len * chunk_len) as u64);
    }
}
