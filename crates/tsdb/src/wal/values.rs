//! Floats in few bytes, alone or as what they are more than a float before.
//!
//! Each is a class of four bits and the bytes that the class calls for. Whole numbers and those with up to three
//! decimals are integers, which most counters and gauges are.

use narthex_model::sample::STALE_NAN_BITS;

use super::fields::{Fields, Malformed, Read, unzigzag, zigzag};

/// Whole numbers up to this are told from their neighbours by floats.
const WHOLE_MAX: f64 = (1u64 << 52) as f64;
const THOUSANDTHS: f64 = 1000.0;

/// How a class of a difference stands for its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// The stale marker, or alone the number zero.
    Fixed,
    /// Whole numbers, zigzag.
    Whole,
    /// Thousandths, zigzag.
    Thousandths,
    /// Bits of the exclusive or from the lowest on; alone the bits from the highest on.
    Bits,
}

/// Form and number of bytes by class.
const DIFFERENCES: [(Form, usize); 16] = [
    (Form::Fixed, 0),
    (Form::Whole, 1),
    (Form::Whole, 2),
    (Form::Whole, 3),
    (Form::Whole, 4),
    (Form::Whole, 6),
    (Form::Thousandths, 1),
    (Form::Thousandths, 2),
    (Form::Thousandths, 3),
    (Form::Thousandths, 4),
    (Form::Bits, 3),
    (Form::Bits, 4),
    (Form::Bits, 5),
    (Form::Bits, 6),
    (Form::Bits, 7),
    (Form::Bits, 8),
];

const ALONE: [(Form, usize); 16] = [
    (Form::Fixed, 0),
    (Form::Whole, 1),
    (Form::Whole, 2),
    (Form::Whole, 3),
    (Form::Whole, 4),
    (Form::Whole, 5),
    (Form::Whole, 6),
    (Form::Thousandths, 2),
    (Form::Thousandths, 3),
    (Form::Thousandths, 4),
    (Form::Thousandths, 5),
    (Form::Bits, 2),
    (Form::Bits, 3),
    (Form::Bits, 4),
    (Form::Bits, 6),
    (Form::Bits, 8),
];

/// A float as a whole number, exactly.
#[inline]
fn whole(value: f64) -> Option<i64> {
    let number = value as i64;
    (value.abs() <= WHOLE_MAX && (number as f64).to_bits() == value.to_bits()).then_some(number)
}

/// A float as a number of thousandths, if dividing these by 1000 gives it again.
#[inline]
fn thousandths(value: f64) -> Option<i64> {
    let scaled = (value * THOUSANDTHS).round();
    let number = scaled as i64;
    let is_exact = scaled.abs() <= WHOLE_MAX && of_thousandths(number).to_bits() == value.to_bits();
    is_exact.then_some(number)
}

fn of_whole(number: i64) -> f64 {
    number as f64
}

fn of_thousandths(number: i64) -> f64 {
    number as f64 / THOUSANDTHS
}

/// Bytes that a number takes.
#[inline]
fn width(number: u64) -> usize {
    (64 - number.leading_zeros() as usize).div_ceil(8)
}

/// The first class of a form with at least so many bytes.
#[inline]
fn class_of(table: &[(Form, usize); 16], form: Form, bytes: usize) -> Option<usize> {
    table.iter().position(|&(one, width)| one == form && width >= bytes)
}

/// Values in classes and bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueWriter {
    classes: Vec<u8>,
    count: usize,
    bytes: Vec<u8>,
}

impl ValueWriter {
    pub(super) fn clear(&mut self) {
        self.classes.clear();
        self.count = 0;
        self.bytes.clear();
    }

    /// Adds a value alone.
    pub(super) fn put(&mut self, value: u64) {
        let float = f64::from_bits(value);
        if value == 0 {
            return self.put_class(0);
        }
        let found = whole(float).and_then(|number| {
            let number = zigzag(number);
            Some((class_of(&ALONE, Form::Whole, width(number))?, number))
        });
        let found = found.or_else(|| {
            let number = zigzag(thousandths(float)?);
            Some((class_of(&ALONE, Form::Thousandths, width(number))?, number))
        });
        let (class, number) = found.unwrap_or_else(|| {
            let bytes = 8 - value.trailing_zeros() as usize / 8;
            let class = class_of(&ALONE, Form::Bits, bytes).unwrap_or(15);
            (class, value >> (64 - 8 * ALONE[class].1))
        });
        self.put_class(class);
        self.put_bytes(number, ALONE[class].1);
    }

    /// Adds a value as its difference to `before`, which it does not equal.
    #[inline]
    pub(super) fn put_difference(&mut self, before: u64, value: u64) {
        if value == STALE_NAN_BITS {
            return self.put_class(0);
        }
        let (class, number) = difference(before, value);
        self.put_class(class);
        self.put_bytes(number, DIFFERENCES[class].1);
    }

    #[inline]
    fn put_class(&mut self, class: usize) {
        match self.classes.last_mut() {
            Some(last) if self.count % 2 == 1 => *last |= (class as u8) << 4,
            _ => self.classes.push(class as u8),
        }
        self.count += 1;
    }

    #[inline]
    fn put_bytes(&mut self, number: u64, count: usize) {
        let length = self.bytes.len() + count;
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self.bytes.truncate(length);
    }

    /// Appends classes and bytes.
    pub(super) fn finish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.classes);
        out.extend_from_slice(&self.bytes);
    }
}

#[inline]
fn difference(before: u64, value: u64) -> (usize, u64) {
    let (from, to) = (f64::from_bits(before), f64::from_bits(value));
    if let (Some(from), Some(to)) = (whole(from), whole(to)) {
        let number = zigzag(to - from);
        if let Some(class) = class_of(&DIFFERENCES, Form::Whole, width(number)) {
            return (class, number);
        }
    } else if let (Some(from), Some(to)) = (thousandths(from), thousandths(to)) {
        let number = zigzag(to - from);
        if let Some(class) = class_of(&DIFFERENCES, Form::Thousandths, width(number)) {
            return (class, number);
        }
    }
    let number = before ^ value;
    (class_of(&DIFFERENCES, Form::Bits, width(number)).unwrap_or(15), number)
}

/// Reads values that a [`ValueWriter`] wrote.
#[derive(Debug)]
pub(super) struct ValueReader<'a> {
    classes: &'a [u8],
    next: usize,
}

impl<'a> ValueReader<'a> {
    /// For `count` values.
    pub(super) fn new(fields: &mut Fields<'a>, count: usize) -> Read<ValueReader<'a>> {
        Ok(ValueReader { classes: fields.bytes(count.div_ceil(2))?, next: 0 })
    }

    fn class(&mut self) -> Read<usize> {
        let byte = self.classes.get(self.next / 2).ok_or(Malformed)?;
        let class = if self.next.is_multiple_of(2) { byte & 15 } else { byte >> 4 };
        self.next += 1;
        Ok(usize::from(class))
    }

    /// The next value, written alone.
    pub(super) fn read(&mut self, fields: &mut Fields<'_>) -> Read<u64> {
        let (form, width) = ALONE[self.class()?];
        let number = read_bytes(fields, width)?;
        Ok(match form {
            Form::Fixed => 0,
            Form::Whole => of_whole(unzigzag(number)).to_bits(),
            Form::Thousandths => of_thousandths(unzigzag(number)).to_bits(),
            Form::Bits => number << (64 - 8 * width),
        })
    }

    /// The next value, written as its difference to `before`.
    pub(super) fn read_difference(&mut self, fields: &mut Fields<'_>, before: u64) -> Read<u64> {
        let (form, width) = DIFFERENCES[self.class()?];
        let number = read_bytes(fields, width)?;
        let from = f64::from_bits(before);
        let sum = |from: i64| from.wrapping_add(unzigzag(number));
        Ok(match form {
            Form::Fixed => STALE_NAN_BITS,
            Form::Whole => of_whole(sum(whole(from).ok_or(Malformed)?)).to_bits(),
            Form::Thousandths => of_thousandths(sum(thousandths(from).ok_or(Malformed)?)).to_bits(),
            Form::Bits => before ^ number,
        })
    }
}

fn read_bytes(fields: &mut Fields<'_>, count: usize) -> Read<u64> {
    let mut bytes = [0; 8];
    bytes[..count].copy_from_slice(fields.bytes(count)?);
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            any::<i16>().prop_map(|number| f64::from(number).to_bits()),
            any::<i64>().prop_map(|number| (number as f64).to_bits()),
            any::<i32>().prop_map(|number| (f64::from(number) / 1000.0).to_bits()),
            any::<i64>().prop_map(|number| (number as f64 / 1000.0).to_bits()),
            Just(STALE_NAN_BITS),
            Just((-0.0f64).to_bits()),
            Just(f64::INFINITY.to_bits()),
        ]
    }

    proptest! {
        #[test]
        fn values_are_read_as_written(values in prop::collection::vec((value(), value()), 0..20)) {
            let (mut alone, mut differences) = (ValueWriter::default(), ValueWriter::default());
            for &(before, value) in &values {
                alone.put(value);
                differences.put_difference(before, value);
            }
            let mut out = Vec::new();
            alone.finish(&mut out);
            differences.finish(&mut out);
            let mut fields = Fields::new(&out);
            let mut reader = ValueReader::new(&mut fields, values.len()).unwrap();
            for &(_, value) in &values {
                prop_assert_eq!(reader.read(&mut fields), Ok(value));
            }
            let mut reader = ValueReader::new(&mut fields, values.len()).unwrap();
            for &(before, value) in &values {
                prop_assert_eq!(reader.read_difference(&mut fields, before), Ok(value));
            }
            prop_assert!(fields.is_empty());
        }
    }

    #[test]
    fn common_values_take_few_bytes() {
        let bytes = |before: f64, value: f64| {
            let mut writer = ValueWriter::default();
            writer.put_difference(before.to_bits(), value.to_bits());
            writer.bytes.len()
        };
        assert_eq!([bytes(1e9, 1e9 + 50.0), bytes(12.34, 12.35), bytes(0.25, 0.75)], [1, 1, 2]);
        assert_eq!([bytes(1.0, 1e300), bytes(1.0, f64::from_bits(STALE_NAN_BITS))], [8, 0]);
    }
}
