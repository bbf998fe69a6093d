//! Instants as text: what parameters of requests, command lines and test files give, read by upstream's rules.

use crate::Timestamp;
use crate::number::parse_float;

/// What upstream's clients send for the beginning and the end of time.
const MIN_TIME: &str = "-292273086-05-16T16:47:06Z";
const MAX_TIME: &str = "292277025-08-18T07:12:54.999999999Z";

/// An instant: seconds since the epoch, or RFC 3339. Fractions are cut to milliseconds.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let time = match (text, parse_float(text)) {
        (_, Some(seconds)) => from_seconds(seconds),
        (MIN_TIME, _) => Some(Timestamp::MIN),
        (MAX_TIME, _) => Some(Timestamp::MAX),
        _ => parse_rfc3339(text.as_bytes()),
    };
    time.ok_or_else(|| format!("cannot parse {text:?} to a valid timestamp"))
}

/// As upstream rounds: the fraction to milliseconds, then through whole nanoseconds.
fn from_seconds(seconds: f64) -> Option<Timestamp> {
    const LIMIT_SECONDS: f64 = 9e15;
    if seconds.is_nan() || seconds.abs() > LIMIT_SECONDS {
        return None;
    }
    let fraction = (seconds.fract() * 1000.0).round() / 1000.0;
    let nanoseconds = (fraction * 1e9) as i64;
    Some(seconds.trunc() as i64 * 1000 + nanoseconds.div_euclid(1_000_000))
}

/// `2026-01-05T10:30:00.5+01:00`, exactly as RFC 3339 has it.
fn parse_rfc3339(text: &[u8]) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if fixed.iter().any(|&(at, byte)| date_time[at] != byte) {
        return None;
    }
    let [year, month, day] = [digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?];
    let [hour, minute, second] = [digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?];
    let is_valid = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    if !is_valid || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (ms, zone) = fraction_ms(rest)?;
    let days = days_from_civil(year, month, day);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - zone_seconds(zone)?;
    Some(seconds * 1000 + ms)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Milliseconds of the fraction, if there is one, and what follows it.
fn fraction_ms(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', after @ ..] = text else { return Some((0, text)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let kept = length.min(3);
    let scale = [0, 100, 10, 1][kept];
    (length > 0).then_some(())?;
    Some((digits(&after[..kept])? * scale, &after[length..]))
}

fn zone_seconds(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), time @ ..] if time.len() == 5 && time[2] == b':' => {
            let (hours, minutes) = (digits(&time[..2])?, digits(&time[3..])?);
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn month_days(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, in eras of 400 years that start in March, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time() {
        let rows = [
            ("4", 4000),
            ("1767609200.25", 1_767_609_200_250),
            ("-1.0005", -1000),
            ("-1.25", -1250),
            ("1e3", 1_000_000),
            ("1970-01-01T00:00:01.5Z", 1500),
            ("2026-01-05T10:30:00.1234567Z", 1_767_609_000_123),
            ("2026-01-05T10:30:00+01:00", 1_767_605_400_000),
            ("2024-02-29T23:59:59-00:30", 1_709_252_999_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            (MIN_TIME, i64::MIN),
            (MAX_TIME, i64::MAX),
        ];
        for (text, at_ms) in rows {
            assert_eq!(parse_time(text), Ok(at_ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let texts = [
            "",
            "foo",
            "NaN",
            "Inf",
            "1e300",
            "0x10",
            "2026-01-05",
            "2026-01-05 10:30:00Z",
            "2026-01-05T10:30:00",
            "2026-01-05t10:30:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-05T24:00:00Z",
            "2026-01-05T10:30:00.Z",
            "2026-01-05T10:30:00+1:00",
            "2026-01-05T10:30:00é",
        ];
        for text in texts {
            assert_eq!(parse_time(text), Err(format!("cannot parse {text:?} to a valid timestamp")));
        }
    }
}
