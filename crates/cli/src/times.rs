//! Times and durations as typed: `2026-01-05T10:30:00Z`, `1767609000.5`, `1m`, `15`.

use narthex_model::{PromDuration, Timestamp};

/// An instant: RFC 3339, or seconds since the epoch.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return to_ms(seconds).ok_or_else(|| format!("{text} is beyond any time that can be evaluated"));
    }
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        "expected RFC 3339 (2026-01-05T10:30:00Z) or seconds since the epoch (1767609000)".to_owned()
    })?;
    Ok(time.as_millisecond())
}

/// A duration that is longer than nothing, in milliseconds: `1m30s`, or seconds.
pub(crate) fn parse_step(text: &str) -> Result<i64, String> {
    let step_ms = match text.parse::<f64>() {
        Ok(seconds) => to_ms(seconds).ok_or_else(|| format!("{text} is too long"))?,
        Err(_) => PromDuration::parse(text).map_err(|error| error.to_string())?.ms,
    };
    if step_ms > 0 { Ok(step_ms) } else { Err("expected a duration above zero (15s, 1m, 0.5)".into()) }
}

/// Seconds as milliseconds, rounded; nothing that would not fit.
fn to_ms(seconds: f64) -> Option<i64> {
    const LIMIT_SECONDS: f64 = 9e12;
    (seconds.abs() < LIMIT_SECONDS).then(|| (seconds * 1000.0).round() as i64)
}

/// RFC 3339 in UTC with milliseconds if there are any; the bare number of milliseconds past the calendar.
pub(crate) fn format_time(at_ms: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{at_ms} ms"),
    }
}

/// The wall clock.
pub(crate) fn now_ms() -> Timestamp {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time() {
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Ok(1500));
        assert_eq!(parse_time("1.5"), Ok(1500));
        assert_eq!(parse_time("1970-01-01T01:00:00+01:00"), Ok(0));
        assert!(
            parse_time("yesterday").is_err() && parse_time("nan").is_err() && parse_time("1e300").is_err()
        );
        assert_eq!(format_time(1500), "1970-01-01T00:00:01.5Z");
    }

    #[test]
    fn a_step_is_above_zero() {
        assert_eq!((parse_step("1m30s"), parse_step("0.5")), (Ok(90_000), Ok(500)));
        assert!(["0", "-1", "0s", "1x", "", "inf"].iter().all(|text| parse_step(text).is_err()));
    }
}
