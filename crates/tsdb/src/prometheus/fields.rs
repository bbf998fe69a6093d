//! Numbers, strings and label sets out of the bytes of a record.

use std::borrow::Cow;
use std::fmt;

use narthex_model::Labels;

use crate::integers::{NoInteger, read_uvarint, unfolded};

/// Why bytes are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CorruptRecord {
    /// The bytes end within a field.
    Truncated,
    /// A variable-length integer has more than 64 bits.
    Varint,
    /// More elements are announced than there are bytes for.
    Count,
    /// A number has a value that the format does not know.
    Value,
    /// The compressed bytes are none, or would unpack to more than any real record.
    Compression,
}

impl fmt::Display for CorruptRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CorruptRecord::Truncated => "record ends within a field",
            CorruptRecord::Varint => "variable-length integer has more than 64 bits",
            CorruptRecord::Count => "record announces more than it has bytes for",
            CorruptRecord::Value => "record has a number that means nothing",
            CorruptRecord::Compression => "compressed record cannot be unpacked",
        })
    }
}

impl std::error::Error for CorruptRecord {}

/// What of a record is still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Fields<'a> {
        Fields { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes left.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], CorruptRecord> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(CorruptRecord::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CorruptRecord> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(CorruptRecord::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, CorruptRecord> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CorruptRecord> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, CorruptRecord> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64, CorruptRecord> {
        self.u64().map(f64::from_bits)
    }

    pub(super) fn uvarint(&mut self) -> Result<u64, CorruptRecord> {
        let (value, length) = read_uvarint(self.rest).map_err(|reason| match reason {
            NoInteger::Truncated => CorruptRecord::Truncated,
            NoInteger::TooLong => CorruptRecord::Varint,
        })?;
        self.rest = &self.rest[length..];
        Ok(value)
    }

    pub(super) fn varint(&mut self) -> Result<i64, CorruptRecord> {
        self.uvarint().map(unfolded)
    }

    /// A number of elements that take `bytes_min` or more each.
    pub(super) fn count(&mut self, bytes_min: usize) -> Result<usize, CorruptRecord> {
        let count = usize::try_from(self.uvarint()?).map_err(|_| CorruptRecord::Count)?;
        if count > self.rest.len() / bytes_min { Err(CorruptRecord::Count) } else { Ok(count) }
    }

    /// Text; what is no UTF-8 is replaced by U+FFFD, because no label of ours holds it.
    pub(super) fn str(&mut self) -> Result<Cow<'a, str>, CorruptRecord> {
        let len = self.count(1)?;
        self.bytes(len).map(String::from_utf8_lossy)
    }

    pub(super) fn labels(&mut self) -> Result<Labels, CorruptRecord> {
        let mut pairs = Vec::with_capacity(self.count(2)?);
        for _ in 0..pairs.capacity() {
            pairs.push((self.str()?, self.str()?));
        }
        Ok(Labels::from_pairs(pairs.iter().map(|(name, value)| (&**name, &**value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn varints_end_within_64_bits() {
        let read = |bytes: &[u8]| Fields::new(bytes).uvarint();
        assert_eq!(read(&[0xac, 0x02]), Ok(300));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(u64::MAX));
        assert_eq!(read(&[0xff; 12]), Err(CorruptRecord::Varint));
        assert_eq!(
            read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]),
            Err(CorruptRecord::Varint)
        );
        assert_eq!(read(&[0x80]), Err(CorruptRecord::Truncated));
        assert_eq!(Fields::new(&[0x03]).varint(), Ok(-2));
        assert_eq!(
            Fields::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).varint(),
            Ok(i64::MIN)
        );
    }

    #[test]
    fn labels_are_sorted_and_always_text() {
        let bytes = b"\x03\x01b\x01\xff\x01a\x011\x01c\x00";
        assert_eq!(Fields::new(bytes).labels(), Ok(Labels::from_pairs([("a", "1"), ("b", "\u{fffd}")])));
        assert_eq!(Fields::new(b"\x02\x01b\x01").labels(), Err(CorruptRecord::Count));
        assert_eq!(Fields::new(b"\x01\x01b\x02x").labels(), Err(CorruptRecord::Count));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Fields::new(&bytes).labels();
            let _ = Fields::new(&bytes).varint();
        }
    }
}
