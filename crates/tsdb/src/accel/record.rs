//! What a chunk amounts to, as bytes.

use narthex_storage::Summary;

use crate::index::cursor::{Cursor, Malformed};
use crate::integers::push_uvarint;

/// Bits of the first byte. There is a summary.
const SUMMARISED: u8 = 1;
/// The last value has other bits than the first.
const OTHER_LAST: u8 = 1 << 1;
/// The least value has other bits than the first.
const OTHER_MIN: u8 = 1 << 2;
/// The greatest value has other bits than the last.
const OTHER_MAX: u8 = 1 << 3;
/// The sum is exact.
const EXACT_SUM: u8 = 1 << 4;

/// Appends the record of a chunk; of one without a summary it says that.
pub(super) fn push(out: &mut Vec<u8>, summary: Option<&Summary>) {
    let Some(summary) = summary else { return out.push(0) };
    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    let differ = |a: f64, b: f64| a.to_bits() != b.to_bits();
    let flags = SUMMARISED
        | flag(differ(summary.last, summary.first), OTHER_LAST)
        | flag(differ(summary.min, summary.first), OTHER_MIN)
        | flag(differ(summary.max, summary.last), OTHER_MAX)
        | flag(summary.sum.is_some(), EXACT_SUM);
    out.push(flags);
    [summary.samples, summary.changes, summary.resets].into_iter().for_each(|count| push_uvarint(out, count));
    let floats = [
        (SUMMARISED, summary.first),
        (OTHER_LAST, summary.last),
        (OTHER_MIN, summary.min),
        (OTHER_MAX, summary.max),
        (flag(summary.changes > 0, EXACT_SUM), summary.sum.unwrap_or(0.0)),
    ];
    for (_, value) in floats.into_iter().filter(|(bit, _)| flags & bit != 0) {
        out.extend_from_slice(&value.to_bits().to_be_bytes());
    }
}

/// Reads the record of a chunk.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Option<Summary>, Malformed> {
    let flags = cursor.u8()?;
    if flags & SUMMARISED == 0 {
        return Ok(None);
    }
    let (samples, changes, resets) = (cursor.uvarint()?, cursor.uvarint()?, cursor.uvarint()?);
    let mut float = |is_stored: bool, otherwise: f64| -> Result<f64, Malformed> {
        if is_stored { cursor.u64().map(f64::from_bits) } else { Ok(otherwise) }
    };
    let first = float(true, 0.0)?;
    let last = float(flags & OTHER_LAST != 0, first)?;
    let min = float(flags & OTHER_MIN != 0, first)?;
    let max = float(flags & OTHER_MAX != 0, last)?;
    let sum = match flags & EXACT_SUM != 0 {
        // From 0 on, so that it is not negative.
        true => Some(float(changes > 0, 0.0 + first * samples as f64)?),
        false => None,
    };
    Ok(Some(Summary { samples, first, last, min, max, sum, changes, resets }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (-2i32..2).prop_map(f64::from),
            1 => any::<f64>(),
            1 => Just(-0.0),
            1 => Just(f64::NAN),
        ]
    }

    proptest! {
        #[test]
        fn records_are_read_as_written(chunks in prop::collection::vec(prop::collection::vec(any_value(), 0..5), 0..5)) {
            let summaries: Vec<Option<Summary>> = chunks.iter().map(|values| Summary::of(values)).collect();
            let mut bytes = Vec::new();
            summaries.iter().for_each(|summary| push(&mut bytes, summary.as_ref()));
            let mut cursor = Cursor::new(&bytes, 0).unwrap();
            for summary in summaries {
                let read = read(&mut cursor).unwrap();
                // Debug tells zeros of either sign apart; NaN are compared by their bits.
                prop_assert_eq!(format!("{:?}", read), format!("{:?}", summary));
                let bits = |one: &Summary| [one.first, one.last, one.min, one.max].map(f64::to_bits);
                prop_assert_eq!(read.as_ref().map(bits), summary.as_ref().map(bits));
            }
            prop_assert!(cursor.is_at_end());
        }
    }
}
