//! The strings of an index, looked up where they lie.

use super::cursor::{Cursor, Malformed};
use super::toc::section;

/// Of every so many strings the place is remembered; those between are counted off.
const SAMPLED: usize = 8;

/// Where strings lie in the file.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    count: u32,
    /// Offset of the first string in the file.
    start: usize,
    /// Places of strings 0, [`SAMPLED`], … less `start`. A section has less than 4 GiB.
    samples: Box<[u32]>,
}

impl Symbols {
    /// Checks the section at `at`, which must end at `end`.
    pub(crate) fn open(file: &[u8], at: usize, end: usize) -> Result<Symbols, Malformed> {
        let body = section(file, at)?;
        let mut cursor = Cursor::new(&file[..at + 4 + body.len()], at + 4)?;
        if at + 4 + body.len() + 4 != end {
            return Err(Malformed { at, expected: "strings up to where the series begin" });
        }
        let count = cursor.u32()?;
        let start = cursor.at();
        if count as usize > body.len() {
            return Err(Malformed { at: start, expected: "as many strings as are counted" });
        }
        let mut samples = Vec::with_capacity((count as usize).div_ceil(SAMPLED));
        for number in 0..count as usize {
            if number % SAMPLED == 0 {
                samples.push((cursor.at() - start) as u32);
            }
            cursor.text_bytes()?;
        }
        if !cursor.is_at_end() {
            return Err(cursor.malformed("the end of the strings"));
        }
        Ok(Symbols { count, start, samples: samples.into() })
    }

    /// String number `number`.
    pub(crate) fn get<'a>(&self, file: &'a [u8], number: u64) -> Result<&'a str, Malformed> {
        let none = Malformed { at: self.start, expected: "a string of that number" };
        let place = usize::try_from(number).map_err(|_| none)?;
        if number >= u64::from(self.count) {
            return Err(none);
        }
        let sample = *self.samples.get(place / SAMPLED).ok_or(none)?;
        let mut cursor = Cursor::new(file, self.start + sample as usize)?;
        for _ in 0..place % SAMPLED {
            cursor.text_bytes()?;
        }
        cursor.text()
    }

    /// Bytes of memory held.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of_val(&*self.samples)
    }
}
