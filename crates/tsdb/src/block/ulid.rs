//! Names of blocks: 48 bits of time and 80 bits that make them unique, as 26 characters.

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of the text form; 130 bits, of which the first two are zero.
const TEXT_LEN: usize = 26;
const ENTROPY_BITS: u32 = 80;

/// The name of a block. Sorts by the time it was made at, as its text does.
///
/// Source: <https://github.com/ulid/spec>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ulid(u128);

/// A text is no [`Ulid`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidUlid;

impl Ulid {
    /// A name from the time of making and 80 bits that nobody else used in that millisecond. Time before the epoch or
    /// behind 48 bits is moved there; the upper bits of `entropy` are not used.
    pub fn from_parts(time_ms: i64, entropy: u128) -> Ulid {
        let time_ms = time_ms.clamp(0, (1 << 48) - 1) as u128;
        Ulid(time_ms << ENTROPY_BITS | entropy & ((1 << ENTROPY_BITS) - 1))
    }

    /// All of it, highest byte first.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// When it was made, in milliseconds since the epoch.
    pub fn time_ms(self) -> i64 {
        (self.0 >> ENTROPY_BITS) as i64
    }

    /// The lower 80 bits.
    pub fn entropy(self) -> u128 {
        self.0 & ((1 << ENTROPY_BITS) - 1)
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |place: usize| DIGITS[(self.0 >> (5 * place)) as usize & 31] as char;
        let text: String = (0..TEXT_LEN).rev().map(digit).collect();
        f.pad(&text)
    }
}

impl fmt::Debug for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Ulid {
    type Err = InvalidUlid;

    /// Lower case is accepted, letters that look like digits are not.
    fn from_str(text: &str) -> Result<Ulid, InvalidUlid> {
        // A first digit above 7 would be lost bits.
        if text.len() != TEXT_LEN || !text.starts_with(|first: char| ('0'..='7').contains(&first)) {
            return Err(InvalidUlid);
        }
        let add = |sum: u128, digit: u8| {
            let place = DIGITS.iter().position(|one| *one == digit.to_ascii_uppercase())?;
            Some(sum << 5 | place as u128)
        };
        text.bytes().try_fold(0, add).map(Ulid).ok_or(InvalidUlid)
    }
}

impl fmt::Display for InvalidUlid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a block name: 26 digits and letters other than I, L, O, U, the first at most 7")
    }
}

impl std::error::Error for InvalidUlid {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_parts_agree() {
        let ulid: Ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        assert_eq!(ulid.time_ms(), 1_469_922_850_259);
        assert_eq!(ulid.to_string(), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        assert_eq!(Ulid::from_parts(ulid.time_ms(), ulid.entropy()), ulid);
        assert_eq!("01arz3ndektsv4rrffq69g5fav".parse(), Ok(ulid));
        assert_eq!(Ulid::from_parts(-1, 0).to_string(), "0".repeat(26));
        assert_eq!(Ulid::from_parts(i64::MAX, u128::MAX).to_string(), format!("7{}", "Z".repeat(25)));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "wal",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
        ] {
            assert_eq!(text.parse::<Ulid>(), Err(InvalidUlid), "{text}");
        }
    }
}
