//! Durations as parameters give them, read by upstream's rules and refused with its texts.

use narthex_model::PromDuration;
use narthex_model::number::parse_float;

/// A duration in nanoseconds: seconds, or `1h30m`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration_ns(text: &str) -> Result<i64, String> {
    if let Some(seconds) = parse_float(text) {
        let nanoseconds = seconds * 1e9;
        if nanoseconds.abs() > i64::MAX as f64 {
            return Err(format!("cannot parse {text:?} to a valid duration. It overflows int64"));
        }
        // No number is no duration; upstream's cast makes it a negative one.
        return Ok(if nanoseconds.is_nan() { i64::MIN } else { nanoseconds as i64 });
    }
    let duration = PromDuration::parse(text).ok();
    // Parsing refuses what nanoseconds cannot hold.
    duration
        .map(|duration| duration.ms * 1_000_000)
        .ok_or_else(|| format!("cannot parse {text:?} to a valid duration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_duration() {
        assert_eq!(parse_duration_ns("1h1m"), Ok(3_660_000_000_000));
        assert_eq!(parse_duration_ns("0.5"), Ok(500_000_000));
        assert_eq!(parse_duration_ns("1e-9"), Ok(1));
        assert_eq!(parse_duration_ns("NaN"), Ok(i64::MIN));
        let overflow = "cannot parse \"1e300\" to a valid duration. It overflows int64";
        assert_eq!(parse_duration_ns("1e300"), Err(overflow.to_owned()));
        assert_eq!(parse_duration_ns("1"), Ok(1_000_000_000));
        assert!(["", "1x", "1h ", "5m5h"].iter().all(|text| parse_duration_ns(text).is_err()));
    }
}
