//! Protobuf as bytes: fields of a message, read one after the other.

use std::fmt;

/// Why a body cannot be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are no snappy block.
    Compression,
    /// Decompressed, the body would be longer than is accepted.
    TooLong {
        /// Bytes that it says it has.
        bytes: usize,
        /// Bytes that are accepted.
        bytes_max: usize,
    },
    /// The bytes end within a field.
    Truncated,
    /// A variable-length integer has more than 64 bits.
    Varint,
    /// A label is the text of a number that no text has, or a name without a value.
    Reference {
        /// The number.
        number: u64,
    },
    /// A field has a type that there is not, or not the one that the message gives it.
    WireType {
        /// Number of the field.
        field: u32,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Compression => f.write_str("snappy: corrupt input"),
            DecodeError::TooLong { bytes, bytes_max } => {
                write!(f, "snappy: decompressed length of {bytes} bytes is above the limit of {bytes_max}")
            }
            DecodeError::Truncated => f.write_str("proto: message ends within a field"),
            DecodeError::Reference { number } => {
                write!(f, "proto: label reference {number} has no text, or stands alone")
            }
            DecodeError::Varint => f.write_str("proto: integer has more than 64 bits"),
            DecodeError::WireType { field } => write!(f, "proto: unexpected wire type of field {field}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The value of a field as its wire type says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// Type 0.
    Varint(u64),
    /// Type 1.
    Fixed64([u8; 8]),
    /// Type 2: a string, a message, a packed list.
    Bytes(&'a [u8]),
    /// Type 5.
    Fixed32([u8; 4]),
}

/// A field of a message.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Field<'a> {
    /// Its number.
    pub number: u32,
    /// Its value.
    pub value: Value<'a>,
}

/// The fields of a message, in order. Ends at the first error.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of these bytes.
    pub fn new(message: &'a [u8]) -> Fields<'a> {
        Fields { rest: message }
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        // Most are one byte long.
        if let [byte @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let mut value = 0;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            if at == 9 && byte > 1 {
                return Err(DecodeError::Varint);
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { DecodeError::Truncated } else { DecodeError::Varint })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn field(&mut self) -> Result<Field<'a>, DecodeError> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| DecodeError::Varint)?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.array()?),
            2 => Value::Bytes(self.bytes()?),
            5 => Value::Fixed32(self.array()?),
            _ => return Err(DecodeError::WireType { field: number }),
        };
        Ok(Field { number, value })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, DecodeError>;

    fn next(&mut self) -> Option<Result<Field<'a>, DecodeError>> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Field<'a> {
    fn wrong_type(&self) -> DecodeError {
        DecodeError::WireType { field: self.number }
    }

    /// A string or a message.
    ///
    /// # Errors
    /// When the field has another type.
    pub fn bytes(&self) -> Result<&'a [u8], DecodeError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong_type()),
        }
    }

    /// An integer.
    ///
    /// # Errors
    /// When the field has another type.
    pub fn varint(&self) -> Result<u64, DecodeError> {
        match self.value {
            Value::Varint(number) => Ok(number),
            _ => Err(self.wrong_type()),
        }
    }

    /// A `double`, bit for bit.
    ///
    /// # Errors
    /// When the field has another type.
    pub fn double(&self) -> Result<f64, DecodeError> {
        match self.value {
            Value::Fixed64(bytes) => Ok(f64::from_le_bytes(bytes)),
            _ => Err(self.wrong_type()),
        }
    }

    /// Appends the integers of a repeated field, packed or not, each as `convert` reads it.
    ///
    /// # Errors
    /// When the field has another type or ends within an integer.
    pub fn varints<T>(&self, convert: impl Fn(u64) -> T, out: &mut Vec<T>) -> Result<(), DecodeError> {
        match self.value {
            Value::Varint(number) => out.push(convert(number)),
            Value::Bytes(bytes) => {
                let mut packed = Fields::new(bytes);
                while !packed.rest.is_empty() {
                    out.push(convert(packed.varint()?));
                }
            }
            _ => return Err(self.wrong_type()),
        }
        Ok(())
    }

    /// Appends the `double`s of a repeated field, packed or not.
    ///
    /// # Errors
    /// When the field has another type or ends within a number.
    pub fn doubles(&self, out: &mut Vec<f64>) -> Result<(), DecodeError> {
        match self.value {
            Value::Fixed64(bytes) => out.push(f64::from_le_bytes(bytes)),
            Value::Bytes(bytes) => {
                let (numbers, rest) = bytes.as_chunks();
                if !rest.is_empty() {
                    return Err(DecodeError::Truncated);
                }
                out.extend(numbers.iter().map(|number| f64::from_le_bytes(*number)));
            }
            _ => return Err(self.wrong_type()),
        }
        Ok(())
    }
}

/// `sint32` and `sint64`: small numbers of either sign are small.
pub fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_their_types() {
        let message = b"\x08\x96\x01\x12\x02hi\x19\0\0\0\0\0\0\xf0\x3f\x25\x01\0\0\0";
        let fields: Vec<Field<'_>> = Fields::new(message).map(Result::unwrap).collect();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((fields[0].varint(), fields[1].bytes()), (Ok(150), Ok(&b"hi"[..])));
        assert_eq!(
            (fields[2].double(), fields[0].double()),
            (Ok(1.0), Err(DecodeError::WireType { field: 1 }))
        );
        assert_eq!(fields[3].value, Value::Fixed32([1, 0, 0, 0]));
    }

    #[test]
    fn broken_bytes_end_the_reading() {
        let rows: [(&[u8], DecodeError); 6] = [
            (b"\x08", DecodeError::Truncated),
            (b"\x12\x05hi", DecodeError::Truncated),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", DecodeError::Truncated),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", DecodeError::Varint),
            (b"\x0b", DecodeError::WireType { field: 1 }),
            (b"\x09\0\0", DecodeError::Truncated),
        ];
        for (message, error) in rows {
            assert_eq!(Fields::new(message).collect::<Vec<_>>(), [Err(error)], "{message:?}");
        }
    }

    #[test]
    fn signed_integers_alternate() {
        assert_eq!([0, 1, 2, 3, u64::MAX, u64::MAX - 1].map(zigzag), [0, -1, 1, -2, i64::MIN, i64::MAX]);
    }
}
