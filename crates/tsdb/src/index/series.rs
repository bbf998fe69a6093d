//! Entries of series: numbers of strings, times and places of chunks.

use narthex_model::TimeRange;

use super::cursor::{Cursor, Malformed};
use super::toc::checked;
use crate::integers::{push_uvarint, push_varint};

/// A chunk as the index knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ChunkMeta {
    /// From its first sample to its last.
    pub(crate) range: TimeRange,
    /// Number of the segment from 0 on in the upper half, offset in it in the lower one.
    pub(crate) place: u64,
}

/// Number of a name and number of a value among the strings.
pub(crate) type PairRef = (u64, u64);

/// The entry that begins at `at`; `pairs`, if asked for, and `chunks` are filled anew. Returns where it ends.
pub(crate) fn read_series(
    file: &[u8],
    at: usize,
    pairs: Option<&mut Vec<PairRef>>,
    chunks: &mut Vec<ChunkMeta>,
) -> Result<usize, Malformed> {
    let mut outer = Cursor::new(file, at)?;
    let len = outer.uvarint()?;
    let from = outer.at();
    let body = outer.take(usize::try_from(len).map_err(|_| outer.malformed("a length within the file"))?)?;
    checked(&mut outer, body, at)?;
    let mut cursor = Cursor::new(&file[..from + body.len()], from)?;
    match pairs {
        Some(pairs) => read_pairs(&mut cursor, pairs)?,
        None => {
            let count = cursor.uvarint()?;
            cursor.skip_integers(count.saturating_mul(2))?;
        }
    }
    read_chunks(&mut cursor, chunks)?;
    if cursor.is_at_end() { Ok(outer.at()) } else { Err(cursor.malformed("the end of the series")) }
}

fn read_pairs(cursor: &mut Cursor<'_>, pairs: &mut Vec<PairRef>) -> Result<(), Malformed> {
    pairs.clear();
    // Counts are not believed: every element takes bytes, and where they end the loop does.
    for _ in 0..cursor.uvarint()? {
        pairs.push((cursor.uvarint()?, cursor.uvarint()?));
    }
    Ok(())
}

fn read_chunks(cursor: &mut Cursor<'_>, chunks: &mut Vec<ChunkMeta>) -> Result<(), Malformed> {
    chunks.clear();
    for number in 0..cursor.uvarint()? {
        let start = *cursor;
        let none = || start.malformed("a chunk behind the one before it");
        let last = chunks.last().copied();
        let min_ms = match last {
            None => cursor.varint()?,
            Some(last) => {
                let gap_ms = cursor.uvarint()?;
                last.range.max_ms.checked_add_unsigned(gap_ms).filter(|_| gap_ms > 0).ok_or_else(none)?
            }
        };
        let max_ms = min_ms.checked_add_unsigned(cursor.uvarint()?).ok_or_else(none)?;
        let place = match last {
            None if number == 0 => cursor.uvarint()?,
            _ => {
                last.and_then(|last| last.place.checked_add_signed(cursor.varint().ok()?)).ok_or_else(none)?
            }
        };
        chunks.push(ChunkMeta { range: TimeRange::new(min_ms, max_ms), place });
    }
    Ok(())
}

/// Appends number, times and places of chunks.
pub(crate) fn push_chunks(out: &mut Vec<u8>, chunks: &[ChunkMeta]) {
    push_uvarint(out, chunks.len() as u64);
    let mut last: Option<&ChunkMeta> = None;
    for chunk in chunks {
        let TimeRange { min_ms, max_ms } = chunk.range;
        match last {
            None => push_varint(out, min_ms),
            Some(last) => push_uvarint(out, min_ms.wrapping_sub(last.range.max_ms) as u64),
        }
        push_uvarint(out, max_ms.wrapping_sub(min_ms) as u64);
        match last {
            None => push_uvarint(out, chunk.place),
            Some(last) => push_varint(out, chunk.place.wrapping_sub(last.place) as i64),
        }
        last = Some(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_are_read_as_written(steps in prop::collection::vec((1..i64::MAX / 64, 0..i64::MAX / 64, any::<u32>()), 0..20)) {
            let (mut at_ms, mut place) = (i64::MIN / 2, 8u64);
            let mut chunks = Vec::new();
            for (gap_ms, length_ms, bytes) in steps {
                let min_ms = at_ms + gap_ms;
                at_ms = min_ms + length_ms;
                chunks.push(ChunkMeta { range: TimeRange::new(min_ms, at_ms), place });
                place += u64::from(bytes);
            }
            let mut body = vec![1, 5, 6];
            push_chunks(&mut body, &chunks);
            let mut entry = Vec::new();
            push_uvarint(&mut entry, body.len() as u64);
            entry.extend_from_slice(&body);
            entry.extend_from_slice(&crc32c::crc32c(&body).to_be_bytes());
            let mut read = Vec::new();
            prop_assert_eq!(read_series(&entry, 0, Some(&mut Vec::new()), &mut read), Ok(entry.len()));
            prop_assert_eq!(&read, &chunks);
            prop_assert_eq!(read_series(&entry, 0, None, &mut read), Ok(entry.len()));
            prop_assert_eq!(read, chunks);
        }
    }
}
