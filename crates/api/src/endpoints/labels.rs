//! `/labels` and `/label/<name>/values`.

use narthex_model::Matcher;
use narthex_storage::{Querier, Queryable, StorageError};

use super::selection::{NOT_SELECTIVE, TRUNCATED, has_only_selective, limit_of, matchers_of, range_of};
use super::series::check;
use crate::{Answer, ApiError, Data, Request};

/// Names of labels.
pub(crate) fn names(storage: &dyn Queryable, request: &Request<'_>) -> Result<Answer, ApiError> {
    union(storage, request, |querier, matchers| querier.label_names(matchers))
}

/// Values of one label.
pub(crate) fn values(storage: &dyn Queryable, request: &Request<'_>, name: &str) -> Result<Answer, ApiError> {
    union(storage, request, |querier, matchers| querier.label_values(name, matchers))
}

/// What `look_up` finds for at least one selector, or for all series when there is none.
fn union(
    storage: &dyn Queryable,
    request: &Request<'_>,
    look_up: impl Fn(&dyn Querier, &[Matcher]) -> Result<Vec<String>, StorageError>,
) -> Result<Answer, ApiError> {
    let parameters = &request.parameters;
    let limit = limit_of(parameters)?;
    let range = range_of(parameters)?;
    let selectors = matchers_of(parameters)?;
    if !has_only_selective(&selectors) {
        return Err(ApiError::bad_data(NOT_SELECTIVE));
    }
    if range.is_empty() {
        return Ok(Answer::new(Data::Strings(Vec::new())));
    }
    let querier = storage.querier(range)?;
    let mut found = Vec::new();
    if selectors.is_empty() {
        found = look_up(&*querier, &[])?;
    }
    for matchers in &selectors {
        check(request)?;
        found.append(&mut look_up(&*querier, matchers)?);
    }
    if selectors.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
    let mut warnings = querier.warnings();
    if let Some(limit) = limit.filter(|&limit| found.len() > limit) {
        found.truncate(limit);
        warnings.push(TRUNCATED.to_owned());
    }
    Ok(Answer { data: Data::Strings(found), warnings, infos: Vec::new() })
}

/// A name written `U__…`: `__` is one underscore, `_hex_` the character of that number. What is not well formed stays
/// as it is.
pub(crate) fn unescaped(name: &str) -> String {
    name.strip_prefix("U__").and_then(resolve).unwrap_or_else(|| name.to_owned())
}

fn resolve(escaped: &str) -> Option<String> {
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('_') {
        out.push_str(before);
        let (number, after) = after.split_once('_')?;
        rest = after;
        if number.is_empty() {
            out.push('_');
            continue;
        }
        let is_number = number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(number, 16).ok().filter(|_| is_number)?;
        out.push(char::from_u32(code)?);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_resolved_or_left() {
        let rows = [
            ("job", "job"),
            ("U__job", "job"),
            ("U__a_2d_b", "a-b"),
            ("U__a__b", "a_b"),
            ("U___1f600_", "😀"),
            ("U__", ""),
            ("U__a_2d", "U__a_2d"),
            ("U__a_zz_", "U__a_zz_"),
            ("U__a_d800_", "U__a_d800_"),
            ("U__a_+41_", "U__a_+41_"),
        ];
        for (written, name) in rows {
            assert_eq!(unescaped(written), name, "{written}");
        }
    }
}
