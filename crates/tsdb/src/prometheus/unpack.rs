//! Compressed records.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

use super::fields::CorruptRecord;

/// What a record may unpack to: no segment holds more, and a record lies within one segment.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Most bytes that a byte of zstd stands for in a record that anybody wrote, and what any record may have besides.
const ZSTD_RATIO_MAX: u64 = 1024;
const ZSTD_BYTES_FREE: u64 = 128 << 10;
/// Most bytes that a byte of snappy can stand for: three bytes copy 64.
const SNAPPY_RATIO_MAX: u64 = 22;

/// How a record is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// As it is.
    Plain,
    /// As a raw block of snappy.
    Snappy,
    /// As a frame of zstd.
    Zstd,
}

impl Packing {
    /// The record as it was before it was packed; `unpacked` is room for it.
    ///
    /// # Errors
    /// When the bytes are no such block or frame, or stand for more than any real record has.
    pub fn unpack<'a>(self, stored: &'a [u8], unpacked: &'a mut Vec<u8>) -> Result<&'a [u8], CorruptRecord> {
        match self {
            Packing::Plain => Ok(stored),
            Packing::Snappy => snappy(stored, unpacked),
            Packing::Zstd => zstd(stored, unpacked),
        }
    }
}

fn snappy<'a>(stored: &[u8], unpacked: &'a mut Vec<u8>) -> Result<&'a [u8], CorruptRecord> {
    let len = snap::raw::decompress_len(stored).map_err(|_| CorruptRecord::Compression)?;
    if len as u64 > UNPACKED_BYTES_MAX.min(stored.len() as u64 * SNAPPY_RATIO_MAX) {
        return Err(CorruptRecord::Compression);
    }
    if unpacked.len() < len {
        unpacked.resize(len, 0);
    }
    let decoded = snap::raw::Decoder::new().decompress(stored, &mut unpacked[..len]);
    decoded.map_err(|_| CorruptRecord::Compression)?;
    Ok(&unpacked[..len])
}

fn zstd<'a>(stored: &[u8], unpacked: &'a mut Vec<u8>) -> Result<&'a [u8], CorruptRecord> {
    let len_max = UNPACKED_BYTES_MAX.min(ZSTD_BYTES_FREE + stored.len() as u64 * ZSTD_RATIO_MAX);
    // The decoder makes room for the whole window before it looks at any data.
    if zstd_window_bytes(stored).is_none_or(|window| window > len_max) {
        return Err(CorruptRecord::Compression);
    }
    unpacked.clear();
    let decoder = StreamingDecoder::new(stored).map_err(|_| CorruptRecord::Compression)?;
    let read = decoder.take(len_max + 1).read_to_end(unpacked);
    match read {
        Ok(len) if len as u64 <= len_max => Ok(unpacked),
        _ => Err(CorruptRecord::Compression),
    }
}

/// The window that a frame asks for, which is its content where it is one segment; see RFC 8878, 3.1.1.1.
fn zstd_window_bytes(frame: &[u8]) -> Option<u64> {
    let descriptor = *frame.get(4)?;
    if descriptor & 0x20 == 0 {
        let window = *frame.get(5)?;
        let base = 1u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let dictionary_len = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = frame.get(5 + dictionary_len..)?;
    let le = |len: usize| {
        let bytes = content.get(..len)?;
        Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    };
    match descriptor >> 6 {
        0 => le(1),
        1 => le(2).map(|len| len + 256),
        2 => le(4),
        _ => le(8),
    }
}
