//! Integers in a bit stream, small ones in few bits.
//!
//! A run of ones, closed by a zero, says how many bits follow. Signed fields of `n` bits hold `−(2ⁿ⁻¹−1)…2ⁿ⁻¹`: one
//! more on the positive side than two's complement has.

use super::bitstream::{BitReader, BitWriter};

/// Bits that follow 0, 1, … ones; eight ones have no closing zero.
const WIDTHS: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];

/// Appends a signed integer.
pub fn write_int(writer: &mut BitWriter, value: i64) {
    write(writer, value as u64, WIDTHS.iter().position(|&width| fits_signed(value, width)));
}

/// Appends an unsigned integer.
pub fn write_uint(writer: &mut BitWriter, value: u64) {
    write(writer, value, WIDTHS.iter().position(|&width| width == 64 || value >> width == 0));
}

/// Reads a signed integer.
#[inline(always)]
pub fn read_int(reader: &mut BitReader<'_>) -> i64 {
    let (value, width) = read(reader);
    signed(value, width)
}

/// Reads an unsigned integer.
#[inline(always)]
pub fn read_uint(reader: &mut BitReader<'_>) -> u64 {
    read(reader).0
}

/// Whether `value` is one that a signed field of `width` bits holds.
pub(super) fn fits_signed(value: i64, width: u32) -> bool {
    match width {
        0 => value == 0,
        1..64 => {
            let largest = 1i64 << (width - 1);
            -largest < value && value <= largest
        }
        _ => true,
    }
}

/// The value of a signed field of `width` bits.
#[inline(always)]
pub(super) fn signed(bits: u64, width: u32) -> i64 {
    if !(1..64).contains(&width) {
        return bits as i64;
    }
    // Shifted by the lowest value, the range begins at zero; the mask brings what is negative round to it.
    let lowest = (1 << (width - 1)) - 1;
    (bits.wrapping_add(lowest) & ((1 << width) - 1)).wrapping_sub(lowest) as i64
}

fn write(writer: &mut BitWriter, value: u64, ones: Option<usize>) {
    let ones = ones.unwrap_or(WIDTHS.len() - 1);
    match ones {
        8 => writer.write(0xff, 8),
        _ => writer.write((1 << (ones + 1)) - 2, ones as u32 + 1),
    }
    writer.write(value, WIDTHS[ones]);
}

#[inline(always)]
fn read(reader: &mut BitReader<'_>) -> (u64, u32) {
    let ones = reader.peek().leading_ones().min(8);
    reader.skip((ones + 1).min(8));
    let width = WIDTHS[ones as usize];
    (if width == 0 { 0 } else { reader.read(width) }, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(write: impl Fn(&mut BitWriter)) -> String {
        let mut writer = BitWriter::default();
        write(&mut writer);
        // A one behind the field shows where it ends.
        writer.write(1, 1);
        let text: String = writer.bytes().iter().map(|byte| format!("{byte:08b}")).collect();
        let end = text.rfind('1').unwrap();
        text[..end].to_owned()
    }

    #[test]
    fn small_numbers_take_few_bits() {
        let signed = [
            (0, "0"),
            (1, "10001"),
            (-1, "10111"),
            (4, "10100"),
            (-3, "10101"),
            (-4, "110111100"),
            (32, "110100000"),
            (-32, "1110111100000"),
            (257, "11110000100000001"),
        ];
        for (value, expected) in signed {
            assert_eq!(bits(|writer| write_int(writer, value)), expected, "{value}");
        }
        for (value, expected) in [(7, "10111"), (8, "110001000"), (64, "1110001000000")] {
            assert_eq!(bits(|writer| write_uint(writer, value)), expected, "{value}");
        }
    }

    fn any_width() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..64u32).prop_map(|(value, shift)| value >> shift)
    }

    proptest! {
        #[test]
        fn integers_are_read_as_written(values in prop::collection::vec(any_width(), 0..20)) {
            let mut writer = BitWriter::default();
            for &value in &values {
                write_int(&mut writer, value as i64);
                write_int(&mut writer, (value as i64).wrapping_neg());
                write_uint(&mut writer, value);
            }
            let mut reader = BitReader::new(writer.bytes());
            for value in values {
                prop_assert_eq!(read_int(&mut reader), value as i64);
                prop_assert_eq!(read_int(&mut reader), (value as i64).wrapping_neg());
                prop_assert_eq!(read_uint(&mut reader), value);
            }
            prop_assert_eq!(reader.check(), Ok(()));
        }
    }
}
