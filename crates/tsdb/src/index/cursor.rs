//! Reading numbers and strings out of bytes that nobody vouches for.

use std::fmt;

use crate::integers::{NoInteger, read_uvarint, unfolded};

/// Where bytes contradict their format, and what should be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Malformed {
    /// Offset in the file.
    pub(crate) at: usize,
    /// What was expected there.
    pub(crate) expected: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

/// A place in a file, from which on it is read; never behind the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads `file` from `at` on.
    pub(crate) fn new(file: &'a [u8], at: usize) -> Result<Cursor<'a>, Malformed> {
        let cursor = Cursor { file, at };
        if at > file.len() { Err(cursor.malformed("an offset within the file")) } else { Ok(cursor) }
    }

    /// Offset in the file.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether everything is read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.file.len()
    }

    /// That something else was expected here.
    pub(crate) fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed { at: self.at, expected }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let taken = self.at.checked_add(len).and_then(|end| self.file.get(self.at..end));
        let taken = taken.ok_or_else(|| self.malformed("more bytes"))?;
        self.at += len;
        Ok(taken)
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], Malformed> {
        let taken = self.file[self.at..].first_chunk().ok_or_else(|| self.malformed("more bytes"))?;
        self.at += LEN;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    #[inline]
    pub(crate) fn uvarint(&mut self) -> Result<u64, Malformed> {
        let read = read_uvarint(&self.file[self.at..]);
        let (value, length) = read.map_err(|reason| match reason {
            NoInteger::Truncated => self.malformed("more bytes"),
            NoInteger::TooLong => self.malformed("an integer of at most 64 bits"),
        })?;
        self.at += length;
        Ok(value)
    }

    /// Leaves out `count` integers.
    pub(crate) fn skip_integers(&mut self, count: u64) -> Result<(), Malformed> {
        let mut left = count;
        let mut rest = &self.file[self.at..];
        while left >= 8
            && let Some((word, behind)) = rest.split_first_chunk()
        {
            left -= u64::from(last_bytes(u64::from_le_bytes(*word)));
            rest = behind;
        }
        while left > 0 {
            let (byte, behind) = rest.split_first().ok_or_else(|| self.malformed("more bytes"))?;
            left -= u64::from(*byte < 0x80);
            rest = behind;
        }
        self.at = self.file.len() - rest.len();
        Ok(())
    }

    pub(crate) fn varint(&mut self) -> Result<i64, Malformed> {
        self.uvarint().map(unfolded)
    }

    /// A string behind its length.
    pub(crate) fn text_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.uvarint()?;
        let len = usize::try_from(len).map_err(|_| self.malformed("a length within the file"))?;
        self.take(len)
    }

    /// A string behind its length.
    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let start = *self;
        str::from_utf8(self.text_bytes()?).map_err(|_| start.malformed("text in UTF-8"))
    }
}

/// How many of eight bytes are the last of an integer.
fn last_bytes(word: u64) -> u8 {
    let ones = !word >> 7 & 0x0101_0101_0101_0101;
    (ones.wrapping_mul(0x0101_0101_0101_0101) >> 56) as u8
}

/// Bytes that [`push_text`] takes.
pub(crate) fn text_size(text: &str) -> u64 {
    let len_bits = u64::from(u64::BITS - (text.len() as u64 | 1).leading_zeros());
    len_bits.div_ceil(7) + text.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integers::{push_text, push_uvarint, push_varint};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_and_texts_are_read_as_written(unsigned: u64, signed: i64, shift in 0..64u32, text in ".{0,200}") {
            let (unsigned, signed) = (unsigned >> shift, signed >> shift);
            let mut bytes = Vec::new();
            push_text(&mut bytes, &text);
            prop_assert_eq!(text_size(&text), bytes.len() as u64);
            let text_length = bytes.len();
            push_uvarint(&mut bytes, unsigned);
            push_varint(&mut bytes, signed);
            let integers = bytes.len() - text_length;
            let mut cursor = Cursor::new(&bytes, 0).unwrap();
            prop_assert_eq!(cursor.text(), Ok(text.as_str()));
            prop_assert_eq!((cursor.uvarint(), cursor.varint()), (Ok(unsigned), Ok(signed)));
            prop_assert!(cursor.is_at_end() && cursor.uvarint().is_err());
            let mut cursor = Cursor::new(&bytes, bytes.len() - integers).unwrap();
            prop_assert!(cursor.skip_integers(3).is_err());
            prop_assert_eq!((cursor.skip_integers(1), cursor.varint()), (Ok(()), Ok(signed)));
            prop_assert_eq!(cursor.skip_integers(0), Ok(()));
        }
    }

    #[test]
    fn as_many_integers_are_left_out_as_are_asked_for() {
        let mut bytes = Vec::new();
        let starts: Vec<usize> = (0..70u64)
            .map(|number| {
                let start = bytes.len();
                push_uvarint(&mut bytes, 1 << number.min(63));
                start
            })
            .collect();
        for (number, start) in starts.into_iter().enumerate() {
            let mut cursor = Cursor::new(&bytes, 0).unwrap();
            assert_eq!((cursor.skip_integers(number as u64), cursor.at()), (Ok(()), start));
        }
        assert!(Cursor::new(&bytes, 0).unwrap().skip_integers(71).is_err());
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let mut cursor = Cursor::new(&[0xff; 11], 0).unwrap();
        assert_eq!(cursor.uvarint(), Err(Malformed { at: 0, expected: "an integer of at most 64 bits" }));
        let mut cursor = Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 0).unwrap();
        assert_eq!(cursor.uvarint(), Ok(u64::MAX));
        assert!(Cursor::new(&[5, b'a'], 0).unwrap().text().is_err());
        assert!(Cursor::new(&[1, 0xff], 0).unwrap().text().is_err());
        assert!(Cursor::new(&[], 1).is_err());
    }
}
