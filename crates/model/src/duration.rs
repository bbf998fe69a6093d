//! Durations as written in queries and configuration: `1h30m`.

use std::fmt;

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Longest duration in milliseconds: what 63 bits of nanoseconds hold, about 292 years.
pub const DURATION_MAX_MS: i64 = i64::MAX / 1_000_000;

/// A span of time in whole milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PromDuration {
    /// Milliseconds; parsing never yields a negative number.
    pub ms: i64,
}

/// Why a text is no duration. The messages are upstream's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DurationError {
    /// The text is empty.
    Empty,
    /// Not number and unit pairs in falling order, each unit at most once, or a number of more than 64 bits.
    Invalid(String),
    /// A number is followed by something that is no unit.
    UnknownUnit {
        /// What follows the number.
        unit: String,
        /// The whole text.
        text: String,
    },
    /// Longer than [`DURATION_MAX_MS`].
    OutOfRange,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DurationError::Empty => f.write_str("empty duration string"),
            DurationError::Invalid(text) => write!(f, "not a valid duration string: {text:?}"),
            DurationError::UnknownUnit { unit, text } => {
                write!(f, "unknown unit {unit:?} in duration {text:?}")
            }
            DurationError::OutOfRange => f.write_str("duration out of range"),
        }
    }
}

impl std::error::Error for DurationError {}

impl PromDuration {
    /// No time at all.
    pub const ZERO: PromDuration = PromDuration { ms: 0 };

    /// From milliseconds.
    pub fn from_ms(ms: i64) -> PromDuration {
        PromDuration { ms }
    }

    /// In seconds.
    pub fn seconds(self) -> f64 {
        self.ms as f64 / 1000.0
    }

    /// Reads pairs of an integer and a unit (`y w d h m s ms`) in falling order, each unit once; a bare `0` is zero.
    ///
    /// # Errors
    /// See [`DurationError`].
    pub fn parse(text: &str) -> Result<PromDuration, DurationError> {
        match text {
            "0" => return Ok(PromDuration::ZERO),
            "" => return Err(DurationError::Empty),
            _ => {}
        }
        let mut rest = text;
        let mut total_ms: i64 = 0;
        let mut units_left = UNITS.as_slice();
        while !rest.is_empty() {
            let (number, unit, after) = split_pair(rest, text)?;
            let Some(at) = UNITS.iter().position(|candidate| candidate.0 == unit) else {
                return Err(DurationError::UnknownUnit { unit: unit.into(), text: text.into() });
            };
            let skipped = UNITS.len() - units_left.len();
            if at < skipped {
                return Err(DurationError::Invalid(text.into()));
            }
            units_left = &UNITS[at + 1..];
            let number = i64::try_from(number).map_err(|_| DurationError::OutOfRange)?;
            let part_ms = number.checked_mul(UNITS[at].1).ok_or(DurationError::OutOfRange)?;
            total_ms = total_ms.checked_add(part_ms).ok_or(DurationError::OutOfRange)?;
            rest = after;
        }
        if total_ms > DURATION_MAX_MS {
            Err(DurationError::OutOfRange)
        } else {
            Ok(PromDuration { ms: total_ms })
        }
    }
}

/// Number, unit and what follows them.
fn split_pair<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str, &'a str), DurationError> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = rest.split_at(digits);
    let letters = after.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
    let (unit, after) = after.split_at(letters);
    match number.parse() {
        Ok(number) if !unit.is_empty() => Ok((number, unit, after)),
        _ => Err(DurationError::Invalid(text.into())),
    }
}

/// The largest exact units: `1h30m`; years, weeks and days only where nothing remains below them; `0s` for zero.
impl fmt::Display for PromDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ms == 0 {
            return f.write_str("0s");
        }
        if self.ms < 0 {
            f.write_str("-")?;
        }
        let mut rest = self.ms.unsigned_abs();
        for (unit, unit_ms) in UNITS {
            let unit_ms = unit_ms.unsigned_abs();
            let needs_exact = matches!(unit, "y" | "w");
            if rest == 0 || rest / unit_ms == 0 || (needs_exact && !rest.is_multiple_of(unit_ms)) {
                continue;
            }
            write!(f, "{}{unit}", rest / unit_ms)?;
            rest %= unit_ms;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for text in ["1h30m", "2w", "1y", "10d", "15s", "1500ms", "1d", "4m30s"] {
            let duration = PromDuration::parse(text).unwrap();
            let printed = duration.to_string();
            assert_eq!(PromDuration::parse(&printed).unwrap(), duration, "{text} printed as {printed}");
        }
        assert_eq!(PromDuration::from_ms(1500).to_string(), "1s500ms");
        assert_eq!(PromDuration::from_ms(7 * 86_400_000).to_string(), "1w");
        assert_eq!(PromDuration::from_ms(8 * 86_400_000).to_string(), "8d");
        assert_eq!(PromDuration::from_ms(0).to_string(), "0s");
        assert_eq!(PromDuration::parse("0").unwrap(), PromDuration::ZERO);
    }

    #[test]
    fn refusals_name_the_fault() {
        let message = |text| PromDuration::parse(text).unwrap_err().to_string();
        assert_eq!(message("30s5m"), r#"not a valid duration string: "30s5m""#);
        assert_eq!(message("1h1h"), r#"not a valid duration string: "1h1h""#);
        assert_eq!(message("1.5h"), r#"unknown unit "." in duration "1.5h""#);
        assert_eq!(message("300y"), "duration out of range");
        assert_eq!(message("18446744073709551615ms"), "duration out of range");
        assert_eq!(
            message("18446744073709551616ms"),
            r#"not a valid duration string: "18446744073709551616ms""#
        );
        assert_eq!(message(""), "empty duration string");
        assert_eq!(message("5"), r#"not a valid duration string: "5""#);
    }
}
