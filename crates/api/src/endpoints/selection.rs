//! The parameters that endpoints share: matchers, the time range, the limit.

use narthex_model::instant::parse_time;
use narthex_model::{Matcher, TimeRange, Timestamp};
use narthex_promql::parse_selector;

use crate::{ApiError, Parameters};

/// The warning beside an answer that the parameter `limit` cut short.
pub(crate) const TRUNCATED: &str = "results truncated due to limit";

/// A time that need not be given.
pub(crate) fn time_or(
    parameters: &Parameters,
    name: &str,
    otherwise: Timestamp,
) -> Result<Timestamp, ApiError> {
    match parameters.first(name) {
        "" => Ok(otherwise),
        text => parse_time(text)
            .map_err(|what| ApiError::parameter(name, format!("invalid time value for '{name}': {what}"))),
    }
}

/// The range from `start` to `end`; all of time where they are not given.
pub(crate) fn range_of(parameters: &Parameters) -> Result<TimeRange, ApiError> {
    let min_ms = time_or(parameters, "start", TimeRange::ALL.min_ms)?;
    Ok(TimeRange::new(min_ms, time_or(parameters, "end", TimeRange::ALL.max_ms)?))
}

/// Most items of the answer; none and 0 are no limit.
pub(crate) fn limit_of(parameters: &Parameters) -> Result<Option<usize>, ApiError> {
    let text = parameters.first("limit");
    let wrong = |what: String| ApiError::parameter("limit", what);
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(format!("strconv.Atoi: parsing {text:?}: invalid syntax")));
    }
    let limit: i64 =
        text.parse().map_err(|_| wrong(format!("strconv.Atoi: parsing {text:?}: value out of range")))?;
    match usize::try_from(limit) {
        Ok(0) => Ok(None),
        Ok(limit) => Ok(Some(limit)),
        Err(_) => Err(wrong("limit must be non-negative".to_owned())),
    }
}

/// Every `match[]`, read.
pub(crate) fn matchers_of(parameters: &Parameters) -> Result<Vec<Vec<Matcher>>, ApiError> {
    parameters.all("match[]").map(selector).collect()
}

fn selector(text: &str) -> Result<Vec<Matcher>, ApiError> {
    parse_selector(text).map_err(|error| {
        let message = error.to_string();
        match message.split_once(": parse error: ") {
            Some((_, rest)) if text.trim_ascii().is_empty() => {
                ApiError::parameter("match[]", format!("unknown position: parse error: {rest}"))
            }
            _ => ApiError::parameter("match[]", message),
        }
    })
}

/// Refuses selectors that any series satisfies.
pub(crate) fn has_only_selective(selectors: &[Vec<Matcher>]) -> bool {
    selectors.iter().all(|matchers| matchers.iter().any(|matcher| !matcher.matches_empty()))
}

/// What is said of a selector that any series satisfies.
pub(crate) const NOT_SELECTIVE: &str = "match[] must contain at least one non-empty matcher";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_upstream_reads_integers() {
        let limit = |text: &str| {
            let query = format!("limit={text}");
            limit_of(&Parameters::parse(query.as_bytes(), b"").unwrap()).map_err(|error| error.message)
        };
        assert_eq!(
            [limit(""), limit("0"), limit("7"), limit("%2B7")],
            [None, None, Some(7), Some(7)].map(Ok)
        );
        let wrong = |text: &str, what: &str| {
            assert_eq!(limit(text), Err(format!("invalid parameter \"limit\": {what}")));
        };
        wrong("x", "strconv.Atoi: parsing \"x\": invalid syntax");
        wrong("1.5", "strconv.Atoi: parsing \"1.5\": invalid syntax");
        wrong("-1", "limit must be non-negative");
        wrong("99999999999999999999", "strconv.Atoi: parsing \"99999999999999999999\": value out of range");
    }
}
