//! `/series`.

use narthex_model::Labels;
use narthex_storage::{Queryable, SelectHints};

use super::selection::{NOT_SELECTIVE, TRUNCATED, has_only_selective, limit_of, matchers_of, range_of};
use crate::{Answer, ApiError, Data, ErrorKind, Request};

/// After that many series the request looks whether it is to stop.
const CHECK_EVERY: usize = 4096;

/// Series that satisfy at least one selector and may have samples in the range, sorted, each once.
pub(crate) fn series(storage: &dyn Queryable, request: &Request<'_>) -> Result<Answer, ApiError> {
    let parameters = &request.parameters;
    if parameters.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let range = range_of(parameters)?;
    let limit = limit_of(parameters)?;
    let selectors = matchers_of(parameters)?;
    if !has_only_selective(&selectors) {
        return Err(ApiError::parameter("match[]", NOT_SELECTIVE));
    }
    let mut answer = Answer::new(Data::Series(Vec::new()));
    if range.is_empty() {
        return Ok(answer);
    }
    let querier = storage.querier(range)?;
    // One more than wanted tells whether there are more.
    let hints = SelectHints { series_max: limit.map_or(0, |limit| limit + 1), ..SelectHints::default() };
    let mut found = Vec::new();
    for matchers in &selectors {
        let set = querier.select(matchers, range, &hints)?;
        let wanted = limit.map_or(set.len(), |limit| set.len().min(limit + 1));
        found.reserve(wanted);
        for number in 0..wanted {
            if number % CHECK_EVERY == 0 {
                check(request)?;
            }
            found.push(set.labels(number).clone());
        }
    }
    answer.warnings = querier.warnings();
    if selectors.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
    truncate(&mut answer, found, limit);
    Ok(answer)
}

fn truncate(answer: &mut Answer, mut found: Vec<Labels>, limit: Option<usize>) {
    if let Some(limit) = limit.filter(|&limit| found.len() > limit) {
        found.truncate(limit);
        answer.warnings.push(TRUNCATED.to_owned());
    }
    answer.data = Data::Series(found);
}

/// Ends a request that is to stop.
pub(crate) fn check(request: &Request<'_>) -> Result<(), ApiError> {
    use narthex_promql::StopReason;
    match request.interrupt.reason() {
        None => Ok(()),
        Some(StopReason::Expired) => {
            Err(ApiError::new(ErrorKind::Timeout, "query timed out in series selection"))
        }
        Some(StopReason::Canceled) => {
            Err(ApiError::new(ErrorKind::Canceled, "query was canceled in series selection"))
        }
    }
}
