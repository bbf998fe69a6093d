//! `/query` and `/query_range`.

use std::time::Duration;

use narthex_eval::{Engine, EvalErrorKind, QueryValue};
use narthex_model::TimeRange;
use narthex_model::instant::parse_time;
use narthex_plan::QueryParameters;
use narthex_storage::Queryable;

use super::read_query;
use super::selection::{TRUNCATED, limit_of, time_or};
use crate::answer::QueryStatistics;
use crate::times::parse_duration_ns;
use crate::{Answer, ApiError, ApiOptions, Data, Parameters, Request};

/// A series has at most that many points in an answer.
const POINTS_MAX: i128 = 11_000;

/// A query at one instant.
pub(crate) fn instant(
    storage: &dyn Queryable,
    options: &ApiOptions,
    request: &Request<'_>,
) -> Result<Answer, ApiError> {
    let parameters = &request.parameters;
    let limit = limit_of(parameters)?;
    let at_ms = time_or(parameters, "time", request.now_ms)?;
    check_timeout(parameters)?;
    let lookback_ms = lookback_of(parameters, options)?;
    let times = QueryParameters::instant(at_ms, lookback_ms, options.subquery_step_ms);
    evaluate(storage, options, request, times, limit)
}

/// A query at regular distances.
pub(crate) fn range(
    storage: &dyn Queryable,
    options: &ApiOptions,
    request: &Request<'_>,
) -> Result<Answer, ApiError> {
    let parameters = &request.parameters;
    let limit = limit_of(parameters)?;
    let (range, step_ms) = range_of(parameters)?;
    check_timeout(parameters)?;
    let lookback_ms = lookback_of(parameters, options)?;
    let times = QueryParameters::range(range, step_ms, lookback_ms, options.subquery_step_ms);
    evaluate(storage, options, request, times, limit)
}

/// The times of a range query.
fn range_of(parameters: &Parameters) -> Result<(TimeRange, i64), ApiError> {
    let time = |name| parse_time(parameters.first(name)).map_err(|what| ApiError::parameter(name, what));
    let range = TimeRange::new(time("start")?, time("end")?);
    if range.is_empty() {
        return Err(ApiError::parameter("end", "end timestamp must not be before start time"));
    }
    let step = parse_duration_ns(parameters.first("step"));
    let step_ns = step.map_err(|what| ApiError::parameter("step", what))?;
    if step_ns <= 0 {
        let what = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(ApiError::parameter("step", what));
    }
    let length_ns = (i128::from(range.max_ms) - i128::from(range.min_ms)) * 1_000_000;
    if length_ns / i128::from(step_ns) > POINTS_MAX {
        let what = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(ApiError::bad_data(what));
    }
    let step_ms = step_ns / 1_000_000;
    if step_ms == 0 && length_ns > 0 {
        return Err(ApiError::parameter("step", "expected a millisecond or more"));
    }
    Ok((range, step_ms))
}

/// The deadline is the server's business; what cannot be read is refused here, in upstream's order.
fn check_timeout(parameters: &Parameters) -> Result<(), ApiError> {
    match parameters.first("timeout") {
        "" => Ok(()),
        text => parse_duration_ns(text).map(drop).map_err(|what| ApiError::parameter("timeout", what)),
    }
}

fn lookback_of(parameters: &Parameters, options: &ApiOptions) -> Result<i64, ApiError> {
    let text = parameters.first("lookback_delta");
    if text.is_empty() {
        return Ok(options.lookback_ms);
    }
    let wrong = |what| ApiError::bad_data(format!("error parsing lookback delta duration: {what}"));
    let lookback_ms = parse_duration_ns(text).map_err(wrong)? / 1_000_000;
    Ok(if lookback_ms > 0 { lookback_ms } else { options.lookback_ms })
}

fn evaluate(
    storage: &dyn Queryable,
    options: &ApiOptions,
    request: &Request<'_>,
    times: QueryParameters,
    limit: Option<usize>,
) -> Result<Answer, ApiError> {
    let begun = (request.elapsed)();
    let expr = read_query(&request.parameters, &options.parse)?;
    let prepared = Engine::new(options.engine).prepare(&expr, times);
    let query = prepared.map_err(|error| match error.kind() {
        EvalErrorKind::Plan => ApiError::parameter("query", error),
        _ => error.into(),
    })?;
    let wanted = request.parameters.first("stats");
    let mut context = query.interruptible_context(&request.interrupt);
    if !wanted.is_empty() {
        context = context.counting_samples();
    }
    let prepared = (request.elapsed)();
    let result = query.evaluate_in(&context, storage)?;
    let by_step = context.samples_by_step().unwrap_or_default();
    let statistics = QueryStatistics {
        queue_seconds: begun.as_secs_f64(),
        preparation_seconds: seconds_between(begun, prepared),
        evaluation_seconds: seconds_between(prepared, (request.elapsed)()),
        samples_total: by_step.iter().sum(),
        samples_by_step: match wanted {
            "all" => times.grid.timestamps().zip(by_step).collect(),
            _ => Vec::new(),
        },
        samples_peak: context.samples_peak(),
    };
    let wants_statistics = !wanted.is_empty();
    let mut value = result.value;
    let is_truncated = limit.is_some_and(|limit| truncate(&mut value, limit));
    let mut answer = Answer::new(Data::Query(value, wants_statistics.then_some(statistics)));
    answer.warnings = result.storage_warnings;
    answer.annotate(&result.annotations, request.parameters.first("query"));
    answer.warnings.extend(is_truncated.then(|| TRUNCATED.to_owned()));
    Ok(answer)
}

fn seconds_between(start: Duration, end: Duration) -> f64 {
    end.saturating_sub(start).as_secs_f64()
}

/// Keeps the first series; says whether there were more.
fn truncate(value: &mut QueryValue, limit: usize) -> bool {
    let length = match value {
        QueryValue::Vector(samples) => samples.len(),
        QueryValue::Matrix(series) => series.len(),
        QueryValue::Scalar { .. } | QueryValue::Text { .. } => 0,
    };
    match value {
        QueryValue::Vector(samples) => samples.truncate(limit),
        QueryValue::Matrix(series) => series.truncate(limit),
        QueryValue::Scalar { .. } | QueryValue::Text { .. } => {}
    }
    length > limit
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use narthex_model::Labels;
    use narthex_storage::{Appender, MemoryStorage};

    use super::*;
    use crate::{Api, Endpoint};

    /// What stands under `stats` in the answer to a query over one series, a sample a minute.
    fn statistics(wanted: &str) -> Option<String> {
        let mut store = MemoryStorage::new();
        let labels = Labels::from_pairs([("__name__", "x")]);
        for minute in 0..=10 {
            store.append(&labels, minute * 60_000, 1.0.into(), 0).unwrap();
        }
        let query = format!("query=sum_over_time(x[2m])&start=60.5&end=180.5&step=1m&stats={wanted}");
        let parameters = Parameters::parse(query.as_bytes(), b"").unwrap();
        let answer = Api::new(Arc::new(store), ApiOptions::default()).answer(&Request::new(
            Endpoint::QueryRange,
            parameters,
            0,
        ));
        let mut body = Vec::new();
        answer.unwrap().write(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        body.split_once("\"samples\":").map(|parts| parts.1.to_owned())
    }

    #[test]
    fn statistics_are_for_those_who_ask() {
        assert_eq!(statistics(""), None);
        assert_eq!(statistics("1").unwrap(), "{\"totalQueryableSamples\":6,\"peakSamples\":4}}}}");
        assert_eq!(
            statistics("all").unwrap(),
            "{\"totalQueryableSamplesPerStep\":[[60.5,2],[120.5,2],[180.5,2]],\"totalQueryableSamples\":6,\"peakSamples\":4}}}}"
        );
    }
}
